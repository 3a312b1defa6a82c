//! Takes the calls that FreeSWITCH parks for us: one for each dialled code.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::client::Client;
use super::event::Event;
use super::phone::{FsPhone, NoCall};
use crate::controller::Controller;
use crate::desk::id::{SwitchName, TenantId};
use crate::switch::SwitchError;

/// Calls that are served at once; one more is not taken, and its caller hears "not available" from the dialplan.
pub const CALLS: usize = 1024;
/// How long calls may go on after a stop was asked for.
pub const DRAIN: Duration = Duration::from_secs(20);
/// The events that the client must have: what parks, and what ends.
pub const EVENTS: [&str; 5] = [
    "CHANNEL_PARK",
    "CHANNEL_EXECUTE_COMPLETE",
    "CHANNEL_HANGUP",
    "CHANNEL_HANGUP_COMPLETE",
    "CHANNEL_DESTROY",
];

/// The dialplan's context in which calls wait for us, and the one where it ends them.
pub(super) const CONTEXTS: [&str; 2] = ["hotdesk-code", "hotdesk-end"];
/// `show channels` is written late: looked at again after this, it has all calls that there were before.
const LATE: Duration = Duration::from_secs(1);

/// Of these events only those of calls that dialled a code: a switch has many others.
#[must_use]
pub fn filters() -> Vec<(&'static str, String)> {
    CONTEXTS.map(|context| ("Caller-Context", context.into())).into()
}

/// What serves the codes of one switch.
pub struct Calls {
    /// The switch.
    pub switch: SwitchName,
    /// Whose people and phones it has.
    pub tenants: Vec<TenantId>,
    /// Who answers the calls.
    pub controller: Arc<Controller>,
    /// The connection, with [`EVENTS`] and [`filters`].
    pub client: Client,
    /// How many calls are served at once: [`CALLS`].
    pub calls: usize,
}

struct Serving {
    calls: Calls,
    tasks: TaskTracker,
    permits: Arc<Semaphore>,
    /// The calls that have a task.
    served: Mutex<HashSet<String>>,
}

/// What `show channels as json` says.
#[derive(Deserialize)]
struct Channels {
    #[serde(default)]
    rows: Vec<Channel>,
}

#[derive(Deserialize)]
struct Channel {
    uuid: String,
    #[serde(default)]
    context: String,
}

impl Calls {
    /// Serves calls until `stop`, then lets those that are under way end, [`DRAIN`] long at most.
    pub async fn run(self, mut events: mpsc::Receiver<Event>, stop: CancellationToken) {
        let mut unsettled = self.client.unsettled();
        unsettled.mark_changed();
        let serving = Arc::new(Serving {
            tasks: TaskTracker::new(),
            permits: Arc::new(Semaphore::new(self.calls)),
            served: Mutex::default(),
            calls: self,
        });
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(event) = events.recv() => {
                    if event.name().as_deref() == Some("CHANNEL_PARK") {
                        serving.serve(event);
                    }
                }
                Ok(()) = unsettled.changed() => {
                    let (serving, stop) = (serving.clone(), stop.clone());
                    tokio::spawn(async move { stop.run_until_cancelled(serving.look_for_left()).await });
                }
                else => break,
            }
        }
        let (tasks, switch) = (&serving.tasks, &serving.calls.switch);
        tasks.close();
        if !tasks.is_empty() {
            info!(event = "esl.draining", %switch, calls = tasks.len(), "letting calls end");
        }
        if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
            warn!(event = "esl.cut", %switch, calls = tasks.len(), "calls did not end in time");
        }
    }
}

impl Serving {
    /// Serves a call that waits in a code, unless it is another tenant's or has a task.
    fn serve(self: &Arc<Self>, parked: Event) {
        let Some((id, tenant)) = self.ours(&parked) else { return };
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            warn!(event = "esl.full", switch = %self.calls.switch, calls = self.calls.calls, "a call was not taken");
            return;
        };
        if self.served.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone()) {
            self.tasks.spawn(self.clone().call(id, tenant, parked, permit));
        }
    }

    async fn call(
        self: Arc<Self>,
        id: String,
        tenant: TenantId,
        parked: Event,
        permit: OwnedSemaphorePermit,
    ) {
        let Calls { switch, controller, client, .. } = &self.calls;
        match FsPhone::take(client.clone(), &parked, switch.clone(), tenant).await {
            Ok((phone, call)) => {
                drop(parked);
                controller.converse(call, phone).await;
            }
            Err(NoCall::Ended) => debug!(event = "esl.ended", %switch, call = %id, "nobody was on the line"),
            Err(error) => {
                warn!(event = "esl.no_call", %switch, call = %id, %error, "a parked call was not taken")
            }
        }
        self.served.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        drop(permit);
    }

    /// The id of a call that waits in a code, and whose it is, if that is a tenant of ours. But for the default one a
    /// tenant is the domain that its phones registered in.
    fn ours(&self, call: &Event) -> Option<(String, TenantId)> {
        if call.get("Caller-Context").as_deref() != Some(CONTEXTS[0]) {
            return None;
        }
        let domain = call.get("variable_domain_name").unwrap_or_default();
        let named = |tenant: &&TenantId| domain.eq_ignore_ascii_case(tenant.as_str());
        let tenants = &self.calls.tenants;
        let any = |tenant: &&TenantId| **tenant == TenantId::default();
        let tenant = tenants.iter().find(named).or_else(|| tenants.iter().find(any))?;
        Some((call.get("Unique-ID").unwrap_or_default().into_owned(), tenant.clone()))
    }

    /// Looks for calls that nobody serves, after anything may have been missed: those that still wait are taken, and
    /// those whose conversation was cut short, by us or the connection, hear that it is not available.
    async fn look_for_left(self: Arc<Self>) {
        for pause in [Duration::ZERO, LATE] {
            tokio::time::sleep(pause).await;
            match self.take_left().await {
                Ok(()) | Err(SwitchError::Away(_)) => {}
                Err(error) => {
                    warn!(event = "esl.not_looked", switch = %self.calls.switch, %error, "calls may have been left waiting");
                }
            }
        }
    }

    async fn take_left(self: &Arc<Self>) -> Result<(), SwitchError> {
        let client = &self.calls.client;
        let listed = client.api("show channels as json").await?.unwrap_or_default();
        let unreadable = |error: serde_json::Error| SwitchError::Refused("show".into(), error.to_string());
        let listed: Channels = serde_json::from_str(&listed).map_err(unreadable)?;
        for Channel { uuid, .. } in listed.rows.into_iter().filter(|row| row.context == CONTEXTS[0]) {
            if self.served.lock().unwrap_or_else(PoisonError::into_inner).contains(&uuid) {
                continue;
            }
            let dump = match client.api(&format!("uuid_dump {uuid} json")).await {
                Ok(dump) => dump.unwrap_or_default(),
                // It is over.
                Err(SwitchError::Refused(..)) => continue,
                Err(error) => return Err(error),
            };
            let Ok(call) = Event::json(dump.as_bytes()) else { continue };
            if self.ours(&call).is_none() {
                continue;
            }
            if call.get("variable_hd_dialled").is_some_and(|dialled| !dialled.is_empty()) {
                self.serve(call);
            } else {
                info!(event = "esl.released", switch = %self.calls.switch, call = %uuid, "its conversation was cut short");
                let release = format!("uuid_transfer {uuid} hotdesk-away XML {}", CONTEXTS[0]);
                let _ = client.api(&release).await;
            }
        }
        Ok(())
    }
}
