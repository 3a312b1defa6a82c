//! Whether the queues whose members follow are there.

use super::super::callcenter;
use super::Inspection;
use crate::desk::finding::Finding;
use crate::desk::group::Kind;
use crate::switch::SwitchError;

impl Inspection<'_> {
    /// Of each queue of `[[group]]`, by a question that names no member.
    pub(super) async fn queues(&self) -> Result<Vec<Finding>, SwitchError> {
        let groups = self.groups();
        let ours: Vec<_> =
            groups.iter().filter(|(_, group)| group.kind == Kind::Queue).map(|(name, _)| name).collect();
        let mut missing = vec![];
        for group in &ours {
            let queue = callcenter::queue(group, self.tenant);
            match self.client.api(&callcenter::ask_queue(group, self.tenant)).await {
                Err(SwitchError::Refused(_, why)) if callcenter::is_queue(&why) => {}
                Ok(_) | Err(SwitchError::Refused(..)) => missing.push(Finding::wrong(
                    format!("queue {queue} on switch {}", self.name),
                    "there is none, so who signs in to it gets none of its calls",
                    format!(
                        "add <queue name=\"{queue}\"> to autoload_configs/callcenter.conf.xml and `reloadxml`, or take its \
                         [[group]] out here"
                    ),
                )),
                Err(error) => return Err(error),
            }
        }
        let well = || Finding::fine(self.of("queues"), format!("{} are there", ours.len()));
        Ok(if missing.is_empty() && !ours.is_empty() { vec![well()] } else { missing })
    }
}
