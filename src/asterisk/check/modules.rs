//! Checks that Asterisk has loaded the modules that Hotdesk needs.

use std::collections::BTreeSet;

use crate::asterisk::ami::client::Manager;
use crate::asterisk::ami::codec::Action;
use crate::model::check::Finding;
use crate::model::directory::Snapshot;
use crate::model::directory::group::Kind;
use crate::model::routes::Routes;
use crate::switch::SwitchError;

/// The modules that the dialplan, BLF and Hotdesk need, in the order in which modules.conf should load them.
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
/// Without this module every context seems to be missing.
pub(super) const TELLS_CONTEXTS: &str = "func_dialplan";
/// Without this module every phone seems to be missing.
pub(super) const TELLS_PHONES: &str = "chan_pjsip";
/// Modules that only some sites need.
const SOMETIMES: [&str; 3] = [PICKUP, QUEUES, NOTIFY];
/// Needed if a user is in a pick-up group.
const PICKUP: &str = "app_directed_pickup";
/// Needed if Hotdesk keeps the members of a queue.
pub(super) const QUEUES: &str = "app_queue";
/// Needed if a user has a mailbox.
const NOTIFY: &str = "res_pjsip_notify";
/// Each of these provides voicemail.
const VOICEMAIL: [&str; 3] = ["app_voicemail", "app_voicemail_imap", "app_voicemail_odbc"];

/// The loaded modules.
pub(super) struct Modules(BTreeSet<&'static str>);

impl Modules {
    pub(super) async fn loaded(manager: &Manager) -> Result<Self, SwitchError> {
        let names: Vec<&'static str> = NEEDED.into_iter().chain(SOMETIMES).chain(VOICEMAIL).collect();
        let check = |name: &&str| Action::new("ModuleCheck").with("Module", format!("{name}.so"));
        let responses = manager.act_all(names.iter().map(check).collect()).await?;
        let loaded = names.into_iter().zip(responses).filter(|(_, response)| response.is_success());
        Ok(Self(loaded.map(|(name, _)| name).collect()))
    }

    pub(super) fn have(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    pub(super) fn finding(&self, check: String, snapshot: &Snapshot, routes: &Routes) -> Finding {
        let mut missing: Vec<&str> = NEEDED.into_iter().filter(|name| !self.have(name)).collect();
        let mailboxes = snapshot.users.values().any(|user| user.mailbox.is_some());
        if mailboxes && !VOICEMAIL.iter().any(|name| self.have(name)) {
            missing.push("app_voicemail");
        }
        let pickup = snapshot.users.values().any(|user| user.profile.pickup.is_some());
        let queues = routes.groups.values().any(|group| group.kind == Kind::Queue);
        let sometimes = [(pickup, PICKUP), (queues, QUEUES), (mailboxes, NOTIFY)];
        let lacking = sometimes.into_iter().filter(|(needed, name)| *needed && !self.have(name));
        missing.extend(lacking.map(|(_, name)| name));
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
    fn the_readme_lists_every_module() {
        let readme = include_str!("../../../dialplan/README.md");
        for name in
            NEEDED.into_iter().chain(SOMETIMES).chain(["app_voicemail"]).filter(|name| *name != TELLS_PHONES)
        {
            assert!(readme.contains(&format!("\nload = {name}.so")), "{name}");
        }
    }
}
