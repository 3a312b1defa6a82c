//! The pepper: 64 random bytes in a file of their own, without which the PIN records of a store are of no use.
//!
//! It is made at the first start. Two processes that start at once end with the same one: each writes a file of its
//! own and gives it the name with a hard link, which only the first can.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::desk::pin::Pepper;

const LENGTH: usize = 64;

/// The pepper that PINs are hashed with, and others that records may still name: those in files beside it, each called
/// as its pepper's name says, `hotdesk.pepper.0123456789abcdef`.
#[derive(Clone, Debug)]
pub struct Peppers {
    /// What new records are made with.
    pub current: Pepper,
    /// What others may have been made with.
    pub others: Vec<Pepper>,
}

impl Peppers {
    /// The pepper of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Pepper> {
        std::iter::once(&self.current).chain(&self.others).find(|pepper| pepper.name() == name)
    }
}

impl From<Pepper> for Peppers {
    fn from(current: Pepper) -> Self {
        Self { current, others: vec![] }
    }
}

/// All peppers there are at `path`; the current one is made if there is no such file.
///
/// # Errors
/// [`PepperError`] says what is wrong with which file, and what to do.
pub fn all(path: &Path) -> Result<Peppers, PepperError> {
    Ok(Peppers { current: load_or_create(path)?, others: others(path)? })
}

