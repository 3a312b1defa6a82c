//! The members of queues, as `mod_callcenter` has them (1.10.12).
//!
//! An agent is a user, `101@hotdesk-default`, and is called at their extension, not their device: so nothing changes there when
//! the user logs in elsewhere. The queues that an agent is in are its tiers; that of the group `sales` is `sales@default`.
//! Hotdesk leaves agents with other names or another contact alone. All of it outlives a restart of FreeSWITCH, in the
//! module's own database.
//!
//! The module knows the break of an agent, and no pause in one queue of several. So a user who paused in all their queues is
//! on a break, and one who paused in some has no tier in these.
//!
//! | key | value |
//! |---|---|
//! | `agent 101@hotdesk-default` | `Available`, `On Break` |
//! | `tier sales@default 101@hotdesk-default` | `is there` |

use std::collections::{BTreeMap, BTreeSet};

use super::groups::{CALLER, endpoint};
use crate::freeswitch::esl::event::Event;
use crate::model::desired::{About, Desired, Edit, Key, Part, Records};
use crate::model::directory::group::Kind;
use crate::model::id::{Extension, GroupName, TenantId};
use crate::switch::Pause;

pub(crate) const QUEUES: Part = Part { name: "mod_callcenter", needed: false };
/// The API command that all of it goes by.
pub(crate) const API: &str = crate::freeswitch::esl::rights::QUEUES;
/// The status of an agent who takes calls. There is another that begins so, and lasts for one call.
const AVAILABLE: &str = "Available";
const ON_BREAK: &str = "On Break";
const TIER: &str = "is there";
/// Seconds for which an agent that is busy or declines is offered no call. By default the module tries again at once.
const REST: u8 = 10;

/// The agents and tiers that the module should have. An agent on a break keeps the tiers that it was `found` in: when the break
/// is ended there, the user takes calls of these again, and of no queue in which they paused before.
pub(super) fn project(tenant: &TenantId, desired: &Desired, found: &Records) -> Records {
    let mut records = Records::new();
    for (user, is) in &desired.users {
        let queues = || is.groups.iter().filter(|(_, member)| member.kind == Kind::Queue);
        let takes_calls = queues().any(|(_, member)| !member.paused);
        let is_there = |group: &GroupName| found.contains_key(&tier_key(user, group, tenant));
        let keeps_some = !takes_calls && queues().any(|(group, _)| is_there(group));
        for (group, member) in queues() {
            let in_it = if takes_calls { !member.paused } else { !keeps_some || is_there(group) };
            if !in_it {
                continue;
            }
            records.insert(tier_key(user, group, tenant), TIER.into());
            let status = if takes_calls { AVAILABLE } else { ON_BREAK };
            records.insert(agent_key(user, tenant), status.into());
        }
    }
    records
}

/// The pause that a difference is: the status of an agent whom others may have put on a break, or taken from it.
pub(crate) fn pause_in(edit: &Edit) -> Option<Pause> {
    let (About::User(user), true) = (&edit.key.about, edit.key.part == QUEUES) else { return None };
    let paused = |status: &String| status != AVAILABLE;
    let (was, is) = (paused(edit.was.as_ref()?), paused(edit.is.as_ref()?));
    (was != is).then(|| Pause { user: user.clone(), group: None, paused: was })
}

fn agent_key(user: &Extension, tenant: &TenantId) -> Key {
    let name = format!("agent {}", agent(user, tenant));
    Key { about: About::User(user.clone()), part: QUEUES, name }
}

fn tier_key(user: &Extension, group: &GroupName, tenant: &TenantId) -> Key {
    let name = format!("tier {} {}", queue(group, tenant), agent(user, tenant));
    Key { about: About::Member(group.clone(), user.clone()), part: QUEUES, name }
}

pub(super) fn agent_record(user: &Extension, status: &str, tenant: &TenantId) -> (Key, String) {
    // An agent who is available for one call takes calls as well.
    let status = if status.starts_with(AVAILABLE) { AVAILABLE } else { status };
    (agent_key(user, tenant), status.to_owned())
}

