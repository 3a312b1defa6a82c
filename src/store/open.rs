//! Opens the store at the configured URL.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Redis, Sqlite, Store, StoreError};

/// The file of the store at `url`, if it is one in a file.
pub fn file(url: &str, base: &Path) -> Option<PathBuf> {
    url.strip_prefix("sqlite:").filter(|file| !file.is_empty()).map(|file| base.join(file))
}

/// Opens the store at `url`: `sqlite:` and a file, relative to `base`, or `redis://` or `rediss://` and a host.
/// A Redis may be down.
///
/// # Errors
/// [`StoreError`] when `url` is neither, or the file cannot be used. It never contains the password.
pub async fn open(url: &str, base: &Path) -> Result<Arc<dyn Store>, StoreError> {
    if let Some(file) = file(url, base) {
        return Ok(Arc::new(Sqlite::open(file).await?));
    }
    if url.starts_with("redis://") || url.starts_with("rediss://") {
        return Ok(Arc::new(Redis::open(url)?));
    }
    let kind: String = url.chars().take_while(char::is_ascii_alphanumeric).take(20).collect();
    Err(StoreError::Broken(
        format!("{kind}:…"),
        "its url is unknown: write sqlite:hotdesk.db or redis://host:6379/0".into(),
    ))
}
