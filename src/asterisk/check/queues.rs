//! Checks that the queues of the configuration exist, and that Hotdesk's user may change their members.

use std::collections::BTreeSet;

use super::Inspection;
use crate::asterisk::ami::codec::Action;
use crate::model::check::Finding;
use crate::model::directory::group::Kind;
use crate::switch::SwitchError;

/// The actions that change members.
const NEEDED: [&str; 3] = ["QueueAdd", "QueuePause", "QueueRemove"];

impl Inspection<'_> {
    /// Checks each queue of `[[group]]`.
    pub(super) async fn queues(&self) -> Result<Vec<Finding>, SwitchError> {
        let groups = self.dialplan.routes.groups.iter();
        let configured: Vec<_> =
            groups.filter(|(_, group)| group.kind == Kind::Queue).map(|(name, _)| name).collect();
        if configured.is_empty() {
            return Ok(vec![]);
        }
        let listed = self.manager.act(Action::new("ListCommands")).await?;
        let lacks: Vec<&str> = NEEDED.into_iter().filter(|action| listed.header(action).is_none()).collect();
        if !lacks.is_empty() {
            return Ok(vec![Finding::wrong(
                self.of("queues"),
                format!("Hotdesk's user may not {}: the queues get no members", lacks.join(", ")),
                "add `agent` to `read` and `write` of Hotdesk's user in manager.conf and `manager reload`",
            )]);
        }
        let known = self.manager.list(Action::new("QueueStatus")).await?;
        let known = known.iter().filter(|event| event.event() == Some("QueueParams"));
        let known: BTreeSet<&str> = known.filter_map(|event| event.header("Queue")).collect();
        let missing = configured.iter().filter(|name| !known.contains(name.as_str())).map(|name| {
            Finding::wrong(
                format!("queue {name} on switch {}", self.name),
                "there is none, so a user who signs in to it gets none of its calls",
                format!("add [{name}] to queues.conf and `queue reload all`, or remove its [[group]] here"),
            )
        });
        let missing: Vec<Finding> = missing.collect();
        if !missing.is_empty() {
            return Ok(missing);
        }
        let found = format!("{} are there, and Hotdesk's user may change them", configured.len());
        Ok(vec![Finding::fine(self.of("queues"), found)])
    }
}
