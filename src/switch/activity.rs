//! What phones are doing, as their switch knows it.

use std::time::Duration;

use crate::desk::id::DeviceName;

/// How many signs of activity wait for whoever hears them; who misses some looks at all phones.
pub const STIRS: usize = 1024;

/// What was seen when somebody looked.
#[derive(Clone, Debug)]
pub struct Look {
    /// For how long the switch has been up.
    pub up: Duration,
    /// What each device does.
    pub doing: Vec<Doing>,
}

/// What a device is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Doing {
    /// It has a call, or rings.
    Busy,
    /// It is registered, and has no call.
    Free,
    /// It is not registered, or cannot be reached.
    Gone,
    /// The switch does not know.
    Unknown,
}

/// A sign that a device does something else than before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stir {
    /// Which.
    pub device: DeviceName,
    /// It has a call, or had one that ended now.
    pub call: bool,
}
