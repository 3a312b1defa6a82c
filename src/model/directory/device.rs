//! Devices: the telephones at which users log in, or which users own.

use std::fmt;

use ipnet::IpNet;
use serde::de::value::StrDeserializer;
use serde::{Deserialize, Serialize};

use super::user::User;
use crate::model::auto_logout::AutoLogoutRules;
use crate::model::id::{
    Context, DeviceName, DialTarget, Extension, LocationName, Number, SwitchName, TenantId,
};

/// What may be dialled at a device without a user, besides emergency numbers and codes: reception, first aid.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ShortList {
    /// These numbers.
    pub numbers: Vec<Number>,
    /// The context of the site for such a call; none: only users can be called.
    pub class: Option<Context>,
}

impl ShortList {
    /// The largest number of numbers: the row of the device must fit in every switch.
    pub const MOST: usize = 10;
}

/// The kind of a device.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A telephone at a location. Its owner has it while the owner is not logged in elsewhere.
    #[default]
    Desk,
    /// A number outside that its owner uses, reached through a trunk. It is not a device of the switch. Its owner
    /// always has it, and no BLF watches it.
    Mobile,
    /// A softphone on its owner's computer. The owner always has it.
    Softphone,
}

impl Kind {
    /// Whether it is at a location.
    pub const fn is_desk(&self) -> bool {
        matches!(self, Self::Desk)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(value: &str) -> Result<Self, String> {
        let kind = Self::deserialize(StrDeserializer::<serde::de::value::Error>::new(value));
        kind.map_err(|_| format!("{value:?} is no kind of device: desk, softphone or mobile"))
    }
}

/// A device as its switch knows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Device {
    /// The tenant of the device.
    pub tenant: TenantId,
    /// Its name on the switch.
    pub name: DeviceName,
    /// The switch it registers with.
    pub switch: SwitchName,
    /// What that switch dials to ring it.
    pub dial: DialTarget,
    /// Its kind.
    #[serde(default, skip_serializing_if = "Kind::is_desk")]
    pub kind: Kind,
    /// Whether users may log in here. A telephone in a lift is not for that.
    pub hotdesk: bool,
    /// Its location, if that is known.
    pub location: Option<LocationName>,
    /// Its owner, who has it while no guest is logged in.
    pub owner: Option<Extension>,
    /// The networks from which users may log in at it; none means any.
    pub allow_from: Vec<IpNet>,
    /// What may be dialled here while the device has no user.
    #[serde(default)]
    pub may_dial: ShortList,
    /// The automatic logout of users at this device.
    #[serde(default)]
    pub auto_logout: AutoLogoutRules,
}

impl Device {
    /// A hotdesking device without further settings.
    pub fn new(tenant: TenantId, name: DeviceName, switch: SwitchName, dial: DialTarget) -> Self {
        Self {
            tenant,
            name,
            switch,
            dial,
            kind: Kind::Desk,
            hotdesk: true,
            location: None,
            owner: None,
            allow_from: vec![],
            may_dial: ShortList::default(),
            auto_logout: AutoLogoutRules::default(),
        }
    }

    /// Whether its owner has it while no user is logged in at it. `logged_in` says whether the owner is logged in elsewhere.
    pub fn is_with(&self, owner: &User, logged_in: bool) -> bool {
        let chosen = owner.profile.rings.devices.get(&self.name) == Some(&true);
        !logged_in || !self.kind.is_desk() || chosen
    }
}
