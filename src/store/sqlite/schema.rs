//! The file: how it is opened, its tables, and their version.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::fault::Fault;
use super::migrate;
use crate::store::files;
use crate::store::identity;
use crate::store::migration::{OLDEST, VERSION, WITHOUT_ACCESS, WITHOUT_IDENTITY};

/// `HOTD`: identifies the file for `file(1)` and for Hotdesk, in `application_id`.
const APPLICATION: i64 = 0x484F_5444;

/// How long another process may lock the file.
const BUSY: Duration = Duration::from_secs(2);

/// How often the lock is checked.
const LOOK: Duration = Duration::from_millis(1);

/// Every record is a kind, a name and a JSON body; `link` holds the names that find records. The model knows their meaning.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS tenant (
        name TEXT PRIMARY KEY, revision INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE record (
        tenant TEXT, kind TEXT, name TEXT, body TEXT NOT NULL,
        PRIMARY KEY (tenant, kind, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE link (
        tenant TEXT, link TEXT, by TEXT, name TEXT,
        PRIMARY KEY (tenant, link, by, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX link_name ON link (tenant, link, name);
    CREATE TABLE IF NOT EXISTS journal (
        tenant TEXT, revision INTEGER, at INTEGER NOT NULL, entry TEXT NOT NULL,
        PRIMARY KEY (tenant, revision)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS journal_at ON journal (tenant, at);
    CREATE TABLE IF NOT EXISTS counted (
        tenant TEXT, day TEXT, what TEXT, times INTEGER NOT NULL,
        PRIMARY KEY (tenant, day, what)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE request (
        tenant TEXT, id TEXT, at INTEGER NOT NULL, outcome TEXT NOT NULL,
        PRIMARY KEY (tenant, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX request_at ON request (at);
";

/// The identity of the data: one row.
const IDENTITY: &str = "CREATE TABLE identity (id TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;";

/// Opens the file and its tables. Makes them if they are missing, readable by their owner only.
pub(super) fn prepare(path: &Path) -> Result<Connection, Fault> {
    let until = Instant::now() + BUSY;
    loop {
        match attempt(path) {
            // SQLite does not wait when two processes want to enable the WAL first.
            Err(fault) if fault.is_busy() && Instant::now() < until => std::thread::sleep(LOOK),
            prepared => return prepared,
        }
    }
}

fn attempt(path: &Path) -> Result<Connection, Fault> {
    // SQLite would use the umask's mode; its -wal and -shm files take the mode of this one.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => files::like(&file, files::folder(path)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    let mut connection = connect(path)?;
    // Checked before any change: it may be the file of another program.
    version(&connection)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = version(&transaction)?;
    if version == Some(OLDEST.into()) {
        transaction.execute_batch("ALTER TABLE request RENAME TO old_request; DROP INDEX request_at;")?;
    }
    let is = |one: u32| version == Some(one.into());
    let without_access = WITHOUT_ACCESS.into_iter().any(is);
    if !is(VERSION) {
        if !is(WITHOUT_IDENTITY) && !without_access {
            transaction.execute_batch(TABLES)?;
            if version.is_some() {
                migrate::from_2(&transaction)?;
            }
        }
        if !without_access {
            transaction.execute_batch(IDENTITY)?;
            let id = identity::make().map_err(std::io::Error::other)?;
            transaction.execute("INSERT INTO identity (id) VALUES (?)", [id.as_str()])?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    Ok(connection)
}

/// The version of Hotdesk's tables; none, if there are no tables.
pub(super) fn version(connection: &Connection) -> Result<Option<i64>, Fault> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let (oldest, newest) = (i64::from(OLDEST), i64::from(VERSION));
    match (pragma("application_id")?, pragma("user_version")?, tables) {
        (0, 0, 0) => Ok(None),
        (APPLICATION, version, _) if version > newest => Err(Fault::Newer(version, newest)),
        (APPLICATION, version, _) if version < oldest => Err(Fault::Older(version, newest)),
        (APPLICATION, version, _) => Ok(Some(version)),
        _ => Err(Fault::Foreign),
    }
}

/// A connection to the existing file.
pub(super) fn connect(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(wait))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Checks each millisecond whether the file is free. SQLite's own `busy_timeout` sleeps longer each time, up to 0.1
/// s, so it never gets its turn while another process keeps committing.
fn wait(looks: i32) -> bool {
    std::thread::sleep(LOOK);
    LOOK.saturating_mul(looks.unsigned_abs()) < BUSY
}
