//! The result of a command.

use serde::{Deserialize, Serialize};

use super::record::{Key, Kind, Record, failures_name};
use crate::model::directory::Session;
use crate::model::id::Revision;
use crate::model::journal::Event;
use crate::model::login::lockout;
use crate::model::login::transition::Transition;

/// What a store commits: all of it, or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The records that change, in an order in which they can be applied.
    pub writes: Vec<Write>,
    /// The journal entries, in their order. Sessions that begin carry the revision of the first.
    pub events: Vec<Event>,
    /// The outcome for the caller of the store.
    pub outcome: Outcome,
}

/// One record that changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Adds or replaces it.
    Put(Box<Record>),
    /// Removes it, if it is there.
    Remove(Key),
}

/// The outcome of a command that was carried out.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The attempt counts. If it fails, it makes a spray of these.
    Attempt {
        /// The device that tried many extensions, or the user who was tried from many devices.
        spray: Vec<lockout::Kind>,
    },
    /// It was done.
    Done {
        /// The tenant's revision after it.
        revision: Revision,
    },
    /// Whether the automatic logout is postponed: not if the session has ended or is postponed longer already.
    Extended(bool),
    /// For each note, whether it changed something.
    Observed(Vec<bool>),
    /// The sessions that ended and began.
    Sessions(Transition),
}

impl Outcome {
    /// The sessions that ended and began.
    pub fn into_transition(self) -> Transition {
        match self {
            Self::Sessions(transition) => transition,
            _ => Transition::default(),
        }
    }
}

impl Decision {
    /// Nothing changes.
    pub const fn nothing(outcome: Outcome) -> Self {
        Self { writes: vec![], events: vec![], outcome }
    }

    /// Whether there is nothing to write. A transition is remembered by its request id even if it is empty.
    pub fn is_nothing(&self) -> bool {
        let Self { writes, events, outcome } = self;
        writes.is_empty() && events.is_empty() && !matches!(outcome, Outcome::Sessions(_))
    }

    pub(super) fn put(&mut self, record: Record) {
        self.writes.push(Write::Put(Box::new(record)));
    }

    pub(super) fn remove(&mut self, kind: Kind, name: &str) {
        self.writes.push(Write::Remove(Key::new(kind, name)));
    }

    pub(super) fn forget(&mut self, kind: lockout::Kind, name: &str) {
        self.remove(Kind::Failures, &failures_name(kind, name));
    }

    /// A session ends, and its observations with it.
    pub(super) fn end(&mut self, session: &Session) {
        self.remove(Kind::Session, session.device.as_str());
        self.remove(Kind::Observation, session.device.as_str());
    }
}
