//! Who is in which queue, asked for and changed over AMI.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join_all;

use super::ami::Action;
use super::manager::Manager;
use super::queues;
use super::space::Space;
use crate::desk::group::{Groups, Kind};
use crate::desk::id::{Extension, GroupName};
use crate::desk::table::{Edit, Key, Row, Table};
use crate::switch::SwitchError;

/// Users and the queues that they are in.
type Places = BTreeMap<Extension, BTreeSet<GroupName>>;

/// Who of ours is in which queue of an Asterisk.
pub(super) struct Members {
    space: Space,
    /// Whether any of our groups is one: `app_queue` need not be there.
    any: bool,
    /// Who was seen in which, or put there; none, before all were looked at.
    ///
    /// Asterisk goes through all members of all queues to find one, so a login asks only about those where somebody is, or
    /// should be. Whom somebody else put into one is found when all are looked at.
    known: Mutex<Option<Places>>,
}

impl Members {
    /// Of a tenant whose groups these are.
    pub(super) fn of(space: &Space, groups: &Groups) -> Self {
        let any = groups.values().any(|group| group.kind == Kind::Queue);
        Self { space: space.clone(), any, known: Mutex::default() }
    }

    /// All members of ours.
    pub(super) async fn all(&self, manager: &Manager) -> Result<Vec<(Key, Row)>, SwitchError> {
        if !self.any {
            return Ok(vec![]);
        }
        let events = manager.list(queues::ask()).await?;
        let rows: Vec<(Key, Row)> =
            events.iter().filter_map(|event| queues::row(&self.space, event)).collect();
        let mut places = Places::new();
        for (user, queue) in rows.iter().filter_map(|(key, _)| queues::whose(key)) {
            places.entry(user.clone()).or_default().insert(queue.clone());
        }
        *self.known() = Some(places);
        Ok(rows)
    }

    /// Where these users are members, of what was known of them and what is `wanted`.
    pub(super) async fn some(
        &self,
        manager: &Manager,
        users: &[&Extension],
        wanted: &Table,
    ) -> Result<Vec<(Key, Row)>, SwitchError> {
        if !self.any {
            return Ok(vec![]);
        }
        let asked: Vec<Action> = match self.known().as_ref() {
            None => users.iter().map(|user| queues::ask_of(&self.space, user)).collect(),
            Some(known) => {
                let known = users.iter().filter_map(|user| Some((*user, known.get(*user)?)));
                let known = known.flat_map(|(user, queues)| queues.iter().map(move |queue| (user, queue)));
                let wanted =
                    wanted.iter().filter_map(|(key, row)| queues::member(Some(row)).and(queues::whose(key)));
                let wanted = wanted.filter(|(user, _)| users.contains(user));
                let both: BTreeSet<(&Extension, &GroupName)> = known.chain(wanted).collect();
                both.iter()
                    .map(|(user, queue)| queues::ask_of(&self.space, user).with("Queue", queue.as_str()))
                    .collect()
            }
        };
        let found = try_join_all(asked.into_iter().map(|ask| manager.list(ask))).await?;
        Ok(found.iter().flatten().filter_map(|event| queues::row(&self.space, event)).collect())
    }

    /// What makes a member of a queue be as he should; none for what is not about one.
    pub(super) fn change(&self, edit: &Edit) -> Option<Action> {
        let (user, queue) = queues::whose(&edit.key)?;
        if let Some(known) = self.known().as_mut() {
            known.entry(user.clone()).or_default().insert(queue.clone());
        }
        queues::change(&self.space, edit)
    }

    fn known(&self) -> MutexGuard<'_, Option<Places>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
