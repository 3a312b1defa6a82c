//! Reconciles a switch with the store. One task for each switch does all the writing, so an older state never
//! overwrites a newer one. The work is the same for a login, a change, a reconnect and each minute: derive the
//! desired state from the store, read the actual state from the switch, write the difference.
//!
//! A login needs one read and one write of the switch. The change feed reports the login again, but what was
//! reconciled at its revision or a later one is skipped.

mod held;
mod pass;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::commands;
use super::feed::{Done, Feed};
use super::hold;
use super::queue_pauses::Pauses;
use crate::model::command::Change;
use crate::model::desired::{About, Edit, NotReadable, Scope};
use crate::model::hold::Hold;
use crate::model::id::{Extension, GroupName, Revision, SwitchName, TenantId};
use crate::model::journal::{Actor, Event};
use crate::model::mark::Mark;
use crate::model::routes::Routes;
use crate::model::row_codec::describe;
use crate::store::{Store, StoreError};
use crate::switch::{Switch, SwitchError};

/// How long `hotdesk serve` gives a switch to acknowledge records before it undoes a login.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// How often the whole table is compared in any case.
const EVERY: Duration = Duration::from_secs(60);
/// How long to wait after a failure before the whole table is compared again.
const RETRY: Duration = Duration::from_secs(1);

/// How often a switch that is held is looked at: whether an administrator has adopted the store, or it is the right one again.
const LOOK: Duration = Duration::from_secs(2);

/// How many callers and members are served in one pass.
const AT_ONCE: usize = 64;

/// Why a switch could not be reconciled.
#[derive(Debug, thiserror::Error)]
pub enum NotReconciled {
    /// The store does not fit what the switch holds, so nothing is written.
    #[error("the switch is held: {0}")]
    Held(Hold),
    /// It took longer than that.
    #[error("the switch did not acknowledge its records within {0:?}")]
    Late(Duration),
    /// A part of the switch that a login needs could not be read.
    #[error("the switch does not let {0} be read")]
    NotReadable(NotReadable),
    /// The store could not be read.
    #[error(transparent)]
    Store(StoreError),
    /// The switch cannot be reached, or refused.
    #[error(transparent)]
    Switch(#[from] SwitchError),
}

impl From<StoreError> for NotReconciled {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Lost(..) => Self::Held(Hold::Lost(error.to_string())),
            error => Self::Store(error),
        }
    }
}

/// Why a switch is held, while it is.
pub type Held = watch::Receiver<Option<Hold>>;

/// A switch that is reconciled. All clones are the same.
#[derive(Clone)]
pub struct Reconciler {
    asked: mpsc::Sender<Asked>,
    held: Held,
    in_doubt: watch::Receiver<u64>,
    patience: Duration,
}

/// The parts of a reconciliation.
pub struct Kept {
    /// The switch's name.
    pub name: SwitchName,
    /// The tenant whose users and devices it has.
    pub tenant: TenantId,
    /// Its routes to other switches, and its groups.
    pub routes: Routes,
    /// How long it may take to acknowledge records, a new connection included: [`PATIENCE`].
    pub patience: Duration,
}

struct Asked {
    scope: Scope,
    /// The revision at which the store made the change; none: the current state is written.
    change: Option<Revision>,
    done: oneshot::Sender<Result<(), NotReconciled>>,
}

impl Reconciler {
    /// Reconciles `switch` until `stop`. Returns the task to wait for.
    pub fn start(
        kept: Kept,
        store: Arc<dyn Store>,
        switch: Arc<dyn Switch>,
        stop: CancellationToken,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (asked, requests) = mpsc::channel(1024);
        let (holds, held) = watch::channel(None);
        let (in_doubt, patience) = (switch.in_doubt(), kept.patience);
        let work = async move {
            let feed = Feed::start(store.clone(), kept.tenant.clone()).await;
            let (done, pauses) = (Done::default(), Pauses::default());
            let (unlisted, refused) = (vec![], vec![]);
            let (mark, looked, said) = (None, None, Instant::now());
            let work = Work {
                kept,
                store,
                switch,
                feed,
                done,
                unlisted,
                refused,
                pauses,
                holds,
                mark,
                looked,
                said,
            };
            work.run(requests).await;
        };
        let task = tokio::spawn(async move {
            stop.run_until_cancelled(work).await;
        });
        (Self { asked, held, in_doubt, patience }, task)
    }

    /// Why the switch is held, while it is: codes are not served then, and users are not logged out automatically.
    pub fn held(&self) -> Held {
        self.held.clone()
    }

