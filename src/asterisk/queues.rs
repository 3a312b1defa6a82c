//! The members of queues, as `app_queue` has them over AMI.
//!
//! A member is his extension, not his phone: `Local/101@hotdesk-ring/n`. So nothing is to be changed in the queue when he
//! moves, and whether he is free is what his lamp shows: `hint:101@hotdesk-hints`. Members that are not of this kind are
//! not ours, and left alone. `QueueStatus` takes no right, changing members takes `agent` (Asterisk 16 and 22).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join_all;

use super::ami::{Action, Message};
use super::manager::Manager;
use super::space::Space;
use crate::desk::group::{Groups, Kind};
use crate::desk::id::{Extension, GroupName};
use crate::desk::table::{Edit, Key, Member, Row, Table};
use crate::switch::SwitchError;

/// What a queue calls to reach a user.
fn interface(space: &Space, user: &Extension) -> String {
    format!("Local/{user}@{}/n", space.ring())
}

/// Users and the queues that they are in.
type Places = BTreeMap<Extension, BTreeSet<GroupName>>;

/// The queues of an Asterisk that our members may be in.
pub(super) struct Queues {
    space: Space,
    /// Whether any of our groups is one: `app_queue` need not be there.
    any: bool,
    /// Who was seen in which, or put there; none, before all were looked at.
    ///
    /// Asterisk goes through all members of all queues to find one, so a login asks only about those where somebody is, or
    /// should be. Whom somebody else put into one is found when all are looked at.
    known: Mutex<Option<Places>>,
}

impl Queues {
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
        let events = manager.list(Action::new("QueueStatus")).await?;
        let rows: Vec<(Key, Row)> = events.iter().filter_map(|event| row(&self.space, event)).collect();
        let mut places = Places::new();
        for (user, queue) in rows.iter().filter_map(|(key, _)| whose(key)) {
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
            None => users.iter().map(|user| self.ask(user)).collect(),
            Some(known) => {
                let known = users.iter().filter_map(|user| Some((*user, known.get(*user)?)));
                let known = known.flat_map(|(user, queues)| queues.iter().map(move |queue| (user, queue)));
                let wanted = wanted.iter().filter_map(|(key, row)| member(Some(row)).and(whose(key)));
                let wanted = wanted.filter(|(user, _)| users.contains(user));
                let both: BTreeSet<(&Extension, &GroupName)> = known.chain(wanted).collect();
                both.iter().map(|(user, queue)| self.ask(user).with("Queue", queue.as_str())).collect()
            }
        };
        let found = try_join_all(asked.into_iter().map(|ask| manager.list(ask))).await?;
        Ok(found.iter().flatten().filter_map(|event| row(&self.space, event)).collect())
    }

    /// Asks in which queues a user is.
    fn ask(&self, user: &Extension) -> Action {
        Action::new("QueueStatus").with("Member", interface(&self.space, user))
    }

    /// What makes a member of a queue be as he should; none for what is not about one.
    pub(super) fn change(&self, edit: &Edit) -> Option<Action> {
        let (user, queue) = whose(&edit.key)?;
        if let Some(known) = self.known().as_mut() {
            known.entry(user.clone()).or_default().insert(queue.clone());
        }
        Some(change(&self.space, queue, user, member(edit.was.as_ref()), member(edit.is.as_ref())))
    }

    fn known(&self) -> MutexGuard<'_, Option<Places>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose place in which group a row is.
fn whose(key: &Key) -> Option<(&Extension, &GroupName)> {
    match key {
        Key::Member(group, user) => Some((user, group)),
        _ => None,
    }
}

/// The member of a queue that a row is.
fn member(row: Option<&Row>) -> Option<Member> {
    match row {
        Some(Row::Member(member)) if member.kind == Kind::Queue => Some(*member),
        _ => None,
    }
}

/// Whether an edit is about a member of a queue. One of a group that rings all its members is a row in AstDB.
pub(super) fn is_of(edit: &Edit) -> bool {
    member(edit.was.as_ref()).or(member(edit.is.as_ref())).is_some()
}

/// The row of a member of ours that an event tells of.
fn row(space: &Space, event: &Message) -> Option<(Key, Row)> {
    if event.event()? != "QueueMember" {
        return None;
    }
    let group = GroupName::new(event.header("Queue")?).ok()?;
    let user = user(space, event.header("Location")?)?;
    let paused = event.header("Paused")? == "1";
    Some((Key::Member(group, user), Row::Member(Member { kind: Kind::Queue, paused })))
}

/// A member of a queue took a pause, or ended it.
#[derive(Clone, Debug)]
pub(super) struct Paused {
    queue: String,
    interface: String,
}

/// The pause that `event` tells of.
pub(super) fn paused(event: &Message) -> Option<Paused> {
    if event.event()? != "QueueMemberPause" {
        return None;
    }
    let part = |name| event.header(name).map(str::to_owned);
    Some(Paused { queue: part("Queue")?, interface: part("Interface")? })
}

impl Paused {
    /// Whose pause in which queue it is, if he is one of ours.
    pub(super) fn of(&self, space: &Space) -> Option<(GroupName, Extension)> {
        Some((GroupName::new(self.queue.as_str()).ok()?, user(space, &self.interface)?))
    }
}

/// The user that a queue calls so, if he is one of ours.
fn user(space: &Space, interface: &str) -> Option<Extension> {
    let (user, context) = interface.strip_prefix("Local/")?.strip_suffix("/n")?.split_once('@')?;
    Extension::new(user).ok().filter(|_| context == space.ring())
}

/// What makes a member of a queue be as he should, who `was` in it or not.
fn change(
    space: &Space,
    queue: &GroupName,
    user: &Extension,
    was: Option<Member>,
    is: Option<Member>,
) -> Action {
    let of = |name| Action::new(name).with("Queue", queue.as_str()).with("Interface", interface(space, user));
    let paused = |member: Member| if member.paused { "true" } else { "false" };
    match (was, is) {
        (_, None) => of("QueueRemove"),
        (None, Some(member)) => of("QueueAdd")
            .with("MemberName", user.as_str())
            .with("StateInterface", format!("hint:{user}@{}", space.hints()))
            .with("Paused", paused(member)),
        (Some(_), Some(member)) => of("QueuePause").with("Paused", paused(member)),
    }
}
