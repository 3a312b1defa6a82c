//! Files that Hotdesk makes: whose they are, as commands of administrators often run as root, and the service or the switch must
//! read what they made; names beside them; and their removal.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

/// Gives the open file the owner and the group that the file or folder at `path` has, if this process may do that. The file is
/// not named by its path: others who may write to its folder could put a link there meanwhile.
pub(crate) fn like(file: &File, path: &Path) {
    if let Ok(like) = fs::metadata(path) {
        let _ = fchown(file, Some(like.uid()), Some(like.gid()));
    }
}

/// The folder of a file.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

/// The path with `more` at its end: `hotdesk.db` and `-wal`.
pub(crate) fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
