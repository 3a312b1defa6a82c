//! Reads the configuration again, at SIGHUP or `hotdesk reload`.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tracing::{error, warn};

use super::open::{Allowed, allowed_by};
use crate::config::{Config, Switch};
use crate::controller::pepper::{self, Peppers};
use crate::model::codes::Book;

/// What was read, and what the administrator should know of it.
pub(super) struct Reloaded {
    pub(super) config: Config,
    pub(super) peppers: Peppers,
    pub(super) notes: Vec<String>,
}

/// Takes over codes and allowed addresses, and returns the new configuration and the peppers. A file that cannot be used changes
/// nothing: then the error says why.
/// What differs from `started`, the configuration at the start, needs a restart.
pub(super) async fn reload(
    started: &Config,
    file: &Path,
    codes: &watch::Sender<Arc<Book>>,
    allowed: &Allowed,
) -> Result<Reloaded, String> {
    let new = match Config::load(file, &|name| std::env::var_os(name)) {
        Ok(new) => new,
        Err(error) => {
            error!(event = "reload.refused", %error, "the new configuration is invalid; the old one stays");
            return Err(error.to_string());
        }
    };
    // A pepper may have been rotated, or others put beside it.
    let peppers = match pepper::all(&started.store.pepper_file) {
        Ok(peppers) => peppers,
        Err(error) => {
            error!(event = "reload.refused", %error, "the peppers cannot be read; the old configuration stays");
            return Err(error.to_string());
        }
    };
    let mut notes = vec![];
    if let Some(what) = needs_restart(started, &new) {
        notes.push(format!("a change in {what} needs a restart"));
        warn!(event = "reload.partial", what, "this change needs a restart");
    }
    let (book, was) = (new.book(), codes.borrow().clone());
    if book != *was {
        const PRINT: &str = "the codes changed: run hotdesk dialplan install on the machine of the switch";
        codes.send_replace(Arc::new(book));
        warn!(event = "reload.codes", "{PRINT}");
        notes.push(PRINT.to_owned());
    }
    for switch in &new.switches {
        if let Some(sender) = allowed.get(&switch.name) {
            sender.send_replace(Arc::new(allowed_by(switch).await));
        }
    }
    Ok(Reloaded { config: new, peppers, notes })
}

/// The first section that differs and that a reload does not take over.
fn needs_restart(old: &Config, new: &Config) -> Option<&'static str> {
    let fixed = |config: &Config| -> Vec<Switch> {
        config.switches.iter().map(|switch| switch.clone().without_reloadable()).collect()
    };
    let sections = [
        ("[store]", old.store != new.store),
        ("[[switch]]", fixed(old) != fixed(new)),
        ("[log]", old.log != new.log),
        ("[metrics]", old.metrics != new.metrics),
        ("[web]", old.web != new.web),
    ];
    sections.into_iter().find_map(|(section, differs)| differs.then_some(section))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::model::id::SwitchName;

    #[tokio::test]
    async fn a_reload_gives_each_switch_its_own_addresses_whatever_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hotdesk.toml");
        let pepper = dir.path().join("hotdesk.pepper");
        std::fs::write(&pepper, [7; 64]).unwrap();
        std::fs::set_permissions(&pepper, std::fs::Permissions::from_mode(0o600)).unwrap();
        let switch = |name: &str, port: u16, net: &str| {
            format!(
                "[[switch]]\nname = \"{name}\"\nami = \"{name}:5038\"\nagi_listen = \"127.0.0.1:{port}\"\n\
                 agi_allow = [\"{net}\"]\n"
            )
        };
        let configure = |switches: &[String]| {
            std::fs::write(&file, switches.concat()).unwrap();
            Config::load(&file, &|_| None).unwrap()
        };
        let started = configure(&[switch("a", 4573, "10.1.0.0/16"), switch("b", 4574, "10.2.0.0/16")]);
        let allowed: Allowed =
            ["a", "b"].map(|name| (SwitchName::new(name).unwrap(), watch::Sender::default())).into();
        let new = configure(&[
            switch("new", 4575, "10.9.0.0/16"),
            switch("b", 4574, "10.4.0.0/16"),
            switch("a", 4573, "10.3.0.0/16"),
        ]);

        assert!(reload(&started, &file, &watch::Sender::default(), &allowed).await.is_ok());
        for (name, net) in [("a", "10.3.0.0/16"), ("b", "10.4.0.0/16")] {
            assert_eq!(
                **allowed[&SwitchName::new(name).unwrap()].borrow(),
                [net.parse::<ipnet::IpNet>().unwrap()]
            );
        }
        assert_eq!(needs_restart(&started, &new), Some("[[switch]]"));
    }
}
