//! What a switch itself knows of its phones, before anybody has told us of them.

use std::collections::BTreeMap;

use crate::desk::id::{DeviceName, DialTarget, InvalidId};

/// A phone, or something that looks like one to its switch: a trunk, a door.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// Its name there: a PJSIP endpoint, a user of the directory.
    pub name: String,
    /// What that switch dials to ring it.
    pub dial: String,
    /// Where the calls go that come from it, if that is known.
    pub context: Option<String>,
    /// Whether that is the context in which codes are dialled.
    pub hotdesk: bool,
    /// Whether it can be reached now.
    pub registered: bool,
}

impl Endpoint {
    /// The device that it can be.
    ///
    /// # Errors
    /// [`InvalidId`] when its name or what is dialled cannot be one of ours.
    pub fn device(&self) -> Result<(DeviceName, DialTarget), InvalidId> {
        Ok((DeviceName::new(&self.name)?, DialTarget::new(&self.dial)?))
    }
}

/// All endpoints of a switch, by what is dialled to ring them.
pub type Endpoints = BTreeMap<String, Endpoint>;
