//! The truth in a file: SQLite, embedded, the default.
//!
//! One thread writes, so that writers wait in our queue and not on a lock; readers have connections of their own and
//! see the last commit. Each commit is on the disk before it is acknowledged. Other processes use the same file at
//! the same time (the command line beside the server); what they commit is seen by `PRAGMA data_version`.

mod fault;
mod locks;
mod read;
mod schema;
mod seen;
mod trim;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Change, Guess, Import, Note, Store, StoreError, Tried, Trim, Trimmed};
use crate::desk::id::{DeviceName, Extension, Revision, TenantId};
use crate::desk::journal::Entry;
use crate::desk::leave::Seen;
use crate::desk::lock::Attempt;
use crate::desk::model::Office;
use crate::desk::pin::PinRecord;
use crate::desk::seat::{Move, Transition};
use crate::desk::table::Scope;
use fault::Fault;

/// How many writes may wait.
const QUEUE: usize = 1024;
/// How many reads go on at once, each with a connection.
const READERS: usize = 4;
/// How long a caller waits for his turn and his answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same for many changes at once.
const IMPORT: Duration = Duration::from_secs(120);
/// How often the file is asked whether another process wrote it. Asking takes microseconds and reads no disk.
const LOOK: Duration = Duration::from_millis(40);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A store in a SQLite file.
pub struct Sqlite {
    path: Arc<Path>,
    writer: mpsc::Sender<Job>,
    idle: Arc<Mutex<Vec<Connection>>>,
    readers: Arc<Semaphore>,
    /// Counts commits, ours and those of other processes. The threads end when this is dropped.
    commits: Arc<watch::Sender<u64>>,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sqlite({})", self.path.display())
    }
}

impl Sqlite {
    /// Opens the file at `path`, and makes it where there is none, readable by its owner only.
    ///
    /// # Errors
    /// [`StoreError`] when its directory is missing, it cannot be written, is damaged, is a database of something
    /// else or was written by a newer hotdesk.
    pub async fn open(path: PathBuf) -> Result<Self, StoreError> {
        let path: Arc<Path> = path.into();
        let at = Arc::clone(&path);
        let opened = tokio::task::spawn_blocking(move || Ok((schema::prepare(&at)?, schema::connect(&at)?)))
            .await
            .unwrap_or(Err(Fault::Away("opening it was broken off")));
        let (writing, looking) = opened.map_err(|fault: Fault| fault.of(&path))?;
        let (writer, jobs) = mpsc::channel(QUEUE);
        let commits = Arc::new(watch::Sender::new(0));
        let news = Arc::downgrade(&commits);
        std::thread::spawn(move || work(writing, jobs));
        std::thread::spawn(move || look(&looking, &news));
        let (idle, readers) = (Arc::default(), Arc::new(Semaphore::new(READERS)));
        Ok(Self { path, writer, idle, readers, commits })
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (path, idle) = (Arc::clone(&self.path), Arc::clone(&self.idle));
        let turn = timeout(PATIENCE, Arc::clone(&self.readers).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Fault::Away("too many reads are waiting").of(&self.path)) };
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let waiting = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = waiting.map_or_else(|| schema::connect(&path), Ok)?;
            let transaction = connection.transaction()?;
            let value = read(&transaction)?;
            transaction.finish()?;
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(value)
        });
        let read = timeout(PATIENCE, task).await;
        let read = read.unwrap_or(Ok(Err(Fault::Away("the disk does not answer"))));
        read.unwrap_or(Err(Fault::Away("the read was broken off"))).map_err(|fault| fault.of(&self.path))
    }

    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_within(PATIENCE, write).await
    }

    async fn write_within<T: Send + 'static>(
        &self,
        patience: Duration,
        write: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, written) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let _ = answer.send(commit(connection, write));
        });
        let until = Instant::now() + patience;
        let sent = timeout_at(until, self.writer.send(job)).await;
        let written = match sent {
            Err(_) => Err(Fault::Away("too many writes are waiting for the disk")),
            Ok(Err(_)) => Err(Fault::Away("its writer has ended; restart hotdesk")),
            Ok(Ok(())) => match timeout_at(until, written).await {
                Err(_) => Err(Fault::Away("the disk does not answer")),
                Ok(Err(_)) => Err(Fault::Away("its writer has ended; restart hotdesk")),
                Ok(Ok(written)) => written,
            },
        };
        let written = written.map_err(|fault| fault.of(&self.path))?;
        self.commits.send_modify(|commits| *commits += 1);
        Ok(written)
    }
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

/// The writer: one job after the other, until the store is dropped.
fn work(mut connection: Connection, mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.blocking_recv() {
        job(&mut connection);
    }
}

