//! Sessions: which user is logged in at which device.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::id::{DeviceName, Extension, Revision};

/// User U is logged in at device D.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Session {
    /// The user.
    pub user: Extension,
    /// The device.
    pub device: DeviceName,
    /// The time of the login.
    pub since: Timestamp,
    /// The revision of the command that began the session.
    pub revision: Revision,
}
