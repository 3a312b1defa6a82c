//! One thing that a user switches himself, by a code or in a console.

use std::fmt;

use super::id::{DeviceName, GroupName, Number, Revision};
use super::model::{CallerId, User};
use super::profile::{Membership, When};

/// One thing that a user switches himself, by a code or in a console.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Setting {
    /// What his calls show.
    CallerId(CallerId),
    /// Whether he is to be rung.
    DoNotDisturb(bool),
    /// Where these calls go; none: to him.
    Forward(When, Option<Number>),
    /// How he stands with a group.
    Group(GroupName, Membership),
    /// Whether he takes no calls of a group that he is signed in to.
    Pause(GroupName, bool),
    /// Whether a device of his own rings.
    Ring(DeviceName, bool),
    /// Whether the desks ring where he logged in no later than this.
    RingHotdesk(Revision, bool),
    /// Whether what rings does so one after the other.
    RingInTurn(bool),
}

impl Setting {
    /// Changes `user`.
    pub fn apply(&self, user: &mut User) {
        let profile = &mut user.profile;
        match self.clone() {
            Self::CallerId(caller_id) => user.caller_id = caller_id,
            Self::DoNotDisturb(on) => profile.do_not_disturb = on,
            Self::Forward(when, to) => profile.forward.set(when, to),
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
}

impl Setting {
    /// Whether `user` would be another by it.
    #[must_use]
    pub fn changes(&self, user: &User) -> bool {
        let mut changed = user.clone();
        self.apply(&mut changed);
        changed != *user
    }
}

impl fmt::Display for Setting {
    /// For the journal: without the numbers, which are nobody's business there.
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