pub(super) fn tier_record(user: &Extension, group: &GroupName, tenant: &TenantId) -> (Key, String) {
    (tier_key(user, group, tenant), TIER.into())
}

fn agent(user: &Extension, tenant: &TenantId) -> String {
    format!("{user}@hotdesk-{tenant}")
}

fn user(agent: &str, tenant: &TenantId) -> Option<Extension> {
    Extension::new(agent.strip_suffix(tenant.as_str())?.strip_suffix("@hotdesk-")?).ok()
}

pub(crate) fn queue(group: &GroupName, tenant: &TenantId) -> String {
    format!("{group}@{tenant}")
}

fn group(queue: &str, tenant: &TenantId) -> Option<GroupName> {
    GroupName::new(queue.strip_suffix(tenant.as_str())?.strip_suffix('@')?).ok()
}

/// Asks for all agents, and for all tiers.
pub(super) fn ask_all() -> [String; 2] {
    ["agent", "tier"].map(|what| format!("{API} {what} list"))
}

pub(super) fn ask_agent(user: &Extension, tenant: &TenantId) -> String {
    format!("{API} agent list {}", agent(user, tenant))
}

/// Asks for one: nothing tells of the tiers of one agent. It is a change to a state that there is not.
pub(super) fn ask_tier(user: &Extension, group: &GroupName, tenant: &TenantId) -> String {
    format!("{API} tier set state {} {} ?", queue(group, tenant), agent(user, tenant))
}

/// The refusal of that, if there is one.
pub(super) const IS_TIER: &str = "Invalid Tier State!";

/// Asks whether there is such a queue: adds an agent to it that cannot be.
pub(crate) fn ask_queue(group: &GroupName, tenant: &TenantId) -> String {
    format!("{API} tier add {} @", queue(group, tenant))
}

/// The refusal of that, if there is one.
pub(crate) const IS_QUEUE: &str = "Agent not found!";

pub(super) fn agents(list: &str, tenant: &TenantId) -> BTreeMap<Extension, String> {
    let read = |[name, contact, status]: [&str; 3]| {
        let user = user(name, tenant)?;
        (contact == self::contact(&user)).then(|| (user, status.to_owned()))
    };
    listed(list, ["name", "contact", "status"]).filter_map(read).collect()
}

pub(super) fn tiers(list: &str, tenant: &TenantId) -> Vec<(Extension, GroupName)> {
    let read = |[name, queue]: [&str; 2]| Some((user(name, tenant)?, group(queue, tenant)?));
    listed(list, ["agent", "queue"]).filter_map(read).collect()
}

#[derive(Debug, Default)]
pub(super) struct Change {
    /// The status as it was and as it should be, if that differs.
    pub(super) status: Option<(Option<String>, Option<String>)>,
    pub(super) joins: BTreeSet<GroupName>,
    pub(super) leaves: BTreeSet<GroupName>,
}

pub(super) fn changes(edits: &[&Edit]) -> BTreeMap<Extension, Change> {
    let mut changes: BTreeMap<Extension, Change> = BTreeMap::new();
    for Edit { key, was, is } in edits.iter().copied() {
        let Some(user) = key.about.user() else { continue };
        let change = changes.entry(user.clone()).or_default();
        match (&key.about, is) {
            (About::Member(group, _), Some(_)) => drop(change.joins.insert(group.clone())),
            (About::Member(group, _), None) => drop(change.leaves.insert(group.clone())),
            _ => change.status = Some((was.clone(), is.clone())),
        }
    }
    changes
}

/// Removes the agent of a user, and its tiers.
pub(super) fn remove(user: &Extension, tenant: &TenantId) -> String {
    format!("{API} agent del {}", agent(user, tenant))
}

