//! The desired state of a switch, from the sessions and the settings of each user.

use std::collections::{BTreeMap, BTreeSet};

use super::about::{About, Subjects};
use super::device::DesiredDevice;
use super::scope::Scope;
use super::user::{Blf, DesiredUser, Member};
use crate::model::directory::group::Groups;
use crate::model::directory::{Away, CallerId, Device, Kind, Snapshot, User};
use crate::model::id::{
    DeviceName, DialTarget, Extension, GroupName, Number, Revision, SwitchName, TenantId,
};
use crate::model::routes::Routes;

/// The desired state of one switch: its devices, and every user.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Desired {
    /// Its own devices.
    pub devices: BTreeMap<DeviceName, DesiredDevice>,
    /// By extension. Boxed: a map that is filled in order is half empty, and this is the largest.
    pub users: BTreeMap<Extension, Box<DesiredUser>>,
    /// Whether it is a whole tenant, not some of its users and devices.
    pub whole: bool,
}

impl Desired {
    /// The desired state of `switch` for the `scope` of `snapshot`. A user at a device of another switch is called
    /// through a route, after the user's devices here.
    pub fn of(snapshot: &Snapshot, scope: &Scope, switch: &SwitchName, routes: &Routes) -> Self {
        let logged_in: BTreeSet<&Extension> = snapshot.sessions.values().map(|it| &it.user).collect();
        let mut desired = Self { whole: *scope == Scope::All, ..Self::default() };
        let mut places: BTreeMap<&Extension, Place<'_>> = BTreeMap::new();
        for device in snapshot.devices.values() {
            let session = snapshot.sessions.get(&device.name);
            let revision = session.map_or(Revision(0), |session| session.revision);
            let user = snapshot.user_where(&device.name, |user| logged_in.contains(user));
            let user = user.and_then(|user| snapshot.users.get(user));
            if let Some(user) = user {
                let place = places.entry(&user.extension).or_default();
                place.add(device, device.switch == *switch, snapshot.rings(&device.name, user));
                place.revision = place.revision.max(revision);
            }
            if device.switch == *switch {
                let device_is = desired_device(snapshot, device, user, revision);
                desired.devices.insert(device.name.clone(), device_is);
            }
        }
        for user in snapshot.users.values() {
            let place = places.remove(&user.extension).unwrap_or_default();
            let user_is = Box::new(desired_user(user, &place, routes));
            desired.users.insert(user.extension.clone(), user_is);
        }
        desired
    }

    /// Its subjects, of which a switch may keep records.
    pub fn abouts(&self) -> BTreeSet<About> {
        let mut abouts = BTreeSet::new();
        for (name, device) in &self.devices {
            abouts.insert(About::Device(name.clone()));
            abouts.extend(device.is_logged_in().then(|| About::DeviceBlf(name.clone())));
        }
        for (name, user) in &self.users {
            abouts.extend([About::User(name.clone()), About::Blf(name.clone())]);
            abouts.extend(user.has_profile().then(|| About::Profile(name.clone())));
            abouts.extend(user.groups.keys().map(|group| About::Member(group.clone(), name.clone())));
        }
        abouts
    }

    /// The records to read to reconcile the `scope` of `snapshot`, which contains every record of all its users and devices.
    pub fn subjects(snapshot: &Snapshot, scope: &Scope) -> Subjects {
        let mut subjects = Subjects {
            users: snapshot.users.keys().cloned().collect(),
            devices: snapshot.devices.keys().cloned().collect(),
            others: *scope == Scope::All,
        };
        if let Scope::Some { users, devices } = scope {
            subjects.users.extend(users.iter().cloned());
            subjects.devices.extend(devices.iter().cloned());
        }
        subjects
    }
}

/// All targets, or the first ones that fit in a dial target: some devices should ring rather than none.
pub fn joined(targets: &[&str]) -> Option<DialTarget> {
    (1..=targets.len()).rev().find_map(|most| DialTarget::new(targets.get(..most)?.join("&")).ok())
}

/// The devices of a user.
#[derive(Default)]
struct Place<'a> {
    /// The user's ring targets on this switch.
    rings: Vec<&'a str>,
    /// The other switches with ring targets of the user.
    rings_there: BTreeSet<&'a SwitchName>,
    /// The user's devices on this switch that a BLF can watch.
    watched: Vec<&'a str>,
    revision: Revision,
}

