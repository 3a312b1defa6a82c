//! What an Asterisk is asked of its phones, whoever keeps its table.

use jiff::Timestamp;

use super::ami::Action;
use super::devices;
use super::manager::Manager;
use super::space::Space;
use crate::desk::model::Device;
use crate::switch::activity::Look;
use crate::switch::{RING, SwitchError};

/// What each of them is doing, in their order.
pub(super) async fn look_at(manager: &Manager, devices: &[Device]) -> Result<Look, SwitchError> {
    let asked = devices.iter().map(|device| devices::ask(&device.name)).collect();
    let doing = manager.act_all(asked).await?.iter().map(devices::answer).collect();
    Ok(Look { up: manager.up(), doing })
}

/// Has one ring, to ask whether who sits there stays until then.
pub(super) async fn ring(
    manager: &Manager,
    space: &Space,
    device: &Device,
    until: Timestamp,
) -> Result<(), SwitchError> {
    let originate = Action::new("Originate")
        .with("Channel", format!("PJSIP/{}", device.name))
        .with("Context", space.stay())
        .with("Exten", "s")
        .with("Priority", "1")
        .with("CallerID", "Hotdesk")
        .with("Timeout", RING.as_millis().to_string())
        .with("Variable", format!("HD_UNTIL={}", until.as_second()))
        .with("Async", "true");
    manager.act(originate).await.map(drop)
}
