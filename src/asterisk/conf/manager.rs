//! The `manager.conf` of an Asterisk: where Hotdesk logs in, and the change that adds its user, if Hotdesk is not there yet.

use std::path::Path;

use super::phones::value;
use super::tree::Tree;
use crate::switch::config_file::CannotChange;

/// How Hotdesk reaches the manager interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ManagerAddress {
    /// `127.0.0.1`, unless it listens at another address only.
    pub host: String,
    /// Its port.
    pub port: String,
}

impl ManagerAddress {
    /// Where it listens, or will listen.
    pub(super) fn of(manager: &Tree) -> Self {
        let general = manager.sections.iter().filter(|section| section.name == "general");
        let settings: Vec<_> = general.flat_map(|section| section.settings.clone()).collect();
        let any = ["0.0.0.0", "::", "[::]"];
        let host = value(&settings, "bindaddr").filter(|address| !any.contains(address));
        Self {
            host: host.unwrap_or("127.0.0.1").into(),
            port: value(&settings, "port").unwrap_or("5038").into(),
        }
    }
}

/// Hotdesk's files are not in it yet.
pub(super) fn refuse_files(folder: &Path, trees: &[&Tree]) -> Result<(), CannotChange> {
    for file in ["hotdesk.conf", "hotdesk-manager.conf"] {
        let path = folder.join(file);
        if path.exists() || trees.iter().any(|tree| tree.has_file(file)) {
            return CannotChange::unsupported(format!(
                "Hotdesk is in this Asterisk already: there is {}",
                path.display()
            ));
        }
    }
    Ok(())
}

/// An error if Hotdesk has a user there already.
pub(super) fn refuse_user(manager: &Tree) -> Result<(), CannotChange> {
    match manager.sections.iter().find(|section| section.name == "hotdesk") {
        Some(section) => Err(manager.not_readable(section.at, "there is a user hotdesk already").into()),
        None => Ok(()),
    }
}

/// Has the manager interface listen on this machine, and adds Hotdesk's user.
pub(super) fn open(manager: &mut Tree) {
    let general = manager.sections.iter().find(|section| section.name == "general").cloned();
    let on = |text: &str| ["yes", "true", "1", "on", "y", "t"].contains(&text.to_ascii_lowercase().as_str());
    manager.append("\n#include \"hotdesk-manager.conf\"");
    let Some(general) = general else {
        return manager.prepend("[general]\nenabled = yes\nbindaddr = 127.0.0.1\n\n");
    };
    if !value(&general.settings, "enabled").is_some_and(on) {
        if value(&general.settings, "bindaddr").is_none() {
            manager.set(&general, "bindaddr", "127.0.0.1");
        }
        manager.set(&general, "enabled", "yes");
    }
}