    /// Reconciles `scope`. When this returns, the switch has acknowledged its records. `change` is the revision at
    /// which the store changed them: if the switch has acknowledged that already, there is no new request. While Hotdesk
    /// connects to the switch again, this waits for the connection.
    ///
    /// # Errors
    /// [`NotReconciled`] without an acknowledgement within [`Kept::patience`]; the records are written as soon as possible.
    pub async fn reconcile(&self, scope: Scope, change: Option<Revision>) -> Result<(), NotReconciled> {
        let until = Instant::now() + self.patience;
        let mut in_doubt = self.in_doubt.clone();
        loop {
            in_doubt.mark_unchanged();
            let asked = tokio::time::timeout_at(until, self.ask(scope.clone(), change)).await;
            match asked.unwrap_or(Err(NotReconciled::Late(self.patience))) {
                Err(NotReconciled::Switch(away @ SwitchError::Away(_))) => {
                    let back = tokio::time::timeout_at(until, in_doubt.changed()).await;
                    if !back.is_ok_and(|back| back.is_ok()) {
                        return Err(away.into());
                    }
                }
                answer => return answer,
            }
        }
    }

    async fn ask(&self, scope: Scope, change: Option<Revision>) -> Result<(), NotReconciled> {
        let (done, answer) = oneshot::channel();
        self.asked
            .send(Asked { scope, change, done })
            .await
            .map_err(|_| NotReconciled::Late(self.patience))?;
        answer.await.map_err(|_| NotReconciled::Late(self.patience))?
    }
}

struct Work {
    kept: Kept,
    store: Arc<dyn Store>,
    switch: Arc<dyn Switch>,
    feed: Feed,
    done: Done,
    /// What the switch did not list at the last comparison of the whole table.
    unlisted: Vec<Edit>,
    /// What the switch refused at the last comparison of the whole table.
    refused: Vec<(About, SwitchError)>,
    pauses: Pauses,
    holds: watch::Sender<Option<Hold>>,
    /// The mark in the switch that fitted last.
    mark: Option<Mark>,
    /// The marks of store and switch at the last look at a switch that is held.
    looked: Option<(Option<Mark>, Option<Mark>)>,
    /// When the log said last that the switch is held.
    said: Instant,
}

/// The result of one reconciliation.
struct Passed {
    /// The differences that were written.
    edits: Vec<Edit>,
    /// The subjects of which the switch cannot have a record, and why.
    refused: Vec<(About, SwitchError)>,
}

impl Passed {
    /// Why the switch cannot have what `scope` needs.
    fn refusal(&self, scope: &Scope) -> Option<&SwitchError> {
        self.refused.iter().find_map(|(about, why)| scope.contains(about).then_some(why))
    }
}

