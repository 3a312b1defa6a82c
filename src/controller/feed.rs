//! What changed in a tenant's truth since one looked last.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::error;

use crate::desk::id::{Revision, TenantId};
use crate::desk::table::Scope;
use crate::store::{Store, StoreError};

/// How long one wait for news lasts.
const EVERY: Duration = Duration::from_secs(60);
/// How long to wait after a failure.
const RETRY: Duration = Duration::from_secs(1);
/// Journal entries read at a time: where the same people keep moving, many of them are written as one.
const PAGE: usize = 5000;

/// The changes of one tenant, each told once.
pub(super) struct Feed {
    store: Arc<dyn Store>,
    tenant: TenantId,
    /// Up to here they were told.
    pub(super) after: Revision,
    news: watch::Receiver<Revision>,
}

/// What changed.
pub(super) struct News {
    /// The users and devices that are touched.
    pub(super) scope: Scope,
    /// Up to which revision.
    pub(super) upto: Revision,
    /// There is more.
    pub(super) more: bool,
}

impl Feed {
    /// The changes from now on.
    pub(super) async fn start(store: Arc<dyn Store>, tenant: TenantId) -> Self {
        let after = loop {
            match store.changed(&tenant, Revision(0), Duration::ZERO).await {
                Ok(revision) => break revision,
                Err(error) => {
                    error!(event = "store.failed", %tenant, %error, "will ask again in a second");
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        let (told, news) = watch::channel(after);
        let (watched, of) = (store.clone(), tenant.clone());
        // A task of its own, so that waiting for the store never gets in the way of anything else.
        tokio::spawn(async move {
            let mut after = after;
            loop {
                let heard = tokio::select! {
                    heard = watched.changed(&of, after, EVERY) => heard,
                    () = told.closed() => return,
                };
                match heard {
                    Ok(revision) if revision > after => {
                        after = revision;
                        told.send_replace(revision);
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(RETRY).await,
                }
            }
        });
        Self { store, tenant, after, news }
    }

    /// Returns when there is news. Nothing is lost when it is cancelled.
    pub(super) async fn wait(&mut self) {
        if self.news.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// The next page of what changed; asked for again, it is the same until `after` is moved.
    pub(super) async fn next(&self) -> Result<News, StoreError> {
        let page = self.store.journal(&self.tenant, self.after, PAGE).await?;
        let upto = page.last().map_or(self.after, |entry| entry.revision);
        let trimmed = page.first().is_some_and(|first| first.revision.0 > self.after.0 + 1);
        let scope = if trimmed {
            Scope::All
        } else {
            page.iter().fold(Scope::none(), |all, entry| all.and(entry.touches()))
        };
        Ok(News { scope, upto, more: page.len() == PAGE })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::Timestamp;

    use super::*;
    use crate::controller::journal;
    use crate::desk::id::Extension;
    use crate::desk::journal::Actor;
    use crate::desk::model::User;
    use crate::store::{self, Change, What};

    #[tokio::test]
    async fn who_follows_the_journal_and_missed_entries_that_were_dropped_looks_at_everything() {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite:{}", folder.path().join("hotdesk.db").display());
        let store = store::open(&file, Path::new("/")).await.unwrap();
        let tenant = TenantId::default();
        let mut feed = Feed::start(store.clone(), tenant.clone()).await;
        let user = Extension::new("101").unwrap();
        let what = What::User(User::new(tenant.clone(), user.clone()));
        let change = Change { tenant: tenant.clone(), what, by: Actor::Controller, at: Timestamp::now() };
        for _ in 0..3 {
            store.change(&change).await.unwrap();
        }
        let news = feed.next().await.unwrap();
        assert_eq!((news.scope, news.upto), (Scope::user(&user), Revision(3)));

        assert_eq!(journal::trim(&*store, &tenant, Timestamp::MAX).await.unwrap(), 2);
        let news = feed.next().await.unwrap();
        assert_eq!((news.scope, news.upto), (Scope::All, Revision(3)), "it was told of none of them");
        feed.after = Revision(2);
        let news = feed.next().await.unwrap();
        assert_eq!(
            (news.scope, news.upto),
            (Scope::user(&user), Revision(3)),
            "it was told of all that is gone"
        );
    }
}
