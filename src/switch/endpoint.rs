//! Endpoints: what a switch knows of its devices before they are in the store.

use std::collections::BTreeMap;

use crate::model::id::{DeviceName, DialTarget, InvalidId};

/// A device, or what looks like a device to its switch: a trunk, an intercom.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// Its name on the switch: a PJSIP endpoint, a user of the directory.
    pub name: String,
    /// The dial target.
    pub dial: String,
    /// The context of its calls, if known.
    pub context: Option<String>,
    /// Whether feature codes are dialled in that context.
    pub hotdesk: bool,
    /// Whether it can be reached now.
    pub registered: bool,
}

impl Endpoint {
    /// The name and the dial target of a device for it.
    ///
    /// # Errors
    /// [`InvalidId`] when its name or its dial target does not fit a device.
    pub fn device(&self) -> Result<(DeviceName, DialTarget), InvalidId> {
        Ok((DeviceName::new(&self.name)?, DialTarget::new(&self.dial)?))
    }
}

/// All endpoints of a switch, by dial target.
pub type Endpoints = BTreeMap<String, Endpoint>;
