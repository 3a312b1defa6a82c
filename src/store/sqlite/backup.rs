//! A copy of the file, whole and in one file, and the return of such a copy to its place.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::fault::Fault;
use super::schema;
use crate::store::{Result, files};

/// Copies the file at `path` to `copy`, with the changes that are still in its write-ahead log, also while other processes use
/// it. The copy is checked, and only its owner can read it; after an error it is gone.
///
/// # Errors
/// [`StoreError`](crate::store::StoreError), which names the file that failed: `copy` is there already, or cannot be written;
/// `path` cannot be read, is damaged, or is no store of this Hotdesk.
pub fn copy(path: &Path, copy: &Path) -> Result<()> {
    let store = open(path).map_err(|fault| fault.of(path))?;
    make(copy).map_err(|error| Fault::from(error).of(copy))?;
    let copied = || -> Result<()> {
        let vacuumed = store.execute("VACUUM INTO ?", [copy.to_string_lossy()]).map_err(Fault::from);
        vacuumed.map_err(|fault| if fault.is_damage() { fault.of(path) } else { fault.of(copy) })?;
        let checked = || -> Result<(), Fault> {
            intact(&open(copy)?)?;
            Ok(File::open(copy)?.sync_all()?)
        };
        checked().map_err(|fault| fault.of(copy))
    };
    copied().inspect_err(|_| drop(fs::remove_file(copy)))
}

/// Puts a copy of `backup` at `path`. Returns what the file that was there is called now, if there was one: it has all its
/// changes.
///
/// # Errors
/// As of [`copy`]; nothing has changed then. So also while another process uses the file at `path`.
pub fn restore(backup: &Path, path: &Path, suffix: &str) -> Result<Option<PathBuf>> {
    let new = files::beside(path, ".new");
    files::remove(&new).map_err(|error| Fault::from(error).of(&new))?;
    copy(backup, &new)?;
    let placed = || -> Result<Option<PathBuf>, Fault> {
        let there = path.try_exists()?;
        files::like(&File::open(&new)?, if there { path } else { files::folder(path) });
        let before = files::beside(path, suffix);
        if there {
            put_aside(path, &before)?;
        }
        fs::rename(&new, path)?;
        Ok(there.then_some(before))
    };
    placed().map_err(|fault| {
        let _ = files::remove(&new);
        fault.of(path)
    })
}

/// A file in which all changes are in one place: a `-wal` beside the new one would damage it.
fn put_aside(path: &Path, before: &Path) -> Result<(), Fault> {
    if before.try_exists()? {
        return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
    }
    // Needs the file for itself alone.
    let merged =
        schema::connect(path).and_then(|store| Ok(store.pragma_update(None, "journal_mode", "delete")?));
    match merged {
        Err(fault) if fault.is_busy() => return Err(fault),
        // A damaged file goes as it is.
        Ok(()) | Err(_) => {}
    }
    // The path names a whole file at any moment.
    fs::hard_link(path, before)?;
    for log in ["-wal", "-shm"] {
        let moved = fs::rename(files::beside(path, log), files::beside(before, log));
        moved.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    }
    Ok(())
}

fn open(path: &Path) -> Result<Connection, Fault> {
    let store = schema::connect(path)?;
    schema::version(&store)?.ok_or(Fault::Foreign)?;
    Ok(store)
}

fn intact(store: &Connection) -> Result<(), Fault> {
    let said: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if said == "ok" { Ok(()) } else { Err(Fault::Unreadable(said)) }
}

fn make(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}
