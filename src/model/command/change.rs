//! Commands: what is requested, by which actor, and when.

use jiff::Timestamp;

use crate::model::access::{AccessCommand, KeyCommand};
use crate::model::directory::Session;
use crate::model::directory::change::DirectoryCommand;
use crate::model::id::{Extension, RequestId, Revision, TenantId};
use crate::model::journal::{Actor, Entry, Event};
use crate::model::label::Label;
use crate::model::login::lockout::{Guess, Unlock};
use crate::model::login::pin::PinRecord;
use crate::model::login::transition::SessionCommand;
use crate::model::observation::Note;
use crate::model::settings::SettingsCommand;

/// One change: made completely or not at all, and once, however often it is requested.
#[derive(Clone, Debug)]
pub struct Command {
    /// A repeated request with the same id changes nothing and returns the first outcome.
    pub request: RequestId,
    /// The tenant.
    pub tenant: TenantId,
    /// The actor, for the journal.
    pub by: Actor,
    /// The call that requested it.
    pub call: Option<Label>,
    /// The dialled code, as written in the configuration.
    pub code: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What changes.
    pub change: Change,
}

/// What a [`Command`] changes.
#[derive(Clone, Debug)]
pub enum Change {
    /// Changes an account of the console, its link or its sessions.
    Access(AccessCommand),
    /// Counts an attempt with a PIN, before the PIN is compared, unless the user or the device is locked out.
    Attempt(Guess),
    /// Adds, replaces or removes users, devices, locations and PINs.
    Directory(DirectoryCommand),
    /// Postpones the automatic logout of a session until this time.
    Extend(Session, Timestamp),
    /// Forgets the failures of the user of this guess, also those at the device of the guess: the PIN was right.
    Forgive(Guess),
    /// Logs a user in or out who proved the identity with this guess, which is forgiven with it: [`Change::Forgive`].
    Identified(Guess, SessionCommand),
    /// Adds or removes a key of the API, or notes its use.
    Key(KeyCommand),
    /// Stores observations of devices, without a journal entry. A note of a session that has ended changes nothing.
    Observe(Vec<Note>),
    /// Forgets failures that no longer matter.
    Prune,
    /// Journals events that change no record.
    Record(Vec<Event>),
    /// Replaces the first PIN record of a user with the second, of the same PIN, if the salt is still that of the first.
    Rehash(Extension, PinRecord, PinRecord),
    /// Logs users in and out.
    Session(SessionCommand),
    /// Changes settings of a user. Other changes of the user at the same time are kept.
    Settings(SettingsCommand),
    /// Takes an attempt back: its PIN could not be compared.
    TakeBack(Guess),
    /// Ends lockouts, and forgets the failures before them.
    Unlock(Unlock),
}

impl Command {
    /// A change that no call requested.
    pub const fn new(request: RequestId, tenant: TenantId, by: Actor, at: Timestamp, change: Change) -> Self {
        Self { request, tenant, by, call: None, code: None, at, change }
    }

    /// Whether it has so many changes that a store may need seconds.
    pub fn is_large(&self) -> bool {
        const MANY: usize = 100;
        matches!(&self.change, Change::Directory(DirectoryCommand { changes, .. }) if changes.len() > MANY)
    }

    /// The journal entry of an event that this command causes. Its revision is set when it is stored.
    pub fn entry(&self, event: Event) -> Entry {
        Entry {
            revision: Revision(0),
            at: self.at,
            tenant: self.tenant.clone(),
            by: self.by.clone(),
            call: self.call.clone(),
            code: self.code.clone(),
            event,
        }
    }
}
