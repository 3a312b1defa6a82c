//! What happened: who, which device, how it ended and by whom. Never a PIN, nor what was dialled.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{CallId, DeviceName, Extension, LocationName, Revision, TenantId};
use super::leave::Why;
use super::model::Binding;
use super::table::Scope;

/// One line of the journal.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entry {
    /// Its place: entries of a tenant are numbered without a gap. Zero until it is stored.
    #[serde(default)]
    pub revision: Revision,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub tenant: TenantId,
    /// Who did it.
    pub by: Actor,
    /// In which call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// By which code, as it is written: never what was dialled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Who did something.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Somebody at the command line, by his login name.
    Command(String),
    /// Hotdesk itself.
    Controller,
    /// Somebody at this phone.
    Phone(DeviceName),
    /// Hotdesk itself, as it was time.
    Timer(Why),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(name) => write!(f, "{name} (command line)"),
            Self::Controller => f.write_str("hotdesk"),
            Self::Phone(device) => write!(f, "phone {device}"),
            Self::Timer(why) => write!(f, "hotdesk ({why})"),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A device was added or changed. Whoever sat there, if it is no longer for hotdesking, was logged out.
    DeviceChanged {
        /// Which.
        device: DeviceName,
        /// Who was logged out by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Extension>,
        /// Owners before and after, when that changed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        owners: Vec<Extension>,
    },
    /// A device was removed, and whoever sat there logged out.
    DeviceRemoved {
        /// Which.
        device: DeviceName,
        /// Who was logged out by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Extension>,
        /// Its owner, if it had one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        owners: Vec<Extension>,
    },
    /// A location was added or changed.
    LocationChanged {
        /// Which.
        location: LocationName,
        /// The devices that stand there.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        devices: Vec<DeviceName>,
    },
    /// A location was removed; no device stood there.
    LocationRemoved {
        /// Which.
        location: LocationName,
    },
    /// A device was enabled for hotdesking although nobody said which number an emergency call from it shows.
    LocationWaived {
        /// Which.
        device: DeviceName,
    },
    /// Who sits where changed; see [`super::seat::Transition`].
    Moved {
        /// Bindings that are no more.
        removed: Vec<Binding>,
        /// Bindings that are new.
        seated: Vec<Binding>,
        /// It took back an earlier one, as the switch did not acknowledge it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        undo: bool,
    },
    /// A user got a new PIN.
    PinChanged {
        /// Who.
        user: Extension,
    },
    /// A login was refused.
    Refused {
        /// Where.
        device: DeviceName,
        /// The extension that was named, if any; it need not exist.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Extension>,
        /// [`super::policy::Refusal::code`], or `not-available`.
        reason: String,
    },
    /// A switch's table differed from the truth and was put right.
    Repaired {
        /// Which switch.
        switch: super::id::SwitchName,
        /// The row: `device desk1`, `user 101`, `lamp 101`.
        row: String,
        /// What it held.
        was: String,
        /// What it holds now.
        is: String,
    },
    /// Somebody who was to be logged out by himself stays.
    Stays {
        /// Who.
        user: Extension,
        /// Where.
        device: DeviceName,
        /// Until then.
        until: Timestamp,
    },
    /// A user switched something himself; see [`super::setting::Setting`].
    SettingChanged {
        /// Whose.
        user: Extension,
        /// What, in words, without numbers.
        setting: String,
    },
    /// One device tried many extensions, or one extension was tried from many devices: see [`super::lock::RULE`].
    Spray {
        /// Where the last try was.
        device: DeviceName,
        /// Who was tried from many devices, if it is that and he exists.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Extension>,
        /// `device` or `user`: whose failures were with so many.
        of: String,
    },
    /// An administrator ended locks, and forgot the failures before them.
    Unlocked {
        /// Whose; neither user nor device: everybody's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Extension>,
        /// Which device's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<DeviceName>,
    },
    /// A user was added or changed. If he may no longer hotdesk, he was logged out.
    UserChanged {
        /// Who.
        user: Extension,
        /// Where he was logged out by it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        devices: Vec<DeviceName>,
    },
    /// A user was removed, and logged out.
    UserRemoved {
        /// Who.
        user: Extension,
        /// Where he was logged out by it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        devices: Vec<DeviceName>,
    },
}

