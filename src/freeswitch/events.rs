//! Passes FreeSWITCH's raw events to features: device states, subscriptions to BLF, voicemail, queue pauses.

use tracing::warn;

use super::devices::states::{self, Phones};
use super::esl::client::Client;
use super::esl::event::Event;
use super::esl::rights;
use super::mwi::{self, Mwi};
use super::presence::{self, Presence};
use super::queues::membership::Queues;
use crate::switch::connection::events::{Heard, Subscription};

/// The events to ask FreeSWITCH for.
pub fn events() -> Vec<&'static str> {
    states::EVENTS.into_iter().chain([mwi::EVENT, presence::PROBE]).collect()
}

/// The events of queues. They are asked for apart: Hotdesk's user may lack the right to them.
pub const QUEUED: [&str; 1] = [rights::QUEUED];

/// The features of one tenant that handle the events. Clones share them.
#[derive(Clone)]
pub struct EventHandlers {
    pub(super) phones: Phones,
    pub(super) queues: Queues,
    /// MWI and BLF, if Hotdesk publishes them.
    pub(super) lamps: Option<(Mwi, Presence)>,
}

/// Passes the events of `listener`, whose settings must ask for [`events`], to the features of all tenants while the task of
/// the connection runs. With queues it asks for their events too, after each connect.
pub async fn follow(
    listener: Client,
    mut events: Subscription<Event>,
    of_tenants: Vec<EventHandlers>,
    with_queues: bool,
) {
    while let Some(heard) = events.next().await {
        match heard {
            Heard::Event(event) => of_tenants.iter().for_each(|handlers| handlers.hear(&event)),
            Heard::Missed => {
                if with_queues && let Err(error) = listener.listen(&QUEUED).await {
                    warn!(event = "queue.not_heard", %error,
                        "Hotdesk sees pauses that members take at a queue only once a minute; run hotdesk check");
                }
                for (mwi, presence) in of_tenants.iter().filter_map(|handlers| handlers.lamps.as_ref()) {
                    mwi.all_again();
                    presence.all_again();
                }
            }
        }
    }
}

impl EventHandlers {
    fn hear(&self, event: &Event) {
        let name = event.name();
        match (name.as_deref(), &self.lamps) {
            (Some("CUSTOM"), _) if event.get("Event-Subclass").as_deref() == Some(rights::QUEUED) => {
                self.queues.hear(event);
            }
            (Some(mwi::EVENT), Some((mwi, _))) => mwi.hear(event),
            (Some(presence::PROBE), Some((_, presence))) => presence.asked(event),
            (Some(mwi::EVENT | presence::PROBE), None) => {}
            (name, lamps) => {
                self.phones.hear(event);
                match (name, lamps) {
                    (Some("CHANNEL_DESTROY"), Some((_, presence))) => presence.ended(event),
                    (Some("CUSTOM"), Some((mwi, _)))
                        if event.get("Event-Subclass").as_deref() == Some(mwi::REGISTERED) =>
                    {
                        mwi.registered(event);
                    }
                    _ => {}
                }
            }
        }
    }
}
