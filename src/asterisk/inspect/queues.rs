//! Whether the queues whose members follow are there, and may be changed.

use std::collections::BTreeSet;

use super::super::ami::Action;
use super::Inspection;
use crate::desk::finding::Finding;
use crate::desk::group::Kind;
use crate::switch::SwitchError;

/// What we do with members.
const NEEDED: [&str; 3] = ["QueueAdd", "QueuePause", "QueueRemove"];

impl Inspection<'_> {
    /// Of each queue of `[[group]]`.
    pub(super) async fn queues(&self) -> Result<Vec<Finding>, SwitchError> {
        let groups = self.dialplan.reach.groups.iter();
        let ours: Vec<_> =
            groups.filter(|(_, group)| group.kind == Kind::Queue).map(|(name, _)| name).collect();
        if ours.is_empty() {
            return Ok(vec![]);
        }
        let listed = self.manager.act(Action::new("ListCommands")).await?;
        let lacks: Vec<&str> = NEEDED.into_iter().filter(|action| listed.header(action).is_none()).collect();
        if !lacks.is_empty() {
            return Ok(vec![Finding::wrong(
                self.of("queues"),
                format!("our user may not {}: nobody takes their calls", lacks.join(", ")),
                "add `agent` to `read` and `write` of our user in manager.conf and `manager reload`",
            )]);
        }
        let known = self.manager.list(Action::new("QueueStatus")).await?;
        let known: BTreeSet<&str> = known
            .iter()
            .filter(|event| event.event() == Some("QueueParams"))
            .filter_map(|event| event.header("Queue"))
            .collect();
        let missing = ours.iter().filter(|name| !known.contains(name.as_str())).map(|name| {
            Finding::wrong(
                format!("queue {name} on switch {}", self.name),
                "there is none, so who signs in to it gets none of its calls",
                format!("add [{name}] to queues.conf and `queue reload all`, or take its [[group]] out here"),
            )
        });
        let missing: Vec<Finding> = missing.collect();
        let well =
            || Finding::fine(self.of("queues"), format!("{} are there, and may be changed", ours.len()));
        Ok(if missing.is_empty() { vec![well()] } else { missing })
    }
}