impl Event {
    /// How many sat down by it, and how many left.
    pub(super) fn moves(&self) -> (usize, usize) {
        match self {
            Self::Moved { removed, seated, .. } => (seated.len(), removed.len()),
            Self::DeviceChanged { user, .. } | Self::DeviceRemoved { user, .. } => (0, user.iter().len()),
            Self::UserChanged { devices, .. } | Self::UserRemoved { devices, .. } => (0, devices.len()),
            _ => (0, 0),
        }
    }
}

impl Entry {
    /// The users and devices whose rows may differ after it.
    #[must_use]
    pub fn touches(&self) -> Scope {
        let (users, devices): (Vec<&Extension>, Vec<&DeviceName>) = match &self.event {
            Event::Moved { removed, seated, .. } => return Scope::of(removed.iter().chain(seated)),
            Event::DeviceChanged { device, user, owners } | Event::DeviceRemoved { device, user, owners } => {
                (user.iter().chain(owners).collect(), vec![device])
            }
            Event::UserChanged { user, devices } | Event::UserRemoved { user, devices } => {
                (vec![user], devices.iter().collect())
            }
            Event::SettingChanged { user, .. } => (vec![user], vec![]),
            Event::Stays { user, device, .. } => (vec![user], vec![device]),
            Event::LocationChanged { devices, .. } => (vec![], devices.iter().collect()),
            Event::LocationRemoved { .. }
            | Event::LocationWaived { .. }
            | Event::PinChanged { .. }
            | Event::Refused { .. }
            | Event::Repaired { .. }
            | Event::Spray { .. }
            | Event::Unlocked { .. } => (vec![], vec![]),
        };
        Scope::Some {
            users: users.into_iter().cloned().collect(),
            devices: devices.into_iter().cloned().collect(),
        }
    }
}

impl fmt::Display for Entry {
    /// One line for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.event {
            Event::DeviceChanged { device, .. } => write!(f, "device {device} changed")?,
            Event::DeviceRemoved { device, .. } => write!(f, "device {device} removed")?,
            Event::LocationChanged { location, .. } => write!(f, "location {location} changed")?,
            Event::LocationRemoved { location } => write!(f, "location {location} removed")?,
            Event::LocationWaived { device } => {
                write!(f, "device {device} is for hotdesking without an emergency caller-ID")?;
            }
            Event::Moved { removed, seated, undo } => {
                if *undo {
                    f.write_str("taken back: ")?;
                }
                let mut between = "";
                for was in removed {
                    write!(f, "{between}{} left {}", was.user, was.device)?;
                    between = ", ";
                }
                for is in seated {
                    write!(f, "{between}{} sits at {}", is.user, is.device)?;
                    between = ", ";
                }
            }
            Event::PinChanged { user } => write!(f, "user {user} has a new PIN")?,
            Event::Refused { device, user: Some(user), reason } => {
                write!(f, "{user} refused at {device}: {reason}")?
            }
            Event::Refused { device, user: None, reason } => write!(f, "refused at {device}: {reason}")?,
            Event::Repaired { switch, row, was, is } => {
                write!(f, "{switch}: {row} repaired, was {was}, is {is}")?
            }
            Event::SettingChanged { user, setting } => write!(f, "{user}: {setting}")?,
            Event::Stays { user, device, until } => {
                write!(f, "{user} stays at {device} until {until:.0}")?;
            }
            Event::Spray { device, of, .. } if of == "device" => {
                write!(f, "spray: {device} tried many extensions")?;
            }
            Event::Spray { device, user: Some(user), .. } => {
                write!(f, "spray: {user} was tried from many devices, last at {device}")?;
            }
            Event::Spray { device, user: None, .. } => {
                write!(
                    f,
                    "spray: an extension that is nobody's was tried from many devices, last at {device}"
                )?;
            }
            Event::Unlocked { user: Some(user), .. } => write!(f, "user {user} unlocked")?,
            Event::Unlocked { device: Some(device), .. } => write!(f, "device {device} unlocked")?,
            Event::Unlocked { user: None, device: None } => f.write_str("all locks ended")?,
            Event::UserChanged { user, .. } => write!(f, "user {user} changed")?,
            Event::UserRemoved { user, .. } => write!(f, "user {user} removed")?,
        }
        write!(f, ", by {}", self.by)
    }
}
