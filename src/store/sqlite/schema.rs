//! The file: how it is opened, what is in it, and which version of that this is.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::fault::Fault;
use super::{seen, trim};

/// The version of the tables below, kept in `user_version`.
const VERSION: i64 = 2;

/// `HOTD`: what `file(1)` and we know the file by, kept in `application_id`.
const APPLICATION: i64 = 0x484F_5444;

/// How long another process may keep the file to itself.
const BUSY: Duration = Duration::from_secs(2);

/// How often one looks whether it is free.
const LOOK: Duration = Duration::from_millis(1);

/// Users, devices and locations are kept as JSON, with beside it the columns that are searched. The key of `binding` is
/// the law of the house: one user a device. At how many devices a user may be is his tenant's.
const TABLES: &str = "
    CREATE TABLE tenant (
        name TEXT PRIMARY KEY, revision INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE user (
        tenant TEXT, extension TEXT, body TEXT NOT NULL,
        PRIMARY KEY (tenant, extension)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE pin (
        tenant TEXT, user TEXT, record TEXT NOT NULL,
        PRIMARY KEY (tenant, user)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE device (
        tenant TEXT, name TEXT, owner TEXT, location TEXT, body TEXT NOT NULL,
        PRIMARY KEY (tenant, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX device_owner ON device (tenant, owner) WHERE owner IS NOT NULL;
    CREATE INDEX device_location ON device (tenant, location) WHERE location IS NOT NULL;
    CREATE TABLE location (
        tenant TEXT, name TEXT, body TEXT NOT NULL,
        PRIMARY KEY (tenant, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE binding (
        tenant TEXT, device TEXT, user TEXT NOT NULL, since TEXT NOT NULL, revision INTEGER NOT NULL,
        PRIMARY KEY (tenant, device)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX binding_user ON binding (tenant, user);
    CREATE TABLE journal (
        tenant TEXT, revision INTEGER, at INTEGER NOT NULL, entry TEXT NOT NULL,
        PRIMARY KEY (tenant, revision)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX journal_at ON journal (tenant, at);
    CREATE TABLE tries (
        tenant TEXT, kind TEXT, name TEXT, last INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (tenant, kind, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tries_last ON tries (tenant, last);
    CREATE TABLE request (
        tenant TEXT, id TEXT, at INTEGER NOT NULL, transition TEXT NOT NULL,
        PRIMARY KEY (tenant, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX request_at ON request (at);
";

/// Makes the file where there is none, readable by its owner only, and the tables where there are none.
pub(super) fn prepare(path: &Path) -> Result<Connection, Fault> {
    let until = Instant::now() + BUSY;
    loop {
        match attempt(path) {
            // SQLite does not wait when two at once want to be the first to turn the WAL on.
            Err(fault) if fault.is_busy() && Instant::now() < until => std::thread::sleep(LOOK),
            prepared => return prepared,
        }
    }
}

fn attempt(path: &Path) -> Result<Connection, Fault> {
    // SQLite would make it with the umask's mode; its -wal and -shm files take over the mode of this one.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let mut connection = connect(path)?;
    // Looked at before anything is changed: it may be somebody else's.
    has_tables(&connection)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !has_tables(&transaction)? {
        transaction.execute_batch(TABLES)?;
        transaction.execute_batch(seen::TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.execute_batch(trim::TABLES)?;
    transaction.commit()?;
    Ok(connection)
}

/// Whether our tables are there, or none at all.
fn has_tables(connection: &Connection) -> Result<bool, Fault> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (pragma("application_id")?, pragma("user_version")?, tables) {
        (APPLICATION, VERSION, _) => Ok(true),
        (0, 0, 0) => Ok(false),
        (APPLICATION, newer, _) if newer > VERSION => Err(Fault::Newer(newer, VERSION)),
        (APPLICATION, older, _) => Err(Fault::Older(older, VERSION)),
        _ => Err(Fault::Foreign),
    }
}

/// A connection to the file, which exists.
pub(super) fn connect(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(wait))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Looks each millisecond whether the file is free. SQLite's own `busy_timeout` sleeps longer and longer, up to 0.1 s,
/// and so never gets its turn while another process commits one after the other.
fn wait(looks: i32) -> bool {
    std::thread::sleep(LOOK);
    LOOK.saturating_mul(looks.unsigned_abs()) < BUSY
}
