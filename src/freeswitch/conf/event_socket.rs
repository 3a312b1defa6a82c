//! How the event socket is reached by its own password, which an administrator on the machine can read.

use std::path::Path;

use zeroize::Zeroizing;

use super::tree::{files, part};
use crate::switch::config_file::CannotChange;

const SECTION: &str = "configuration";
const NAME: &str = "event_socket.conf";

/// The address of the event socket, and its password. With it everything is allowed.
pub struct EventSocket {
    /// Its port on this machine.
    pub port: u16,
    /// The host to connect to: `127.0.0.1`, unless it listens at another address only.
    pub host: String,
    /// Its password.
    pub password: Zeroizing<String>,
    /// Whether it listens for this machine only.
    pub local: bool,
}

/// Reads `event_socket.conf`, in the folder of the configuration.
///
/// # Errors
/// [`CannotChange`], if it is not there or names a variable.
pub fn event_socket(folder: &Path) -> Result<EventSocket, CannotChange> {
    let is_it = |path: &Path| path.file_name().is_some_and(|name| name == "event_socket.conf.xml");
    for file in files(folder, SECTION, is_it)? {
        let read = file.parse()?;
        let Some(part) = part(&read, SECTION) else { continue };
        let named = |node: &roxmltree::Node<'_, '_>| {
            node.has_tag_name("configuration") && node.attribute("name") == Some(NAME)
        };
        let Some(configuration) = part.descendants().find(named) else { continue };
        let value = |name: &str| {
            let mut params = configuration.descendants().filter(|node| node.has_tag_name("param"));
            let own = params.rfind(|param| param.attribute("name") == Some(name));
            own.and_then(|param| param.attribute("value")).unwrap_or_default()
        };
        let (host, port, password) = (value("listen-ip"), value("listen-port"), value("password"));
        let Ok(port) = port.parse() else {
            return CannotChange::unsupported(format!(
                "{}: its listen-port {port:?} is no number",
                file.path.display()
            ));
        };
        if host.contains("$$") || password.contains("$$") || password.is_empty() {
            return CannotChange::unsupported(format!(
                "{}: its listen-ip or password is a variable, or not there",
                file.path.display()
            ));
        }
        let all = ["::", "0.0.0.0", ""].contains(&host);
        let local = ["127.0.0.1", "::1", "localhost"].contains(&host);
        let host = if all || local { "127.0.0.1" } else { host };
        return Ok(EventSocket { port, host: host.into(), password: Zeroizing::new(password.into()), local });
    }
    CannotChange::unsupported(format!("there is no {NAME} in {}", folder.display()))
}
