//! The members of queues, as `app_queue` has them over AMI.
//!
//! A member is his extension, not his phone: `Local/101@hotdesk-ring/n`. So nothing is to be changed in the queue when he
//! moves, and whether he is free is what his lamp shows: `hint:101@hotdesk-hints`. Members that are not of this kind are
//! not ours, and left alone. `QueueStatus` takes no right, changing members takes `agent` (Asterisk 16 and 22).

use super::ami::{Action, Message};
use super::space::Space;
use crate::desk::group::Kind;
use crate::desk::id::{Extension, GroupName};
use crate::desk::table::{Key, Member, Row};

/// What a queue calls to reach a user.
fn interface(space: &Space, user: &Extension) -> String {
    format!("Local/{user}@{}/n", space.ring())
}

/// Asks for the members of all queues, or where this user is one.
pub(super) fn ask(space: &Space, user: Option<&Extension>) -> Action {
    let ask = Action::new("QueueStatus");
    match user {
        Some(user) => ask.with("Member", interface(space, user)),
        None => ask,
    }
}

/// The row of a member of ours that an event tells of.
pub(super) fn row(space: &Space, event: &Message) -> Option<(Key, Row)> {
    if event.event()? != "QueueMember" {
        return None;
    }
    let (group, user) = member(space, event, "Location")?;
    let paused = event.header("Paused")? == "1";
    Some((Key::Member(group, user), Row::Member(Member { kind: Kind::Queue, paused })))
}

fn member(space: &Space, event: &Message, place: &str) -> Option<(GroupName, Extension)> {
    let local = event.header(place)?.strip_prefix("Local/")?.strip_suffix("/n")?;
    let (user, context) = local.split_once('@')?;
    if context != space.ring() {
        return None;
    }
    Some((GroupName::new(event.header("Queue")?).ok()?, Extension::new(user).ok()?))
}

/// What makes a member of a queue be as he should, who `was` in it or not.
pub(super) fn change(
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
