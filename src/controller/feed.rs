//! The change feed: what changed in a tenant's part of the store.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::model::desired::Scope;
use crate::model::id::{DeviceName, Extension, Revision, TenantId};
use crate::store::{Store, StoreError};

/// How long one wait for changes lasts.
const EVERY: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_secs(1);
/// How many journal entries are read at a time: many changes of the same users become one.
const PAGE: usize = 5000;

/// Up to which revision of the store each user and device was reconciled last.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// The whole tenant.
    all: Revision,
    users: HashMap<Extension, Revision>,
    devices: HashMap<DeviceName, Revision>,
}

/// How many revisions are remembered at least, and how many users or devices at most if they were not reconciled together. For an
/// older one the switch is read once more.
const RECENT: u64 = 256;
const MOST: usize = 1024;

impl Done {
    /// The switch acknowledged the state of `scope` in the store at `revision`.
    pub(super) fn add(&mut self, revision: Revision, scope: Scope) {
        match scope {
            Scope::All => *self = Self { all: revision, ..Self::default() },
            Scope::Some { users, devices } => {
                keep(&mut self.users, users, revision);
                keep(&mut self.devices, devices, revision);
            }
        }
    }

    /// Whether the switch acknowledged the change of `scope` at `revision`.
    pub(super) fn covers(&self, revision: Revision, scope: &Scope) -> bool {
        let done = |upto: Option<&Revision>| upto.is_some_and(|upto| *upto >= revision);
        self.all >= revision
            || match scope {
                Scope::All => false,
                Scope::Some { users, devices } => {
                    users.iter().all(|user| done(self.users.get(user)))
                        && devices.iter().all(|device| done(self.devices.get(device)))
                }
            }
    }

    /// The switch may hold other records now.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn keep<T: Eq + Hash>(done: &mut HashMap<T, Revision>, subjects: BTreeSet<T>, revision: Revision) {
    if done.len() > MOST {
        done.retain(|_, upto| upto.0 + RECENT > revision.0);
    }
    done.extend(subjects.into_iter().map(|subject| (subject, revision)));
}

/// The changes of one tenant, each reported once.
pub(super) struct Feed {
    store: Arc<dyn Store>,
    tenant: TenantId,
    /// Changes up to this revision were reported.
    pub(super) after: Revision,
    /// The revision that the store had when that was taken into account last.
    heard: Revision,
    news: watch::Receiver<Revision>,
    waiting: AbortOnDropHandle<()>,
}

pub(super) struct News {
    pub(super) scope: Scope,
    pub(super) upto: Revision,
    pub(super) more: bool,
}

