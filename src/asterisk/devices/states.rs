//! Device states from Asterisk's own: `PJSIP/<endpoint>`.
//!
//! An endpoint without a contact that can be reached is `UNAVAILABLE`, unless it has a call (Asterisk 16 and 22). Each is
//! asked for by name, as `DeviceStateList` has only those that changed since the start.

use crate::asterisk::ami::client::Manager;
use crate::asterisk::ami::codec::{Action, Message};
use crate::model::directory::Device;
use crate::model::id::DeviceName;
use crate::switch::SwitchError;
use crate::switch::device_state::{DeviceEvent, DeviceState, DeviceStates};

/// The state of each device, in their order.
pub(in crate::asterisk) async fn look_at(
    manager: &Manager,
    devices: &[Device],
) -> Result<DeviceStates, SwitchError> {
    // Also for no device this says whether Asterisk is there.
    manager.state().borrow().up().map(drop)?;
    let variables = devices.iter().map(|device| format!("DEVICE_STATE(PJSIP/{})", device.name));
    let asked = variables.map(|variable| Action::new("Getvar").with("Variable", variable)).collect();
    let answers = manager.act_all(asked).await?;
    let states =
        answers.iter().map(|answer| device_state(answer.header("Value").unwrap_or_default())).collect();
    Ok(DeviceStates { up: manager.up(), states })
}

fn device_state(state: &str) -> DeviceState {
    match state {
        "NOT_INUSE" => DeviceState::Free,
        "BUSY" | "INUSE" | "ONHOLD" | "RINGING" | "RINGINUSE" => DeviceState::Busy,
        "UNAVAILABLE" => DeviceState::Gone,
        _ => DeviceState::Unknown,
    }
}

/// The device whose state may have changed by this event.
pub(in crate::asterisk) fn device_event(event: &Message) -> Option<DeviceEvent> {
    let (device, call) = match event.event()? {
        "ContactStatus" => (event.header("EndpointName")?, false),
        "DeviceStateChange" => {
            let device = event.header("Device")?.strip_prefix("PJSIP/")?;
            (device, device_state(event.header("State").unwrap_or_default()) == DeviceState::Busy)
        }
        _ => return None,
    };
    Some(DeviceEvent { device: DeviceName::new(device).ok()?, call })
}
