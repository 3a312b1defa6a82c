//! Sessions end by the time that passed, also when the clock was set or the machine was suspended.

use jiff::Timestamp;

use super::watched::LoggedIn;
use super::{BATCH, Work};
use crate::model::command::Change;
use crate::model::desired::Scope;
use crate::model::journal::Actor;
use crate::model::observation::{ClockSet, Note, Noted};
use crate::store::StoreError;

impl Work {
    pub(super) fn clock_set(&mut self, set: ClockSet) {
        self.switched.values_mut().for_each(|switched| switched.clock_set(&set));
        self.set.push(set);
    }

    /// The current time. If the clock was set, each session first gets the times by which it ends now.
    pub(super) async fn now(&mut self) -> Result<Timestamp, StoreError> {
        let now = self.timers.clock.now();
        while let Ok(set) = self.sets.try_recv() {
            self.clock_set(set);
        }
        while let Some(set) = self.set.first().copied() {
            let of = |LoggedIn { session, .. }: &LoggedIn| {
                let what = Noted::ClockSet(set, session.since);
                Note { device: session.device.clone(), revision: session.revision, what }
            };
            let notes: Vec<Note> = self.current.values().map(of).collect();
            for notes in notes.chunks(BATCH) {
                self.change((Actor::Controller, now), Change::Observe(notes.to_vec())).await?;
            }
            self.set.remove(0);
            self.refresh(&Scope::All).await?;
        }
        Ok(now)
    }
}
