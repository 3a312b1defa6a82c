//! What can go wrong with a file, and what its operator does about it.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::desk::id::DeviceName;
use crate::desk::seat::Denied;
use crate::store::StoreError;

/// What went wrong, before the file's name is put to it.
#[derive(Debug)]
pub(super) enum Fault {
    /// Nothing came of it in time, or its thread is gone.
    Away(&'static str),
    /// This is another than it was when it was read.
    Contended(String),
    /// A SQLite database, but none of ours.
    Foreign,
    /// The file could not be made.
    File(std::io::Error),
    /// An act that is not to be done.
    Denied(Denied),
    /// A location that should go, while these devices stand there.
    InUse(Vec<DeviceName>),
    /// The version of its tables, and the one we know.
    Newer(i64, i64),
    /// The version of its tables, which no release had, and the one we know.
    Older(i64, i64),
    /// SQLite's own.
    Sql(rusqlite::Error),
    /// A row that is not what we write.
    Unreadable(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::File(error)
    }
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<crate::desk::id::InvalidId> for Fault {
    fn from(error: crate::desk::id::InvalidId) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<jiff::Error> for Fault {
    fn from(error: jiff::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl Fault {
    /// Whether somebody else has the file to himself at the moment.
    pub(super) fn is_busy(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// As everybody else sees it.
    pub(super) fn of(self, path: &Path) -> StoreError {
        let away = |why: &str| StoreError::Away(path.display().to_string(), why.into());
        let broken = |why: String| StoreError::Broken(path.display().to_string(), why);
        match self {
            Self::Away(why) => away(why),
            Self::Contended(what) => StoreError::Contended(what),
            Self::Foreign => {
                broken("it is a database of something else; give [store] url a file of its own".into())
            }
            Self::File(error) => broken(format!(
                "it cannot be made ({error}); its directory must exist and be writable for the user that hotdesk runs as"
            )),
            Self::Denied(denied) => denied.into(),
            Self::InUse(devices) => StoreError::in_use(devices.iter().map(DeviceName::as_str)),
            Self::Newer(theirs, ours) => broken(format!(
                "a newer hotdesk wrote it (tables of version {theirs}, this one knows {ours}); run that one, or restore a backup from before it"
            )),
            Self::Older(theirs, ours) => broken(format!(
                "a hotdesk from before the first release wrote it (tables of version {theirs}, this one knows {ours}); move it aside with its -wal and -shm, and set up users and devices anew"
            )),
            Self::Unreadable(why) => broken(format!(
                "a row in it is not what hotdesk writes ({why}); if somebody edited it, restore a backup"
            )),
            Self::Sql(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    away("another process keeps it locked; see who with `fuser`, and end that one")
                }
                Some(ErrorCode::DiskFull) => {
                    broken("the disk is full; make room, nothing that was acknowledged is lost".into())
                }
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                    broken(format!(
                        "it cannot be written ({error}); the file and its directory must be writable for the user that hotdesk runs as"
                    ))
                }
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => broken(format!(
                    "it is damaged, or no database at all ({error}); move it aside with its -wal and -shm, and restore a backup"
                )),
                Some(ErrorCode::SystemIoFailure) => {
                    broken(format!("the disk fails ({error}); see the kernel's log"))
                }
                _ => broken(error.to_string()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn told(code: std::ffi::c_int) -> String {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        Fault::Sql(error).of(Path::new("/srv/hotdesk.db")).to_string()
    }

    #[test]
    fn what_an_operator_can_mend_is_said_with_the_file_and_what_to_do() {
        for (code, what) in [
            (ffi::SQLITE_FULL, "make room"),
            (ffi::SQLITE_READONLY, "must be writable"),
            (ffi::SQLITE_CANTOPEN, "must be writable"),
            (ffi::SQLITE_CORRUPT, "restore a backup"),
            (ffi::SQLITE_NOTADB, "restore a backup"),
            (ffi::SQLITE_BUSY, "another process"),
            (ffi::SQLITE_IOERR, "the disk fails"),
        ] {
            let told = told(code);
            assert!(told.contains("/srv/hotdesk.db") && told.contains(what), "{told}");
        }
    }

    #[test]
    fn only_what_may_pass_by_itself_is_away() {
        let of =
            |code| Fault::Sql(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)).of(Path::new("x"));
        assert!(matches!(of(ffi::SQLITE_BUSY), StoreError::Away(..)));
        assert!(matches!(of(ffi::SQLITE_FULL), StoreError::Broken(..)));
    }
}
