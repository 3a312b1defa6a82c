//! AstDB over the manager interface, a value at a time.

use super::ami::Action;
use super::manager::Manager;
use crate::switch::SwitchError;

/// `DBGet` of Asterisk 16.28 cuts a value here; `DBGetTree`, which reads every key there is, does not.
const DBGET_LIMIT: usize = 255;

/// What stands at `key` of `family`, if there is such a key.
pub(super) async fn get(manager: &Manager, family: &str, key: &str) -> Result<Option<String>, SwitchError> {
    let found = match manager.list(Action::new("DBGet").with("Family", family).with("Key", key)).await {
        Ok(found) => found,
        Err(SwitchError::Refused(_, why)) if why == "Database entry not found" => return Ok(None),
        Err(error) => return Err(error),
    };
    let value = found.iter().find_map(|row| row.header("Val")).unwrap_or_default();
    if value.len() < DBGET_LIMIT {
        return Ok(Some(value.into()));
    }
    let tree = manager.list(Action::new("DBGetTree").with("Family", family).with("Key", key)).await?;
    let place = format!("/{family}/{key}");
    let whole = tree.iter().find(|row| row.header("Key") == Some(&place));
    Ok(whole.map(|row| row.header("Val").unwrap_or_default().into()))
}