impl<'a> Place<'a> {
    fn add(&mut self, device: &'a Device, here: bool, rings: bool) {
        let dial = device.dial.as_str();
        match (here, rings) {
            (true, true) => self.rings.push(dial),
            (false, true) => drop(self.rings_there.insert(&device.switch)),
            (_, false) => {}
        }
        if here && device.kind != Kind::Mobile {
            self.watched.push(dial);
        }
    }
}

/// A user's ring targets, and the destination of calls without any.
struct Rung {
    /// The first, or all at once.
    dial: Option<DialTarget>,
    /// The others, one after the other.
    then: Option<DialTarget>,
    away: Away,
}

impl Rung {
    fn of(user: &User, targets: &[&str]) -> Self {
        let profile = &user.profile;
        let nothing = |away| Self { dial: None, then: None, away };
        if let Some(number) = &profile.forward.always {
            return nothing(Away::Number(number.clone()));
        }
        if profile.do_not_disturb {
            return nothing(match (&profile.forward.busy, &user.mailbox) {
                (Some(number), _) => Away::Number(number.clone()),
                (None, Some(_)) => Away::Voicemail,
                (None, None) => Away::Busy,
            });
        }
        let away = user.away.clone();
        match targets.split_first() {
            Some((first, rest)) if profile.rings.in_turn => {
                Self { dial: joined(&[first]), then: joined(rest), away }
            }
            _ => Self { dial: joined(targets), then: None, away },
        }
    }
}

fn desired_device(
    snapshot: &Snapshot,
    device: &Device,
    user: Option<&User>,
    revision: Revision,
) -> DesiredDevice {
    let location = snapshot.location_of(device);
    DesiredDevice {
        user: user.map(|user| user.extension.clone()),
        owner: device.owner.clone(),
        hotdesk: device.hotdesk,
        revision,
        emergency: snapshot.emergency_caller_id(device).cloned(),
        emergency_numbers: location.map(|it| it.emergency.numbers.clone()).unwrap_or_default(),
        dial: device.dial.clone(),
        may_dial: device.may_dial.clone(),
        mailbox: user.and_then(|user| user.mailbox.clone()),
        language: location.and_then(|it| it.language.clone()),
    }
}

impl DesiredUser {
    /// A user with only an extension and no ring targets.
    pub fn of(extension: Extension) -> Self {
        desired_user(&User::new(TenantId::default(), extension), &Place::default(), &Routes::default())
    }
}

fn desired_user(user: &User, place: &Place<'_>, routes: &Routes) -> DesiredUser {
    let route = |switch: &&SwitchName| Some(routes.routes.get(*switch)?.with(user.extension.as_str()));
    let there: Vec<String> = place.rings_there.iter().filter_map(route).collect();
    let targets: Vec<&str> = place.rings.iter().copied().chain(there.iter().map(String::as_str)).collect();
    let rung = Rung::of(user, &targets);
    let inside = || Number::from(user.extension.clone());
    let (number, anonymous) = match &user.caller_id {
        CallerId::Anonymous => (inside(), true),
        CallerId::Extension => (inside(), false),
        CallerId::Number(number) => (number.clone(), false),
    };
    let profile = &user.profile;
    let rings = rung.dial.is_some();
    DesiredUser {
        blf: Blf {
            watch: joined(&place.watched),
            rings: rung.dial.as_ref().and_then(|_| joined(&targets)),
            lit: profile.do_not_disturb || profile.forward.always.is_some(),
        },
        groups: if rings { memberships(user, &routes.groups).collect() } else { BTreeMap::new() },
        revision: if rings { place.revision } else { Revision(0) },
        dial: rung.dial,
        then: rung.then,
        number,
        name: user.name.clone(),
        anonymous,
        language: user.language.clone(),
        class: user.class.clone(),
        mailbox: user.mailbox.clone(),
        away: rung.away,
        busy: profile.forward.busy.clone(),
        unanswered: profile.forward.unanswered.clone(),
        recording: profile.recording,
        account: profile.account.clone(),
        pickup: profile.pickup.clone(),
    }
}

/// The groups that a user is signed in to, of those that the switch has.
fn memberships(user: &User, groups: &Groups) -> impl Iterator<Item = (GroupName, Member)> {
    let signed_in = user.profile.groups.iter().filter(|(_, membership)| membership.signed_in);
    signed_in.filter_map(|(name, membership)| {
        Some((name.clone(), Member { kind: groups.get(name)?.kind, paused: membership.paused }))
    })
}
