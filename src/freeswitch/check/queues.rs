//! Checks that the queues of the configuration exist.

use super::Inspection;
use crate::freeswitch::queues::mod_callcenter;
use crate::model::check::Finding;
use crate::model::directory::group::Kind;
use crate::switch::SwitchError;

impl Inspection<'_> {
    /// Checks each queue of `[[group]]`, with a query that names no member.
    pub(super) async fn queues(&self) -> Result<Vec<Finding>, SwitchError> {
        let groups = self.groups();
        let configured: Vec<_> = groups.iter().filter(|(_, group)| group.kind == Kind::Queue).collect();
        let mut missing = vec![];
        for (group, _) in &configured {
            let queue = mod_callcenter::queue(group, self.tenant);
            match self.client.api(&mod_callcenter::ask_queue(group, self.tenant)).await {
                Err(SwitchError::Refused(_, why)) if why == mod_callcenter::IS_QUEUE => {}
                Ok(_) | Err(SwitchError::Refused(..)) => {
                    let check = format!("queue {queue} on switch {}", self.name);
                    let found = "there is none, so a user who signs in to it gets none of its calls";
                    let add = format!("add <queue name=\"{queue}\"> to autoload_configs/callcenter.conf.xml");
                    let remedy = format!("{add} and `reloadxml`, or remove its [[group]] here");
                    missing.push(Finding::wrong(check, found, remedy));
                }
                Err(error) => return Err(error),
            }
        }
        let well = || Finding::fine(self.of("queues"), format!("{} are there", configured.len()));
        Ok(if missing.is_empty() && !configured.is_empty() { vec![well()] } else { missing })
    }
}
