//! One open file: the thread that writes it, the connections that read it, and whether it is still the file at its path.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, watch};

use super::fault::Fault;
use super::schema;

/// How many writes may wait.
const QUEUE: usize = 1024;
/// How many reads run at once, each on a connection.
const READERS: usize = 4;
/// How often the file is checked for commits of other processes. A check takes microseconds and reads no disk.
const LOOK: Duration = Duration::from_millis(40);

pub(super) type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A file that is open.
pub(super) struct File {
    pub(super) writer: mpsc::Sender<Job>,
    pub(super) idle: Arc<Mutex<Vec<Connection>>>,
    pub(super) readers: Arc<Semaphore>,
    pub(super) place: Arc<Place>,
}

/// The device and the inode of the file at a path.
pub(super) struct Place {
    path: Arc<Path>,
    is: (u64, u64),
}

impl Place {
    fn of(path: &Arc<Path>) -> Result<Self, Fault> {
        Ok(Self { path: Arc::clone(path), is: identify(path)? })
    }

    /// Whether the file that was opened is still the one at its path. A file that was moved away or removed can still be read
    /// and written, and all of it would be lost.
    pub(super) fn check(&self) -> Result<(), Fault> {
        match identify(&self.path) {
            Ok(is) if is == self.is => Ok(()),
            Ok(_) => Err(Fault::Lost(
                "another file is there now; put the right one back, or say that this is right: hotdesk adopt"
                    .into(),
            )),
            Err(Fault::File(error)) => {
                Err(Fault::Lost(format!("the file is not there any more ({error}): put it back")))
            }
            Err(other) => Err(other),
        }
    }
}

fn identify(path: &Path) -> Result<(u64, u64), Fault> {
    let file = std::fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

impl File {
    /// Opens the file. Each commit of another process counts one up in `commits`; a thread that panics is named in `ended`.
    pub(super) fn open(
        path: &Arc<Path>,
        commits: &Arc<watch::Sender<u64>>,
        ended: &watch::Sender<Option<&'static str>>,
    ) -> Result<Self, Fault> {
        let (mut writing, looking) = (schema::prepare(path)?, schema::connect(path)?);
        let place = Arc::new(Place::of(path)?);
        let (writer, mut jobs) = mpsc::channel::<Job>(QUEUE);
        let guard = Guard { name: "the thread that writes the file", ended: ended.clone() };
        std::thread::spawn(move || {
            let _guard = guard;
            while let Some(job) = jobs.blocking_recv() {
                job(&mut writing);
            }
        });
        let guard = Guard { name: "the thread that looks for changes of the file", ended: ended.clone() };
        let (news, still) = (Arc::downgrade(commits), Arc::downgrade(&place));
        std::thread::spawn(move || {
            let _guard = guard;
            look(&looking, &still, &news);
        });
        Ok(Self { writer, idle: Arc::default(), readers: Arc::new(Semaphore::new(READERS)), place })
    }
}

/// Names a thread if it panics.
struct Guard {
    name: &'static str,
    ended: watch::Sender<Option<&'static str>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.ended.send_replace(Some(self.name));
        }
    }
}

/// Looks for commits of other processes, and whether the file is still at its place, until the file is closed. After an error it
/// looks again later.
fn look(connection: &Connection, place: &Weak<Place>, news: &Weak<watch::Sender<u64>>) {
    let mut seen = None;
    while let (Some(place), Some(commits)) = (place.upgrade(), news.upgrade()) {
        let version: Option<i64> = connection.pragma_query_value(None, "data_version", |row| row.get(0)).ok();
        let now = (version, place.check().is_ok());
        if now.0.is_some() && seen != Some(now) {
            seen = Some(now);
            commits.send_modify(|commits| *commits += 1);
        }
        drop((place, commits));
        std::thread::sleep(LOOK);
    }
}
