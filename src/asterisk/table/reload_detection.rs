//! Which events mean that what Asterisk holds may differ from what was last seen.

use std::collections::HashMap;

use crate::asterisk::ami::codec::Message;

/// Extensions whose lamp's state is remembered.
const KNOWN: usize = 50_000;

/// What was last said of each extension's lamp.
///
/// `core reload` and `module reload` are announced by an event. `dialplan reload` is not (Asterisk 16 and 22): its only
/// sign is that each hint that is left tells its state again, *unchanged*, while calls tell only what changed.
#[derive(Debug, Default)]
pub(in crate::asterisk) struct Doubt {
    lamps: HashMap<String, String>,
}

impl Doubt {
    /// Whether `event` is such a sign.
    pub(in crate::asterisk) fn cast_by(&mut self, event: &Message) -> bool {
        match event.event() {
            Some("FullyBooted" | "Reload") => true,
            Some("ExtensionStatus") => self.repeats(event),
            _ => false,
        }
    }

    /// Whether a lamp's state is what it was. One that was never heard of is a new hint, most likely our own.
    fn repeats(&mut self, event: &Message) -> bool {
        let part = |name| event.header(name).unwrap_or_default();
        if self.lamps.len() >= KNOWN {
            self.lamps.clear();
        }
        let state = format!("{} {}", part("Status"), part("Hint"));
        let before = self.lamps.insert(format!("{}@{}", part("Exten"), part("Context")), state.clone());
        // A phone that rings for a second call tells so again.
        before.is_some_and(|before| before == state) && !part("StatusText").contains("Ringing")
    }
}
