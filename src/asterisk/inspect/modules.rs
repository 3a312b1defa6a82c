//! Which of Asterisk's modules are loaded, of those that Hotdesk rests on.

use std::collections::BTreeSet;

use super::super::ami::Action;
use super::super::manager::Manager;
use crate::desk::finding::Finding;
use crate::desk::group::Kind;
use crate::desk::model::Office;
use crate::desk::reach::Reach;
use crate::switch::SwitchError;

/// What the dialplan, the lamps and we rest on, in the order in which modules.conf should load them.
const NEEDED: [&str; 22] = [
    "func_db",
    "pbx_config",
    "app_dial",
    "app_exec",
    "app_playback",
    "app_playtones",
    "app_stack",
    "func_callerid",
    "func_channel",
    "func_cut",
    "func_devstate",
    TELLS_CONTEXTS,
    "func_logic",
    "func_strings",
    "func_timeout",
    "func_uri",
    "res_agi",
    TELLS_PHONES,
    "res_pjsip_header_funcs",
    "res_pjsip_exten_state",
    "res_pjsip_dialog_info_body_generator",
    "res_pjsip_pidf_body_generator",
];
const TELLS_CONTEXTS: &str = "func_dialplan";
const TELLS_PHONES: &str = "chan_pjsip";
/// Those that not everybody needs.
const SOMETIMES: [&str; 3] = [PICKUP, QUEUES, NOTIFY];
/// Only where somebody is in a pick-up group.
const PICKUP: &str = "app_directed_pickup";
/// Only where the members of a queue are kept.
const QUEUES: &str = "app_queue";
/// Only where somebody has a voicemail box.
const NOTIFY: &str = "res_pjsip_notify";
/// Any of these is voicemail.
const VOICEMAIL: [&str; 3] = ["app_voicemail", "app_voicemail_imap", "app_voicemail_odbc"];

/// Those that are loaded.
pub(super) struct Modules(BTreeSet<&'static str>);

impl Modules {
    pub(super) async fn loaded(manager: &Manager) -> Result<Self, SwitchError> {
        let names: Vec<&'static str> = NEEDED.into_iter().chain(SOMETIMES).chain(VOICEMAIL).collect();
        let check = |name: &&str| Action::new("ModuleCheck").with("Module", format!("{name}.so"));
        let responses = manager.act_all(names.iter().map(check).collect()).await?;
        let loaded = names.into_iter().zip(responses).filter(|(_, response)| response.is_success());
        Ok(Self(loaded.map(|(name, _)| name).collect()))
    }

    /// Without it, every context would look as if it were missing.
    pub(super) fn can_tell_contexts(&self) -> bool {
        self.0.contains(TELLS_CONTEXTS)
    }

    /// Without it, every phone would look as if it were missing.
    pub(super) fn can_tell_phones(&self) -> bool {
        self.0.contains(TELLS_PHONES)
    }

    /// Without it, no queue can be asked for.
    pub(super) fn have_queues(&self) -> bool {
        self.0.contains(QUEUES)
    }

    pub(super) fn finding(&self, check: String, office: &Office, reach: &Reach) -> Finding {
        let mut missing: Vec<&str> = NEEDED.into_iter().filter(|name| !self.0.contains(name)).collect();
        let mailboxes = office.users.values().any(|user| user.mailbox.is_some());
        if mailboxes && !VOICEMAIL.iter().any(|name| self.0.contains(name)) {
            missing.push("app_voicemail");
        }
        let pickup = office.users.values().any(|user| user.profile.pickup.is_some());
        let queues = reach.groups.values().any(|group| group.kind == Kind::Queue);
        let needed = [(pickup, PICKUP), (queues, QUEUES), (mailboxes, NOTIFY)];
        missing.extend(
            needed
                .into_iter()
                .filter(|(needed, name)| *needed && !self.0.contains(name))
                .map(|(_, name)| name),
        );
        let [first, ..] = missing.as_slice() else {
            return Finding::fine(check, "all that are needed are loaded");
        };
        Finding::wrong(
            check,
            format!("not loaded: {}", missing.join(", ")),
            format!(
                "load = {first}.so in modules.conf, and so on; at once by `module load {first}.so`. dialplan/README.md \
                 has all of them in their order"
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
        for name in
            NEEDED.into_iter().chain(SOMETIMES).chain(["app_voicemail"]).filter(|name| *name != TELLS_PHONES)
        {
            assert!(readme.contains(&format!("\nload = {name}.so")), "{name}");
        }
    }
}
