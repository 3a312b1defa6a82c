//! The pepper: 64 random bytes in a separate file. Without it the PIN records of a store are useless.
//!
//! It is made at the first start, and never while PINs exist. Two processes that start at the same time get the same pepper: each writes a
//! temporary file and links it to the name, which only the first can.
//!
//! Each `PepperError` says what is wrong with which file, and what to do.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::model::command::Reads;
use crate::model::id::TenantId;
use crate::model::login::pin::Pepper;
use crate::model::login::token::Token;
use crate::store::files::{self, folder};
use crate::store::{Store, StoreError};

const LENGTH: usize = 64;

/// The current pepper, and others that records may still name. Those are in files beside it, with the pepper's name:
/// `hotdesk.pepper.0123456789abcdef`.
#[derive(Clone, Debug)]
pub struct Peppers {
    /// The pepper for new records.
    pub current: Pepper,
    /// The peppers of older records.
    pub others: Vec<Pepper>,
}

impl Peppers {
    /// The pepper with this name.
    pub fn named(&self, name: &str) -> Option<&Pepper> {
        self.all().find(|pepper| pepper.name() == name)
    }

    /// The pepper with whose token a dialplan was printed.
    pub fn of_token(&self, token: &str) -> Option<&Pepper> {
        self.all().find(|pepper| Token::of(pepper).is(token))
    }

    /// The current one, then the others.
    pub fn all(&self) -> impl Iterator<Item = &Pepper> {
        std::iter::once(&self.current).chain(&self.others)
    }
}

impl From<Pepper> for Peppers {
    fn from(current: Pepper) -> Self {
        Self { current, others: vec![] }
    }
}

/// All peppers at `path`.
pub(crate) fn all(path: &Path) -> Result<Peppers, PepperError> {
    let current = load(path)?.ok_or_else(|| PepperError::Missing(path.into()))?;
    Ok(Peppers { current, others: others(path)? })
}

/// The pepper at `path`; none if there is no such file yet, and no user of these tenants has a PIN. A PIN that was made with a
/// lost pepper could never be right again, and would lock its user out.
pub(crate) async fn found(
    path: &Path,
    store: &dyn Store,
    tenants: impl IntoIterator<Item = &TenantId>,
) -> Result<Option<Pepper>, PepperError> {
    if let Some(pepper) = load(path)? {
        return Ok(Some(pepper));
    }
    let mut pins = 0;
    for tenant in tenants.into_iter().collect::<BTreeSet<_>>() {
        pins += store.load(tenant, &Reads::pins()).await?.pins.len();
    }
    match (pins, load(path)?) {
        (0, pepper) => Ok(pepper),
        // Another process may have made it and the first PIN in the meantime.
        (_, Some(pepper)) => Ok(Some(pepper)),
        (_, None) => Err(PepperError::Lost(path.into(), pins, instead(&others(path)?))),
    }
}

/// The same; made if there is none.
pub(crate) async fn of_store(
    path: &Path,
    store: &dyn Store,
    tenants: impl IntoIterator<Item = &TenantId>,
) -> Result<Pepper, PepperError> {
    match found(path, store, tenants).await? {
        Some(pepper) => Ok(pepper),
        None => load_or_create(path),
    }
}

/// What to do without a copy of the pepper.
fn instead(others: &[Pepper]) -> String {
    if others.is_empty() {
        return "If there is none, run hotdesk pepper rotate; then each of these users needs a new PIN"
            .into();
    }
    let names: Vec<&str> = others.iter().map(Pepper::name).collect();
    format!("Without it, run hotdesk pepper rotate NAME with one of those beside it: {}", names.join(", "))
}

/// The other peppers beside the one at `path`.
pub(crate) fn others(path: &Path) -> Result<Vec<Pepper>, PepperError> {
    let unreadable = |error| PepperError::Unreadable(path.into(), error);
    let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut others = vec![];
    for entry in fs::read_dir(folder(path)).map_err(unreadable)? {
        let beside = entry.map_err(unreadable)?.path();
        let name = beside.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = name.strip_prefix(&own).and_then(|name| name.strip_prefix('.'));
        let is_name = |name: &&str| name.len() == 16 && name.bytes().all(|b| b.is_ascii_hexdigit());
        let Some(name) = name.filter(is_name) else { continue };
        match load(&beside) {
            Ok(Some(pepper)) if pepper.name() == name => others.push(pepper),
            // A file that is being made, or not a pepper.
            Ok(_) | Err(PepperError::Length(..)) => {}
            Err(error) => return Err(error),
        }
    }
    others.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(others)
}

/// Makes a new pepper beside the one at `path`, which can become the current one later. Returns its name.
pub(crate) fn add(path: &Path) -> Result<String, PepperError> {
    let key = random()?;
    let name = Pepper::new(*key).name().to_owned();
    let file = beside(path, &name);
    write(&file, &key).and_then(|()| sync_folder(&file)).map_err(|e| PepperError::Unwritable(file, e))?;
    Ok(name)
}

fn missing() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "there is no such file")
}

/// Makes the pepper with this name, beside the one at `path`, the current one. The old pepper is kept beside it. On an
/// error the current pepper is unchanged.
pub(crate) fn promote(path: &Path, name: &str) -> Result<(), PepperError> {
    let next = beside(path, name);
    if load(&next)?.is_none_or(|pepper| pepper.name() != name) {
        return Err(PepperError::Unreadable(next, missing()));
    }
    let was = load(path)?;
    let mine = own_name(path)?;
    // Both must have their names, whatever happens next.
    was.map_or(Ok(()), |was| link_once(path, &beside(path, was.name())))
        .and_then(|()| sync_folder(path))
        .and_then(|()| fs::hard_link(&next, &mine))
        .and_then(|()| fs::rename(&mine, path))
        .and_then(|()| sync_folder(path))
        .map_err(|error| PepperError::Unwritable(path.into(), error))
}

