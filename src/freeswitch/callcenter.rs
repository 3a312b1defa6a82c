//! The members of queues, as `mod_callcenter` has them (1.10.12).
//!
//! An agent is a user, `101@hotdesk-default`, and what rings him is his extension, not his phone: so nothing is to be
//! changed there when he moves. The queues that he is in are his tiers; that of the group `sales` is `sales@default`. Agents
//! of other names or with another contact are not ours, and left alone. All of it outlives a restart of FreeSWITCH, in a
//! database of the module's own.
//!
//! The module knows the break of an agent, and no pause in one queue of several. So who pauses in all his queues is on a
//! break, and who pauses in some of them is not in these.

use std::collections::{BTreeMap, BTreeSet};

use super::event::Event;
use super::groups::{CALLER, endpoint};
use crate::desk::id::{Extension, GroupName, TenantId};

/// The API command that all of it goes by.
pub(super) const API: &str = super::rights::QUEUES;
/// The statuses of who takes calls begin so: there is another, that lasts for one call.
const AVAILABLE: &str = "Available";
const ON_BREAK: &str = "On Break";
/// Seconds that who is busy or declines is offered no other call. By itself the module tries again at once.
const REST: u8 = 10;

/// The queues that a user signed in to, and whether he pauses there.
pub(super) type Memberships = BTreeMap<GroupName, bool>;

/// A user as the module has him.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Agent {
    /// Whether he takes calls.
    pub(super) available: bool,
    /// His tiers.
    pub(super) queues: BTreeSet<GroupName>,
}

impl Agent {
    /// Whom the module must have for these; nobody, if there are none.
    pub(super) fn of(members: &Memberships) -> Option<Self> {
        let all = || members.keys().cloned().collect();
        let takes: BTreeSet<GroupName> =
            members.iter().filter(|(_, paused)| !**paused).map(|(queue, _)| queue.clone()).collect();
        match (members.is_empty(), takes.is_empty()) {
            (true, _) => None,
            (false, true) => Some(Self { available: false, queues: all() }),
            (false, false) => Some(Self { available: true, queues: takes }),
        }
    }

    /// What he is by this, of whom these are expected: not to be in a queue is a pause there, as long as he is in another.
    pub(super) fn members(&self, expected: &Memberships) -> Memberships {
        let mut members: Memberships =
            self.queues.iter().map(|queue| (queue.clone(), !self.available)).collect();
        if expected.keys().any(|queue| self.queues.contains(queue)) {
            let paused = expected.iter().filter(|(queue, paused)| **paused && !self.queues.contains(*queue));
            members.extend(paused.map(|(queue, paused)| (queue.clone(), *paused)));
        }
        members
    }
}

/// A user's name as an agent.
pub(super) fn agent(user: &Extension, tenant: &TenantId) -> String {
    format!("{user}@hotdesk-{tenant}")
}

/// The user whose name this is.
fn user(agent: &str, tenant: &TenantId) -> Option<Extension> {
    Extension::new(agent.strip_suffix(tenant.as_str())?.strip_suffix("@hotdesk-")?).ok()
}

/// A group's name as a queue.
pub(super) fn queue(group: &GroupName, tenant: &TenantId) -> String {
    format!("{group}@{tenant}")
}

fn group(queue: &str, tenant: &TenantId) -> Option<GroupName> {
    GroupName::new(queue.strip_suffix(tenant.as_str())?.strip_suffix('@')?).ok()
}

/// Asks for all agents, or for this user.
pub(super) fn ask(user: Option<&Extension>, tenant: &TenantId) -> String {
    let name = user.map(|user| format!(" {}", agent(user, tenant))).unwrap_or_default();
    format!("{API} agent list{name}")
}

/// Asks for all tiers.
pub(super) fn ask_tiers() -> String {
    format!("{API} tier list")
}

/// Asks for one: nothing tells of the tiers of one agent. It is a change to a state that there is not.
pub(super) fn ask_tier(user: &Extension, group: &GroupName, tenant: &TenantId) -> String {
    format!("{API} tier set state {} {} ?", queue(group, tenant), agent(user, tenant))
}

/// Whether there is that one, by what was refused.
pub(super) fn is_tier(refused: &str) -> bool {
    refused == "Invalid Tier State!"
}

/// Asks whether there is such a queue. It would have a new member if there were somebody of this name.
pub(super) fn ask_queue(group: &GroupName, tenant: &TenantId) -> String {
    format!("{API} tier add {} @", queue(group, tenant))
}

/// Whether there is, by what was refused.
pub(super) fn is_queue(refused: &str) -> bool {
    refused == "Agent not found!"
}

/// Our users in a list of agents, and whether each takes calls.
pub(super) fn agents(list: &str, tenant: &TenantId) -> BTreeMap<Extension, bool> {
    let read = |[name, contact, status]: [&str; 3]| {
        let user = user(name, tenant)?;
        (contact == self::contact(&user)).then(|| (user, status.starts_with(AVAILABLE)))
    };
    listed(list, ["name", "contact", "status"]).filter_map(read).collect()
}

/// The queues of our users in a list of tiers.
pub(super) fn tiers(list: &str, tenant: &TenantId) -> Vec<(Extension, GroupName)> {
    let read = |[name, queue]: [&str; 2]| Some((user(name, tenant)?, group(queue, tenant)?));
    listed(list, ["agent", "queue"]).filter_map(read).collect()
}