/// The peppers beside that at `path`.
///
/// # Errors
/// [`PepperError`] says what is wrong with which file, and what to do.
pub fn others(path: &Path) -> Result<Vec<Pepper>, PepperError> {
    let unreadable = |error| PepperError::Unreadable { path: path.into(), error };
    let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut others = vec![];
    for entry in fs::read_dir(folder(path)).map_err(unreadable)? {
        let beside = entry.map_err(unreadable)?.path();
        let name = beside.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(name) = name.strip_prefix(&own).and_then(|name| name.strip_prefix('.')) else { continue };
        if !is_name(name) {
            continue;
        }
        match load(&beside) {
            Ok(Some(pepper)) if pepper.name() == name => others.push(pepper),
            // One that is being made, or something else of somebody's.
            Ok(_) | Err(PepperError::Length { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    others.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(others)
}

/// Makes a new pepper beside that at `path`, to be the current one some day. Returns its name.
///
/// # Errors
/// [`PepperError`]
pub fn add(path: &Path) -> Result<String, PepperError> {
    let key = random()?;
    let name = Pepper::new(*key).name().to_owned();
    let file = beside(path, &name);
    write(&file, &key)
        .and_then(|()| sync_folder(&file))
        .map_err(|error| PepperError::Unwritable { path: file, error })?;
    Ok(name)
}

/// Makes the pepper of that name, which lies beside that at `path`, the current one. The one before stays beside it.
///
/// # Errors
/// [`PepperError`]; then the one at `path` is what it was.
pub fn promote(path: &Path, name: &str) -> Result<(), PepperError> {
    let next = beside(path, name);
    if load(&next)?.is_none_or(|pepper| pepper.name() != name) {
        return Err(PepperError::Unreadable { path: next, error: io::ErrorKind::NotFound.into() });
    }
    let was = load_or_create(path)?;
    let mine = own_name(path)?;
    let kept = match fs::hard_link(path, beside(path, was.name())) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    };
    // Both must be found under their names whatever happens after it.
    kept.and_then(|()| sync_folder(path))
        .and_then(|()| fs::hard_link(&next, &mine))
        .and_then(|()| fs::rename(&mine, path))
        .and_then(|()| sync_folder(path))
        .map_err(|error| PepperError::Unwritable { path: path.into(), error })
}

fn is_name(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Where the pepper of that name lies when it is not the current one.
#[must_use]
pub fn beside(path: &Path, name: &str) -> PathBuf {
    let mut file = path.file_name().unwrap_or_default().to_owned();
    file.push(format!(".{name}"));
    path.with_file_name(file)
}

/// Why there is no pepper.
#[derive(Debug, thiserror::Error)]
pub enum PepperError {
    /// It is not a pepper. Never replaced by us: every PIN would be lost.
    #[error(
        "the pepper file {path} is not one of ours: it holds {length} bytes, not 64. Put back the copy you kept; \
         if there is none, move it away, and every user needs a new PIN"
    )]
    Length {
        /// Which file.
        path: PathBuf,
        /// How long it is; 65 if longer than that.
        length: usize,
    },
    /// Somebody else may read or change it.
    #[error("the pepper file {path} is open to others (mode {mode:03o}): chmod 600 {path}")]
    Open {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The system gave no random bytes.
    #[error("no random bytes for a new pepper: {0}")]
    Random(getrandom::Error),
    /// It cannot be read.
    #[error("the pepper file {path} cannot be read: {error}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is none, and none can be made.
    #[error("the pepper file {path} cannot be made: {error}. Its folder must exist and be ours to write")]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The pepper in the file at `path`, made if there is no such file.
///
/// # Errors
/// [`PepperError`] says what is wrong with the file, and what to do.
pub fn load_or_create(path: &Path) -> Result<Pepper, PepperError> {
    if let Some(pepper) = load(path)? {
        return Ok(pepper);
    }
    create(path)?;
    load(path)?
        .ok_or_else(|| PepperError::Unreadable { path: path.into(), error: io::ErrorKind::NotFound.into() })
}

/// The pepper in the file at `path`; none if there is no such file.
///
/// # Errors
/// [`PepperError`] says what is wrong with the file, and what to do.
pub fn load(path: &Path) -> Result<Option<Pepper>, PepperError> {
    let unreadable = |error| PepperError::Unreadable { path: path.into(), error };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(PepperError::Open { path: path.into(), mode });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH + 1));
    file.take(LENGTH as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let key: Result<[u8; LENGTH], _> = bytes.as_slice().try_into();
    match key {
        Ok(key) => Ok(Some(Pepper::new(key))),
        Err(_) => Err(PepperError::Length { path: path.into(), length: bytes.len() }),
    }
}

/// Makes the file, unless somebody else has by now.
fn create(path: &Path) -> Result<(), PepperError> {
    let key = random()?;
    let mine = own_name(path)?;
    let made = write(&mine, &key).and_then(|()| match fs::hard_link(&mine, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let _ = fs::remove_file(&mine);
    made.and_then(|()| sync_folder(path))
        .map_err(|error| PepperError::Unwritable { path: path.into(), error })
}

fn random() -> Result<Zeroizing<[u8; LENGTH]>, PepperError> {
    let mut key = Zeroizing::new([0; LENGTH]);
    getrandom::fill(&mut *key).map_err(PepperError::Random)?;
    Ok(key)
}

/// A name beside `path` that nobody else uses.
fn own_name(path: &Path) -> Result<PathBuf, PepperError> {
    let random = getrandom::u64().map_err(PepperError::Random)?;
    Ok(beside(path, &format!("{random:016x}")))
}

fn write(path: &Path, key: &[u8; LENGTH]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key)?;
    file.sync_all()
}

/// A PIN that is stored must not outlive the name of its pepper at a power loss.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_first_start_makes_one_that_later_ones_find() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hotdesk.pepper");
        let first = load_or_create(&path).unwrap();
        assert_eq!(load_or_create(&path).unwrap().name(), first.name());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(&path).unwrap().len(), 64);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let other = load_or_create(&folder.path().join("other")).unwrap();
        assert_ne!(other.name(), first.name());
    }

    #[test]
    fn all_who_start_at_once_end_with_the_same_one() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("hotdesk.pepper");
            let start = std::sync::Barrier::new(8);
            let names: BTreeSet<String> = std::thread::scope(|scope| {
                let starting = (0..8).map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        load_or_create(&path).unwrap().name().to_owned()
                    })
                });
                let starting: Vec<_> = starting.collect();
                starting.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(names.len(), 1);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
        }
    }

    #[test]
    fn a_file_that_is_no_pepper_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hotdesk.pepper");
        for length in [0, 63, 65, 1000] {
            let _ = fs::remove_file(&path);
            write(&path, &[7; LENGTH]).unwrap();
            fs::write(&path, vec![7; length]).unwrap();
            let error = load_or_create(&path).unwrap_err();
            assert!(matches!(error, PepperError::Length { length: found, .. } if found == length.min(65)));
            assert_eq!(fs::read(&path).unwrap().len(), length);
        }
    }

    #[test]
    fn a_pepper_that_others_may_read_is_refused_with_the_fix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hotdesk.pepper");
        load_or_create(&path).unwrap();
        for mode in [0o640, 0o604, 0o666] {
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let error = load_or_create(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("mode {mode:o}")) && error.contains("chmod 600 "), "{error}");
        }
    }

    #[test]
    fn one_that_is_made_current_leaves_the_one_before_where_it_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hotdesk.pepper");
        let first = load_or_create(&path).unwrap().name().to_owned();
        let mut names = vec![first.clone()];
        for _ in 0..2 {
            let next = add(&path).unwrap();
            let known = all(&path).unwrap();
            assert!(known.current.name() != next && known.named(&next).is_some());
            promote(&path, &next).unwrap();
            assert_eq!(load_or_create(&path).unwrap().name(), next);
            names.push(next);
        }
        // A copy under another name, and what is no pepper, are none of ours.
        fs::copy(&path, folder.path().join("hotdesk.pepper.bak")).unwrap();
        fs::copy(&path, folder.path().join("hotdesk.pepper.0123456789abcdef")).unwrap();
        fs::write(folder.path().join("hotdesk.pepper.fedcba9876543210"), "x").unwrap();
        fs::set_permissions(
            folder.path().join("hotdesk.pepper.fedcba9876543210"),
            PermissionsExt::from_mode(0o600),
        )
        .unwrap();
        let known = all(&path).unwrap();
        names.sort_unstable();
        assert_eq!(known.others.iter().map(|pepper| pepper.name().to_owned()).collect::<Vec<_>>(), names);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1 + names.len() + 3, "nothing is left over");
        assert!(promote(&path, "0123456789abcdef").is_err());
        fs::set_permissions(beside(&path, &first), PermissionsExt::from_mode(0o644)).unwrap();
        assert!(all(&path).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = load_or_create(Path::new("/nonexistent/hotdesk.pepper")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/hotdesk.pepper cannot be made"), "{error}");
    }
}
