//! The move: the one act that changes who sits where.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{CallId, DeviceName, Extension, RequestId, Revision, TenantId};
use super::journal::Actor;
use super::model::{Binding, Office};
use super::table::Scope;

/// One act on who sits where, done whole or not at all, and once however often it is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Move {
    /// Asking again with the same id changes nothing and returns what the first time did.
    pub request: RequestId,
    /// Whose people and phones.
    pub tenant: TenantId,
    /// What is done.
    pub act: Act,
    /// Who wants it, for the journal.
    pub by: Actor,
    /// The call in which it was asked for, for the journal.
    pub call: Option<CallId>,
    /// When.
    pub at: Timestamp,
}

/// What a [`Move`] does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Act {
    /// Whoever sits here leaves.
    Clear(DeviceName),
    /// This user leaves this device; somebody else who sits there by now stays.
    Leave(Extension, DeviceName),
    /// This user leaves wherever he sits.
    LeaveAll(Extension),
    /// The user sits down at the device; who sat there leaves, and he leaves where he sat. A user who sits there
    /// already stays, and nothing changes.
    Seat(Extension, DeviceName),
    /// Takes a transition back: [`Transition::inverse`].
    Undo {
        /// Leave again, unless something else happened to them since.
        seated: Vec<Binding>,
        /// Sit down again, where neither they nor the device are taken by now.
        removed: Vec<Binding>,
    },
}

/// An act names a user or device that does not exist: `user 101`, `device desk1`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no {0}")]
pub struct Missing(pub String);

impl Act {
    /// Whom and what it is about: what an [`Office`] must have been asked for to carry it out.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self {
            Self::Clear(device) => Scope::device(device),
            Self::Leave(user, device) | Self::Seat(user, device) => {
                Scope::user(user).and(Scope::device(device))
            }
            Self::LeaveAll(user) => Scope::user(user),
            Self::Undo { seated, removed } => {
                let both = || seated.iter().chain(removed);
                Scope::Some {
                    users: both().map(|binding| binding.user.clone()).collect(),
                    devices: both().map(|binding| binding.device.clone()).collect(),
                }
            }
        }
    }

    /// What it changes in `office`, which knows its [`scope`](Act::scope).
    ///
    /// # Errors
    /// [`Missing`] when it names a user or device that is not there. What is taken back may be gone by now.
    pub fn transition(&self, office: &Office, at: Timestamp) -> Result<Transition, Missing> {
        let next = Revision(office.revision.0 + 1);
        let (mut removed, mut seated) = (vec![], vec![]);
        match self {
            Self::Clear(device) => {
                known_device(office, device)?;
                removed.extend(office.bindings.get(device).cloned());
            }
            Self::Leave(user, device) => {
                known_user(office, user)?;
                known_device(office, device)?;
                removed.extend(office.bindings.get(device).filter(|binding| binding.user == *user).cloned());
            }
            Self::LeaveAll(user) => {
                known_user(office, user)?;
                removed.extend(office.binding_of(user).cloned());
            }
            Self::Seat(user, device) => {
                known_user(office, user)?;
                known_device(office, device)?;
                let (was, here) = (office.binding_of(user), office.bindings.get(device));
                if here.is_none_or(|binding| binding.user != *user) {
                    removed.extend(was.into_iter().chain(here).cloned());
                    let (user, device) = (user.clone(), device.clone());
                    seated.push(Binding { user, device, since: at, revision: next });
                }
            }
            Self::Undo { seated: leave, removed: back } => {
                let mut now = office.clone();
                for binding in
                    leave.iter().filter(|binding| same(office.bindings.get(&binding.device), binding))
                {
                    removed.extend(now.bindings.remove(&binding.device));
                }
                for binding in back {
                    if may_sit(&now, binding) {
                        let binding = Binding { revision: next, ..binding.clone() };
                        now.bindings.insert(binding.device.clone(), binding.clone());
                        seated.push(binding);
                    }
                }
            }
        }
        let changed = !(removed.is_empty() && seated.is_empty());
        let revision = if changed { next } else { office.revision };
        Ok(Transition { revision, removed, seated })
    }
}

fn known_user(office: &Office, user: &Extension) -> Result<(), Missing> {
    if office.users.contains_key(user) { Ok(()) } else { Err(Missing(format!("user {user}"))) }
}

fn known_device(office: &Office, device: &DeviceName) -> Result<(), Missing> {
    if office.devices.contains_key(device) { Ok(()) } else { Err(Missing(format!("device {device}"))) }
}

/// Whether `binding` is still the one that was made then, and not a later one of the same two.
fn same(current: Option<&Binding>, binding: &Binding) -> bool {
    current.is_some_and(|is| is.user == binding.user && is.revision == binding.revision)
}

/// Whether both are still there, still for hotdesking, and neither is taken.
fn may_sit(office: &Office, Binding { user, device, .. }: &Binding) -> bool {
    office.users.get(user).is_some_and(|user| user.hotdesk)
        && office.devices.get(device).is_some_and(|device| device.hotdesk)
        && office.binding_of(user).is_none()
        && !office.bindings.contains_key(device)
}

