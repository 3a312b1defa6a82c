//! Keeping a switch's table true. One task a switch does all the writing, so an older truth is never written
//! over a newer one. Whatever the reason (a login, a change, a reconnect, the minute), the act is the same: read
//! what is wanted from the store, read what the switch holds, write the difference.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::feed::Feed;
use super::pauses::{Pauses, Taken};
use crate::desk::id::{Extension, GroupName, Revision, SwitchName, TenantId};
use crate::desk::journal::{Actor, Entry, Event};
use crate::desk::reach::Reach;
use crate::desk::table::{self, Edit, Key, Scope};
use crate::store::{Change, Store, StoreError, What};
use crate::switch::{Switch, SwitchError};

/// How long a switch may take to acknowledge rows before a login is taken back.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// How often the whole table is compared, whatever happened.
const EVERY: Duration = Duration::from_secs(60);
/// How long to wait after a failure before the whole table is compared again.
const RETRY: Duration = Duration::from_secs(1);

/// Callers and members that are seen to in one pass.
const AT_ONCE: usize = 64;

/// Why a switch's table could not be made true.
#[derive(Debug, thiserror::Error)]
pub enum Unsettled {
    /// It took longer than [`PATIENCE`].
    #[error("the switch did not acknowledge its rows within {} s", PATIENCE.as_secs())]
    Late,
    /// The truth could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The switch is away, or refused.
    #[error(transparent)]
    Switch(#[from] SwitchError),
}

/// A switch whose table is kept true.
#[derive(Clone)]
pub struct Reconciler {
    asked: mpsc::Sender<Asked>,
}

/// Whose table is kept true.
pub struct Kept {
    /// The switch's name.
    pub name: SwitchName,
    /// Whose people and phones it has.
    pub tenant: TenantId,
    /// How it reaches the other switches.
    pub reach: Reach,
}

struct Asked {
    scope: Scope,
    done: oneshot::Sender<Result<(), Unsettled>>,
}

impl Reconciler {
    /// Keeps `switch` true until `stop`. Returns the task to wait for.
    pub fn start(
        kept: Kept,
        store: Arc<dyn Store>,
        switch: Arc<dyn Switch>,
        stop: CancellationToken,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (asked, requests) = mpsc::channel(1024);
        let Kept { name, tenant, reach } = kept;
        let work = async move {
            let feed = Feed::start(store.clone(), tenant.clone()).await;
            let pauses = Pauses::default();
            Work { name, tenant, reach, store, switch, feed, unlisted: vec![], pauses }.run(requests).await;
        };
        let task = tokio::spawn(async move {
            stop.run_until_cancelled(work).await;
        });
        (Self { asked }, task)
    }

