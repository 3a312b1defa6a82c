//! What of a user follows him to his desk besides his number, language and rights.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::id::{Account, DeviceName, GroupName, Number, Revision};

/// What of a user follows him, and what he chose.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Profile {
    /// What the accounts of his calls are kept under; none: his extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// He is not to be rung now.
    pub do_not_disturb: bool,
    /// Where his calls go instead.
    pub forward: Forward,
    /// The groups and queues that he may be in, and how he stands with each.
    pub groups: BTreeMap<GroupName, Membership>,
    /// The numbers that he may show, in the order of the keys they are chosen by, from 1.
    pub numbers: Vec<Number>,
    /// Whose ringing phones he may pick up, and who his.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pickup: Option<GroupName>,
    /// Which of his calls are recorded.
    pub recording: Recording,
    /// What rings when he is called.
    pub rings: Rings,
}

impl Profile {
    /// How many numbers one may have to choose from: as many as there are keys for them.
    pub const NUMBERS: usize = 9;

    /// Whether none of his phones rings, by his own will: a colleague sees it on his lamp.
    #[must_use]
    pub const fn keeps_calls_away(&self) -> bool {
        self.do_not_disturb || self.forward.always.is_some()
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a user's calls go instead of to him.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Forward {
    /// Each of them, at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub always: Option<Number>,
    /// Those that find him busy, or not to be disturbed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy: Option<Number>,
    /// Those that he does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<Number>,
}

/// Which calls a [`Forward`] is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Each.
    Always,
    /// Those that find him busy.
    Busy,
    /// Those that he does not answer.
    Unanswered,
}

impl Forward {
    /// Where these calls go.
    #[must_use]
    pub const fn to(&self, when: When) -> Option<&Number> {
        match when {
            When::Always => self.always.as_ref(),
            When::Busy => self.busy.as_ref(),
            When::Unanswered => self.unanswered.as_ref(),
        }
    }

    /// Sends these calls there; none: to him.
    pub fn set(&mut self, when: When, to: Option<Number>) {
        match when {
            When::Always => self.always = to,
            When::Busy => self.busy = to,
            When::Unanswered => self.unanswered = to,
        }
    }
}

/// What rings when a user is called: the desk where he logged in, and the devices he owns, each switched on or off.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Rings {
    /// What he chose for devices of his own. Of which he chose nothing: a desk phone rings unless he sits elsewhere, and
    /// what is always with him rings.
    pub devices: BTreeMap<DeviceName, bool>,
    /// Desks where he logged in no later than this are off. So the next login is on by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hotdesk_off: Option<Revision>,
    /// One after the other, and not all at once.
    pub in_turn: bool,
}

/// How a user stands with a group that he may be in. At his desk or nowhere: what he chose is kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Membership {
    /// He takes its calls.
    pub signed_in: bool,
    /// Not now.
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
    /// Those to him.
    Inbound,
    /// Those that he makes.
    Outbound,
    /// Those in which he says so, by a key.
    OnDemand,
}

impl Recording {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Never, Self::Always, Self::Inbound, Self::Outbound, Self::OnDemand];

    /// Its name in the configuration and in a switch.
    #[must_use]
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
        Self::ALL.into_iter().find(|recording| recording.name() == value).ok_or_else(|| {
            format!(
                "{value:?} is not which calls are recorded: never, always, inbound, outbound or on-demand"
            )
        })
    }
}
