//! AstDB over the manager interface, a value at a time.

use crate::asterisk::ami::client::Manager;
use crate::asterisk::ami::codec::{Action, Message};
use crate::switch::SwitchError;

/// `DBGet` of Asterisk 16.28 cuts a value here; `DBGetTree`, which reads every key there is, does not.
const DBGET_LIMIT: usize = 255;

/// The value at `key` of `family`, if there is such a key.
pub(in crate::asterisk) async fn get(
    manager: &Manager,
    family: &str,
    key: &str,
) -> Result<Option<String>, SwitchError> {
    let found = manager.list(Action::new("DBGet").with("Family", family).with("Key", key)).await;
    let Some(found) = self::found(found)? else { return Ok(None) };
    let value = found.iter().find_map(|row| row.header("Val")).unwrap_or_default();
    if value.len() < DBGET_LIMIT {
        return Ok(Some(value.into()));
    }
    let tree = manager.list(Action::new("DBGetTree").with("Family", family).with("Key", key)).await?;
    let place = format!("/{family}/{key}");
    let whole = tree.iter().find(|row| row.header("Key") == Some(&place));
    Ok(whole.map(|row| row.header("Val").unwrap_or_default().into()))
}

/// What AstDB found, or none where it has no such key or family.
pub(in crate::asterisk) fn found(
    answer: Result<Vec<Message>, SwitchError>,
) -> Result<Option<Vec<Message>>, SwitchError> {
    match answer {
        Err(SwitchError::Refused(_, why)) if why == "Database entry not found" => Ok(None),
        found => found.map(Some),
    }
}