impl Work {
    async fn run(mut self, mut requests: mpsc::Receiver<Asked>) {
        let mut in_doubt = self.switch.in_doubt();
        // The actual state is unknown at first.
        in_doubt.mark_changed();
        let mut paused = self.switch.pauses().ready_chunks(AT_ONCE);
        let mut minute = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
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
                    if let Err(held) = self.answer(first, &mut requests).await {
                        self.hold(held);
                        retry = Some(Instant::now() + LOOK);
                    }
                    continue;
                }
                () = self.feed.wait() => match self.is_held() {
                    true => self.look().await,
                    false if self.feed.has_news() => self.follow().await.map(|()| retry.is_some()),
                    false => {
                        self.feed.hear();
                        continue;
                    }
                },
                scope = members(&mut paused), if !self.is_held() => {
                    self.pass(scope).await.map(|_| retry.is_some())
                }
                Ok(()) = in_doubt.changed() => {
                    self.done.forget();
                    self.mark = None;
                    self.again(true).await
                }
                _ = minute.tick() => self.again(false).await,
                () = again => match self.is_held() {
                    true => self.look().await,
                    false => self.compare_all(true).await,
                },
            };
            retry = match done {
                Ok(more) => more.then(Instant::now),
                Err(NotReconciled::Held(why)) => {
                    self.hold(why);
                    Some(Instant::now() + LOOK)
                }
                // `store.down` was logged.
                Err(NotReconciled::Store(StoreError::Away(..))) => {
                    Some(Instant::now() + if self.is_held() { LOOK } else { RETRY })
                }
                // Nothing to retry: `in_doubt` reports when the switch is back.
                Err(NotReconciled::Switch(SwitchError::Away(_))) => None,
                Err(_) if self.is_held() => Some(Instant::now() + LOOK),
                Err(error) => {
                    warn!(event = "table.not_reconciled", switch = %self.kept.name, %error, "comparing again in a second");
                    Some(Instant::now() + RETRY)
                }
            };
        }
    }

    /// Answers all waiting requests in one pass.
    ///
    /// # Errors
    /// The hold, if the switch is held.
    async fn answer(&mut self, first: Asked, requests: &mut mpsc::Receiver<Asked>) -> Result<(), Hold> {
        let mut waiting = vec![first];
        while waiting.len() < AT_ONCE {
            let Ok(next) = requests.try_recv() else { break };
            waiting.push(next);
        }
        // The change feed may have been faster.
        let is_done = |asked: &mut Asked| asked.change.is_some_and(|it| self.done.covers(it, &asked.scope));
        waiting.extract_if(.., is_done).for_each(|asked| drop(asked.done.send(Ok(()))));
        if waiting.is_empty() {
            return Ok(());
        }
        let scope = waiting.iter().fold(Scope::none(), |all, asked| all.and(asked.scope.clone()));
        let held = self.holds.borrow().clone();
        let passed = match held {
            Some(held) => Err(NotReconciled::Held(held)),
            None => self.pass(scope).await,
        };
        match passed {
            Ok(passed) => {
                // A change is one journal entry, which the feed need not read.
                let mut changes: Vec<Revision> = waiting.iter().filter_map(|asked| asked.change).collect();
                changes.sort_unstable();
                changes.into_iter().for_each(|revision| self.feed.skip(revision));
                for asked in waiting {
                    let refusal = passed.refusal(&asked.scope).cloned();
                    if let Some(error) = &refusal {
                        warn!(event = "table.refused", switch = %self.kept.name, %error, "the login is undone");
                    }
                    let _ = asked.done.send(refusal.map_or(Ok(()), |why| Err(NotReconciled::Switch(why))));
                }
                Ok(())
            }
            Err(error) => {
                // `switch.down` was logged, and the callers wait for the connection.
                if !matches!(error, NotReconciled::Switch(SwitchError::Away(_))) {
                    warn!(event = "table.not_reconciled", switch = %self.kept.name, %error, waiting = waiting.len(),
                        "the callers hear that the service is not available");
                }
                for asked in waiting {
                    let _ = asked.done.send(Err(match &error {
                        NotReconciled::Held(why) => NotReconciled::Held(why.clone()),
                        NotReconciled::Switch(error) => NotReconciled::Switch(error.clone()),
                        _ => NotReconciled::Late(self.kept.patience),
                    }));
                }
                match error {
                    NotReconciled::Held(why) => Err(why),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Writes the changes in the store since the last pass.
    async fn follow(&mut self) -> Result<(), NotReconciled> {
        if self.feed.went_back() {
            self.pass(Scope::none()).await?;
        }
        self.feed.hear();
        loop {
            let news = self.feed.next_without(&self.done).await?;
            if !news.scope.is_empty() {
                let refused = self.pass(news.scope).await?.refused;
                self.log_refused(&refused);
                self.refused.extend(refused);
            }
            self.feed.after = news.upto;
            if !news.more {
                return Ok(());
            }
        }
    }

    /// Compares the whole table. A difference without a change in the store is a repair, and is journalled. Returns
    /// whether the switch has rows that it did not list and may list now. Says so in the log if anything was repaired, or
    /// if the table was `in_doubt`: the switch reported that, or an attempt failed.
    async fn compare_all(&mut self, in_doubt: bool) -> Result<bool, NotReconciled> {
        hold::keeps(&*self.store).await.map_err(NotReconciled::Held)?;
        self.follow().await?;
        let Passed { edits, refused } = self.pass(Scope::All).await?;
        self.log_refused(&refused);
        self.refused = refused;
        self.release();
        let (unlisted, edits): (Vec<Edit>, Vec<Edit>) =
            edits.into_iter().partition(|edit| edit.key.about == About::Unlisted);
        // If it lists the same again, the next comparison reports it.
        let more = !unlisted.is_empty() && unlisted != self.unlisted;
        for Edit { key, was, .. } in unlisted.iter().filter(|_| !more) {
            warn!(event = "table.unlisted", switch = %self.kept.name, rows = %key, found = was, "these rows are not desired");
        }
        self.unlisted = unlisted;
        // A change between the two passes is not a repair.
        let news = self.feed.next().await?.scope;
        let repairs: Vec<Edit> = edits.into_iter().filter(|edit| !news.contains(&edit.key.about)).collect();
        if in_doubt || !repairs.is_empty() {
            let repaired = repairs.len();
            info!(event = "table.reconciled", switch = %self.kept.name, repaired, "the actual state is the desired state");
        }
        if !repairs.is_empty() {
            let repairs = repairs.iter().map(|edit| self.repair(edit)).collect();
            self.change(Change::Record(repairs)).await?;
        }
        Ok(more)
    }

    /// Logs what the switch did not refuse before.
    fn log_refused(&self, refused: &[(About, SwitchError)]) {
        for (_, error) in refused.iter().filter(|new| !self.refused.contains(new)) {
            warn!(event = "table.refused", switch = %self.kept.name, %error, "the switch cannot have this record: run hotdesk check");
        }
    }

    async fn change(&self, change: Change) -> Result<(), StoreError> {
        let by = (Actor::Controller, Timestamp::now());
        commands::change(&*self.store, &self.kept.tenant, by, change).await.map(drop)
    }

    fn repair(&self, Edit { key, was, is }: &Edit) -> Event {
        Event::Repaired {
            switch: self.kept.name.clone(),
            row: key.to_string(),
            was: describe(&key.about, was.as_deref(), is.as_deref()),
            is: describe(&key.about, is.as_deref(), was.as_deref()),
        }
    }
}

/// The members who paused or ended a pause, as soon as there are any.
async fn members(paused: &mut (impl Stream<Item = Vec<(GroupName, Extension)>> + Unpin)) -> Scope {
    match paused.next().await {
        Some(members) => members.iter().fold(Scope::none(), |all, (_, user)| all.and(Scope::user(user))),
        None => std::future::pending().await,
    }
}
