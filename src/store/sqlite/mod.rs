//! A store in a SQLite file, embedded; the default.
//!
//! One thread writes, so writers wait in a queue and not for a lock. Readers have separate connections and see the
//! last commit. Each commit is on the disk before it is acknowledged. Other processes use the same file at the same
//! time (the command line beside the server); `PRAGMA data_version` shows their commits.

pub mod backup;
mod fault;
mod file;
mod journal;
mod migrate;
mod records;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::identity::Seen;
use super::{Result, Store, Trim, Trimmed};
use crate::model::command::{Command, Loaded, Outcome, Reads};
use crate::model::id::{Revision, TenantId};
use crate::model::journal::Entry;
use crate::model::mark::Mark;
use fault::Fault;
use file::{File, Job};

/// How long a caller waits for the turn and the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same for many records at once.
const LARGE: Duration = Duration::from_secs(120);

/// A store in a SQLite file.
pub struct Sqlite {
    path: Arc<Path>,
    file: Mutex<Arc<File>>,
    seen: Arc<Seen>,
    /// Counts the commits of this and of other processes. The threads end when this is dropped.
    commits: Arc<watch::Sender<u64>>,
    ended: watch::Sender<Option<&'static str>>,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sqlite({})", self.path.display())
    }
}

impl Sqlite {
    /// Opens the file at `path`. A new file is readable by its owner only.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError) when its directory is missing, or the file cannot be written, is damaged, is a database of
    /// another program or was written by a newer Hotdesk.
    pub async fn open(path: PathBuf) -> Result<Self> {
        let path: Arc<Path> = path.into();
        let (commits, ended) = (Arc::new(watch::Sender::new(0)), watch::Sender::new(None));
        let file = Mutex::new(open(&path, &commits, &ended).await?);
        Ok(Self { path, file, seen: Arc::default(), commits, ended })
    }

    fn file(&self) -> Arc<File> {
        Arc::clone(&self.file.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        self.read_within(PATIENCE, read).await
    }

    async fn read_within<T: Send + 'static>(
        &self,
        patience: Duration,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        let (path, file) = (Arc::clone(&self.path), self.file());
        let turn = timeout(PATIENCE, Arc::clone(&file.readers).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Fault::Away("too many reads are waiting").of(&self.path)) };
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            file.place.check()?;
            let waiting = file.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = waiting.map_or_else(|| schema::connect(&path), Ok)?;
            let transaction = connection.transaction()?;
            let value = read(&transaction)?;
            transaction.finish()?;
            file.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(value)
        });
        let read = timeout(patience, task).await;
        let read = read.unwrap_or(Ok(Err(Fault::Away("the disk does not answer"))));
        read.unwrap_or(Err(Fault::Away("the read was interrupted"))).map_err(|fault| fault.of(&self.path))
    }

    async fn write_within<T: Send + 'static>(
        &self,
        patience: Duration,
        write: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        let (answer, written) = oneshot::channel();
        let file = self.file();
        let place = Arc::clone(&file.place);
        let job: Job = Box::new(move |connection| {
            let _ = answer.send(place.check().and_then(|()| commit(connection, write)));
        });
        let until = Instant::now() + patience;
        let ended = || Fault::Away("its writer has ended: restart Hotdesk");
        let written = match timeout_at(until, file.writer.send(job)).await {
            Err(_) => Err(Fault::Away("too many writes are waiting for the disk")),
            Ok(Err(_)) => Err(ended()),
            Ok(Ok(())) => match timeout_at(until, written).await {
                Err(_) => Err(Fault::Away("the disk does not answer")),
                Ok(written) => written.unwrap_or_else(|_| Err(ended())),
            },
        };
        let written = written.map_err(|fault| fault.of(&self.path))?;
        self.commits.send_modify(|commits| *commits += 1);
        Ok(written)
    }
}

async fn open(
    path: &Arc<Path>,
    commits: &Arc<watch::Sender<u64>>,
    ended: &watch::Sender<Option<&'static str>>,
) -> Result<Arc<File>> {
    let (at, commits, ended) = (Arc::clone(path), Arc::clone(commits), ended.clone());
    let opened = tokio::task::spawn_blocking(move || File::open(&at, &commits, &ended)).await;
    let opened = opened.unwrap_or(Err(Fault::Away("opening it was interrupted")));
    opened.map(Arc::new).map_err(|fault| fault.of(path))
}

