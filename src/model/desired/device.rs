//! The desired state of a device.

use crate::model::directory::ShortList;
use crate::model::id::{DialTarget, EmergencyNumber, Extension, Language, Mailbox, Number, Revision};

/// A device of the switch, as it should be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DesiredDevice {
    /// The user of calls from here; none: only emergency calls and feature codes.
    pub user: Option<Extension>,
    /// The owner, also while a guest is logged in.
    pub owner: Option<Extension>,
    /// Users may log in here.
    pub hotdesk: bool,
    /// The revision of the login; zero for an owner, and without a user.
    pub revision: Revision,
    /// The number that an emergency call from here shows, with any user or none.
    pub emergency: Option<Number>,
    /// The emergency numbers at its location; empty: all numbers of the dialplan.
    pub emergency_numbers: Vec<EmergencyNumber>,
    /// The dial target of the device, for a call back after an emergency call.
    pub dial: DialTarget,
    /// What may be dialled here while it has no user.
    pub may_dial: ShortList,
    /// The mailbox for its MWI: that of its user.
    pub mailbox: Option<Mailbox>,
    /// The language of prompts until the caller is known.
    pub language: Option<Language>,
}

impl DesiredDevice {
    /// A device with this dial target, without a user.
    pub fn of(dial: DialTarget) -> Self {
        Self {
            user: None,
            owner: None,
            hotdesk: true,
            revision: Revision(0),
            emergency: None,
            emergency_numbers: vec![],
            dial,
            may_dial: ShortList::default(),
            mailbox: None,
            language: None,
        }
    }

    /// Whether a user is logged in here. An owner can be the user without a login.
    pub fn is_logged_in(&self) -> bool {
        self.revision > Revision(0)
    }
}
