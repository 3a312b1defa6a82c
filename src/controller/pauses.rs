//! Pauses that members take in a switch's queues by other means than ours (a key of the queue's own, a wallboard). They are
//! not repaired but taken over, so that they last over a move and a logout.

use std::collections::BTreeMap;

use crate::desk::id::{Extension, GroupName};
use crate::desk::setting::Setting;
use crate::desk::table::{Edit, Key, Member, Row, Scope, Table};

/// Whether each member paused when store and switch agreed last. Where the store still says so and the switch does not, the
/// switch has the news; where the store says otherwise, or nothing is known, the store has them.
#[derive(Debug, Default)]
pub(super) struct Pauses(BTreeMap<Key, bool>);

/// A pause that a member took, or ended, in the switch.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) user: Extension,
    pub(super) group: GroupName,
    pub(super) paused: bool,
}

impl Taken {
    /// What makes it last.
    pub(super) fn setting(&self) -> Setting {
        Setting::Pause(self.group.clone(), self.paused)
    }
}

impl Pauses {
    /// Takes the pauses out of `edits` that the switch has news of.
    pub(super) fn taken(&self, edits: &mut Vec<Edit>) -> Vec<Taken> {
        let news = |edit: &mut Edit| {
            let agreed = self.0.get(&edit.key)?;
            let (Some(Row::Member(held)), Some(Row::Member(wanted))) = (&edit.was, &edit.is) else {
                return None;
            };
            let Key::Member(group, user) = &edit.key else { return None };
            let news = wanted.paused == *agreed && *held == Member { paused: !agreed, ..*wanted };
            news.then(|| Taken { user: user.clone(), group: group.clone(), paused: held.paused })
        };
        let mut taken = vec![];
        edits.retain_mut(|edit| match news(edit) {
            Some(pause) => {
                taken.push(pause);
                false
            }
            None => true,
        });
        taken
    }

    /// Nothing is known of these until they agree again.
    pub(super) fn doubt(&mut self, edits: &[Edit]) {
        for edit in edits {
            self.0.remove(&edit.key);
        }
    }

    /// The switch holds of `scope` what is wanted of it.
    pub(super) fn agree(&mut self, scope: &Scope, wanted: &Table) {
        self.0.retain(|key, _| !scope.contains(key));
        let members = wanted.iter().filter_map(|(key, row)| match row {
            Row::Member(member) => Some((key.clone(), member.paused)),
            _ => None,
        });
        self.0.extend(members);
    }

    /// Store and switch agree on this.
    pub(super) fn agree_on(&mut self, Taken { user, group, paused }: Taken) {
        self.0.insert(Key::Member(group, user), paused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::group::Kind;
    use crate::desk::table::difference;

    fn member(paused: bool) -> Table {
        let key = Key::Member(GroupName::new("sales").unwrap(), Extension::new("101").unwrap());
        [(key, Row::Member(Member { kind: Kind::Queue, paused }))].into()
    }

    /// What is taken over, and how many edits are left, when the store says this and the switch that.
    fn met(pauses: &Pauses, wanted: &Table, held: &Table) -> (Vec<bool>, usize) {
        let mut edits = difference(wanted, held);
        let taken = pauses.taken(&mut edits);
        (taken.iter().map(|pause| pause.paused).collect(), edits.len())
    }

    #[test]
    fn what_only_the_switch_changed_is_taken_over_and_all_else_is_written() {
        let mut pauses = Pauses::default();
        assert_eq!(met(&pauses, &member(false), &member(true)), (vec![], 1), "nothing is known");
        pauses.agree(&Scope::All, &member(false));
        assert_eq!(met(&pauses, &member(false), &member(true)), (vec![true], 0), "the switch's news");
        assert_eq!(met(&pauses, &member(true), &member(false)), (vec![], 1), "the store's news");
        assert_eq!(met(&pauses, &member(true), &member(true)), (vec![], 0), "both the same");
        assert_eq!(met(&pauses, &member(false), &Table::new()), (vec![], 1), "it lost the member");
        assert_eq!(met(&pauses, &Table::new(), &member(true)), (vec![], 1), "he was signed out");

        let taken = pauses.taken(&mut difference(&member(false), &member(true))).remove(0);
        pauses.agree_on(taken);
        assert_eq!(met(&pauses, &member(true), &member(false)), (vec![false], 0), "and ended there again");
        pauses.doubt(&difference(&member(true), &member(false)));
        assert_eq!(met(&pauses, &member(true), &member(false)), (vec![], 1), "written, but not acknowledged");
        pauses.agree(&Scope::All, &member(true));
        pauses.agree(&Scope::user(&Extension::new("101").unwrap()), &Table::new());
        assert_eq!(met(&pauses, &member(true), &member(false)), (vec![], 1), "he was elsewhere since");
    }
}
