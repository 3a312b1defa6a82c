//! Takes the calls that FreeSWITCH parks for us: one for each dialled code.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::client::{Client, State};
use super::event::Event;
use super::phone::{FsPhone, NoCall, TURNS, asks_until, first_taker, release};
use super::rights;
use crate::controller::Controller;
use crate::desk::id::{SwitchName, TenantId};
use crate::switch::SwitchError;
use crate::switch::door::Closing;

/// Calls that are served at once; one more is not taken, and its caller hears "not available" from the dialplan.
pub const CALLS: usize = 1024;
/// The events that [`Calls::bell`] must have: a call waits.
pub const PARKED: [&str; 1] = ["CHANNEL_PARK"];
/// The events that [`Calls::client`] must have: what ends.
pub const EVENTS: [&str; 3] = ["CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"];

/// The dialplan's context in which calls wait for us, and the one where it ends them.
pub(super) const CONTEXTS: [&str; 2] = ["hotdesk-code", "hotdesk-end"];
/// The header of a `CHANNEL_PARK` that is no call: by it `hotdesk check` asks who takes calls. Its value is given back.
pub(super) const CHECK: &str = "Hotdesk-Check";
/// The header that says who answers.
pub(super) const TAKER: &str = "Hotdesk-Controller";
/// The dialplan's time-out of a call that waits.
const TIMED_OUT: Duration = Duration::from_secs(2);
/// `show channels` is written late, by more the busier the switch is: it is looked at again after each of these, while a call
/// may wait.
const LATE: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(300), Duration::from_millis(700), Duration::from_secs(1)];

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
    /// What this controller is called in the calls that it has, as `hd_controller`: another one's are left alone. The same
    /// after a restart of ours, so that those which it cut short are known.
    pub name: String,
    /// The connection that tells of calls that wait, by [`PARKED`] and [`filters`], and over which their time-outs are lifted.
    /// FreeSWITCH takes no command while it has events to tell, and of calls under way it has many.
    pub bell: Client,
    /// The connection over which calls are served, with [`EVENTS`] and [`filters`]; whoever waits for one of these is told.
    pub client: Client,
    /// How many calls are served at once: [`CALLS`].
    pub calls: usize,
}

struct Serving {
    calls: Calls,
    tasks: TaskTracker,
    permits: Arc<Semaphore>,
    turns: Semaphore,
    given_up: CancellationToken,
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
    /// Serves calls until `closing`. One that is given up is released from its conversation.
    pub async fn run(self, mut events: mpsc::Receiver<Event>, closing: Closing) {
        let mut unsettled = self.bell.unsettled();
        unsettled.mark_changed();
        let stop = closing.begun.clone();
        let looking = stop.clone();
        let serving = Arc::new(Serving {
            tasks: TaskTracker::new(),
            permits: Arc::new(Semaphore::new(self.calls)),
            turns: Semaphore::new(TURNS),
            given_up: CancellationToken::new(),
            served: Mutex::default(),
            calls: self,
        });
        // One look at a time, however often there is reason to: each costs the switch something.
        tokio::spawn({
            let serving = serving.clone();
            looking.run_until_cancelled_owned(async move {
                while unsettled.changed().await.is_ok() {
                    serving.look_for_left().await;
                }
            })
        });
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(event) = events.recv() => {
                    if event.name().as_deref().is_some_and(|name| PARKED.contains(&name)) {
                        serving.serve(event);
                    }
                }
                else => break,
            }
        }
        let (tasks, switch) = (&serving.tasks, &serving.calls.switch);
        if !tasks.is_empty() {
            info!(event = "esl.draining", %switch, calls = tasks.len(), "letting calls end");
        }
        let left = closing.last(tasks, &serving.given_up).await;
        if left > 0 {
            warn!(event = "esl.cut", %switch, calls = left, "calls under way were given back to the dialplan");
        }
    }
}