/// What a [`Move`] changed: who sat where before, who sits where now.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Transition {
    /// The state after it; the one before if nothing changed.
    pub revision: Revision,
    /// Bindings that are no more: of the user elsewhere, of somebody else at the device.
    pub removed: Vec<Binding>,
    /// Bindings that are new.
    pub seated: Vec<Binding>,
}

impl Transition {
    /// The act that takes it back.
    #[must_use]
    pub fn inverse(self) -> Act {
        Act::Undo { seated: self.seated, removed: self.removed }
    }

    /// Whether anything changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.seated.is_empty()
    }

    /// The users and devices whose rows may differ after it.
    #[must_use]
    pub fn touches(&self) -> Scope {
        Scope::of(self.removed.iter().chain(&self.seated))
    }

    /// Where the user who sat down sat before, if he did.
    #[must_use]
    pub fn moved_from(&self) -> Option<&DeviceName> {
        let seated = self.seated.first()?;
        let was = self.removed.iter().find(|was| was.user == seated.user)?;
        Some(&was.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::id::{DialTarget, SwitchName};
    use crate::desk::model::{Device, User};

    fn ext(extension: &str) -> Extension {
        Extension::new(extension).unwrap()
    }

    fn name(device: &str) -> DeviceName {
        DeviceName::new(device).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn binding(user: &str, device: &str, revision: u64) -> Binding {
        Binding { user: ext(user), device: name(device), since: at(0), revision: Revision(revision) }
    }

    /// Three users and three desks at revision 7.
    fn office(bindings: &[Binding]) -> Office {
        let mut office = Office { revision: Revision(7), ..Office::default() };
        for user in ["101", "102", "103"] {
            office.users.insert(ext(user), User::new(TenantId::default(), ext(user)));
        }
        for device in ["desk1", "desk2", "desk3"] {
            let device = Device {
                tenant: TenantId::default(),
                name: name(device),
                switch: SwitchName::new("pbx").unwrap(),
                dial: DialTarget::new(format!("PJSIP/{device}")).unwrap(),
                hotdesk: true,
                location: None,
                owner: None,
                allow_from: vec![],
            };
            office.devices.insert(device.name.clone(), device);
        }
        office.bindings = bindings.iter().map(|binding| (binding.device.clone(), binding.clone())).collect();
        office
    }

    fn undo(seated: &[Binding], removed: &[Binding]) -> Act {
        Act::Undo { seated: seated.to_vec(), removed: removed.to_vec() }
    }

    #[test]
    fn who_sits_down_leaves_where_he_was_and_whoever_was_here_leaves() {
        let (his, theirs) = (binding("101", "desk1", 3), binding("102", "desk2", 4));
        let office = office(&[his.clone(), theirs.clone()]);
        let moved = Act::Seat(ext("101"), name("desk2")).transition(&office, at(9)).unwrap();
        let now = Binding { since: at(9), ..binding("101", "desk2", 8) };
        assert_eq!(
            moved,
            Transition { revision: Revision(8), removed: vec![his, theirs], seated: vec![now] }
        );
        assert_eq!(moved.moved_from(), Some(&name("desk1")));
    }

    #[test]
    fn what_changes_nothing_keeps_the_revision() {
        let office = office(&[binding("101", "desk1", 3)]);
        for act in [
            Act::Seat(ext("101"), name("desk1")),
            Act::Leave(ext("102"), name("desk1")),
            Act::Leave(ext("101"), name("desk2")),
            Act::LeaveAll(ext("102")),
            Act::Clear(name("desk2")),
            undo(&[binding("101", "desk1", 2)], &[]),
            undo(&[], &[binding("102", "desk1", 2), binding("101", "desk3", 2)]),
            undo(&[], &[binding("999", "desk3", 2), binding("102", "desk9", 2)]),
        ] {
            let nothing = Transition { revision: Revision(7), ..Transition::default() };
            assert_eq!(act.transition(&office, at(9)), Ok(nothing), "{act:?}");
        }
    }

    #[test]
    fn an_undo_of_a_takeover_seats_both_again_as_they_were() {
        let (his, theirs, now) =
            (binding("101", "desk1", 3), binding("102", "desk2", 4), binding("101", "desk2", 7));
        let now = [now];
        let act = undo(&now, &[his.clone(), theirs.clone()]);
        let undone = act.transition(&office(&now), at(9)).unwrap();
        let again = |binding: Binding| Binding { revision: Revision(8), ..binding };
        assert_eq!(undone.removed, now);
        assert_eq!(undone.seated, [again(his), again(theirs)]);
    }

    #[test]
    fn what_is_unknown_is_named_the_user_first() {
        let office = office(&[]);
        for (act, missing) in [
            (Act::Seat(ext("999"), name("desk9")), "there is no user 999"),
            (Act::Leave(ext("101"), name("desk9")), "there is no device desk9"),
            (Act::Clear(name("desk9")), "there is no device desk9"),
        ] {
            assert_eq!(
                act.transition(&office, at(9)).map_err(|missing| missing.to_string()),
                Err(missing.into())
            );
        }
    }

    #[test]
    fn an_act_is_about_all_whom_it_names() {
        let act = undo(&[binding("101", "desk2", 7)], &[binding("102", "desk1", 4)]);
        let users = [ext("101"), ext("102")].into();
        let devices = [name("desk1"), name("desk2")].into();
        assert_eq!(act.scope(), Scope::Some { users, devices });
    }
}