    /// Makes the rows of `scope` true. When this returns, the switch has acknowledged them.
    ///
    /// # Errors
    /// [`Unsettled`] when that could not be had within [`PATIENCE`]; the rows are written as soon as they can be.
    pub async fn settle(&self, scope: Scope) -> Result<(), Unsettled> {
        let (done, settled) = oneshot::channel();
        let ask = async {
            self.asked.send(Asked { scope, done }).await.map_err(|_| Unsettled::Late)?;
            settled.await.map_err(|_| Unsettled::Late)?
        };
        tokio::time::timeout(PATIENCE, ask).await.map_err(|_| Unsettled::Late)?
    }
}

struct Work {
    name: SwitchName,
    tenant: TenantId,
    reach: Reach,
    store: Arc<dyn Store>,
    switch: Arc<dyn Switch>,
    /// Changes that have not been written.
    feed: Feed,
    /// What the switch did not list when all was compared last.
    unlisted: Vec<Edit>,
    pauses: Pauses,
}

/// Why the whole table is compared.
#[derive(Clone, Copy, Debug)]
enum Why {
    /// A minute is over.
    Time,
    /// The switch said so, or it failed before.
    Unsettled,
}

impl Work {
    async fn run(mut self, mut requests: mpsc::Receiver<Asked>) {
        let mut unsettled = self.switch.unsettled();
        let mut paused = self.switch.pauses();
        let mut minute = tokio::time::interval(EVERY);
        minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut retry: Option<Instant> = None;
        loop {
            let again = async {
                match retry {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let done = tokio::select! {
                biased;
                Some(first) = requests.recv() => {
                    self.answer(first, &mut requests).await;
                    continue;
                }
                () = self.feed.wait() => self.follow().await.map(|()| retry.is_some()),
                scope = members(&mut paused) => self.pass(scope).await.map(|_| retry.is_some()),
                Ok(()) = unsettled.changed() => self.compare_all(Why::Unsettled).await,
                _ = minute.tick() => self.compare_all(Why::Time).await,
                () = again => self.compare_all(Why::Unsettled).await,
            };
            retry = match done {
                Ok(more) => more.then(Instant::now),
                // Nothing to retry: the switch says by `unsettled` when it is back.
                Err(Unsettled::Switch(SwitchError::Away(_))) => None,
                Err(error) => {
                    warn!(event = "table.unsettled", switch = %self.name, %error, "will compare again in a second");
                    Some(Instant::now() + RETRY)
                }
            };
        }
    }

    /// Answers everybody who is waiting, in one pass.
    async fn answer(&mut self, first: Asked, requests: &mut mpsc::Receiver<Asked>) {
        let mut waiting = vec![first];
        while waiting.len() < AT_ONCE {
            let Ok(next) = requests.try_recv() else { break };
            waiting.push(next);
        }
        let scope = waiting.iter().fold(Scope::none(), |all, asked| all.and(asked.scope.clone()));
        match self.pass(scope).await {
            Ok(_) => waiting.into_iter().for_each(|asked| drop(asked.done.send(Ok(())))),
            Err(error) => {
                warn!(event = "table.unsettled", switch = %self.name, %error, waiting = waiting.len(),
                    "callers are told that it is not available");
                for asked in waiting {
                    let _ = asked.done.send(Err(match &error {
                        Unsettled::Switch(error) => Unsettled::Switch(error.clone()),
                        _ => Unsettled::Late,
                    }));
                }
            }
        }
    }

    /// Writes what changed in the store since it was looked at last.
    async fn follow(&mut self) -> Result<(), Unsettled> {
        loop {
            let news = self.feed.next().await?;
            if !news.scope.is_empty() {
                self.pass(news.scope).await?;
            }
            self.feed.after = news.upto;
            if !news.more {
                return Ok(());
            }
        }
    }

    /// Compares the whole table. What differs though nothing was changed is a repair, and journalled. Returns whether the
    /// switch has rows that it did not list and now may.
    async fn compare_all(&mut self, why: Why) -> Result<bool, Unsettled> {
        self.follow().await?;
        let edits = self.pass(Scope::All).await?;
        let (unlisted, edits): (Vec<Edit>, Vec<Edit>) =
            edits.into_iter().partition(|edit| matches!(edit.key, Key::Unlisted(_)));
        // If it lists the same again, it will the next time.
        let more = !unlisted.is_empty() && unlisted != self.unlisted;
        for Edit { key, was, .. } in unlisted.iter().filter(|_| !more) {
            warn!(event = "table.unlisted", switch = %self.name, rows = %key, found = text(was), "they are not wanted");
        }
        self.unlisted = unlisted;
        // What changed between the two passes is news, not a repair; `follow` finds it settled.
        let news = self.feed.next().await?.scope;
        let repairs: Vec<Edit> = edits.into_iter().filter(|edit| !news.contains(&edit.key)).collect();
        if matches!(why, Why::Unsettled) || !repairs.is_empty() {
            let repaired = repairs.len();
            info!(event = "table.settled", switch = %self.name, repaired, "the switch holds what it should");
        }
        if !repairs.is_empty() {
            let entries: Vec<Entry> = repairs.iter().map(|edit| self.repair(edit)).collect();
            self.store.record(&entries).await?;
        }
        Ok(more)
    }

    fn repair(&self, edit: &Edit) -> Entry {
        Entry {
            revision: Revision(0),
            at: Timestamp::now(),
            tenant: self.tenant.clone(),
            by: Actor::Controller,
            call: None,
            code: None,
            event: Event::Repaired {
                switch: self.name.clone(),
                row: edit.key.to_string(),
                was: text(&edit.was),
                is: text(&edit.is),
            },
        }
    }

    /// Makes the rows of `scope` true, and returns what had to be written for it.
    async fn pass(&mut self, scope: Scope) -> Result<Vec<Edit>, Unsettled> {
        let office = self.store.office(&self.tenant, &scope).await?;
        let scope = scope.widened_to(&office);
        let mut wanted = table::wanted(&office, &self.name, &self.reach);
        wanted.retain(|key, _| scope.contains(key));
        let mut edits = table::difference(&wanted, &self.switch.read(&scope, &wanted).await?);
        let taken = self.pauses.taken(&mut edits);
        if !edits.is_empty() {
            self.pauses.doubt(&edits);
            self.switch.apply(&edits).await?;
        }
        self.pauses.agree(&scope, &wanted);
        for pause in taken {
            self.keep(pause).await?;
        }
        Ok(edits)
    }

    /// Takes over a pause that the switch has news of.
    async fn keep(&mut self, pause: Taken) -> Result<(), StoreError> {
        let what = What::Setting(pause.user.clone(), pause.setting());
        let change =
            Change { tenant: self.tenant.clone(), what, by: Actor::Controller, at: Timestamp::now() };
        self.store.change(&change).await?;
        let Taken { group, user, paused } = &pause;
        info!(event = "pause.kept", switch = %self.name, %group, %user, paused, "as the switch's queue has it");
        self.pauses.agree_on(pause);
        Ok(())
    }
}

/// The members who took a pause or ended it, as soon as there are any.
async fn members(paused: &mut Option<mpsc::Receiver<(GroupName, Extension)>>) -> Scope {
    let mut told = vec![];
    if let Some(paused) = paused
        && paused.recv_many(&mut told, AT_ONCE).await > 0
    {
        return told.iter().fold(Scope::none(), |all, (_, user)| all.and(Scope::user(user)));
    }
    std::future::pending().await
}

fn text(row: &Option<table::Row>) -> String {
    row.as_ref().map_or_else(|| "missing".into(), ToString::to_string)
}
