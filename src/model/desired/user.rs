//! The desired state of a user.

use std::collections::BTreeMap;

use crate::model::directory::Away;
use crate::model::directory::group;
use crate::model::directory::profile::Recording;
use crate::model::id::{
    Account, Context, DialTarget, DisplayName, GroupName, Language, Mailbox, Number, Revision,
};

/// A user in the desired state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DesiredUser {
    /// The ring targets, the first or all at once; none: no device rings.
    pub dial: Option<DialTarget>,
    /// The ring targets after that, one after the other.
    pub then: Option<DialTarget>,
    /// The revision of the last login; zero when no device rings, and at an owned device.
    pub revision: Revision,
    /// The number that the user's calls show to called parties who may see it.
    pub number: Number,
    /// The name with it.
    pub name: Option<DisplayName>,
    /// The user's calls are anonymous.
    pub anonymous: bool,
    /// The language of prompts.
    pub language: Option<Language>,
    /// The class of service: the site's context for the user's calls.
    pub class: Option<Context>,
    /// The voicemail box.
    pub mailbox: Option<Mailbox>,
    /// The destination of calls when no device rings.
    pub away: Away,
    /// The destination of calls while the user is busy.
    pub busy: Option<Number>,
    /// The destination of calls that the user does not answer.
    pub unanswered: Option<Number>,
    /// Which of the user's calls are recorded.
    pub recording: Recording,
    /// The account of the user's calls; none: the extension.
    pub account: Option<Account>,
    /// Call pickup: whose calls the user may pick up, and who may pick up the user's calls.
    pub pickup: Option<GroupName>,
    /// What the user's BLF shows.
    pub blf: Blf,
    /// The groups that the user is signed in to. Empty when no device rings.
    pub groups: BTreeMap<GroupName, Member>,
}

impl DesiredUser {
    /// Whether there is more than ring targets and a caller ID.
    pub fn has_profile(&self) -> bool {
        let Self { then, busy, unanswered, recording, account, pickup, .. } = self;
        then.is_some()
            || busy.is_some()
            || unanswered.is_some()
            || *recording != Recording::Never
            || account.is_some()
            || pickup.is_some()
    }
}

/// What a user's BLF shows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Blf {
    /// The user's devices here that can be watched. A mobile is a trunk to the switch, so it cannot.
    pub watch: Option<DialTarget>,
    /// All ring targets of the user, also the later ones and those through routes.
    pub rings: Option<DialTarget>,
    /// It is lit, independent of the devices: the user has DND on, or forwards all calls.
    pub lit: bool,
}

/// A user's membership in a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Member {
    /// The kind of the group.
    pub kind: group::Kind,
    /// The user takes no calls of it now.
    pub paused: bool,
}
