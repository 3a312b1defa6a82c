//! The members of queues, as `app_queue` has them over AMI.
//!
//! A member is the user's extension, not a device: `Local/101@hotdesk-ring/n`. So nothing changes in the queue when the user
//! logs in elsewhere, and their BLF says whether they are free: `hint:101@hotdesk-hints`. Hotdesk
//! leaves other kinds of members alone. `QueueStatus` needs no right, changing members needs `agent` (Asterisk 16 and 22).

use crate::asterisk::ami::codec::{Action, Message};
use crate::asterisk::namespace::Namespace;
use crate::asterisk::table::rows::PAUSED;
use crate::model::desired::{About, Desired, Edit, Key, Part, Records};
use crate::model::directory::group::Kind;
use crate::model::id::{Extension, GroupName};

/// The queues of `app_queue`.
pub(in crate::asterisk) const QUEUES: Part = Part { name: "app_queue", needed: false };
/// A member who takes calls of the queue.
const TAKES_CALLS: &str = "takes calls";

/// The members that the queues should have.
pub(in crate::asterisk) fn project(space: &Namespace, desired: &Desired) -> Records {
    let mut records = Records::new();
    for (user, is) in &desired.users {
        for (group, member) in is.groups.iter().filter(|(_, member)| member.kind == Kind::Queue) {
            let value = if member.paused { PAUSED } else { TAKES_CALLS };
            records.insert(key(space, group.clone(), user.clone()), value.into());
        }
    }
    records
}

fn key(space: &Namespace, group: GroupName, user: Extension) -> Key {
    let name = format!("{group} {}", interface(space, &user));
    Key { about: About::Member(group, user), part: QUEUES, name }
}

/// The interface by which a queue calls a user.
fn interface(space: &Namespace, user: &Extension) -> String {
    format!("Local/{user}@{}/n", space.ring())
}

/// Asks for the queues of a user.
pub(in crate::asterisk) fn ask_of(space: &Namespace, user: &Extension) -> Action {
    Action::new("QueueStatus").with("Member", interface(space, user))
}

/// The user and the group of a membership.
pub(in crate::asterisk) fn whose(key: &Key) -> Option<(&Extension, &GroupName)> {
    match &key.about {
        About::Member(group, user) => Some((user, group)),
        _ => None,
    }
}

/// The record of a member that Hotdesk keeps, from an event.
pub(in crate::asterisk) fn record(space: &Namespace, event: &Message) -> Option<(Key, String)> {
    if event.event()? != "QueueMember" {
        return None;
    }
    let group = GroupName::new(event.header("Queue")?).ok()?;
    let user = user(space, event.header("Location")?)?;
    let value = if event.header("Paused")? == "1" { PAUSED } else { TAKES_CALLS };
    Some((key(space, group, user), value.into()))
}

/// A member of a queue began or ended a pause.
#[derive(Clone, Debug)]
pub(in crate::asterisk) struct Paused {
    queue: String,
    interface: String,
}

pub(in crate::asterisk) fn paused(event: &Message) -> Option<Paused> {
    if event.event()? != "QueueMemberPause" {
        return None;
    }
    let part = |name| event.header(name).map(str::to_owned);
    Some(Paused { queue: part("Queue")?, interface: part("Interface")? })
}

impl Paused {
    /// The queue and the user, if Hotdesk keeps the member.
    pub(in crate::asterisk) fn of(&self, space: &Namespace) -> Option<(GroupName, Extension)> {
        Some((GroupName::new(self.queue.as_str()).ok()?, user(space, &self.interface)?))
    }
}

/// The user that a queue calls by this interface, if Hotdesk keeps the member.
fn user(space: &Namespace, interface: &str) -> Option<Extension> {
    let (user, context) = interface.strip_prefix("Local/")?.strip_suffix("/n")?.split_once('@')?;
    Extension::new(user).ok().filter(|_| context == space.ring())
}

/// The action that repairs a member of a queue.
pub(in crate::asterisk) fn change(space: &Namespace, edit: &Edit) -> Option<Action> {
    let (user, queue) = whose(&edit.key)?;
    let of = |name| Action::new(name).with("Queue", queue.as_str()).with("Interface", interface(space, user));
    let paused = |value: &str| if value == PAUSED { "true" } else { "false" };
    Some(match (&edit.was, &edit.is) {
        (_, None) => of("QueueRemove"),
        (None, Some(is)) => of("QueueAdd")
            .with("MemberName", user.as_str())
            .with("StateInterface", format!("hint:{user}@{}", space.hints()))
            .with("Paused", paused(is)),
        (Some(_), Some(is)) => of("QueuePause").with("Paused", paused(is)),
    })
}
