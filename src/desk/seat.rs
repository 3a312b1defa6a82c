//! The move: the one act that changes who sits where.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{CallId, DeviceName, Extension, RequestId, Revision, TenantId};
use super::journal::Actor;
use super::model::{Binding, Device, Office, User};
use super::policy::Refusal;
use super::rules::Seating;
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
    /// By which code, for the journal.
    pub code: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What a [`Move`] does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Act {
    /// Whoever sits here leaves.
    Clear(DeviceName),
    /// This binding ends by itself, unless something else happened to it since.
    Expire(Binding),
    /// This user leaves this device; somebody else who sits there by now stays.
    Leave(Extension, DeviceName),
    /// This user leaves wherever he sits.
    LeaveAll(Extension),
    /// The user sits down at the device; who sat there leaves, and he leaves where he sat, as far as the rules go. A
    /// user who sits there already stays, and nothing changes.
    Seat(Extension, DeviceName, Seating),
    /// Takes a transition back: [`Transition::inverse`].
    Undo {
        /// Leave again, unless something else happened to them since.
        seated: Vec<Binding>,
        /// Sit down again, where neither they nor the device are taken by now.
        removed: Vec<Binding>,
        /// At how many desks one may sit: [`Multi::most`](super::rules::Multi::most).
        most: usize,
    },
}

/// Why an act is not done.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Denied {
    /// It names a user or device that does not exist: `user 101`, `device desk1`.
    #[error("there is no {0}")]
    Missing(String),
    /// He may not sit down there.
    #[error("not done: {}", .0.code())]
    Refused(Refusal),
}

