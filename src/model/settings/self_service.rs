//! Self-service: which setting a dialled code changes, given the user's current settings.

use super::{Setting, may_forward};
use crate::model::codes::{Action, Codes, Operand, Spelled};
use crate::model::directory::profile::{Membership, When};
use crate::model::directory::{CallerId, Kind, Snapshot, User};
use crate::model::id::{DeviceName, GroupName, Number};
use crate::model::login::prompt::Prompt;
use crate::model::login::refusal::Refusal;

/// The settings to change, and the prompt after that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Granted {
    /// The settings that differ from the current ones.
    pub settings: Vec<Setting>,
    /// The prompt that the user hears.
    pub says: Prompt,
    /// The number that is read after it, digit by digit.
    pub number: Option<Number>,
}

impl Granted {
    fn new(says: Prompt, settings: impl IntoIterator<Item = Setting>) -> Self {
        Self { settings: settings.into_iter().collect(), says, number: None }
    }

    fn switched(on: bool, settings: impl IntoIterator<Item = Setting>) -> Self {
        Self::new(if on { Prompt::SwitchedOn } else { Prompt::SwitchedOff }, settings)
    }

    fn with(self, number: impl Into<Option<Number>>) -> Self {
        Self { number: number.into(), ..self }
    }
}

/// The settings that this code changes for `user`, the user of the device. `snapshot` holds the user's devices.
pub fn grant(
    does: Action,
    operand: Option<Operand>,
    user: &User,
    snapshot: &Snapshot,
    codes: &Codes,
) -> Result<Granted, Refusal> {
    let profile = &user.profile;
    let mut granted = match (does, operand) {
        (Action::DoNotDisturb, _) => do_not_disturb(!profile.do_not_disturb),
        (Action::DoNotDisturbOn, _) => do_not_disturb(true),
        (Action::DoNotDisturbOff, _) => do_not_disturb(false),
        (Action::ForwardAlways, to) => forward(When::Always, to, user, codes)?,
        (Action::ForwardBusy, to) => forward(When::Busy, to, user, codes)?,
        (Action::ForwardUnanswered, to) => forward(When::Unanswered, to, user, codes)?,
        (Action::Group, Some(Operand::Group(keys))) => group(&keys, user, codes)?,
        (Action::Pause, _) => pause(user)?,
        (Action::RingDesk, _) => ring(Kind::Desk, user, snapshot)?,
        (Action::RingMobile, _) => ring(Kind::Mobile, user, snapshot)?,
        (Action::RingSoftphone, _) => ring(Kind::Softphone, user, snapshot)?,
        (Action::RingHotdesk, _) => ring_hotdesk(user, snapshot)?,
        (Action::RingInTurn, _) => {
            let in_turn = !profile.rings.in_turn;
            Granted::switched(in_turn, [Setting::RingInTurn(in_turn)])
        }
        (Action::ShowNumber, choice) => show_number(choice, user)?,
        _ => return Err(Refusal::CodeUnknown),
    };
    granted.settings.retain(|setting| setting.changes(user));
    Ok(granted)
}

fn do_not_disturb(on: bool) -> Granted {
    Granted::switched(on, [Setting::DoNotDisturb(on)])
}

fn forward(when: When, to: Option<Operand>, user: &User, codes: &Codes) -> Result<Granted, Refusal> {
    let Some(Operand::Number(to)) = to else {
        return Ok(Granted::switched(false, [Setting::Forward(when, None)]));
    };
    may_forward(&user.extension, &to, codes.emergency_numbers())?;
    Ok(Granted::switched(true, [Setting::Forward(when, Some(to.clone()))]).with(to))
}

/// Signs in without a pause, or signs out and forgets the pause.
fn group(keys: &Spelled, user: &User, codes: &Codes) -> Result<Granted, Refusal> {
    let name = codes.group(keys, user.profile.groups.keys()).ok_or(Refusal::GroupUnknown)?;
    let was = user.profile.groups.get(name).copied().unwrap_or_default();
    let is = Membership { signed_in: !was.signed_in, paused: false };
    let says = if is.signed_in { Prompt::SignedIn } else { Prompt::SignedOut };
    Ok(Granted::new(says, [Setting::Group(name.clone(), is)]))
}