/// What makes the agent of a user be as it should. It is offered no call of a queue that it leaves.
pub(super) fn commands(user: &Extension, change: &Change, tenant: &TenantId) -> Vec<String> {
    let name = agent(user, tenant);
    let mut commands = vec![];
    match &change.status {
        Some((_, None)) => return vec![remove(user, tenant)],
        Some((None, Some(_))) => {
            // An agent of that name with another contact may exist.
            let contact = contact(user);
            commands.extend([
                remove(user, tenant),
                format!("{API} agent add {name} callback"),
                format!("{API} agent set contact {name} {contact}"),
                format!("{API} agent set busy_delay_time {name} {REST}"),
                format!("{API} agent set reject_delay_time {name} {REST}"),
            ]);
        }
        _ => {}
    }
    let tier = |verb: &str, group: &GroupName| format!("{API} tier {verb} {} {name}", queue(group, tenant));
    commands.extend(change.leaves.iter().map(|group| tier("del", group)));
    if let Some((_, Some(status))) = &change.status {
        commands.push(format!("{API} agent set status {name} '{status}'"));
    }
    commands.extend(change.joins.iter().map(|group| tier("add", group)));
    commands
}

/// The user who took a break, or ended it, by an event.
pub(super) fn paused(event: &Event, tenant: &TenantId) -> Option<Extension> {
    let part = |name| event.get(name).unwrap_or_default();
    if part("CC-Action") != "agent-status-change" { None } else { user(&part("CC-Agent"), tenant) }
}

fn contact(user: &Extension) -> String {
    format!("{{{CALLER}}}{}", endpoint(user))
}

