//! Takes the calls that FreeSWITCH parks for Hotdesk: one for each dialled code.
//!
//! This is the default: nothing listens, so a firewall needs no opening. While no controller runs, a caller waits for the
//! dialplan's own time-out, two seconds. After a reconnect the calls that still wait are found.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::caller::{HUNG_UP, Line, TURNS, asks_until, first_taker, is_over, release};
use super::taker::{CONTEXTS, Taker};
use crate::freeswitch::devices::states::Channel;
use crate::freeswitch::esl::client::{Client, State};
use crate::freeswitch::esl::command::argument;
use crate::freeswitch::esl::event::Event;
use crate::freeswitch::esl::rights;
use crate::model::id::TenantId;
use crate::model::label::Label;
use crate::switch::SwitchError;
use crate::switch::connection::events::{Heard, Subscription};
use crate::switch::listener::Closing;

/// Calls that are served at once; one more is not taken, and its caller hears "not available" from the dialplan.
pub const CALLS: usize = 1024;
/// The events that [`Calls::waiting`] must have: a call waits.
pub const PARKED: [&str; 1] = ["CHANNEL_PARK"];
/// The events that [`Calls::client`] must have: what ends.
pub const EVENTS: [&str; 3] = ["CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"];

/// The header of a `CHANNEL_PARK` without a call, by which `hotdesk check` asks which controllers take calls. The answer
/// repeats its value.
pub(crate) const CHECK: &str = "Hotdesk-Check";
pub(crate) const TAKER: &str = "Hotdesk-Controller";
/// The dialplan's time-out of a call that waits.
const TIMED_OUT: Duration = Duration::from_secs(2);
/// `show channels` is written late, by more the busier the switch is: it is looked at again after each of these, while a call
/// may wait.
const LATE: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(300), Duration::from_millis(700), Duration::from_secs(1)];

/// Of these events only those of calls that dialled a code: a switch has many others.
pub fn filters() -> Vec<(&'static str, String)> {
    CONTEXTS.map(|context| ("Caller-Context", context.into())).into()
}

/// What serves the codes of one switch.
pub struct Calls {
    /// What takes the calls.
    pub taker: Taker,
    /// The connection for commands that must not wait, with [`PARKED`] and [`filters`]: it reports calls that wait, and
    /// cancels their time-outs. FreeSWITCH takes no command while it has events to send, and calls in progress have many.
    pub waiting: Client,
    /// The connection over which calls are served, with [`EVENTS`] and [`filters`].
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
    served: Mutex<HashSet<String>>,
    missed: Notify,
}

impl Calls {
    /// Serves the calls in `events` of [`Calls::waiting`], until `closing`. It releases a call that it gives up from its
    /// conversation.
    pub async fn run(self, events: Subscription<Event>, closing: Closing) {
        let serving = Arc::new(Serving {
            tasks: TaskTracker::new(),
            permits: Arc::new(Semaphore::new(self.calls)),
            turns: Semaphore::new(TURNS),
            given_up: CancellationToken::new(),
            served: Mutex::default(),
            missed: Notify::new(),
            calls: self,
        });
        serving.missed.notify_one();
        tokio::select! {
            () = closing.begun.cancelled() => {}
            () = serving.hear(events) => {}
            () = serving.look_for_left() => {}
        }
        let (tasks, switch) = (&serving.tasks, &serving.calls.taker.switch);
        if !tasks.is_empty() {
            info!(event = "esl.draining", %switch, calls = tasks.len(), "calls in progress may end");
        }
        let left = closing.last(tasks, &serving.given_up).await;
        if left > 0 {
            warn!(event = "esl.cut", %switch, calls = left, "calls in progress went back to the dialplan");
        }
    }
}

impl Serving {
    async fn hear(self: &Arc<Self>, mut events: Subscription<Event>) {
        while let Some(heard) = events.next().await {
            match heard {
                Heard::Event(event) if event.name().as_deref() == Some(PARKED[0]) => self.serve(event),
                Heard::Event(_) => {}
                Heard::Missed => self.missed.notify_one(),
            }
        }
    }

