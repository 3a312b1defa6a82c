//! Raw events, for features that subscribe to them.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tracing::warn;

use crate::model::id::SwitchName;

/// How many events wait for a subscriber; those of a call have about 8 KB.
pub const EVENTS: usize = 1024;

/// What a subscriber gets, in order.
#[derive(Clone, Debug)]
pub enum Heard<E> {
    /// An event of the switch.
    Event(Arc<E>),
    /// Events may be missing: after a connect, also one before the subscription, or when more than [`EVENTS`] waited. Read the
    /// state again.
    Missed,
}

/// The events of one connection from the subscription on. It outlives reconnects.
pub struct Subscription<E> {
    pub(super) switch: SwitchName,
    pub(super) events: broadcast::Receiver<Heard<E>>,
    /// Whether the connection was there first, and that is not said yet.
    pub(super) late: bool,
}

impl<E: Clone> Subscription<E> {
    /// The next one; `None` once the connection's task has ended. Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<Heard<E>> {
        if std::mem::take(&mut self.late) {
            return Some(Heard::Missed);
        }
        match self.events.recv().await {
            Ok(heard) => Some(heard),
            Err(RecvError::Lagged(events)) => {
                warn!(event = "switch.events_lost", switch = %self.switch, events, "events were missed: reading the state again");
                Some(Heard::Missed)
            }
            Err(RecvError::Closed) => None,
        }
    }
}
