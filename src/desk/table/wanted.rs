//! What a switch should hold, from who sits where and what each of them wants.

use std::collections::{BTreeMap, BTreeSet};

use super::{DeviceRow, Key, Lamp, Member, ProfileRow, Row, Table, UserRow};
use crate::desk::group::Groups;
use crate::desk::id::{DialTarget, Extension, Number, Revision, SwitchName};
use crate::desk::model::{Away, CallerId, Device, Kind, Office, User};
use crate::desk::reach::Reach;

/// The rows that `switch` should hold for the users and devices of `office`. Who sits at another switch's device is called
/// there, as far as `reach` goes: after the devices here, if he has some of each.
#[must_use]
pub fn wanted(office: &Office, switch: &SwitchName, reach: &Reach) -> Table {
    let seated: BTreeSet<&Extension> = office.bindings.values().map(|binding| &binding.user).collect();
    let mut table = Table::new();
    let mut places: BTreeMap<&Extension, Place<'_>> = BTreeMap::new();
    for device in office.devices.values() {
        let (user, revision) = match office.bindings.get(&device.name) {
            Some(binding) => (office.users.get(&binding.user), binding.revision),
            None => (owner(office, device, &seated), Revision(0)),
        };
        if let Some(user) = user {
            let place = places.entry(&user.extension).or_default();
            place.add(device, device.switch == *switch, office.rings(&device.name, user));
            place.revision = place.revision.max(revision);
        }
        if device.switch == *switch {
            let row = device_row(office, device, user, revision);
            table.insert(Key::Device(device.name.clone()), Row::Device(row));
            // Where a lamp's row is what rings, that of a device has none.
            if !reach.lamps && office.bindings.contains_key(&device.name) {
                table.insert(Key::Seat(device.name.clone()), Row::Lamp(Lamp::LIT));
            }
        }
    }
    for user in office.users.values() {
        let place = places.remove(&user.extension).unwrap_or_default();
        let there = |switches: &BTreeSet<&SwitchName>| -> Vec<String> {
            let route = |switch| Some(reach.routes.get(switch)?.with(user.extension.as_str()));
            switches.iter().filter_map(|switch| route(*switch)).collect()
        };
        let routes = there(&place.rings_there);
        let targets: Vec<&str> =
            place.rings.iter().copied().chain(routes.iter().map(String::as_str)).collect();
        let rung = Rung::of(user, &targets);
        let lamp = Lamp {
            // Where a lamp's row is what rings, it is just that.
            watch: if reach.lamps { rung.all(&targets) } else { joined(&place.watched) },
            busy: user.profile.keeps_calls_away(),
        };
        if lamp != Lamp::DARK {
            table.insert(Key::Lamp(user.extension.clone()), Row::Lamp(lamp.clone()));
        }
        let as_rung = rung.dial.clone().map_or(Lamp::DARK, Lamp::of);
        let lamp = (!reach.lamps && lamp != as_rung).then_some(lamp);
        let profile = profile_row(user, &rung, lamp);
        if profile != ProfileRow::default() {
            table.insert(Key::Profile(user.extension.clone()), Row::Profile(profile));
        }
        if rung.dial.is_some() {
            table.extend(memberships(user, &reach.groups));
        }
        table.insert(Key::User(user.extension.clone()), Row::User(user_row(user, rung, place.revision)));
    }
    if !reach.lamps {
        table.insert(Key::Lit, Row::Lamp(Lamp::LIT));
    }
    table
}

/// Whose phone it is while nobody is logged in there.
fn owner<'a>(office: &'a Office, device: &Device, seated: &BTreeSet<&Extension>) -> Option<&'a User> {
    let owner = office.users.get(device.owner.as_ref()?)?;
    device.is_with(owner, seated.contains(&owner.extension)).then_some(owner)
}

/// All of them, or as many from the first on as a dial target has room for: better some ring than none.
#[must_use]
pub fn joined(targets: &[&str]) -> Option<DialTarget> {
    (1..=targets.len()).rev().find_map(|most| DialTarget::new(targets.get(..most)?.join("&")).ok())
}

/// Where a user is.
#[derive(Default)]
struct Place<'a> {
    /// His devices of this switch that ring.
    rings: Vec<&'a str>,
    /// The other switches where some of his ring.
    rings_there: BTreeSet<&'a SwitchName>,
    /// His devices of this switch that a lamp can watch.
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

/// What rings when a user is called, and where his calls go when nothing does.
struct Rung {
    /// First, or all at once.
    dial: Option<DialTarget>,
    /// After that, one by one.
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

    /// What rings, sooner or later.
    fn all(&self, targets: &[&str]) -> Option<DialTarget> {
        self.dial.as_ref().and_then(|_| joined(targets))
    }
}

fn device_row(office: &Office, device: &Device, user: Option<&User>, revision: Revision) -> DeviceRow {
    let location = office.location_of(device);
    DeviceRow {
        user: user.map(|user| user.extension.clone()),
        revision,
        emergency: office.emergency_caller_id(device).cloned(),
        emergency_numbers: location.map(|it| it.emergency.numbers.clone()).unwrap_or_default(),
        dial: device.dial.clone(),
        may_dial: device.may_dial.clone(),
        mailbox: user.and_then(|user| user.mailbox.clone()),
        language: location.and_then(|it| it.language.clone()),
    }
}

fn user_row(user: &User, rung: Rung, revision: Revision) -> UserRow {
    let inside = || Number::from(user.extension.clone());
    let (number, anonymous) = match &user.caller_id {
        CallerId::Anonymous => (inside(), true),
        CallerId::Extension => (inside(), false),
        CallerId::Number(number) => (number.clone(), false),
    };
    UserRow {
        revision: if rung.dial.is_some() { revision } else { Revision(0) },
        dial: rung.dial,
        number,
        name: user.name.clone(),
        anonymous,
        language: user.language.clone(),
        class: user.class.clone(),
        mailbox: user.mailbox.clone(),
        away: rung.away,
    }
}

/// The groups that he signed in to. While he is nowhere he is in none of them.
fn memberships(user: &User, groups: &Groups) -> impl Iterator<Item = (Key, Row)> {
    let signed_in = user.profile.groups.iter().filter(|(_, membership)| membership.signed_in);
    signed_in.filter_map(|(name, membership)| {
        let member = Member { kind: groups.get(name)?.kind, paused: membership.paused };
        Some((Key::Member(name.clone(), user.extension.clone()), Row::Member(member)))
    })
}

fn profile_row(user: &User, rung: &Rung, lamp: Option<Lamp>) -> ProfileRow {
    let profile = &user.profile;
    ProfileRow {
        then: rung.then.clone(),
        busy: profile.forward.busy.clone(),
        unanswered: profile.forward.unanswered.clone(),
        recording: profile.recording,
        account: profile.account.clone(),
        pickup: profile.pickup.clone(),
        lamp,
    }
}
