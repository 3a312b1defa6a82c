//! Reads and changes the members of queues over AMI.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join_all;

use super::membership;
use crate::asterisk::ami::client::Manager;
use crate::asterisk::ami::codec::Action;
use crate::asterisk::namespace::Namespace;
use crate::model::desired::{Edit, Records};
use crate::model::directory::group::{Groups, Kind};
use crate::model::id::{Extension, GroupName};
use crate::switch::SwitchError;

/// The queues of each user.
type Places = BTreeMap<Extension, BTreeSet<GroupName>>;

/// The members that Hotdesk keeps in the queues of an Asterisk.
pub(in crate::asterisk) struct Members {
    space: Namespace,
    /// Whether a group of the tenant is a queue. If not, `app_queue` need not be loaded.
    any: bool,
    /// The members that Hotdesk has read or added; `None` before it has read all queues.
    ///
    /// Asterisk searches all members of all queues to find one, so a login asks only about the known queues of a user. A
    /// member that another program added is found when Hotdesk reads all queues.
    known: Mutex<Option<Places>>,
}

impl Members {
    pub(in crate::asterisk) fn of(space: &Namespace, groups: &Groups) -> Self {
        let any = groups.values().any(|group| group.kind == Kind::Queue);
        Self { space: space.clone(), any, known: Mutex::default() }
    }

    /// All members that Hotdesk keeps.
    pub(in crate::asterisk) async fn all(&self, manager: &Manager) -> Result<Records, SwitchError> {
        if !self.any {
            return Ok(Records::new());
        }
        let events = manager.list(Action::new("QueueStatus")).await?;
        let records: Records =
            events.iter().filter_map(|event| membership::record(&self.space, event)).collect();
        let mut places = Places::new();
        for (user, queue) in records.keys().filter_map(membership::whose) {
            places.entry(user.clone()).or_default().insert(queue.clone());
        }
        *self.known() = Some(places);
        Ok(records)
    }

    /// The memberships of these users.
    pub(in crate::asterisk) async fn some(
        &self,
        manager: &Manager,
        users: &BTreeSet<Extension>,
    ) -> Result<Records, SwitchError> {
        if !self.any {
            return Ok(Records::new());
        }
        let asked: Vec<Action> = match self.known().as_ref() {
            None => users.iter().map(|user| membership::ask_of(&self.space, user)).collect(),
            Some(known) => {
                let known = users.iter().filter_map(|user| Some((user, known.get(user)?)));
                known
                    .flat_map(|(user, queues)| queues.iter().map(move |queue| (user, queue)))
                    .map(|(user, queue)| membership::ask_of(&self.space, user).with("Queue", queue.as_str()))
                    .collect()
            }
        };
        let found = try_join_all(asked.into_iter().map(|ask| manager.list(ask))).await?;
        Ok(found.iter().flatten().filter_map(|event| membership::record(&self.space, event)).collect())
    }

    /// The action that repairs a member of a queue.
    pub(in crate::asterisk) fn change(&self, edit: &Edit) -> Option<Action> {
        let (user, queue) = membership::whose(&edit.key)?;
        if let Some(known) = self.known().as_mut() {
            known.entry(user.clone()).or_default().insert(queue.clone());
        }
        membership::change(&self.space, edit)
    }

    fn known(&self) -> MutexGuard<'_, Option<Places>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
