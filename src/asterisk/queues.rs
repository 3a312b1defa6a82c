//! The members of queues, as `app_queue` has them over AMI.
//!
//! A member is his extension, not his phone: `Local/101@hotdesk-ring/n`. So nothing is to be changed in the queue when he
//! moves, and whether he is free is what his lamp shows: `hint:101@hotdesk-hints`. Members that are not of this kind are
//! not ours, and left alone. `QueueStatus` takes no right, changing members takes `agent` (Asterisk 16 and 22).

use super::ami::{Action, Message};
use super::space::Space;
use crate::desk::group::Kind;
use crate::desk::id::{Extension, GroupName};
use crate::desk::table::{Edit, Key, Member, Row};

/// What a queue calls to reach a user.
fn interface(space: &Space, user: &Extension) -> String {
    format!("Local/{user}@{}/n", space.ring())
}

/// Asks for the members of all queues.
pub(super) fn ask() -> Action {
    Action::new("QueueStatus")
}

/// Asks in which queues a user is.
pub(super) fn ask_of(space: &Space, user: &Extension) -> Action {
    ask().with("Member", interface(space, user))
}

/// Whose place in which group a row is.
pub(super) fn whose(key: &Key) -> Option<(&Extension, &GroupName)> {
    match key {
        Key::Member(group, user) => Some((user, group)),
        _ => None,
    }
}

/// The member of a queue that a row is.
pub(super) fn member(row: Option<&Row>) -> Option<Member> {
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
pub(super) fn row(space: &Space, event: &Message) -> Option<(Key, Row)> {
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

/// What makes a member of a queue be as he should; none for what is not about one.
pub(super) fn change(space: &Space, edit: &Edit) -> Option<Action> {
    let (user, queue) = whose(&edit.key)?;
    let of = |name| Action::new(name).with("Queue", queue.as_str()).with("Interface", interface(space, user));
    let paused = |member: Member| if member.paused { "true" } else { "false" };
    Some(match (member(edit.was.as_ref()), member(edit.is.as_ref())) {
        (_, None) => of("QueueRemove"),
        (None, Some(member)) => of("QueueAdd")
            .with("MemberName", user.as_str())
            .with("StateInterface", format!("hint:{user}@{}", space.hints()))
            .with("Paused", paused(member)),
        (Some(_), Some(member)) => of("QueuePause").with("Paused", paused(member)),
    })
}
