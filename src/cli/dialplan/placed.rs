//! A file at its place: written beside the present one, renamed in one step, and put back if it was no good.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::model::login::token::Token;
use crate::store::files;

/// Only the owner and the group may read a file with the token.
pub(super) const SECRET: u32 = 0o640;
/// For the other files, the umask decides.
pub(super) const OPEN: u32 = 0o666;

/// The mode of a file with these bytes.
pub(super) fn mode(bytes: &[u8], token: &Token) -> u32 {
    let token = token.reveal().as_bytes();
    if bytes.windows(token.len()).any(|part| part == token) { SECRET } else { OPEN }
}

/// Replaces a file in one step, so that a reload meanwhile reads the old or the new file.
pub(in crate::cli) fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let replacement = Replacement::beside(path, bytes, mode)?;
    fs::rename(&replacement.new, &replacement.path)
}

/// Mode, user and group of a file.
#[derive(Clone, Copy, Debug, serde::Deserialize, Eq, PartialEq, serde::Serialize)]
pub(in crate::cli) struct About {
    pub(in crate::cli) mode: u32,
    pub(in crate::cli) user: u32,
    pub(in crate::cli) group: u32,
}

impl About {
    pub(in crate::cli) fn of(path: &Path) -> io::Result<Self> {
        let file = fs::metadata(path)?;
        Ok(Self { mode: file.mode() & 0o7777, user: file.uid(), group: file.gid() })
    }
}

/// Replaces a file as [`write`] does. It gets exactly this mode, user and group, or is not replaced.
pub(in crate::cli) fn write_as(path: &Path, bytes: &[u8], about: About) -> io::Result<()> {
    let replacement = Replacement::beside(path, bytes, 0o600)?;
    let file = File::open(&replacement.new)?;
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (about.user, about.group) {
        fchown(&file, Some(about.user), Some(about.group))?;
    }
    file.set_permissions(fs::Permissions::from_mode(about.mode))?;
    fs::rename(&replacement.new, &replacement.path)
}

/// A new file beside the present one of its path. Dropped before [`Replacement::begin`], it is gone.
#[derive(Debug)]
pub(super) struct Replacement {
    path: PathBuf,
    new: PathBuf,
    before: PathBuf,
    /// Whether there is a present file.
    pub(super) replaces: bool,
}

impl Replacement {
    /// Writes the new file. It gets the owner and the group of the present one, or of the folder, if we may give them: the
    /// switch must be able to read it. A link stays, and the file that it leads to is replaced.
    pub(super) fn beside(path: &Path, bytes: &[u8], mode: u32) -> io::Result<Self> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let folder = files::folder(&path);
        fs::create_dir_all(folder)?;
        let (new, before) = (files::beside(&path, ".new"), files::beside(&path, ".before"));
        files::remove(&new)?;
        let mut file = File::options().write(true).create_new(true).mode(mode).open(&new)?;
        let replaces = path.exists();
        files::like(&file, if replaces { &path } else { folder });
        let replacement = Self { replaces, new, before, path };
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(replacement)
    }

    /// What was written, read again.
    pub(super) fn written(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.new)
    }

    /// Keeps the present file as `NAME.before`, and gives the new one its name.
    pub(super) fn begin(&self) -> io::Result<()> {
        if self.replaces {
            files::remove(&self.before)?;
            fs::hard_link(&self.path, &self.before)?;
        }
        fs::rename(&self.new, &self.path)
    }

    /// Undoes [`Replacement::begin`].
    pub(super) fn put_back(&self) -> io::Result<()> {
        match self.replaces {
            true => fs::rename(&self.before, &self.path),
            false => files::remove(&self.path),
        }
    }

    /// For a reader: what happened.
    pub(super) fn done(&self) -> String {
        let path = self.path.display();
        match self.replaces {
            true => format!("{path}: replaced; the old one is {}", self.before.display()),
            false => format!("{path}: written"),
        }
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        let _ = files::remove(&self.new);
    }
}

/// Whether a file has these bytes, and no wider mode than this.
pub(super) fn is_there(path: &Path, bytes: &[u8], mode: u32) -> bool {
    let wide = |file: fs::Metadata| file.permissions().mode() & 0o777 & !mode;
    fs::read(path).is_ok_and(|present| present == bytes)
        && fs::metadata(path).is_ok_and(|file| mode == OPEN || wide(file) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_present_file_stays_until_the_new_one_has_its_name_and_can_be_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("hotdesk.conf"), folder.path().join("link"));
        let names = || {
            let names = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name());
            let mut names: Vec<String> = names.map(|it| it.into_string().unwrap()).collect();
            names.sort();
            names.join(" ")
        };
        let first = Replacement::beside(&path, b"one", SECRET).unwrap();
        assert!(!first.replaces && !path.exists());
        first.begin().unwrap();
        assert!(is_there(&path, b"one", SECRET) && !is_there(&path, b"two", SECRET));
        first.put_back().unwrap();
        assert_eq!(names(), "");

        fs::write(&path, "one").unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(!is_there(&path, b"one", SECRET) && is_there(&path, b"one", OPEN));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        drop(Replacement::beside(&link, b"two", SECRET).unwrap());
        assert_eq!(names(), "hotdesk.conf link");
        let second = Replacement::beside(&link, b"two", SECRET).unwrap();
        second.begin().unwrap();
        assert!(is_there(&path, b"two", SECRET) && fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(folder.path().join("hotdesk.conf.before")).unwrap(), b"one");
        second.put_back().unwrap();
        assert_eq!(
            (fs::read(&link).unwrap().as_slice(), names().as_str()),
            (&b"one"[..], "hotdesk.conf link")
        );
    }
}