    /// Serves a call that waits in a code, unless it is another tenant's or has a task.
    fn serve(self: &Arc<Self>, parked: Arc<Event>) {
        let Some((id, tenant)) = self.calls.taker.waits(&parked) else { return };
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            warn!(event = "esl.full", switch = %self.calls.taker.switch, calls = self.calls.calls, "a call was not taken");
            return;
        };
        if let Some(question) = parked.get(CHECK) {
            self.tasks.spawn(self.clone().answer(question.into_owned(), permit));
        } else if self.served().insert(id.clone()) {
            let serving = self.clone();
            self.tasks.spawn(async move {
                let call = serving.call(&id, tenant, parked);
                if serving.given_up.run_until_cancelled(call).await.is_none() {
                    // Without a connection it is found after the next connect.
                    let _ = serving.release(&id).await;
                }
                serving.served().remove(&id);
                drop(permit);
            });
        }
    }

    /// Answers `hotdesk check` that this controller takes calls.
    async fn answer(self: Arc<Self>, question: String, permit: OwnedSemaphorePermit) {
        let Calls { taker: Taker { switch, name, .. }, client, .. } = &self.calls;
        let headers = [("Event-Subclass", rights::TAKEN), (CHECK, &question), (TAKER, name)];
        if let Err(error) = client.send_event("CUSTOM", &headers).await {
            debug!(event = "esl.not_answered", %switch, %error, "`hotdesk check` was not answered");
        }
        drop(permit);
    }

    async fn call(&self, id: &str, tenant: TenantId, parked: Arc<Event>) {
        let Calls { taker, waiting, client, .. } = &self.calls;
        // If a controller cancels the time-out and then cannot serve, the caller hears silence: after a restart of the switch
        // the connection of waiting calls may be up first.
        let mut states = client.state();
        let up = states.wait_for(|state| matches!(state, State::Up(_)));
        if !tokio::time::timeout(TIMED_OUT, up).await.is_ok_and(|up| up.is_ok()) {
            return warn!(event = "esl.no_call", switch = %taker.switch, call = %Label::from(id),
                error = "not connected to the switch", "a call was not taken");
        }
        // Events of the switch itself, over a connection that Hotdesk made and logged in to: they need no token.
        let line = Line { client, waiting, turns: &self.turns, pins: None };
        if let Err(error) = taker.serve(line, parked, tenant).await {
            warn!(event = "esl.no_call", switch = %taker.switch, %error, "a call was not taken");
        }
    }

    /// Looks for calls without a task, after events may have been missed. It takes those that still wait. Callers whose
    /// conversation was interrupted hear "not available". It looks once at a time, as this costs the switch work.
    async fn look_for_left(self: &Arc<Self>) {
        loop {
            self.missed.notified().await;
            for pause in LATE {
                tokio::time::sleep(pause).await;
                match self.take_left().await {
                    Ok(()) | Err(SwitchError::Away(_)) => {}
                    Err(error) => {
                        warn!(event = "esl.not_looked", switch = %self.calls.taker.switch, %error,
                            "could not look for waiting calls");
                    }
                }
            }
        }
    }

    async fn take_left(self: &Arc<Self>) -> Result<(), SwitchError> {
        let client = &self.calls.waiting;
        let listed = client.api("show channels as json").await?.unwrap_or_default();
        let listed = Channel::listed(&listed)?.into_iter().filter(|channel| channel.context == CONTEXTS[0]);
        for Channel { uuid, .. } in listed.filter(|channel| !self.served().contains(&channel.uuid)) {
            let Some(call) = self.waiting(&uuid).await? else { continue };
            let dialled = call.get("variable_hd_dialled").is_some_and(|dialled| !dialled.is_empty());
            if dialled || asks_until(&call).is_some() {
                self.serve(Arc::new(call));
            } else if self.was_ours(&call) && !self.served().contains(&uuid) {
                self.end(&uuid, &call).await;
            }
        }
        Ok(())
    }

    /// Ends a call that we took and no longer serve.
    async fn end(&self, id: &str, call: &Event) {
        let Calls { taker, waiting, client, .. } = &self.calls;
        if is_over(call) {
            // A busy switch has yet to end it.
            let _ = client.hangup(id, HUNG_UP).await;
            return;
        }
        info!(event = "esl.released", switch = %taker.switch, call = %Label::from(id), "an interrupted call hears \"not available\"");
        let _ = waiting.api(&release(id)).await;
    }

    /// Plays "not available" to the caller of a call that waits, if it is one of our tenants'.
    async fn release(&self, id: &str) -> Result<(), SwitchError> {
        if self.waiting(id).await?.is_some_and(|call| self.was_ours(&call)) {
            self.calls.waiting.api(&release(id)).await?;
        }
        Ok(())
    }

    /// A call as it is now, if it still waits in a code of one of our tenants.
    async fn waiting(&self, id: &str) -> Result<Option<Event>, SwitchError> {
        let dump = match self.calls.waiting.api(&format!("uuid_dump {} json", argument(id))).await {
            Ok(dump) => dump.unwrap_or_default(),
            // It is over.
            Err(SwitchError::Refused(..)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let call = Event::json(dump.as_bytes()).ok();
        Ok(call.filter(|call| self.calls.taker.waits(call).is_some()))
    }

    fn served(&self) -> MutexGuard<'_, HashSet<String>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether we took it. The calls of a controller that is gone for good are ended by the dialplan's time-out.
    fn was_ours(&self, call: &Event) -> bool {
        first_taker(call).is_some_and(|taker| taker == self.calls.taker.name)
    }
}
