//! The errors of a file, and what an operator can do about them.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::model::login::refusal::Refusal;
use crate::store::StoreError;

/// An error without the name of the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// There was no answer in time, or the thread has ended.
    #[error("{0}")]
    Away(&'static str),
    #[error("it is a database of another program: set [store] url to another file")]
    Foreign,
    #[error(
        "it cannot be made ({0}): its directory must exist and be writable for the user that hotdesk runs as"
    )]
    File(#[from] std::io::Error),
    /// The file is not the one from before, or its data is not.
    #[error("{0}")]
    Lost(String),
    /// The version of its tables, and the version that Hotdesk knows.
    #[error(
        "a newer hotdesk wrote it (tables of version {0}, this one knows {1}); run that one, or restore a backup from before it"
    )]
    Newer(i64, i64),
    /// The version of its tables, which no release had, and the version that Hotdesk knows.
    #[error(
        "a Hotdesk from before the first release wrote it (tables of version {0}, this one knows {1}): move it aside with its -wal and -shm, and set up users and devices again"
    )]
    Older(i64, i64),
    #[error("{}", remedy(.0))]
    Sql(#[from] rusqlite::Error),
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A row that Hotdesk did not write.
    #[error("it has a row that Hotdesk did not write ({0}): restore a backup")]
    Unreadable(String),
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<jiff::Error> for Fault {
    fn from(error: jiff::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl Fault {
    /// Whether another process locks the file at the moment.
    pub(super) fn is_busy(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether the file is damaged, or no database.
    pub(super) fn is_damage(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
    }

    /// The error with the name of the file.
    pub(super) fn of(self, path: &Path) -> StoreError {
        let (place, why) = (path.display().to_string(), self.to_string());
        match self {
            Self::Refused(refusal) => StoreError::Refused(refusal),
            Self::Away(_) => StoreError::Away(place, why),
            Self::Lost(_) => StoreError::Lost(place, why),
            fault if fault.is_busy() => StoreError::Away(place, why),
            _ => StoreError::Broken(place, why),
        }
    }
}

fn remedy(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process keeps it locked: find it with `fuser`, and end it".into()
        }
        Some(ErrorCode::DiskFull) => {
            "the disk is full: make room; nothing that was acknowledged is lost".into()
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => format!(
            "it cannot be written ({error}): the file and its directory must be writable for the user that hotdesk runs as"
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => format!(
            "it is damaged, or no database at all ({error}): move it aside with its -wal and -shm, and restore a backup"
        ),
        Some(ErrorCode::SystemIoFailure) => format!("the disk fails ({error}): check the kernel's log"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn an_error_names_the_file_and_what_to_do_and_a_temporary_one_is_no_damage() {
        for (code, what) in [
            (ffi::SQLITE_FULL, "make room"),
            (ffi::SQLITE_READONLY, "must be writable"),
            (ffi::SQLITE_CANTOPEN, "must be writable"),
            (ffi::SQLITE_CORRUPT, "restore a backup"),
            (ffi::SQLITE_NOTADB, "restore a backup"),
            (ffi::SQLITE_BUSY, "another process"),
            (ffi::SQLITE_IOERR, "the disk fails"),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let error = Fault::Sql(error).of(Path::new("/srv/hotdesk.db"));
            let message = error.to_string();
            assert!(message.contains("/srv/hotdesk.db") && message.contains(what), "{message}");
            assert_eq!(matches!(error, StoreError::Away(..)), code == ffi::SQLITE_BUSY, "{message}");
        }
    }
}
