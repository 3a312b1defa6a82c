//! What phones are doing, as Asterisk's device states tell it: `PJSIP/<endpoint>`.
//!
//! A device state says it all (Asterisk 16 and 22): an endpoint without a contact that can be reached is `UNAVAILABLE`,
//! unless it has a call. It is asked for one by one: `DeviceStateList` has only those that changed since the start.

use super::ami::{Action, Message};
use crate::desk::id::DeviceName;
use crate::switch::activity::{Doing, Stir};

/// Asks for a device's state.
pub(super) fn ask(device: &DeviceName) -> Action {
    Action::new("Getvar").with("Variable", format!("DEVICE_STATE(PJSIP/{device})"))
}

/// What the answer means.
pub(super) fn answer(response: &Message) -> Doing {
    doing(response.header("Value").unwrap_or_default())
}

fn doing(state: &str) -> Doing {
    match state {
        "NOT_INUSE" => Doing::Free,
        "BUSY" | "INUSE" | "ONHOLD" | "RINGING" | "RINGINUSE" => Doing::Busy,
        "UNAVAILABLE" => Doing::Gone,
        _ => Doing::Unknown,
    }
}

/// Whether `event` is a sign that a device does something else.
pub(super) fn stir(event: &Message) -> Option<Stir> {
    let (device, call) = match event.event()? {
        "ContactStatus" => (event.header("EndpointName")?, false),
        "DeviceStateChange" => {
            let device = event.header("Device")?.strip_prefix("PJSIP/")?;
            (device, doing(event.header("State").unwrap_or_default()) == Doing::Busy)
        }
        _ => return None,
    };
    Some(Stir { device: DeviceName::new(device).ok()?, call })
}