impl Feed {
    /// Starts a feed of the changes from now on.
    pub(super) async fn start(store: Arc<dyn Store>, tenant: TenantId) -> Self {
        let after = loop {
            match store.changed(&tenant, Revision(0), Duration::ZERO).await {
                Ok(revision) => break revision,
                // `store.down` was logged.
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        };
        let (sender, news) = watch::channel(after);
        let (watched, of) = (store.clone(), tenant.clone());
        // A separate task, so that a wait for the store blocks nothing else.
        let waiting = tokio::spawn(async move {
            let mut after = after;
            loop {
                match watched.changed(&of, after, EVERY).await {
                    Ok(revision) if revision != after => {
                        after = revision;
                        sender.send_replace(revision);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        if matches!(error, StoreError::Lost(..)) {
                            after = Revision(0);
                            sender.send_replace(after);
                        }
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
        });
        Self { store, tenant, after, heard: after, news, waiting: AbortOnDropHandle::new(waiting) }
    }

    /// Returns when there are changes. Cancelling loses none.
    pub(super) async fn wait(&mut self) {
        if self.news.changed().await.is_ok() {
            return;
        }
        // The task does not end while this exists, unless it panics; then the waiting task panics too.
        match (&mut self.waiting).await {
            Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            _ => std::future::pending().await,
        }
    }

    /// Whether the store may have changes that were not reported.
    pub(super) fn has_news(&self) -> bool {
        *self.news.borrow() != self.after
    }

    /// The change at `revision` need not be reported. The changes before it must have been.
    pub(super) fn skip(&mut self, revision: Revision) {
        if revision.0 == self.after.0 + 1 {
            self.after = revision;
        }
    }

    /// Whether the store went back since [`Self::hear`], or was lost: then what it says of changes is no news.
    pub(super) fn went_back(&self) -> bool {
        *self.news.borrow() < self.heard
    }

    /// What the store says now was taken into account.
    pub(super) fn hear(&mut self) {
        self.heard = *self.news.borrow();
    }

    /// The next page of changes; it is the same until `after` is moved.
    pub(super) async fn next(&self) -> Result<News, StoreError> {
        self.next_without(&Done::default()).await
    }

    /// The next page of changes, without what `done` covers.
    pub(super) async fn next_without(&self, done: &Done) -> Result<News, StoreError> {
        let page = self.store.journal(&self.tenant, self.after, PAGE).await?;
        let upto = page.last().map_or(self.after, |entry| entry.revision);
        let trimmed = page.first().is_some_and(|first| first.revision.0 > self.after.0 + 1);
        let scope = if trimmed {
            Scope::All
        } else {
            let news = page.iter().map(|entry| (entry.revision, entry.touches()));
            let news = news.filter(|(revision, scope)| !done.covers(*revision, scope));
            news.fold(Scope::none(), |all, (_, scope)| all.and(scope))
        };
        Ok(News { scope, upto, more: page.len() == PAGE })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::controller::journal;
    use crate::model::command::Change;
    use crate::model::directory::User;
    use crate::model::directory::change::{DirectoryChange, DirectoryCommand, DirectoryRules, Edit};
    use crate::model::id::Extension;
    use crate::model::journal::Actor;
    use crate::store::Memory;

    #[test]
    fn what_was_reconciled_is_known_by_user_and_device_and_forgotten_in_bounded_memory() {
        let user = |n: u64| Extension::new(n.to_string()).unwrap();
        let desk = DeviceName::new("desk1").unwrap();
        let both = Scope::user(&user(1)).and(Scope::device(&desk));
        let mut done = Done::default();
        done.add(Revision(5), Scope::user(&user(1)));
        assert!(done.covers(Revision(5), &Scope::user(&user(1))) && !done.covers(Revision(5), &both));
        done.add(Revision(6), Scope::device(&desk));
        assert!(done.covers(Revision(5), &both) && !done.covers(Revision(6), &both));
        let last = 3 * MOST as u64;
        (7..=last).for_each(|n| done.add(Revision(n), Scope::user(&user(n))));
        assert!(done.users.len() <= MOST + 1, "{}", done.users.len());
        assert!(!done.covers(Revision(5), &both), "forgotten: the switch is read once more");
        for n in last - RECENT + 1..=last {
            assert!(done.covers(Revision(n), &Scope::user(&user(n))), "{n} is recent");
        }
        done.add(Revision(last), Scope::All);
        assert!(done.covers(Revision(last), &Scope::All) && done.users.is_empty());
        // A store that went back: the newest comparison counts.
        done.add(Revision(4), Scope::All);
        assert!(!done.covers(Revision(5), &Scope::All));
    }

    #[tokio::test]
    async fn dropped_entries_report_the_whole_tenant_and_reconciled_scopes_are_left_out() {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let tenant = TenantId::default();
        let mut feed = Feed::start(store.clone(), tenant.clone()).await;
        let user = Extension::new("101").unwrap();
        let put = DirectoryChange::User(Edit::put(User::new(tenant.clone(), user.clone())));
        let rules = DirectoryRules::default();
        let change = Change::Directory(DirectoryCommand { changes: vec![put; 3], rules });
        let by = (Actor::Controller, Timestamp::now());
        crate::controller::commands::change(&*store, &tenant, by, change).await.unwrap();
        let news = feed.next().await.unwrap();
        assert_eq!((news.scope, news.upto), (Scope::user(&user), Revision(3)));
        let mut done = Done::default();
        done.add(Revision(2), Scope::user(&user));
        assert_eq!(feed.next_without(&done).await.unwrap().scope, Scope::user(&user), "one change is newer");
        done.add(Revision(3), Scope::user(&user));
        let news = feed.next_without(&done).await.unwrap();
        assert_eq!((news.scope, news.upto), (Scope::none(), Revision(3)));
        done.forget();
        assert_eq!(feed.next_without(&done).await.unwrap().scope, Scope::user(&user));

        assert_eq!(journal::trim(&*store, &tenant, Timestamp::MAX).await.unwrap(), 2);
        let news = feed.next().await.unwrap();
        assert_eq!((news.scope, news.upto), (Scope::All, Revision(3)), "none of them was reported");
        feed.after = Revision(2);
        let news = feed.next().await.unwrap();
        assert_eq!((news.scope, news.upto), (Scope::user(&user), Revision(3)), "dropped ones were reported");
    }
}
