//! The move: the one act that changes who sits where.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{CallId, DeviceName, Extension, RequestId, Revision, TenantId};
use super::journal::Actor;
use super::model::Binding;
use super::table::Scope;

/// One act on who sits where, done whole or not at all, and once however often it is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Move {
    /// Asking again with the same id changes nothing and returns what the first time did.
    pub request: RequestId,
    /// Whose people and phones.
    pub tenant: TenantId,
    /// What is done.
    pub act: Act,
    /// Who wants it, for the journal.
    pub by: Actor,
    /// The call in which it was asked for, for the journal.
    pub call: Option<CallId>,
    /// When.
    pub at: Timestamp,
}

/// What a [`Move`] does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Act {
    /// Whoever sits here leaves.
    Clear(DeviceName),
    /// This user leaves this device; somebody else who sits there by now stays.
    Leave(Extension, DeviceName),
    /// This user leaves wherever he sits.
    LeaveAll(Extension),
    /// The user sits down at the device; who sat there leaves, and he leaves where he sat. A user who sits there
    /// already stays, and nothing changes.
    Seat(Extension, DeviceName),
    /// Takes a transition back: [`Transition::inverse`].
    Undo {
        /// Leave again, unless something else happened to them since.
        seated: Vec<Binding>,
        /// Sit down again, where neither they nor the device are taken by now.
        removed: Vec<Binding>,
    },
}

/// What a [`Move`] changed: who sat where before, who sits where now.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Transition {
    /// The state after it; the one before if nothing changed.
    pub revision: Revision,
    /// Bindings that are no more: of the user elsewhere, of somebody else at the device.
    pub removed: Vec<Binding>,
    /// Bindings that are new.
    pub seated: Vec<Binding>,
}

impl Transition {
    /// The act that takes it back.
    #[must_use]
    pub fn inverse(self) -> Act {
        Act::Undo { seated: self.seated, removed: self.removed }
    }

    /// Whether anything changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.seated.is_empty()
    }

    /// The users and devices whose rows may differ after it.
    #[must_use]
    pub fn touches(&self) -> Scope {
        Scope::of(self.removed.iter().chain(&self.seated))
    }

    /// Where the user who sat down sat before, if he did.
    #[must_use]
    pub fn moved_from(&self) -> Option<&DeviceName> {
        let seated = self.seated.first()?;
        let was = self.removed.iter().find(|was| was.user == seated.user)?;
        Some(&was.device)
    }
}
