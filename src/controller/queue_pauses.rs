//! Pauses that members set in a switch's queues without Hotdesk (a key of the queue's own, a wallboard). They are not
//! repaired but written to the store, so they last over a login elsewhere and a logout.

use std::collections::BTreeMap;

use crate::model::desired::{About, Edit, Key, Reading, Records, Subjects};
use crate::switch::{Pause, Switch};

/// The member records on which the store and the switch agreed last. If the store has not changed since and the
/// switch has, the switch's record is newer. Otherwise the store's record is.
#[derive(Debug, Default)]
pub(super) struct Pauses(BTreeMap<Key, String>);

/// A pause that is newer in the switch.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) pause: Pause,
    pub(super) key: Key,
    holds: String,
}

impl Pauses {
    /// Takes the pauses that are newer in the switch out of `edits`.
    pub(super) fn taken(&self, edits: &mut Vec<Edit>, switch: &dyn Switch) -> Vec<Taken> {
        let newer = |edit: &Edit| {
            let agreed = self.0.get(&edit.key)?;
            let pause = switch.pause_in(edit)?;
            let holds = edit.was.clone()?;
            (edit.is.as_ref() == Some(agreed)).then(|| Taken { pause, key: edit.key.clone(), holds })
        };
        let mut taken = vec![];
        edits.retain(|edit| {
            let pause = newer(edit);
            let stays = pause.is_none();
            taken.extend(pause);
            stays
        });
        taken
    }

    /// Forgets these records until both agree again.
    pub(super) fn doubt(&mut self, edits: &[Edit]) {
        for edit in edits {
            self.0.remove(&edit.key);
        }
    }

    /// The switch holds the desired records of `subjects`, as far as they could be read.
    pub(super) fn agree(&mut self, subjects: &Subjects, wanted: &Records, reading: &Reading) {
        self.0.retain(|key, _| !subjects.contains(&key.about));
        let is_member = |key: &Key| !key.part.needed || matches!(key.about, About::Member(..));
        let members = wanted.iter().filter(|(key, _)| is_member(key) && reading.not_read(key).is_none());
        self.0.extend(members.map(|(key, value)| (key.clone(), value.clone())));
    }

    pub(super) fn agree_on(&mut self, Taken { key, holds, .. }: Taken) {
        self.0.insert(key, holds);
    }
}