/// Looks for commits of other processes, until the store is dropped. What cannot be read now is seen later.
fn look(connection: &Connection, news: &std::sync::Weak<watch::Sender<u64>>) {
    let mut seen = None;
    while let Some(commits) = news.upgrade() {
        let version: Option<i64> = connection.pragma_query_value(None, "data_version", |row| row.get(0)).ok();
        if version.is_some() && version != seen {
            seen = version;
            commits.send_modify(|commits| *commits += 1);
        }
        drop(commits);
        std::thread::sleep(LOOK);
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn office(&self, tenant: &TenantId, scope: &Scope) -> Result<Office, StoreError> {
        let (tenant, scope) = (tenant.clone(), scope.clone());
        self.read(move |db| read::office(db, &tenant, &scope)).await
    }

    async fn change(&self, change: &Change) -> Result<Revision, StoreError> {
        let change = change.clone();
        self.write(move |db| write::change(db, &change)).await
    }

    async fn import(&self, import: &Import) -> Result<Revision, StoreError> {
        let import = import.clone();
        self.write_within(IMPORT, move |db| {
            import.changes().try_for_each(|change| write::change(db, &change).map(drop))?;
            read::revision(db, &import.tenant)
        })
        .await
    }

    async fn move_people(&self, act: &Move) -> Result<Transition, StoreError> {
        let act = act.clone();
        self.write(move |db| write::move_people(db, &act)).await
    }

    async fn pin(&self, tenant: &TenantId, user: &Extension) -> Result<Option<PinRecord>, StoreError> {
        let (tenant, user) = (tenant.clone(), user.clone());
        self.read(move |db| read::pin(db, &tenant, &user)).await
    }

    async fn rehash(
        &self,
        tenant: &TenantId,
        user: &Extension,
        was: &PinRecord,
        is: &PinRecord,
    ) -> Result<(), StoreError> {
        let (tenant, user, was, is) = (tenant.clone(), user.clone(), was.clone(), is.clone());
        self.write(move |db| write::rehash(db, &tenant, &user, &was, &is)).await
    }

    async fn attempt(&self, guess: &Guess) -> Result<Attempt, StoreError> {
        let guess = guess.clone();
        self.write(move |db| locks::attempt(db, &guess)).await
    }

    async fn forgive(&self, guess: &Guess) -> Result<(), StoreError> {
        let guess = guess.clone();
        self.write(move |db| locks::forgive(db, &guess)).await
    }

    async fn tries(&self, tenant: &TenantId) -> Result<Vec<Tried>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |db| locks::tries(db, &tenant)).await
    }

    async fn record(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let entries = entries.to_vec();
        self.write(move |db| entries.iter().try_for_each(|entry| write::append(db, entry).map(drop))).await
    }

    async fn journal(
        &self,
        tenant: &TenantId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |db| read::journal(db, &tenant, after, limit)).await
    }

    async fn revision_at(&self, tenant: &TenantId, since: Timestamp) -> Result<Revision, StoreError> {
        let tenant = tenant.clone();
        self.read(move |db| read::revision_at(db, &tenant, since)).await
    }

    async fn trim(&self, trim: &Trim) -> Result<bool, StoreError> {
        let trim = trim.clone();
        self.write(move |db| trim::trim(db, &trim)).await
    }

    async fn trimmed(&self, tenant: &TenantId) -> Result<Trimmed, StoreError> {
        let tenant = tenant.clone();
        self.read(move |db| trim::trimmed(db, &tenant)).await
    }

    async fn seen(&self, tenant: &TenantId, scope: &Scope) -> Result<BTreeMap<DeviceName, Seen>, StoreError> {
        let (tenant, scope) = (tenant.clone(), scope.clone());
        self.read(move |db| seen::seen(db, &tenant, &scope)).await
    }

    async fn note(&self, tenant: &TenantId, notes: &[Note]) -> Result<Vec<bool>, StoreError> {
        let (tenant, notes) = (tenant.clone(), notes.to_vec());
        self.write(move |db| seen::note(db, &tenant, &notes)).await
    }

    async fn changed(
        &self,
        tenant: &TenantId,
        after: Revision,
        patience: Duration,
    ) -> Result<Revision, StoreError> {
        let until = Instant::now() + patience;
        let mut commits = self.commits.subscribe();
        loop {
            let tenant = tenant.clone();
            let revision = self.read(move |db| read::revision(db, &tenant)).await?;
            if revision > after || timeout_at(until, commits.changed()).await.is_err() {
                return Ok(revision);
            }
        }
    }
}