/// What makes an agent of the user be as he `is`, who `was` so. He takes no call of a queue that he shall not be in.
pub(super) fn commands(
    user: &Extension,
    was: Option<&Agent>,
    is: Option<&Agent>,
    tenant: &TenantId,
) -> Vec<String> {
    let name = agent(user, tenant);
    let remove = format!("{API} agent del {name}");
    let Some(is) = is else { return vec![remove] };
    let (nowhere, mut commands) = (BTreeSet::new(), vec![]);
    let before = was.map_or(&nowhere, |was| &was.queues);
    if was.is_none() {
        // There may be one that is not as ours are.
        let contact = contact(user);
        commands.extend([
            remove,
            format!("{API} agent add {name} callback"),
            format!("{API} agent set contact {name} {contact}"),
            format!("{API} agent set busy_delay_time {name} {REST}"),
            format!("{API} agent set reject_delay_time {name} {REST}"),
        ]);
    }
    let tier = |verb: &str, group: &GroupName| format!("{API} tier {verb} {} {name}", queue(group, tenant));
    commands.extend(before.difference(&is.queues).map(|group| tier("del", group)));
    if was.map(|was| was.available) != Some(is.available) {
        let status = if is.available { AVAILABLE } else { ON_BREAK };
        commands.push(format!("{API} agent set status {name} '{status}'"));
    }
    commands.extend(is.queues.difference(before).map(|group| tier("add", group)));
    commands
}

/// The user who took a break, or ended it, that an event tells of.
pub(super) fn paused(event: &Event, tenant: &TenantId) -> Option<Extension> {
    let part = |name| event.get(name).unwrap_or_default();
    if part("CC-Action") != "agent-status-change" { None } else { user(&part("CC-Agent"), tenant) }
}

/// What rings an agent of ours, on whoever's call.
fn contact(user: &Extension) -> String {
    format!("{{{CALLER}}}{}", endpoint(user))
}

/// These columns of each row of a list: a line of their names comes first, and `+OK` last. In a contact that is not ours a
/// separator may shift them.
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

    fn agent_in(available: bool, queues: &[&str]) -> Agent {
        Agent { available, queues: queues.iter().copied().map(group_of).collect() }
    }

    fn memberships(of: &[(&str, bool)]) -> Memberships {
        of.iter().map(|(queue, paused)| (group_of(queue), *paused)).collect()
    }

    #[test]
    fn who_pauses_in_all_his_queues_is_on_a_break_and_who_pauses_in_some_is_not_in_these() {
        for (members, agent) in [
            (memberships(&[("sales", false)]), agent_in(true, &["sales"])),
            (memberships(&[("sales", true)]), agent_in(false, &["sales"])),
            (memberships(&[("sales", true), ("help", true)]), agent_in(false, &["sales", "help"])),
            (memberships(&[("sales", false), ("help", true)]), agent_in(true, &["sales"])),
        ] {
            assert_eq!(Agent::of(&members), Some(agent.clone()));
            assert_eq!(agent.members(&members), members, "what was written is what is wanted");
        }
        assert_eq!(Agent::of(&Memberships::new()), None);
    }

    #[test]
    fn what_others_did_is_seen_whatever_was_expected() {
        let mixed = memberships(&[("sales", false), ("help", true)]);
        // Put on a break, and taken from it again, from outside.
        assert_eq!(
            agent_in(false, &["sales"]).members(&mixed),
            memberships(&[("sales", true), ("help", true)])
        );
        assert_eq!(
            agent_in(true, &["sales"]).members(&memberships(&[("sales", true), ("help", true)])),
            mixed
        );
        // Not in any queue that he should be in: that is no pause.
        let gone = agent_in(true, &[]).members(&mixed);
        assert_eq!(gone, Memberships::new());
        // He signed out of the one that he took calls of: the other is his only one now.
        let left = agent_in(true, &["sales"]).members(&memberships(&[("help", true)]));
        assert_eq!(left, memberships(&[("sales", false)]));
    }

    #[test]
    fn lists_are_read_by_the_names_of_their_columns_and_only_ours() {
        let tenant = TenantId::default();
        let ours = contact(&ext("101"));
        let list = format!(
            "name|instance_id|type|contact|status|state\n\
             1000@default|single_box|callback|user/1000@a|user/1001@a|Available|Waiting\n\
             102@hotdesk-default|single_box|callback|user/102@a|Available|Waiting\n\
             103@hotdesk-two-default|single_box|callback|{ours}|Available|Waiting\n\
             101@hotdesk-default|single_box|callback|{ours}|On Break|Waiting\n+OK"
        );
        assert_eq!(agents(&list, &tenant), [(ext("101"), false)].into());
        let list = list.replace("On Break", "Available (On Demand)");
        assert_eq!(agents(&list, &tenant), [(ext("101"), true)].into());
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
    fn only_what_differs_is_written_and_nobody_is_called_for_what_he_left() {
        let written = |was: Option<Agent>, is: Option<Agent>| {
            let commands = commands(&ext("101"), was.as_ref(), is.as_ref(), &TenantId::default());
            let short = commands
                .iter()
                .map(|it| it.replace("callcenter_config ", "").replace("101@hotdesk-default", "A"));
            short.collect::<Vec<_>>()
        };
        let contact = format!("agent set contact A {}", contact(&ext("101")));
        let added = written(None, Some(agent_in(true, &["sales"])));
        assert_eq!(added[..3], ["agent del A", "agent add A callback", &contact]);
        assert!(
            added.ends_with(&["agent set status A 'Available'".into(), "tier add sales@default A".into()])
        );
        assert_eq!(
            written(Some(agent_in(false, &["help", "sales"])), Some(agent_in(true, &["x", "sales"]))),
            ["tier del help@default A", "agent set status A 'Available'", "tier add x@default A"]
        );
        assert_eq!(written(Some(agent_in(true, &["sales"])), Some(agent_in(true, &["sales"]))), [""; 0]);
        assert_eq!(written(Some(agent_in(true, &["sales"])), None), ["agent del A"]);
    }
}
