//! Whether the queues are there that users sign in to.

use super::super::callcenter::{self, ask_queue, is_queue};
use super::Inspection;
use crate::desk::finding::Finding;
use crate::desk::group::Kind;
use crate::switch::SwitchError;

impl Inspection<'_> {
    /// Of each, by a question that names no member.
    pub(super) async fn queues(&self) -> Result<Option<Finding>, SwitchError> {
        let groups = self.groups();
        let (mut there, mut missing) = (vec![], vec![]);
        for (group, _) in groups.iter().filter(|(_, group)| group.kind == Kind::Queue) {
            let queue = callcenter::queue(group, self.tenant);
            match self.client.api(&ask_queue(group, self.tenant)).await {
                Err(SwitchError::Refused(_, why)) if is_queue(&why) => there.push(queue),
                Ok(_) | Err(SwitchError::Refused(..)) => missing.push(queue),
                Err(error) => return Err(error),
            }
        }
        let check = self.of("queues");
        Ok(match (there.as_slice(), missing.as_slice()) {
            ([], []) => None,
            (_, []) => Some(Finding::fine(check, format!("{} are there", there.join(", ")))),
            (_, [first, ..]) => Some(Finding::wrong(
                check,
                format!("mod_callcenter does not know {}: nobody is in it", missing.join(", ")),
                format!(
                    "<queue name=\"{first}\"> in autoload_configs/callcenter.conf.xml, then `reloadxml`; or take the [[group]] \
                     out"
                ),
            )),
        })
    }
}