fn commit<T>(
    connection: &mut Connection,
    write: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = write(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

#[async_trait]
impl Store for Sqlite {
    async fn load(&self, tenant: &TenantId, reads: &Reads) -> Result<Loaded> {
        let patience = if reads.is_large() { LARGE } else { PATIENCE };
        let (tenant, reads) = (tenant.clone(), reads.clone());
        let (seen, before) = (Arc::clone(&self.seen), self.seen.before(&tenant));
        self.read_within(patience, move |db| {
            let loaded = records::load(db, &tenant, &reads)?;
            seen.check(&tenant, before.as_ref(), loaded.mark.as_ref()).map_err(Fault::Lost)?;
            Ok(loaded)
        })
        .await
    }

    async fn commit(&self, command: &Command) -> Result<Outcome> {
        let patience = if command.is_large() { LARGE } else { PATIENCE };
        let command = command.clone();
        let (seen, before) = (Arc::clone(&self.seen), self.seen.before(&command.tenant));
        self.write_within(patience, move |db| {
            let now = journal::mark(db, &command.tenant)?;
            seen.check(&command.tenant, before.as_ref(), Some(&now)).map_err(Fault::Lost)?;
            records::commit(db, &command)
        })
        .await
    }

    async fn journal(&self, tenant: &TenantId, after: Revision, limit: usize) -> Result<Vec<Entry>> {
        let tenant = tenant.clone();
        self.read(move |db| journal::page(db, &tenant, after, limit)).await
    }

    async fn revision_at(&self, tenant: &TenantId, since: Timestamp) -> Result<Revision> {
        let tenant = tenant.clone();
        self.read(move |db| journal::revision_at(db, &tenant, since)).await
    }

    async fn trim(&self, trim: &Trim) -> Result<bool> {
        let trim = trim.clone();
        self.write_within(PATIENCE, move |db| journal::trim(db, &trim)).await
    }

    async fn trimmed(&self, tenant: &TenantId) -> Result<Trimmed> {
        let tenant = tenant.clone();
        self.read(move |db| journal::trimmed(db, &tenant)).await
    }

    async fn probe(&self, tenant: &TenantId) -> Result<()> {
        let row = (tenant.as_str().to_owned(), "probe");
        let (written, removed) = (row.clone(), row);
        let write = "INSERT OR REPLACE INTO request (tenant, id, at, outcome) VALUES (?1, ?2, 0, '')";
        self.write_within(PATIENCE, move |db| Ok(db.execute(write, written)?)).await?;
        let remove = "DELETE FROM request WHERE tenant = ?1 AND id = ?2";
        self.write_within(PATIENCE, move |db| Ok(db.execute(remove, removed)?)).await.map(drop)
    }

    async fn changed(&self, tenant: &TenantId, after: Revision, patience: Duration) -> Result<Revision> {
        let until = Instant::now() + patience;
        let mut commits = self.commits.subscribe();
        loop {
            let tenant = tenant.clone();
            let revision = self.read(move |db| journal::revision(db, &tenant)).await?;
            if revision != after || timeout_at(until, commits.changed()).await.is_err() {
                return Ok(revision);
            }
        }
    }

    async fn mark(&self, tenant: &TenantId) -> Result<Option<Mark>> {
        let (path, of) = (Arc::clone(&self.path), tenant.clone());
        if self.file().place.check().is_ok() || !path.exists() {
            return self.read(move |db| journal::mark(db, &of).map(Some)).await;
        }
        // Another file at this path: it is read, and not taken for the store.
        let there = tokio::task::spawn_blocking(move || journal::mark(&schema::connect(&path)?, &of));
        let there =
            timeout(PATIENCE, there).await.unwrap_or(Ok(Err(Fault::Away("the disk does not answer"))));
        let there = there.unwrap_or(Err(Fault::Away("the read was interrupted")));
        there.map(Some).map_err(|fault| fault.of(&self.path))
    }

    async fn accept(&self, tenant: &TenantId) -> Result<()> {
        if self.file().place.check().is_err() {
            let new = open(&self.path, &self.commits, &self.ended).await?;
            *self.file.lock().unwrap_or_else(PoisonError::into_inner) = new;
        }
        self.seen.forget(tenant);
        Ok(())
    }

    async fn ended(&self) -> String {
        let mut ended = self.ended.subscribe();
        let named = ended.wait_for(Option::is_some).await;
        named.ok().and_then(|name| *name).unwrap_or("the store").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_the_thread_that_writes_is_noticed_and_that_of_a_closed_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hotdesk.db");
        let store = Sqlite::open(path.clone()).await.unwrap();
        let old = folder.path().join("old");
        std::fs::create_dir(&old).unwrap();
        for file in ["hotdesk.db", "hotdesk.db-wal", "hotdesk.db-shm"] {
            std::fs::rename(folder.path().join(file), old.join(file)).unwrap();
        }
        assert!(store.mark(&TenantId::default()).await.is_err());
        store.accept(&TenantId::default()).await.unwrap();
        assert!(timeout(Duration::from_millis(200), store.ended()).await.is_err());
        let panics = store.write_within(PATIENCE, |_| -> Result<(), Fault> { panic!("a test wants it") });
        assert!(panics.await.is_err());
        assert_eq!(store.ended().await, "the thread that writes the file");
    }
}