impl Serving {
    /// Serves a call that waits in a code, unless it is another tenant's or has a task.
    fn serve(self: &Arc<Self>, parked: Event) {
        let Some((id, tenant)) = waits_for(&parked, &self.calls.tenants) else { return };
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            warn!(event = "esl.full", switch = %self.calls.switch, calls = self.calls.calls, "a call was not taken");
            return;
        };
        if let Some(question) = parked.get(CHECK) {
            self.tasks.spawn(self.clone().answer(question.into_owned(), permit));
        } else if self.served.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone()) {
            let serving = self.clone();
            self.tasks.spawn(async move {
                let call = serving.call(&id, tenant, parked);
                if serving.given_up.run_until_cancelled(call).await.is_none() {
                    // Without a connection it is found by whoever is there next.
                    let _ = serving.release(&id).await;
                }
                serving.served.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                drop(permit);
            });
        }
    }

    /// Tells `hotdesk check` that calls are taken, and by whom.
    async fn answer(self: Arc<Self>, question: String, permit: OwnedSemaphorePermit) {
        let Calls { switch, client, name, .. } = &self.calls;
        let headers = [("Event-Subclass", rights::TAKEN), (CHECK, &question), (TAKER, name)];
        if let Err(error) = client.tell("CUSTOM", &headers).await {
            debug!(event = "esl.not_answered", %switch, %error, "`hotdesk check` was not answered");
        }
        drop(permit);
    }

    async fn call(&self, id: &str, tenant: TenantId, parked: Event) {
        let Calls { switch, controller, bell, client, name, .. } = &self.calls;
        // Who lifts a time-out and then cannot serve leaves the caller in silence: after a restart of the switch the bell
        // may be there first.
        let mut states = client.state();
        let up = states.wait_for(|state| matches!(state, State::Up(_)));
        if !tokio::time::timeout(TIMED_OUT, up).await.is_ok_and(|up| up.is_ok()) {
            return warn!(event = "esl.no_call", %switch, call = %id, error = "not connected to the switch", "a parked call was not taken");
        }
        match FsPhone::take(client.clone(), bell, &parked, switch.clone(), tenant, name, &self.turns).await {
            Ok((phone, call)) => {
                drop(parked);
                controller.converse(call, phone).await;
            }
            Err(NoCall::Ended) => debug!(event = "esl.ended", %switch, call = %id, "nobody was on the line"),
            Err(error) => {
                warn!(event = "esl.no_call", %switch, call = %id, %error, "a parked call was not taken")
            }
        }
    }

    /// Looks for calls that nobody serves, after anything may have been missed: those that still wait are taken, and
    /// those of ours whose conversation was cut short, by us or the connection, hear that it is not available.
    async fn look_for_left(self: &Arc<Self>) {
        for pause in LATE {
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
        let client = &self.calls.bell;
        let listed = client.api("show channels as json").await?.unwrap_or_default();
        let unreadable = |error: serde_json::Error| SwitchError::Refused("show".into(), error.to_string());
        let listed: Channels = serde_json::from_str(&listed).map_err(unreadable)?;
        for Channel { uuid, .. } in listed.rows.into_iter().filter(|row| row.context == CONTEXTS[0]) {
            if self.serves(&uuid) {
                continue;
            }
            let Some(call) = self.waiting(&uuid).await? else { continue };
            let dialled = call.get("variable_hd_dialled").is_some_and(|dialled| !dialled.is_empty());
            if dialled || asks_until(&call).is_some() {
                self.serve(call);
            } else if self.was_ours(&call) && !self.serves(&uuid) {
                info!(event = "esl.released", switch = %self.calls.switch, call = %uuid, "its conversation was cut short");
                let _ = client.api(&release(&uuid)).await;
            }
        }
        Ok(())
    }

    /// Has a call's caller hear that it is not available, if the call waits and is ours.
    async fn release(&self, id: &str) -> Result<(), SwitchError> {
        if self.waiting(id).await?.is_some_and(|call| self.was_ours(&call)) {
            self.calls.bell.api(&release(id)).await?;
        }
        Ok(())
    }

    /// A call as it is now, if it still waits in a code of one of our tenants.
    async fn waiting(&self, id: &str) -> Result<Option<Event>, SwitchError> {
        let dump = match self.calls.bell.api(&format!("uuid_dump {id} json")).await {
            Ok(dump) => dump.unwrap_or_default(),
            // It is over.
            Err(SwitchError::Refused(..)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let call = Event::json(dump.as_bytes()).ok();
        Ok(call.filter(|call| waits_for(call, &self.calls.tenants).is_some()))
    }

    fn serves(&self, call: &str) -> bool {
        self.served.lock().unwrap_or_else(PoisonError::into_inner).contains(call)
    }

    /// Whether it was us who took it. Those of a controller that is gone for good are ended by the dialplan's time-out.
    fn was_ours(&self, call: &Event) -> bool {
        first_taker(call).is_some_and(|taker| taker == self.calls.name)
    }
}

/// The id of a call that waits in a code, and whose it is, if that is one of these tenants. But for the default one a
/// tenant is the domain that its phones registered in.
pub(super) fn waits_for(call: &Event, tenants: &[TenantId]) -> Option<(String, TenantId)> {
    if call.get("Caller-Context").as_deref() != Some(CONTEXTS[0]) {
        return None;
    }
    let domain = call.get("variable_domain_name").unwrap_or_default();
    let named = |tenant: &&TenantId| domain.eq_ignore_ascii_case(tenant.as_str());
    let any = |tenant: &&TenantId| **tenant == TenantId::default();
    let tenant = tenants.iter().find(named).or_else(|| tenants.iter().find(any))?;
    Some((call.get("Unique-ID").unwrap_or_default().into_owned(), tenant.clone()))
}
