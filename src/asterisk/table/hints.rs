//! BLFs as hints of the dialplan.
//!
//! The pattern of `hotdesk.conf` reads the rows. When a phone begins to watch an extension, Asterisk makes a hint for this
//! extension from the pattern. The text of that hint does not change, so Hotdesk replaces it at each change. Hotdesk makes no
//! hint for an extension that no phone watches: Asterisk searches all its hints when one is added or replaced. With 10,000
//! hints a login would cost many times as much as with 100.
//!
//! `HINT()` distinguishes the two: for the pattern it returns the text in the file, for a hint of one extension the resulting
//! text (16.28 and 22.10). `ExtensionState` would make a hint. A phone that begins to watch between the query and the write
//! gets the row from before; the comparison of the whole table corrects that within a minute.

use super::rows::{self, HINTS};
use crate::asterisk::ami::codec::{Action, Message};
use crate::asterisk::namespace::Namespace;
use crate::model::desired::{About, Edit, Key};
use crate::switch::SwitchError;

/// A string that only the text of a pattern contains.
const PATTERN: &str = "${";

/// Asks for the hint of a BLF; `None` if it is not a BLF. `HINT()` does not find a device with an `@` in its name.
pub(in crate::asterisk) fn ask(space: &Namespace, about: &About) -> Option<Action> {
    let key = key(space, about)?;
    Some(Action::new("Getvar").with("Variable", format!("HINT({})", key.name)))
}

/// The text of a hint for one extension; `None` if the pattern answered.
///
/// # Errors
/// [`SwitchError::Refused`] when Hotdesk's user may not ask.
pub(in crate::asterisk) fn answer(response: &Message) -> Result<Option<&str>, SwitchError> {
    if !response.is_success() {
        let why = response.header("Message").unwrap_or("no reason given");
        return Err(SwitchError::Refused("Getvar".into(), why.into()));
    }
    let hint = response.header("Value").unwrap_or_default();
    Ok(Some(hint).filter(|hint| !hint.contains(PATTERN)))
}

/// The hint of a BLF of the tenant, as `ExtensionStateList` lists it.
pub(in crate::asterisk) fn listed(space: &Namespace, event: &Message) -> Option<(Key, String)> {
    let about = rows::read_extension(event.header("Exten")?)?;
    let hint = event.header("Hint")?.to_owned();
    (event.header("Context")? == space.hints()).then(|| Some((key(space, &about)?, hint)))?
}

/// The key of the hint of a BLF.
pub(in crate::asterisk) fn key(space: &Namespace, about: &About) -> Option<Key> {
    let name = format!("{}@{}", rows::extension(about)?, space.hints());
    Some(Key { about: about.clone(), part: HINTS, name })
}

/// The action that repairs a hint. Hotdesk never removes a hint: that would end its watchers' subscriptions.
pub(in crate::asterisk) fn change(space: &Namespace, edit: &Edit) -> Option<Action> {
    Some(
        Action::new("DialplanExtensionAdd")
            .with("Context", space.hints())
            .with("Extension", rows::extension(&edit.key.about)?)
            .with("Priority", "hint")
            .with("Application", edit.is.as_deref().unwrap_or(rows::NOWHERE))
            .with("Replace", "yes"),
    )
}
