//! What FreeSWITCH tells by itself, and who hears it: what phones do, who asks for a lamp, what happens to boxes, who takes
//! a break from his queues.

use tokio::sync::{mpsc, watch};

use super::event::Event;
use super::mwi::{self, Mwi};
use super::phones::{self, Phones};
use super::presence::{self, Presence};
use super::queues::Queues;
use super::rights;

/// The events.
#[must_use]
pub fn events() -> Vec<&'static str> {
    phones::EVENTS.into_iter().chain([mwi::EVENT, presence::PROBE]).collect()
}

/// Those of queues, on a connection of their own: our user may lack the right to hear them.
pub const QUEUED: [&str; 1] = [rights::QUEUED];

/// Who hears them, of one tenant. Clones are the same.
#[derive(Clone)]
pub struct Ears {
    pub(super) phones: Phones,
    pub(super) queues: Queues,
    /// Those whose lamps are ours to light.
    pub(super) lamps: Option<(Mwi, Presence)>,
}

/// Lets them hear [`events`] as long as these come; `missed` grows when some may have been missed.
pub fn hear(mut events: mpsc::Receiver<Event>, mut missed: watch::Receiver<u64>, of_tenants: Vec<Ears>) {
    tokio::spawn(async move {
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => of_tenants.iter().for_each(|ears| ears.hear(&event)),
                    None => return,
                },
                Ok(()) = missed.changed() => {
                    for (mwi, presence) in of_tenants.iter().filter_map(|ears| ears.lamps.as_ref()) {
                        mwi.all_again();
                        presence.all_again();
                    }
                }
            }
        }
    });
}

/// Lets them hear [`QUEUED`] likewise.
pub fn hear_queues(mut events: mpsc::Receiver<Event>, of_tenants: Vec<Ears>) {
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            of_tenants.iter().for_each(|ears| ears.queues.hear(&event));
        }
    });
}

impl Ears {
    fn hear(&self, event: &Event) {
        let name = event.name();
        match (name.as_deref(), &self.lamps) {
            (Some(mwi::EVENT), Some((mwi, _))) => mwi.hear(event),
            (Some(presence::PROBE), Some((_, presence))) => presence.asked(event),
            (Some(mwi::EVENT | presence::PROBE), None) => {}
            (name, lamps) => {
                self.phones.hear(event);
                if let (Some("CHANNEL_DESTROY"), Some((_, presence))) = (name, lamps) {
                    presence.ended(event);
                }
            }
        }
    }
}
