//! A file of a switch's configuration that `hotdesk init` reads and changes. Bytes that are not changed stay as they are.

use std::fs;
use std::path::{Path, PathBuf};

/// The largest file in bytes.
const MOST: u64 = 4 * 1024 * 1024;

/// Why a file cannot be read for certain, so that nothing is changed in it.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {why}", path.display(), line.map_or_else(String::new, |line| format!(" line {line}")))]
pub struct NotReadable {
    path: PathBuf,
    line: Option<usize>,
    why: String,
}

impl NotReadable {
    /// A reason that concerns the whole file.
    pub fn file(path: &Path, why: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, why: why.into() }
    }

    /// A reason that concerns a line; the first is 1.
    pub fn line(path: &Path, line: usize, why: impl Into<String>) -> Self {
        Self { path: path.into(), line: Some(line), why: why.into() }
    }
}

/// Why a site cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum CannotChange {
    /// A file cannot be read for certain.
    #[error(transparent)]
    NotReadable(#[from] NotReadable),
    /// The site has something that is not supported.
    #[error("{0}")]
    NotSupported(String),
}

impl CannotChange {
    /// The site has this, which is not supported.
    ///
    /// # Errors
    /// Always this one.
    pub fn unsupported<T>(why: String) -> Result<T, Self> {
        Err(Self::NotSupported(why))
    }
}

/// A file before and after the changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changed {
    /// Where it is.
    pub path: PathBuf,
    /// As it is now.
    pub before: String,
    /// As it is to become.
    pub after: String,
}

/// The text of a file.
///
/// # Errors
/// [`NotReadable`], if it is not there, too large, or not in UTF-8.
pub fn read(path: &Path) -> Result<String, NotReadable> {
    let bad = |why: &str| NotReadable::file(path, why);
    let size = fs::metadata(path).map_err(|error| bad(&error.to_string()))?.len();
    if size > MOST {
        return Err(bad("it is larger than 4 MiB"));
    }
    let bytes = fs::read(path).map_err(|error| bad(&error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| bad("it is not in UTF-8: convert it, for example with iconv"))
}

/// The files of this name in a folder, which may have `*` in its last part, sorted.
#[must_use]
pub fn named(folder: &Path, name: &str) -> Vec<PathBuf> {
    let path = folder.join(name);
    let last = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
    let Some((before, after)) = last.split_once('*') else {
        return if path.exists() { vec![path] } else { vec![] };
    };
    let files = path.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let fits = |path: &PathBuf| {
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
    };
    let mut found: Vec<PathBuf> = files.map(|file| file.path()).filter(fits).collect();
    found.sort();
    found
}
