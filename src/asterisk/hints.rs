//! Lamps as hints of the dialplan.
//!
//! The pattern of `hotdesk.conf` reads the rows. When somebody begins to watch an extension, Asterisk makes a hint for just that
//! one from it, whose text stays as the pattern gave it then: from then on it must be replaced at each change. An extension
//! that nobody watches needs no hint of its own, and has none if we can help it: Asterisk goes through all hints it has
//! when one is added or replaced, so that 10,000 of them would make a login cost many times what it costs with 100.
//!
//! So it is asked first, by `HINT()`, which tells them apart and makes none, as `ExtensionState` would: it has the text of the
//! pattern as it stands in the file, and of a hint of its own what became of it (seen on 16.28 and 22.10).

use super::ami::{Action, Message};
use super::rows;
use super::space::Space;
use crate::desk::id::Revision;
use crate::desk::table::{DeviceRow, Edit, Key, Lamp, ProfileRow, Row, Table};
use crate::switch::SwitchError;

/// What only the text of a pattern has in it.
const PATTERN: &str = "${";

/// Asks which hint stands at the extension of a lamp; none for what is no lamp. The name of a device with an `@` in it
/// `HINT()` does not find; such a lamp is written whether it differs or not.
pub(super) fn ask(space: &Space, key: &Key) -> Option<Action> {
    let extension = rows::extension(key)?;
    Some(Action::new("Getvar").with("Variable", format!("HINT({extension}@{})", space.hints())))
}

/// The text of a hint that stands for the very extension asked about; none, where the pattern does.
///
/// # Errors
/// [`SwitchError::Refused`] when our user may not ask.
pub(super) fn answer(response: &Message) -> Result<Option<&str>, SwitchError> {
    if !response.is_success() {
        let why = response.header("Message").unwrap_or("no reason given");
        return Err(SwitchError::Refused("Getvar".into(), why.into()));
    }
    Ok(Some(response.header("Value").unwrap_or_default()).filter(|hint| !hint.contains(PATTERN)))
}

/// A hint that stands for the very extension of a lamp of ours, as `ExtensionStateList` tells of it, and its text.
pub(super) fn listed(space: &Space, event: &Message) -> Option<(Key, String)> {
    let key = rows::read_extension(event.header("Exten")?)?;
    let hint = event.header("Hint")?.to_owned();
    (event.header("Context")? == space.hints()).then_some((key, hint))
}

/// What makes a lamp be as it should. Its hint is replaced, never removed: that would end its watchers' subscriptions.
pub(super) fn change(space: &Space, edit: &Edit) -> Option<Action> {
    let lamp = match &edit.is {
        Some(Row::Lamp(lamp)) => Some(lamp),
        _ => None,
    };
    Some(
        Action::new("DialplanExtensionAdd")
            .with("Context", space.hints())
            .with("Extension", rows::extension(&edit.key)?)
            .with("Priority", "hint")
            .with("Application", rows::hint(lamp))
            .with("Replace", "yes"),
    )
}

/// Adds the lamps of these rows to them: as the pattern gives them, but for those that have a hint of their own, which are
/// as that says.
pub(super) fn light(table: &mut Table, own: Vec<(Key, String)>) {
    let lamps: Vec<(Key, Row)> = table.iter().filter_map(|(key, row)| by_pattern(table, key, row)).collect();
    table.extend(lamps);
    for (key, hint) in own {
        table.remove(&key);
        table.extend(rows::read_hint(&hint).map(|row| (key, row)));
    }
}

/// The lamp of a row, by the pattern; none, if it is dark.
fn by_pattern(table: &Table, key: &Key, row: &Row) -> Option<(Key, Row)> {
    let (key, lamp) = match (key, row) {
        (Key::Device(device), Row::Device(DeviceRow { revision, .. })) if *revision > Revision(0) => {
            (Key::Seat(device.clone()), Lamp::LIT)
        }
        (Key::User(user), Row::User(row)) => {
            let lamp = match table.get(&Key::Profile(user.clone())) {
                Some(Row::Profile(ProfileRow { lamp: Some(lamp), .. })) => lamp.clone(),
                _ => Lamp::of(row.dial.clone()?),
            };
            (Key::Lamp(user.clone()), lamp)
        }
        _ => return None,
    };
    (lamp != Lamp::DARK).then_some((key, Row::Lamp(lamp)))
}