/// Pauses in all groups, or ends all pauses if the user is paused in all.
fn pause(user: &User) -> Result<Granted, Refusal> {
    let groups = user.profile.groups.iter().filter(|(_, membership)| membership.signed_in);
    let signed_in: Vec<_> = groups.collect();
    if signed_in.is_empty() {
        return Err(Refusal::GroupUnknown);
    }
    let paused = !signed_in.iter().all(|(_, membership)| membership.paused);
    let pause = |(name, _): &(&GroupName, &Membership)| Setting::Pause((*name).clone(), paused);
    Ok(Granted::switched(paused, signed_in.iter().map(pause)))
}

/// Owned devices without a session: off if one of them rings, else on.
fn ring(kind: Kind, user: &User, snapshot: &Snapshot) -> Result<Granted, Refusal> {
    let own: Vec<&DeviceName> = snapshot
        .devices
        .values()
        .filter(|device| device.kind == kind && device.owner.as_ref() == Some(&user.extension))
        .map(|device| &device.name)
        .filter(|device| !snapshot.sessions.contains_key(*device))
        .collect();
    if own.is_empty() {
        return Err(Refusal::NothingToRing);
    }
    let rings = |device: &DeviceName| {
        snapshot.user_at(device) == Some(&user.extension) && snapshot.rings(device, user)
    };
    let on = !own.iter().any(|device| rings(device));
    Ok(Granted::switched(on, own.into_iter().map(|device| Setting::Ring(device.clone(), on))))
}

fn ring_hotdesk(user: &User, snapshot: &Snapshot) -> Result<Granted, Refusal> {
    let logins: Vec<_> = snapshot.sessions_of(&user.extension).collect();
    let last = logins.iter().map(|login| login.revision).max().ok_or(Refusal::NothingToRing)?;
    let on = !logins.iter().any(|login| snapshot.rings(&login.device, user));
    Ok(Granted::switched(on, [Setting::RingHotdesk(last, on)]))
}

