//! What somebody at his phone wants otherwise, by a code: which of his settings that is, as things are now.

use super::code::{Action, Codes, Operand, Spelled};
use super::id::{DeviceName, GroupName, Number};
use super::model::{CallerId, Kind, Office, User};
use super::policy::{Prompt, Refusal};
use super::profile::{Membership, When};
use super::setting::Setting;

/// What is set, and what he hears of it once that is true.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Granted {
    /// What differs from what was set before.
    pub settings: Vec<Setting>,
    /// What he hears.
    pub says: Prompt,
    /// Read after it, digit by digit.
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

/// What `user`, whose phone it is, gets by a code that does this. `office` is what is known of him and his devices.
///
/// # Errors
/// The [`Refusal`] of what cannot be.
pub fn grant(
    does: Action,
    operand: Option<Operand>,
    user: &User,
    office: &Office,
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
        (Action::RingDesk, _) => ring(Kind::Desk, user, office)?,
        (Action::RingMobile, _) => ring(Kind::Mobile, user, office)?,
        (Action::RingSoftphone, _) => ring(Kind::Softphone, user, office)?,
        (Action::RingHotdesk, _) => ring_hotdesk(user, office)?,
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
    if codes.helps(&to) || to.as_str() == user.extension.as_str() {
        return Err(Refusal::NumberForbidden);
    }
    Ok(Granted::switched(true, [Setting::Forward(when, Some(to.clone()))]).with(to))
}

/// In, and not paused; or out, and whether he was paused is forgotten.
fn group(keys: &Spelled, user: &User, codes: &Codes) -> Result<Granted, Refusal> {
    let name = codes.group(keys, user.profile.groups.keys()).ok_or(Refusal::GroupUnknown)?;
    let was = user.profile.groups.get(name).copied().unwrap_or_default();
    let is = Membership { signed_in: !was.signed_in, paused: false };
    let says = if is.signed_in { Prompt::SignedIn } else { Prompt::SignedOut };
    Ok(Granted::new(says, [Setting::Group(name.clone(), is)]))
}

/// All of them, unless he is paused in all already.
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

/// Devices of his own at which nobody has logged in: off, if one of them rings; else on.
fn ring(kind: Kind, user: &User, office: &Office) -> Result<Granted, Refusal> {
    let own: Vec<&DeviceName> = office
        .devices
        .values()
        .filter(|device| device.kind == kind && device.owner.as_ref() == Some(&user.extension))
        .map(|device| &device.name)
        .filter(|device| !office.bindings.contains_key(*device))
        .collect();
    if own.is_empty() {
        return Err(Refusal::NothingToRing);
    }
    let rings =
        |device: &DeviceName| office.user_at(device) == Some(&user.extension) && office.rings(device, user);
    let on = !own.iter().any(|device| rings(device));
    Ok(Granted::switched(on, own.into_iter().map(|device| Setting::Ring(device.clone(), on))))
}

fn ring_hotdesk(user: &User, office: &Office) -> Result<Granted, Refusal> {
    let logins: Vec<_> = office.bindings_of(&user.extension).collect();
    let last = logins.iter().map(|login| login.revision).max().ok_or(Refusal::NothingToRing)?;
    let on = !logins.iter().any(|login| office.rings(&login.device, user));
    Ok(Granted::switched(on, [Setting::RingHotdesk(last, on)]))
}

