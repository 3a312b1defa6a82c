//! Settings that users change by code or in a console.

pub mod self_service;

use std::fmt;

use super::directory::profile::{Membership, When};
use super::directory::{CallerId, User};
use super::id::{DeviceName, EmergencyNumber, Extension, GroupName, Number, Revision};
use super::login::refusal::Refusal;

/// Settings of a user that change together.
#[derive(Clone, Debug)]
pub struct SettingsCommand {
    /// The user, who must exist.
    pub user: Extension,
    /// The settings, in their order.
    pub settings: Vec<Setting>,
    /// The emergency numbers of the tenant, to which no calls are forwarded.
    pub emergency_numbers: Vec<EmergencyNumber>,
}

impl SettingsCommand {
    /// The user with the settings applied.
    ///
    /// # Errors
    /// [`Refusal::ForwardToSelf`] or [`Refusal::ForwardToEmergency`].
    pub fn apply(&self, user: &User) -> Result<User, Refusal> {
        let mut changed = user.clone();
        for setting in &self.settings {
            if let Setting::Forward(_, Some(to)) = setting {
                may_forward(&self.user, to, &self.emergency_numbers)?;
            }
            setting.apply(&mut changed);
        }
        Ok(changed)
    }
}

/// Whether calls of this user may be forwarded to `number`.
///
/// # Errors
/// [`Refusal::ForwardToSelf`] or [`Refusal::ForwardToEmergency`].
pub fn may_forward(user: &Extension, number: &Number, emergency: &[EmergencyNumber]) -> Result<(), Refusal> {
    if number.as_str() == user.as_str() {
        return Err(Refusal::ForwardToSelf(number.clone()));
    }
    // A plus changes nothing about an emergency number.
    if emergency.iter().any(|it| it.as_str() == number.as_str().trim_start_matches('+')) {
        return Err(Refusal::ForwardToEmergency(number.clone()));
    }
    Ok(())
}

/// A setting that a user changes by code or in a console.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Setting {
    /// The caller ID of the user's calls.
    CallerId(CallerId),
    /// DND.
    DoNotDisturb(bool),
    /// Call forwarding: the destination of these calls; none: the calls go to the user.
    Forward(When, Option<Number>),
    /// The membership of a group.
    Group(GroupName, Membership),
    /// Whether the user takes no calls of a group.
    Pause(GroupName, bool),
    /// Whether an owned device rings.
    Ring(DeviceName, bool),
    /// Whether devices with a login of this revision or an earlier one ring.
    RingHotdesk(Revision, bool),
    /// Whether the ring targets ring one after the other.
    RingInTurn(bool),
}

impl Setting {
    /// Changes `user`.
    pub fn apply(&self, user: &mut User) {
        let profile = &mut user.profile;
        match self.clone() {
            Self::CallerId(caller_id) => user.caller_id = caller_id,
            Self::DoNotDisturb(on) => profile.do_not_disturb = on,
            Self::Forward(When::Always, to) => profile.forward.always = to,
            Self::Forward(When::Busy, to) => profile.forward.busy = to,
            Self::Forward(When::Unanswered, to) => profile.forward.unanswered = to,
            Self::Group(group, membership) => drop(profile.groups.insert(group, membership)),
            Self::Pause(group, on) => {
                if let Some(membership) = profile.groups.get_mut(&group).filter(|is| is.signed_in) {
                    membership.paused = on;
                }
            }
            Self::Ring(device, on) => drop(profile.rings.devices.insert(device, on)),
            Self::RingHotdesk(login, on) => profile.rings.hotdesk_off = (!on).then_some(login),
            Self::RingInTurn(on) => profile.rings.in_turn = on,
        }
    }

    /// Whether the setting makes a difference for `user`.
    pub fn changes(&self, user: &User) -> bool {
        let mut changed = user.clone();
        self.apply(&mut changed);
        changed != *user
    }
}

impl fmt::Display for Setting {
    /// For the journal: without the numbers, which are private.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |on: &bool| if *on { "on" } else { "off" };
        match self {
            Self::CallerId(CallerId::Anonymous) => f.write_str("shows no number"),
            Self::CallerId(CallerId::Extension) => f.write_str("shows the extension"),
            Self::CallerId(CallerId::Number(_)) => f.write_str("shows another number"),
            Self::DoNotDisturb(is) => write!(f, "do not disturb {}", on(is)),
            Self::Forward(when, to) => {
                let when = match when {
                    When::Always => "always",
                    When::Busy => "when busy",
                    When::Unanswered => "when unanswered",
                };
                write!(f, "forwarding {when} {}", on(&to.is_some()))
            }
            Self::Group(group, Membership { signed_in: false, .. }) => write!(f, "signed out of {group}"),
            Self::Group(group, Membership { paused: false, .. }) => write!(f, "signed in to {group}"),
            Self::Group(group, Membership { paused: true, .. }) => write!(f, "paused in {group}"),
            Self::Pause(group, is) => write!(f, "pause in {group} {}", on(is)),
            Self::Ring(device, is) => write!(f, "ringing of {device} {}", on(is)),
            Self::RingHotdesk(_, is) => write!(f, "ringing of the hotdesk {}", on(is)),
            Self::RingInTurn(true) => f.write_str("rings in turn"),
            Self::RingInTurn(false) => f.write_str("rings all at once"),
        }
    }
}