/// 1 is the first of the user's numbers, 0 is none. Without a choice it is the extension.
fn show_number(choice: Option<Operand>, user: &User) -> Result<Granted, Refusal> {
    let (caller_id, number) = match choice {
        Some(Operand::Choice(0)) => (CallerId::Anonymous, None),
        Some(Operand::Choice(nth)) => {
            let number = user.profile.numbers.get(usize::from(nth) - 1).ok_or(Refusal::ChoiceUnknown)?;
            (CallerId::Number(number.clone()), Some(number.clone()))
        }
        _ => (CallerId::Extension, Some(user.extension.clone().into())),
    };
    let says = if number.is_some() { Prompt::ShowsNumber } else { Prompt::ShowsNoNumber };
    Ok(Granted::new(says, [Setting::CallerId(caller_id)]).with(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::codes::Preset;
    use crate::model::directory::{Device, Session};
    use crate::model::id::{
        DialTarget, EmergencyNumber, Extension, GroupName, Revision, SwitchName, TenantId,
    };
    use crate::model::number_pattern::NumberPattern;

    fn codes() -> Codes {
        let wanted = crate::model::codes::CodeSettings {
            presets: vec![Preset::Simmpl, Preset::Personal],
            ..Default::default()
        };
        let codes = wanted
            .codes(&[NumberPattern::new("XXX").unwrap()], &[EmergencyNumber::new("112").unwrap()])
            .unwrap();
        let numbered = [("77", "rack"), ("78", "not for 101")].map(|(number, name)| {
            (Extension::new(number).unwrap(), GroupName::new(name.replace(' ', "-")).unwrap())
        });
        codes.with_groups(numbered.into())
    }

    fn name(device: &str) -> DeviceName {
        DeviceName::new(device).unwrap()
    }

    fn number(number: &str) -> Number {
        Number::new(number).unwrap()
    }

    /// 101 owns a desk phone, two softphones and a mobile, and can use a hotdesk.
    fn snapshot() -> Snapshot {
        let mut user = User::new(TenantId::default(), Extension::new("101").unwrap());
        user.profile.numbers = vec![number("0205550101"), number("+31205550102")];
        for group in ["sales", "400", "rack", "pack"] {
            user.profile.groups.insert(GroupName::new(group).unwrap(), Membership::default());
        }
        let mut snapshot = Snapshot::default();
        for (device, kind, owned) in [
            ("own", Kind::Desk, true),
            ("soft-1", Kind::Softphone, true),
            ("soft-2", Kind::Softphone, true),
            ("mobile", Kind::Mobile, true),
            ("desk1", Kind::Desk, false),
        ] {
            let dial = DialTarget::new(format!("PJSIP/{device}")).unwrap();
            let new = Device::new(TenantId::default(), name(device), SwitchName::default(), dial);
            let owner = owned.then(|| user.extension.clone());
            snapshot.devices.insert(name(device), Device { owner, kind, ..new });
        }
        snapshot.users.insert(user.extension.clone(), user);
        snapshot
    }

    fn user(snapshot: &Snapshot) -> User {
        snapshot.users.values().next().unwrap().clone()
    }

    fn log_in(snapshot: &mut Snapshot, revision: u64) {
        let user = user(snapshot).extension;
        let since = jiff::Timestamp::UNIX_EPOCH;
        let session = Session { user, device: name("desk1"), since, revision: Revision(revision) };
        snapshot.sessions.insert(name("desk1"), session);
    }

    /// Dials a code: returns the prompt and the number read after it, and applies the settings.
    fn dial(snapshot: &mut Snapshot, dialled: &str) -> Result<(Prompt, Option<String>, usize), Refusal> {
        let codes = codes();
        let request = codes.read(dialled).unwrap();
        let mut user = user(snapshot);
        let granted = grant(request.action, request.operand, &user, snapshot, &codes)?;
        granted.settings.iter().for_each(|setting| setting.apply(&mut user));
        snapshot.users.insert(user.extension.clone(), user);
        Ok((granted.says, granted.number.map(String::from), granted.settings.len()))
    }

    fn heard(snapshot: &mut Snapshot, dialled: &str) -> Prompt {
        dial(snapshot, dialled).unwrap().0
    }

    /// The ring targets of the user.
    fn ringing(snapshot: &Snapshot) -> Vec<&str> {
        let user = user(snapshot);
        let rings = |device: &&DeviceName| {
            snapshot.user_at(device) == Some(&user.extension) && snapshot.rings(device, &user)
        };
        snapshot.devices.keys().filter(rings).map(DeviceName::as_str).collect()
    }

    #[test]
    fn calls_are_forwarded_to_any_number_but_the_users_own_and_emergency_numbers() {
        let mut snapshot = snapshot();
        for (when, on, off) in
            [(When::Always, "*72", "*73"), (When::Busy, "*90", "*91"), (When::Unanswered, "*52", "*53")]
        {
            let dialled = format!("{on}0612345678");
            assert_eq!(dial(&mut snapshot, &dialled), Ok((Prompt::SwitchedOn, Some("0612345678".into()), 1)));
            assert_eq!(user(&snapshot).profile.forward.to(when), Some(&number("0612345678")));
            for forbidden in ["112", "101"] {
                let refused = dial(&mut snapshot, &format!("{on}{forbidden}")).unwrap_err();
                assert_eq!(refused.code(), "number-forbidden");
            }
            assert_eq!(dial(&mut snapshot, off), Ok((Prompt::SwitchedOff, None, 1)));
            assert_eq!(user(&snapshot).profile.forward.to(when), None);
        }
    }

    #[test]
    fn ring_codes_switch_devices_and_the_next_login_rings() {
        let mut snapshot = snapshot();
        assert_eq!(ringing(&snapshot), ["mobile", "own", "soft-1", "soft-2"]);
        assert_eq!(heard(&mut snapshot, "*373"), Prompt::SwitchedOff);
        assert_eq!(ringing(&snapshot), ["mobile", "own"]);
        assert_eq!(heard(&mut snapshot, "*374"), Prompt::SwitchedOff);
        assert_eq!(heard(&mut snapshot, "*372"), Prompt::SwitchedOff);
        assert!(ringing(&snapshot).is_empty());
        assert_eq!(dial(&mut snapshot, "*371"), Err(Refusal::NothingToRing), "101 has no session");
        log_in(&mut snapshot, 7);
        assert_eq!(ringing(&snapshot), ["desk1"]);
        assert_eq!(heard(&mut snapshot, "*371"), Prompt::SwitchedOff);
        assert_eq!(heard(&mut snapshot, "*372"), Prompt::SwitchedOn, "the own phone rings");
        assert_eq!(ringing(&snapshot), ["own"]);
        assert_eq!(heard(&mut snapshot, "*371"), Prompt::SwitchedOn);
        assert_eq!(heard(&mut snapshot, "*371"), Prompt::SwitchedOff);
        log_in(&mut snapshot, 9);
        assert_eq!(ringing(&snapshot), ["desk1", "own"], "another login");
        // One of two is on: both go off, then both on.
        assert_eq!(heard(&mut snapshot, "*373"), Prompt::SwitchedOn);
        Setting::Ring(name("soft-1"), false).apply(snapshot.users.values_mut().next().unwrap());
        assert_eq!(heard(&mut snapshot, "*373"), Prompt::SwitchedOff);
        assert_eq!(heard(&mut snapshot, "*373"), Prompt::SwitchedOn);
        assert_eq!(ringing(&snapshot), ["desk1", "own", "soft-1", "soft-2"]);
        assert_eq!(heard(&mut snapshot, "*375"), Prompt::SwitchedOn);
        assert!(user(&snapshot).profile.rings.in_turn);
        snapshot.devices.retain(|device, _| device.as_str() == "desk1");
        for nothing in ["*372", "*373", "*374"] {
            assert_eq!(dial(&mut snapshot, nothing), Err(Refusal::NothingToRing));
        }
    }

    #[test]
    fn a_user_signs_in_to_a_group_by_its_spelling_and_pauses_all_groups_at_once() {
        let mut snapshot = snapshot();
        assert_eq!(dial(&mut snapshot, "*46"), Err(Refusal::GroupUnknown), "101 is in no group");
        assert_eq!(heard(&mut snapshot, "*4572537"), Prompt::SignedIn);
        assert_eq!(heard(&mut snapshot, "*45400"), Prompt::SignedIn);
        assert_eq!(dial(&mut snapshot, "*46"), Ok((Prompt::SwitchedOn, None, 2)));
        let stands =
            |snapshot: &Snapshot, group: &str| user(snapshot).profile.groups[&GroupName::new(group).unwrap()];
        assert_eq!(stands(&snapshot, "sales"), Membership { signed_in: true, paused: true });
        assert_eq!(stands(&snapshot, "rack"), Membership::default());
        assert_eq!(heard(&mut snapshot, "*45400"), Prompt::SignedOut);
        assert_eq!(heard(&mut snapshot, "*45400"), Prompt::SignedIn);
        assert_eq!(
            dial(&mut snapshot, "*46"),
            Ok((Prompt::SwitchedOn, None, 1)),
            "the one that was not paused"
        );
        assert_eq!(dial(&mut snapshot, "*46"), Ok((Prompt::SwitchedOff, None, 2)));
        assert_eq!(dial(&mut snapshot, "*45401"), Err(Refusal::GroupUnknown));
        assert_eq!(dial(&mut snapshot, "*457225"), Err(Refusal::GroupUnknown), "rack and pack");
        let (codes, groups) = (codes(), user(&snapshot).profile.groups);
        let unmeant: Vec<_> = groups.keys().filter(|name| !codes.can_mean(name, groups.keys())).collect();
        assert_eq!(unmeant, ["pack"].map(|name| GroupName::new(name).unwrap()).iter().collect::<Vec<_>>());
        assert_eq!(heard(&mut snapshot, "*4577"), Prompt::SignedIn, "by its number");
        assert!(stands(&snapshot, "rack").signed_in);
        assert_eq!(dial(&mut snapshot, "*4578"), Err(Refusal::GroupUnknown), "not for 101");
    }
}