/// These columns of each row of a list: a line of their names comes first, and `+OK` last. In a contact of another program
/// a separator may shift them.
fn listed<'a, const N: usize>(list: &'a str, columns: [&str; N]) -> impl Iterator<Item = [&'a str; N]> {
    let mut lines = list.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split('|').collect();
    let places = columns.map(|column| names.iter().position(|name| *name == column));
    lines.filter(|line| *line != "+OK").map(move |line| {
        let fields: Vec<&str> = line.split('|').collect();
        places.map(|place| place.and_then(|place| fields.get(place).copied()).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ext(extension: &str) -> Extension {
        Extension::new(extension).unwrap()
    }

    fn group_of(name: &str) -> GroupName {
        GroupName::new(name).unwrap()
    }

    #[test]
    fn a_user_paused_in_all_queues_is_on_a_break_and_one_paused_in_some_is_not_in_these() {
        use crate::model::desired::{DesiredUser, Member};
        let in_tiers = |members: &[(&str, bool)], tiers: &[&str]| -> Vec<String> {
            let member = |(name, paused): &(&str, bool)| {
                (group_of(name), Member { kind: Kind::Queue, paused: *paused })
            };
            let groups = members.iter().map(member).collect();
            let user = DesiredUser { groups, ..DesiredUser::of(ext("101")) };
            let desired = Desired { users: [(ext("101"), Box::new(user))].into(), ..Desired::default() };
            let found = tiers.iter().map(|it| tier_record(&ext("101"), &group_of(it), &TenantId::default()));
            let rows = project(&TenantId::default(), &desired, &found.collect()).into_iter();
            let text = |(key, value): (Key, String)| format!("{} {value}", key.name);
            rows.map(text).map(|it| it.replace(" 101@hotdesk-default", "").replace("@default", "")).collect()
        };
        let of = |members: &[(&str, bool)]| in_tiers(members, &[]);
        // On a break that was taken or may end there, the tiers stay as they are.
        let both = [("sales", true), ("help", true)];
        assert_eq!(in_tiers(&both, &["sales"]), ["tier sales is there", "agent On Break"]);
        assert_eq!(of(&[("sales", false)]), ["tier sales is there", "agent Available"]);
        assert_eq!(of(&[("sales", true)]), ["tier sales is there", "agent On Break"]);
        assert_eq!(
            of(&[("sales", true), ("help", true)]),
            ["tier help is there", "tier sales is there", "agent On Break"]
        );
        assert_eq!(of(&[("sales", false), ("help", true)]), ["tier sales is there", "agent Available"]);
        assert_eq!(of(&[]), [""; 0]);
    }

    #[test]
    fn another_status_is_a_pause_and_a_missing_agent_or_tier_is_none() {
        let edit = |was: Option<&str>, is: Option<&str>| Edit {
            key: agent_key(&ext("101"), &TenantId::default()),
            was: was.map(Into::into),
            is: is.map(Into::into),
        };
        let paused = |was, is| pause_in(&edit(was, is)).map(|pause| pause.paused);
        assert_eq!(paused(Some(ON_BREAK), Some(AVAILABLE)), Some(true));
        assert_eq!(paused(Some("Logged Out"), Some(AVAILABLE)), Some(true));
        assert_eq!(paused(Some(AVAILABLE), Some(ON_BREAK)), Some(false));
        assert_eq!(paused(Some("Logged Out"), Some(ON_BREAK)), None);
        assert_eq!((paused(None, Some(AVAILABLE)), paused(Some(ON_BREAK), None)), (None, None));
        let key = tier_key(&ext("101"), &group_of("a"), &TenantId::default());
        assert_eq!(pause_in(&Edit { key, ..edit(None, Some(TIER)) }), None);
    }

    #[test]
    fn lists_are_read_by_the_names_of_their_columns_and_only_ours() {
        let tenant = TenantId::default();
        let own = contact(&ext("101"));
        let list = format!(
            "name|instance_id|type|contact|status|state\n\
             1000@default|single_box|callback|user/1000@a|user/1001@a|Available|Waiting\n\
             102@hotdesk-default|single_box|callback|user/102@a|Available|Waiting\n\
             103@hotdesk-two-default|single_box|callback|{own}|Available|Waiting\n\
             101@hotdesk-default|single_box|callback|{own}|On Break|Waiting\n+OK"
        );
        assert_eq!(agents(&list, &tenant), [(ext("101"), ON_BREAK.to_owned())].into());
        let (_, status) = agent_record(&ext("101"), "Available (On Demand)", &tenant);
        assert_eq!(status, AVAILABLE);
        let list = "queue|agent|state|level|position\n\
                    sales@default|101@hotdesk-default|Ready|1|1\n\
                    sales@default|1000@default|Ready|1|1\n\
                    sales@two-default|101@hotdesk-two-default|Ready|1|1\n+OK";
        assert_eq!(tiers(list, &tenant), [(ext("101"), group_of("sales"))]);
        for none in ["+OK", "", "garbage\n|||\nx"] {
            assert!(agents(none, &tenant).is_empty() && tiers(none, &tenant).is_empty());
        }
    }

    #[test]
    fn only_what_differs_is_written_and_no_call_comes_of_a_queue_that_is_left() {
        let written = |status: Option<(Option<&str>, Option<&str>)>, joins: &[&str], leaves: &[&str]| {
            let of = |names: &[&str]| names.iter().copied().map(group_of).collect();
            let status = status.map(|(was, is)| (was.map(Into::into), is.map(Into::into)));
            let change = Change { status, joins: of(joins), leaves: of(leaves) };
            let commands = commands(&ext("101"), &change, &TenantId::default());
            let short = commands
                .iter()
                .map(|it| it.replace("callcenter_config ", "").replace("101@hotdesk-default", "A"));
            short.collect::<Vec<_>>()
        };
        let contact = format!("agent set contact A {}", contact(&ext("101")));
        let added = written(Some((None, Some(AVAILABLE))), &["x"], &[]);
        assert_eq!(added[..3], ["agent del A", "agent add A callback", &contact]);
        assert!(added.ends_with(&["agent set status A 'Available'".into(), "tier add x@default A".into()]));
        assert_eq!(
            written(Some((Some(ON_BREAK), Some(AVAILABLE))), &["x"], &["help"]),
            ["tier del help@default A", "agent set status A 'Available'", "tier add x@default A"]
        );
        assert_eq!(written(None, &[], &[]), [""; 0]);
        assert_eq!(written(Some((Some(AVAILABLE), None)), &[], &["sales"]), ["agent del A"]);
    }
}
