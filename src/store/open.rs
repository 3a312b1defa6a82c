//! From the configured URL to a store.

use std::path::Path;
use std::sync::Arc;

use super::{Redis, Sqlite, Store, StoreError};

/// Opens the store that `url` names: `sqlite:` and a file, relative to `base`, or `redis://` or `rediss://` and a
/// host. A Redis need not be up now.
///
/// # Errors
/// [`StoreError`] when `url` is neither, or the file cannot be used. A password in it is never repeated.
pub async fn open(url: &str, base: &Path) -> Result<Arc<dyn Store>, StoreError> {
    if let Some(file) = url.strip_prefix("sqlite:").filter(|file| !file.is_empty()) {
        return Ok(Arc::new(Sqlite::open(base.join(file)).await?));
    }
    if url.starts_with("redis://") || url.starts_with("rediss://") {
        return Ok(Arc::new(Redis::open(url)?));
    }
    let kind: String = url.chars().take_while(char::is_ascii_alphanumeric).take(20).collect();
    Err(StoreError::Broken(
        format!("{kind}:…"),
        "its url is none that hotdesk knows; write sqlite:hotdesk.db or redis://host:6379/0".into(),
    ))
}
