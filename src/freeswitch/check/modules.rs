//! Checks that FreeSWITCH has loaded the modules that Hotdesk needs.

use std::collections::BTreeSet;

use crate::freeswitch::esl::client::Client;
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::model::directory::group::{Groups, Kind};
use crate::switch::SwitchError;

/// The modules that the dialplan, phones and Hotdesk need. Without `mod_event_socket` and `mod_commands` FreeSWITCH would not
/// answer at all.
const NEEDED: [&str; 6] =
    ["mod_db", "mod_dialplan_xml", "mod_dptools", "mod_sndfile", "mod_sofia", "mod_tone_stream"];
const VOICEMAIL: &str = "mod_voicemail";
/// Rings the members of groups and queues.
const LOOPBACK: &str = "mod_loopback";
const QUEUES: &str = "mod_callcenter";

/// The loaded modules.
pub(super) struct Modules(BTreeSet<&'static str>);

impl Modules {
    pub(super) async fn loaded(client: &Client) -> Result<Self, SwitchError> {
        let names: Vec<&'static str> = NEEDED.into_iter().chain([VOICEMAIL, LOOPBACK, QUEUES]).collect();
        let asked: Vec<String> = names.iter().map(|name| format!("module_exists {name}")).collect();
        let responses = client.api_all(&asked).await?;
        let loaded = names.into_iter().zip(responses).filter(|(_, loaded)| loaded.value() == Some("true"));
        Ok(Self(loaded.map(|(name, _)| name).collect()))
    }

    /// Without this module there are no queues.
    pub(super) fn have_queues(&self) -> bool {
        self.0.contains(QUEUES)
    }

    pub(super) fn finding(&self, check: String, snapshot: &Snapshot, groups: &Groups) -> Finding {
        let mailboxes = snapshot.users.values().any(|user| user.mailbox.is_some());
        let queues = groups.values().any(|group| group.kind == Kind::Queue);
        let needed = NEEDED.into_iter().chain(mailboxes.then_some(VOICEMAIL));
        let needed = needed.chain((!groups.is_empty()).then_some(LOOPBACK)).chain(queues.then_some(QUEUES));
        let missing: Vec<&str> = needed.filter(|name| !self.0.contains(name)).collect();
        let [first, ..] = missing[..] else {
            return Finding::fine(check, "all that are needed are loaded");
        };
        let found = format!("not loaded: {}", missing.join(", "));
        let load = format!("<load module=\"{first}\"/> in autoload_configs/modules.conf.xml");
        Finding::wrong(check, found, format!("{load}, and so on; at once by `load {first}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_lists_every_module() {
        let readme = include_str!("../../../dialplan/README.md");
        for name in NEEDED.into_iter().chain([LOOPBACK, QUEUES]) {
            assert!(readme.contains(name), "{name}");
        }
    }
}
