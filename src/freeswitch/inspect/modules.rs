//! Which of FreeSWITCH's modules are loaded, of those that Hotdesk rests on.

use std::collections::BTreeSet;

use super::super::client::Client;
use super::super::esl::Said;
use crate::desk::finding::Finding;
use crate::desk::group::{Groups, Kind};
use crate::desk::model::Office;
use crate::switch::SwitchError;

/// What the dialplan, the phones and we rest on. `mod_event_socket` and `mod_commands` are there, or nobody would answer.
const NEEDED: [&str; 6] =
    [KEEPS_ROWS, "mod_dialplan_xml", "mod_dptools", "mod_sndfile", "mod_sofia", "mod_tone_stream"];
const KEEPS_ROWS: &str = "mod_db";
const VOICEMAIL: &str = "mod_voicemail";
/// Rings the members of groups, and of queues.
const LOOPBACK: &str = "mod_loopback";
const QUEUES: &str = "mod_callcenter";

/// Those that are loaded.
pub(super) struct Modules(BTreeSet<&'static str>);

impl Modules {
    pub(super) async fn loaded(client: &Client) -> Result<Self, SwitchError> {
        let names: Vec<&'static str> = NEEDED.into_iter().chain([VOICEMAIL, LOOPBACK, QUEUES]).collect();
        let asked: Vec<String> = names.iter().map(|name| format!("module_exists {name}")).collect();
        let responses = client.api_all(&asked).await?;
        let loaded =
            names.into_iter().zip(responses).filter(|(_, response)| response.said() == Said::Value("true"));
        Ok(Self(loaded.map(|(name, _)| name).collect()))
    }

    /// Without it, there is no table.
    pub(super) fn keep_rows(&self) -> bool {
        self.0.contains(KEEPS_ROWS)
    }

    /// Without it, there are no queues.
    pub(super) fn have_queues(&self) -> bool {
        self.0.contains(QUEUES)
    }

    pub(super) fn finding(&self, check: String, office: &Office, groups: &Groups) -> Finding {
        let mailboxes = office.users.values().any(|user| user.mailbox.is_some());
        let queues = groups.values().any(|group| group.kind == Kind::Queue);
        let needed = NEEDED.into_iter().chain(mailboxes.then_some(VOICEMAIL));
        let needed = needed.chain((!groups.is_empty()).then_some(LOOPBACK)).chain(queues.then_some(QUEUES));
        let missing: Vec<&str> = needed.filter(|name| !self.0.contains(name)).collect();
        let [first, ..] = missing.as_slice() else {
            return Finding::fine(check, "all that are needed are loaded");
        };
        Finding::wrong(
            check,
            format!("not loaded: {}", missing.join(", ")),
            format!(
                "<load module=\"{first}\"/> in autoload_configs/modules.conf.xml, and so on; at once by `load {first}`"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_all_that_are_asked_for() {
        let readme = include_str!("../../../dialplan/README.md");
        for name in NEEDED.into_iter().chain([LOOPBACK, QUEUES]) {
            assert!(readme.contains(name), "{name}");
        }
    }
}
