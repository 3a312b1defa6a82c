//! Passes Asterisk's raw events to features: device states, voicemail, queue pauses, and signs that another program may have
//! changed the switch table.

use std::future::Future;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::ami::client::Manager;
use super::ami::codec::{Action, Message};
use super::devices::states;
use super::mwi::codec::{SIGNS, Sign, sign};
use super::queues::membership::{self, Paused};
use super::table::reload_detection::Doubt;
use crate::switch::connection::events::{Heard, Subscription};
use crate::switch::device_state::{DeviceEvent, EVENTS_KEPT};

/// The events to ask Asterisk for.
pub const EVENTS: [&str; 6] =
    ["ContactStatus", "DeviceStateChange", "ExtensionStatus", "MessageWaiting", "QueueMemberPause", "Reload"];
/// How long to collect signs of a change: a reload makes one event for each hint.
const SETTLE: Duration = Duration::from_millis(200);

/// The events of one Asterisk for features. Clones share them. The default has none.
#[derive(Clone, Debug)]
pub struct Events {
    in_doubt: watch::Sender<u64>,
    /// Devices whose state may have changed.
    pub(super) devices: broadcast::Sender<DeviceEvent>,
    /// Phones whose MWI may be wrong.
    pub(super) mail: broadcast::Sender<Sign>,
    /// Members of queues who began or ended a pause.
    pub(super) pauses: broadcast::Sender<Paused>,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            in_doubt: watch::Sender::new(0),
            devices: broadcast::Sender::new(EVENTS_KEPT),
            mail: broadcast::Sender::new(SIGNS),
            pauses: broadcast::Sender::new(SIGNS),
        }
    }
}

impl Events {
    /// The events of `manager`, whose settings must ask for [`EVENTS`], and the task that passes them on while the connection's
    /// own task runs.
    pub fn of(manager: &Manager) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let events = Self::default();
        (events.clone(), events.follow(manager.clone(), manager.subscribe()))
    }

    /// Grows when the switch table may have changed: after a connect, a reload or a restart.
    #[must_use]
    pub fn in_doubt(&self) -> watch::Receiver<u64> {
        self.in_doubt.subscribe()
    }

    async fn follow(self, manager: Manager, mut events: Subscription<Message>) {
        let (mut doubt, mut due): (Doubt, Option<Instant>) = (Doubt::default(), None);
        loop {
            let settled = async {
                match due {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                heard = events.next() => match heard {
                    Some(Heard::Event(event)) => {
                        if self.hear(&event, &mut doubt) {
                            due.get_or_insert(Instant::now() + SETTLE);
                        }
                    }
                    Some(Heard::Missed) => {
                        self.in_doubt.send_modify(|times| *times += 1);
                        // What the lamps show now, so that the next event of each is known for a repetition. Our user may
                        // lack the right to ask.
                        for lamp in manager.list(Action::new("ExtensionStateList")).await.unwrap_or_default() {
                            doubt.cast_by(&lamp);
                        }
                    }
                    None => return,
                },
                () = settled => {
                    due = None;
                    debug!(event = "switch.in_doubt", "the switch table may differ");
                    self.in_doubt.send_modify(|times| *times += 1);
                }
            }
        }
    }

    /// Passes an event on, and returns whether it casts doubt on the switch table. Without a subscriber nothing is passed on.
    fn hear(&self, event: &Message, doubt: &mut Doubt) -> bool {
        if let Some(device) = states::device_event(event) {
            let _ = self.devices.send(device);
        }
        if let Some(sign) = sign(event) {
            let _ = self.mail.send(sign);
        }
        if let Some(paused) = membership::paused(event) {
            let _ = self.pauses.send(paused);
        }
        doubt.cast_by(event)
    }
}
