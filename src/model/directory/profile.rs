//! The settings that apply to a user at every device, besides extension, language and class of service.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::id::{Account, DeviceName, GroupName, Number, Revision};

/// A user's settings at every device, some of which the user changes.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Profile {
    /// The account under which the switch records the user's calls; none: the extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// DND.
    pub do_not_disturb: bool,
    /// Call forwarding.
    pub forward: Forward,
    /// The groups and queues that the user may join, and the user's membership of each.
    pub groups: BTreeMap<GroupName, Membership>,
    /// The numbers that the user may show. The first is chosen with key 1, the second with key 2, and so on.
    pub numbers: Vec<Number>,
    /// Call pickup: whose calls the user may pick up, and who may pick up the user's calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pickup: Option<GroupName>,
    /// Which of the user's calls are recorded.
    pub recording: Recording,
    /// The user's ring targets.
    pub rings: Rings,
}

impl Profile {
    /// The largest number of numbers to choose from: one for each of the keys 1 to 9.
    pub const NUMBERS: usize = 9;

    /// Sets the groups that the user may join. Memberships of groups that stay do not change.
    pub fn set_groups(&mut self, groups: impl IntoIterator<Item = GroupName>) {
        let mut before = std::mem::take(&mut self.groups);
        let member = |group: GroupName| {
            let membership = before.remove(&group).unwrap_or_default();
            (group, membership)
        };
        self.groups = groups.into_iter().map(member).collect();
    }

    /// Whether no setting is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Call forwarding of a user.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(default)]
pub struct Forward {
    /// CFU: all calls, at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub always: Option<Number>,
    /// CFB: calls while the user is busy or has DND.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub busy: Option<Number>,
    /// CFNA: calls that the user does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub unanswered: Option<Number>,
}

/// The condition of a [`Forward`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// All calls.
    Always,
    /// Calls while the user is busy.
    Busy,
    /// Calls that the user does not answer.
    Unanswered,
}

impl Forward {
    /// The destination of these calls.
    pub const fn to(&self, when: When) -> Option<&Number> {
        match when {
            When::Always => self.always.as_ref(),
            When::Busy => self.busy.as_ref(),
            When::Unanswered => self.unanswered.as_ref(),
        }
    }
}

/// The user's ring targets: the device with the login, and the devices that the user owns. Each can be on or off.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Rings {
    /// What the user chose for owned devices. Without a choice, a desk phone rings unless the user is logged in
    /// elsewhere, and a softphone or mobile rings.
    pub devices: BTreeMap<DeviceName, bool>,
    /// Devices with a login of this revision or an earlier one do not ring. So a new login rings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hotdesk_off: Option<Revision>,
    /// Sequential: one device after the other; otherwise simultaneous.
    pub in_turn: bool,
}

/// A user's membership of a group. It does not depend on a login: the choice is kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(default)]
pub struct Membership {
    /// The user takes the group's calls.
    pub signed_in: bool,
    /// The user takes no calls of the group for now.
    pub paused: bool,
}

/// Which of a user's calls are recorded.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recording {
    /// None.
    #[default]
    Never,
    /// All.
    Always,
    /// Calls to the user.
    Inbound,
    /// Calls by the user.
    Outbound,
    /// Calls in which the user starts recording with a key.
    OnDemand,
}

impl Recording {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Never, Self::Always, Self::Inbound, Self::Outbound, Self::OnDemand];

    /// Its name in the configuration and in a switch.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Always => "always",
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::OnDemand => "on-demand",
        }
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Recording {
    type Err = String;
    fn from_str(value: &str) -> Result<Self, String> {
        let known = "never, always, inbound, outbound or on-demand";
        let recording = Self::ALL.into_iter().find(|recording| recording.name() == value);
        recording.ok_or_else(|| format!("{value:?} is not which calls are recorded: {known}"))
    }
}
