//! Device states, as the switch knows them.

use std::time::Duration;

use crate::model::id::DeviceName;

/// How many events wait for a subscriber. A subscriber that misses some asks for all device states.
pub const EVENTS_KEPT: usize = 1024;

/// The states of several devices at one time.
#[derive(Clone, Debug)]
pub struct DeviceStates {
    /// How long the switch has been up.
    pub up: Duration,
    /// The state of each device.
    pub states: Vec<DeviceState>,
}

/// The state of a device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceState {
    /// It has a call, or rings.
    Busy,
    /// It is registered, and has no call.
    Free,
    /// It is not registered, or cannot be reached.
    Gone,
    /// The switch does not know.
    Unknown,
}

/// An event after which the state of a device may differ.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceEvent {
    /// The device.
    pub device: DeviceName,
    /// Whether it has a call, or had one that ended now.
    pub call: bool,
}
