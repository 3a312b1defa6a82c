//! Rings a device, for every kind of switch table.

use jiff::Timestamp;

use crate::asterisk::ami::client::Manager;
use crate::asterisk::ami::codec::Action;
use crate::asterisk::namespace::Namespace;
use crate::model::directory::Device;
use crate::switch::{RING, SwitchError};

/// Rings a device, to ask its user to extend the session until `until`. The dialplan rings all its registrations.
pub(in crate::asterisk) async fn ring(
    manager: &Manager,
    space: &Namespace,
    device: &Device,
    until: Timestamp,
) -> Result<(), SwitchError> {
    let originate = Action::new("Originate")
        .with("Channel", format!("Local/ring@{}/n", space.extend()))
        .with("Context", space.extend())
        .with("Exten", "answered")
        .with("Priority", "1")
        .with("CallerID", "Hotdesk")
        .with("Timeout", RING.as_millis().to_string())
        .with("Variable", format!("__HD_DEVICE={}", device.name))
        .with("Variable", format!("__HD_UNTIL={}", until.as_second()))
        .with("Async", "true");
    manager.act(originate).await.map(drop)
}