/// The path of the pepper with this name while it is not the current one.
pub(crate) fn beside(path: &Path, name: &str) -> PathBuf {
    let mut file = path.file_name().unwrap_or_default().to_owned();
    file.push(format!(".{name}"));
    path.with_file_name(file)
}

/// Why a pepper cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PepperError {
    /// The file is not a pepper. Hotdesk never replaces it: every PIN would be lost.
    /// The number of bytes is 65 for a longer file.
    #[error(
        "the pepper file {0} is not a pepper of Hotdesk: it holds {1} bytes, not 64 (an editor changes such a file). Restore your copy; \
         if there is none, move it away, and every user needs a new PIN"
    )]
    Length(PathBuf, usize),
    /// Other users can read or change the file, by these permissions.
    #[error("the pepper file {0} is open to others (mode {1:03o}): chmod 600 {0}")]
    Open(PathBuf, u32),
    /// There is no file, but PINs of so many users exist; and what to do without a copy of the file.
    #[error("the pepper file {0} is missing, but PINs exist (users: {1}): restore your copy. {2}")]
    Lost(PathBuf, usize, String),
    #[error("the pepper file {0} is missing: restore your copy")]
    Missing(PathBuf),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no random bytes for a new pepper: {0}")]
    Random(getrandom::Error),
    #[error("the pepper file {0} cannot be read: {1}")]
    Unreadable(PathBuf, io::Error),
    /// There is no file, and none can be made.
    #[error("the pepper file {0} cannot be made: {1}. Create its folder, and let Hotdesk write there")]
    Unwritable(PathBuf, io::Error),
}

/// The pepper in the file at `path`, made if there is no such file.
fn load_or_create(path: &Path) -> Result<Pepper, PepperError> {
    if let Some(pepper) = load(path)? {
        return Ok(pepper);
    }
    create(path)?;
    load(path)?.ok_or_else(|| PepperError::Unreadable(path.into(), missing()))
}

/// The pepper in the file at `path`; none if there is no such file.
pub(crate) fn load(path: &Path) -> Result<Option<Pepper>, PepperError> {
    let unreadable = |error| PepperError::Unreadable(path.into(), error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(PepperError::Open(path.into(), mode));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH + 1));
    file.take(LENGTH as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let key: Result<[u8; LENGTH], _> = bytes.as_slice().try_into();
    match key {
        Ok(key) => Ok(Some(Pepper::new(key))),
        Err(_) => Err(PepperError::Length(path.into(), bytes.len())),
    }
}

/// Makes the file, unless another process has made it in the meantime.
fn create(path: &Path) -> Result<(), PepperError> {
    let key = random()?;
    let mine = own_name(path)?;
    let made = write(&mine, &key).and_then(|()| link_once(&mine, path));
    let _ = fs::remove_file(&mine);
    made.and_then(|()| sync_folder(path)).map_err(|error| PepperError::Unwritable(path.into(), error))
}

/// Links `path` to the name `to`, unless there is a file of that name.
fn link_once(path: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(path, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

fn random() -> Result<Zeroizing<[u8; LENGTH]>, PepperError> {
    let mut key = Zeroizing::new([0; LENGTH]);
    getrandom::fill(&mut *key).map_err(PepperError::Random)?;
    Ok(key)
}

/// A temporary name beside `path` that no other process uses.
fn own_name(path: &Path) -> Result<PathBuf, PepperError> {
    let random = getrandom::u64().map_err(PepperError::Random)?;
    Ok(beside(path, &format!("{random:016x}")))
}

fn write(path: &Path, key: &[u8; LENGTH]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    files::like(&file, folder(path));
    file.write_all(key)?;
    file.sync_all()
}

/// A stored PIN must not outlive the name of its pepper at a power loss.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_a_pepper_is_refused_and_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hotdesk.pepper");
        for length in [0, 63, 65, 1000] {
            let _ = fs::remove_file(&path);
            write(&path, &[7; LENGTH]).unwrap();
            fs::write(&path, vec![7; length]).unwrap();
            let error = load_or_create(&path).unwrap_err();
            assert!(matches!(error, PepperError::Length(_, found) if found == length.min(65)));
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
    fn a_new_current_pepper_keeps_the_old_one_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hotdesk.pepper");
        let first = load_or_create(&path).unwrap().name().to_owned();
        let next = add(&path).unwrap();
        let known = all(&path).unwrap();
        assert!(known.current.name() != next && known.named(&next).is_some());
        promote(&path, &next).unwrap();
        assert_eq!(load_or_create(&path).unwrap().name(), next);
        let mut names = vec![first.clone(), next];
        // A copy under another name and a file without a pepper are not read.
        fs::copy(&path, folder.path().join("hotdesk.pepper.bak")).unwrap();
        fs::copy(&path, folder.path().join("hotdesk.pepper.0123456789abcdef")).unwrap();
        let other = folder.path().join("hotdesk.pepper.fedcba9876543210");
        fs::write(&other, "x").unwrap();
        fs::set_permissions(&other, PermissionsExt::from_mode(0o600)).unwrap();
        let known = all(&path).unwrap();
        names.sort_unstable();
        assert_eq!(known.others.iter().map(|pepper| pepper.name().to_owned()).collect::<Vec<_>>(), names);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1 + names.len() + 3, "nothing is left over");
        assert!(promote(&path, "0123456789abcdef").is_err());
        fs::set_permissions(beside(&path, &first), PermissionsExt::from_mode(0o644)).unwrap();
        assert!(all(&path).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = load_or_create(Path::new("/nonexistent/hotdesk.pepper")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/hotdesk.pepper cannot be made"), "{error}");
    }
}