impl Act {
    /// Whom and what it is about: what an [`Office`] must have been asked for to carry it out.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self {
            Self::Clear(device) => Scope::device(device),
            Self::Leave(user, device) | Self::Seat(user, device, _) => {
                Scope::user(user).and(Scope::device(device))
            }
            Self::Expire(binding) => Scope::of(std::iter::once(binding)),
            Self::LeaveAll(user) => Scope::user(user),
            Self::Undo { seated, removed, .. } => {
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
    /// [`Denied`] when it names a user or device that is not there, or somebody may not sit down. What is taken back
    /// may be gone by now.
    pub fn transition(&self, office: &Office, at: Timestamp) -> Result<Transition, Denied> {
        let next = Revision(office.revision.0 + 1);
        let (mut removed, mut seated) = (vec![], vec![]);
        match self {
            Self::Clear(device) => {
                known_device(office, device)?;
                removed.extend(office.bindings.get(device).cloned());
            }
            Self::Expire(binding) => {
                removed.extend(
                    office.bindings.get(&binding.device).filter(|is| same(Some(is), binding)).cloned(),
                );
            }
            Self::Leave(user, device) => {
                known_user(office, user)?;
                known_device(office, device)?;
                removed.extend(office.bindings.get(device).filter(|binding| binding.user == *user).cloned());
            }
            Self::LeaveAll(user) => {
                known_user(office, user)?;
                removed.extend(office.bindings_of(user).cloned());
            }
            Self::Seat(user, device, rules) => {
                let (who, what) = (known_user(office, user)?, known_device(office, device)?);
                let here = office.bindings.get(device);
                if here.is_none_or(|binding| binding.user != *user) {
                    admit(who, what, here, *rules)?;
                    let leaves = rules.multi.leaves(office.bindings_of(user)).map_err(Denied::Refused)?;
                    removed.extend(leaves.into_iter().chain(here).cloned());
                    let (user, device) = (user.clone(), device.clone());
                    seated.push(Binding { user, device, since: at, revision: next });
                }
            }
            Self::Undo { seated: leave, removed: back, most } => {
                let mut now = office.clone();
                for binding in
                    leave.iter().filter(|binding| same(office.bindings.get(&binding.device), binding))
                {
                    removed.extend(now.bindings.remove(&binding.device));
                }
                for binding in back {
                    if may_sit(&now, binding, *most) {
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

fn known_user<'a>(office: &'a Office, user: &Extension) -> Result<&'a User, Denied> {
    office.users.get(user).ok_or_else(|| Denied::Missing(format!("user {user}")))
}

fn known_device<'a>(office: &'a Office, device: &DeviceName) -> Result<&'a Device, Denied> {
    office.devices.get(device).ok_or_else(|| Denied::Missing(format!("device {device}")))
}

/// Whether he may sit down where this one sits: an administrator may have said otherwise since his PIN was compared.
fn admit(user: &User, device: &Device, here: Option<&Binding>, rules: Seating) -> Result<(), Denied> {
    let refusal = if !user.hotdesk {
        Refusal::UserForbidden
    } else if !device.hotdesk {
        Refusal::DeviceForbidden
    } else if here.is_some() && !rules.take_over {
        Refusal::DeviceOccupied
    } else {
        return Ok(());
    };
    Err(Denied::Refused(refusal))
}

/// Whether `binding` is still the one that was made then, and not a later one of the same two.
fn same(current: Option<&Binding>, binding: &Binding) -> bool {
    current.is_some_and(|is| is.user == binding.user && is.revision == binding.revision)
}

/// Whether both are still there, still for hotdesking, and neither is taken by now.
fn may_sit(office: &Office, Binding { user, device, .. }: &Binding, most: usize) -> bool {
    office.users.get(user).is_some_and(|user| user.hotdesk)
        && office.devices.get(device).is_some_and(|device| device.hotdesk)
        && office.bindings_of(user).count() < most
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
    /// The act that takes it back, where one may sit at `most` desks now. Who sat at more before may so again.
    #[must_use]
    pub fn inverse(self, most: usize) -> Act {
        let left = |user: &Extension| self.removed.iter().filter(|was| was.user == *user).count();
        let before = self.removed.iter().map(|was| left(&was.user)).max().unwrap_or(0);
        Act::Undo { most: most.max(before), seated: self.seated, removed: self.removed }
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
    use std::num::NonZeroU8;

    use super::*;
    use crate::desk::id::{DialTarget, SwitchName};
    use crate::desk::rules::Multi;

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
            let (tenant, switch) = (TenantId::default(), SwitchName::default());
            let dial = DialTarget::new(format!("PJSIP/{device}")).unwrap();
            let device = Device::new(tenant, name(device), switch, dial);
            office.devices.insert(device.name.clone(), device);
        }
        office.bindings = bindings.iter().map(|binding| (binding.device.clone(), binding.clone())).collect();
        office
    }

    fn seat(user: Extension, device: DeviceName) -> Act {
        Act::Seat(user, device, Seating::default())
    }

    fn undo(seated: &[Binding], removed: &[Binding]) -> Act {
        Act::Undo { seated: seated.to_vec(), removed: removed.to_vec(), most: 1 }
    }

    #[test]
    fn who_sits_down_leaves_where_he_was_and_whoever_was_here_leaves() {
        let (his, theirs) = (binding("101", "desk1", 3), binding("102", "desk2", 4));
        let office = office(&[his.clone(), theirs.clone()]);
        let moved = seat(ext("101"), name("desk2")).transition(&office, at(9)).unwrap();
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
            seat(ext("101"), name("desk1")),
            Act::Leave(ext("102"), name("desk1")),
            Act::Leave(ext("101"), name("desk2")),
            Act::LeaveAll(ext("102")),
            Act::Clear(name("desk2")),
            Act::Expire(binding("101", "desk1", 2)),
            Act::Expire(binding("101", "desk9", 3)),
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
    fn who_or_what_is_no_longer_for_hotdesking_is_refused_also_after_his_pin_was_right() {
        let refused =
            |office: &Office| seat(ext("101"), name("desk1")).transition(office, at(9)).unwrap_err();
        let mut barred = office(&[]);
        barred.users.get_mut(&ext("101")).unwrap().hotdesk = false;
        assert_eq!(refused(&barred), Denied::Refused(Refusal::UserForbidden));
        let mut closed = office(&[]);
        closed.devices.get_mut(&name("desk1")).unwrap().hotdesk = false;
        assert_eq!(refused(&closed), Denied::Refused(Refusal::DeviceForbidden));
    }

    #[test]
    fn where_nobody_is_taken_over_who_comes_to_an_occupied_desk_is_refused() {
        let rules = Seating { take_over: false, ..Seating::default() };
        let office = office(&[binding("101", "desk1", 3), binding("102", "desk2", 4)]);
        let sit = |user: &str, desk: &str| Act::Seat(ext(user), name(desk), rules).transition(&office, at(9));
        assert_eq!(sit("101", "desk2"), Err(Denied::Refused(Refusal::DeviceOccupied)));
        assert!(sit("101", "desk1").unwrap().is_empty());
        assert_eq!(sit("101", "desk3").unwrap().moved_from(), Some(&name("desk1")));
    }

    #[test]
    fn where_two_desks_are_kept_the_third_ends_the_first_and_its_undo_brings_it_back() {
        let rules = Seating { multi: Multi::Keep(NonZeroU8::new(2).unwrap()), take_over: true };
        let (first, second) = (binding("101", "desk1", 3), binding("101", "desk2", 4));
        let mut now = office(&[first.clone(), second.clone()]);
        let moved = Act::Seat(ext("101"), name("desk3"), rules).transition(&now, at(9)).unwrap();
        assert_eq!(moved.removed, std::slice::from_ref(&first));
        now.bindings.remove(&name("desk1"));
        now.bindings.insert(name("desk3"), moved.seated[0].clone());
        let undone = moved.clone().inverse(2).transition(&now, at(9)).unwrap();
        assert_eq!(undone.seated, [Binding { revision: Revision(8), ..first }]);
        // He has sat down at a desk more since: there is no room for it.
        let later = binding("101", "desk9", 8);
        now.bindings.insert(later.device.clone(), later);
        assert_eq!(moved.inverse(2).transition(&now, at(9)).unwrap().seated, []);
        assert_eq!(Act::LeaveAll(ext("101")).transition(&now, at(9)).unwrap().removed.len(), 3);

        // Who left two desks has both back, though he may sit at one only meanwhile.
        now.bindings.remove(&name("desk9"));
        let left = Act::LeaveAll(ext("101")).transition(&now, at(9)).unwrap();
        now.bindings.clear();
        assert_eq!(left.inverse(1).transition(&now, at(9)).unwrap().seated.len(), 2);
    }

    #[test]
    fn what_is_unknown_is_named_the_user_first() {
        let office = office(&[]);
        for (act, missing) in [
            (seat(ext("999"), name("desk9")), "there is no user 999"),
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