/// 1 is the first of his numbers, 0 none at all; without a choice it is his extension.
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
    use crate::desk::code::Preset;
    use crate::desk::id::{
        DialTarget, EmergencyNumber, Extension, GroupName, Revision, SwitchName, TenantId,
    };
    use crate::desk::model::{Binding, Device};
    use crate::desk::pattern::NumberPattern;

    fn codes() -> Codes {
        let wanted = crate::desk::code::Wanted {
            presets: vec![Preset::Simmpl, Preset::Personal],
            ..Default::default()
        };
        let codes = wanted
            .codes(&[NumberPattern::new("XXX").unwrap()], &[EmergencyNumber::new("112").unwrap()])
            .unwrap();
        let numbered = [("77", "rack"), ("78", "none of his")].map(|(number, name)| {
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

    /// 101 with a desk phone, two softphones and a mobile of his own, and a hotdesk beside them.
    fn office() -> Office {
        let mut user = User::new(TenantId::default(), Extension::new("101").unwrap());
        user.profile.numbers = vec![number("0205550101"), number("+31205550102")];
        for group in ["sales", "400", "rack", "pack"] {
            user.profile.groups.insert(GroupName::new(group).unwrap(), Membership::default());
        }
        let mut office = Office::default();
        let all = [
            ("own", Kind::Desk),
            ("soft-1", Kind::Softphone),
            ("soft-2", Kind::Softphone),
            ("mobile", Kind::Mobile),
        ];
        for (device, kind) in all.into_iter().map(|(name, kind)| (name, Some(kind))).chain([("desk1", None)])
        {
            let dial = DialTarget::new(format!("PJSIP/{device}")).unwrap();
            let new = Device::new(TenantId::default(), name(device), SwitchName::default(), dial);
            let owner = kind.map(|_| user.extension.clone());
            let device = Device { owner, kind: kind.unwrap_or_default(), ..new };
            office.devices.insert(device.name.clone(), device);
        }
        office.users.insert(user.extension.clone(), user);
        office
    }

    fn user(office: &Office) -> User {
        office.users.values().next().unwrap().clone()
    }

    fn sit(office: &mut Office, revision: u64) {
        let user = user(office).extension;
        let since = jiff::Timestamp::UNIX_EPOCH;
        let binding = Binding { user, device: name("desk1"), since, revision: Revision(revision) };
        office.bindings.insert(name("desk1"), binding);
    }

    /// Dials a code: what is heard and, after it, read; and has it done.
    fn dial(office: &mut Office, dialled: &str) -> Result<(Prompt, Option<String>, usize), Refusal> {
        let codes = codes();
        let request = codes.read(dialled).unwrap();
        let mut user = user(office);
        let granted = grant(request.does, request.operand, &user, office, &codes)?;
        granted.settings.iter().for_each(|setting| setting.apply(&mut user));
        office.users.insert(user.extension.clone(), user);
        Ok((granted.says, granted.number.map(String::from), granted.settings.len()))
    }

    fn heard(office: &mut Office, dialled: &str) -> Prompt {
        dial(office, dialled).unwrap().0
    }

    /// What rings when he is called.
    fn ringing(office: &Office) -> Vec<&str> {
        let user = user(office);
        let rings = |device: &&DeviceName| {
            office.user_at(device) == Some(&user.extension) && office.rings(device, &user)
        };
        office.devices.keys().filter(rings).map(DeviceName::as_str).collect()
    }

    #[test]
    fn do_not_disturb_is_switched_and_what_is_so_already_is_not_set_again() {
        let mut office = office();
        for (dialled, says, set, on) in [
            ("*78", Prompt::SwitchedOn, 1, true),
            ("*78", Prompt::SwitchedOn, 0, true),
            ("*76", Prompt::SwitchedOff, 1, false),
            ("*76", Prompt::SwitchedOn, 1, true),
            ("*79", Prompt::SwitchedOff, 1, false),
        ] {
            assert_eq!(dial(&mut office, dialled), Ok((says, None, set)), "{dialled}");
            assert_eq!(user(&office).profile.do_not_disturb, on);
        }
    }

    #[test]
    fn calls_are_sent_on_to_any_number_but_his_own_and_one_for_help() {
        let mut office = office();
        for (when, on, off) in
            [(When::Always, "*72", "*73"), (When::Busy, "*90", "*91"), (When::Unanswered, "*52", "*53")]
        {
            let dialled = format!("{on}0612345678");
            assert_eq!(dial(&mut office, &dialled), Ok((Prompt::SwitchedOn, Some("0612345678".into()), 1)));
            assert_eq!(user(&office).profile.forward.to(when), Some(&number("0612345678")));
            for forbidden in ["112", "101"] {
                assert_eq!(dial(&mut office, &format!("{on}{forbidden}")), Err(Refusal::NumberForbidden));
            }
            assert_eq!(dial(&mut office, off), Ok((Prompt::SwitchedOff, None, 1)));
            assert_eq!(user(&office).profile.forward.to(when), None);
        }
    }

    #[test]
    fn the_sliders_decide_what_rings_and_the_next_login_is_on_by_itself() {
        let mut office = office();
        assert_eq!(ringing(&office), ["mobile", "own", "soft-1", "soft-2"]);
        assert_eq!(heard(&mut office, "*373"), Prompt::SwitchedOff);
        assert_eq!(ringing(&office), ["mobile", "own"]);
        assert_eq!(heard(&mut office, "*374"), Prompt::SwitchedOff);
        assert_eq!(heard(&mut office, "*372"), Prompt::SwitchedOff);
        assert!(ringing(&office).is_empty());
        assert_eq!(dial(&mut office, "*371"), Err(Refusal::NothingToRing), "he sits nowhere");
        sit(&mut office, 7);
        assert_eq!(ringing(&office), ["desk1"]);
        assert_eq!(heard(&mut office, "*371"), Prompt::SwitchedOff);
        assert_eq!(heard(&mut office, "*372"), Prompt::SwitchedOn, "his own phone rings along");
        assert_eq!(ringing(&office), ["own"]);
        assert_eq!(heard(&mut office, "*371"), Prompt::SwitchedOn);
        assert_eq!(heard(&mut office, "*371"), Prompt::SwitchedOff);
        sit(&mut office, 9);
        assert_eq!(ringing(&office), ["desk1", "own"], "another login");
        // One of two is on: both go off, then both on.
        assert_eq!(heard(&mut office, "*373"), Prompt::SwitchedOn);
        Setting::Ring(name("soft-1"), false).apply(office.users.values_mut().next().unwrap());
        assert_eq!(heard(&mut office, "*373"), Prompt::SwitchedOff);
        assert_eq!(heard(&mut office, "*373"), Prompt::SwitchedOn);
        assert_eq!(ringing(&office), ["desk1", "own", "soft-1", "soft-2"]);
        assert_eq!(heard(&mut office, "*375"), Prompt::SwitchedOn);
        assert!(user(&office).profile.rings.in_turn);
        office.devices.retain(|device, _| device.as_str() == "desk1");
        for nothing in ["*372", "*373", "*374"] {
            assert_eq!(dial(&mut office, nothing), Err(Refusal::NothingToRing));
        }
    }

    #[test]
    fn groups_are_signed_in_to_by_their_spelling_and_paused_all_at_once() {
        let mut office = office();
        assert_eq!(dial(&mut office, "*46"), Err(Refusal::GroupUnknown), "he is signed in to none");
        assert_eq!(heard(&mut office, "*4572537"), Prompt::SignedIn);
        assert_eq!(heard(&mut office, "*45400"), Prompt::SignedIn);
        assert_eq!(dial(&mut office, "*46"), Ok((Prompt::SwitchedOn, None, 2)));
        let stands =
            |office: &Office, group: &str| user(office).profile.groups[&GroupName::new(group).unwrap()];
        assert_eq!(stands(&office, "sales"), Membership { signed_in: true, paused: true });
        assert_eq!(stands(&office, "rack"), Membership::default());
        assert_eq!(heard(&mut office, "*45400"), Prompt::SignedOut);
        assert_eq!(heard(&mut office, "*45400"), Prompt::SignedIn);
        assert_eq!(
            dial(&mut office, "*46"),
            Ok((Prompt::SwitchedOn, None, 1)),
            "the one that was not paused"
        );
        assert_eq!(dial(&mut office, "*46"), Ok((Prompt::SwitchedOff, None, 2)));
        assert_eq!(dial(&mut office, "*45401"), Err(Refusal::GroupUnknown));
        assert_eq!(dial(&mut office, "*457225"), Err(Refusal::GroupUnknown), "rack and pack");
        let (codes, groups) = (codes(), user(&office).profile.groups);
        let unmeant: Vec<_> = groups.keys().filter(|name| !codes.can_mean(name, groups.keys())).collect();
        assert_eq!(unmeant, ["pack"].map(|name| GroupName::new(name).unwrap()).iter().collect::<Vec<_>>());
        assert_eq!(heard(&mut office, "*4577"), Prompt::SignedIn, "by its number");
        assert!(stands(&office, "rack").signed_in);
        assert_eq!(dial(&mut office, "*4578"), Err(Refusal::GroupUnknown), "he may not be in that one");
    }

    #[test]
    fn a_number_is_chosen_by_its_place_and_nought_is_none() {
        let mut office = office();
        for (dialled, says, read, shows) in [
            ("*381", Prompt::ShowsNumber, Some("0205550101"), CallerId::Number(number("0205550101"))),
            ("*382", Prompt::ShowsNumber, Some("+31205550102"), CallerId::Number(number("+31205550102"))),
            ("*380", Prompt::ShowsNoNumber, None, CallerId::Anonymous),
            ("*38", Prompt::ShowsNumber, Some("101"), CallerId::Extension),
        ] {
            assert_eq!(dial(&mut office, dialled), Ok((says, read.map(Into::into), 1)), "{dialled}");
            assert_eq!(user(&office).caller_id, shows);
        }
        assert_eq!(dial(&mut office, "*383"), Err(Refusal::ChoiceUnknown));
    }
}
