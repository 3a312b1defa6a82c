//! The journal: what happened, to which user and device, and by whom. Never a PIN, and never the dialled digits.

pub mod daily_counts;

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Role;
use super::auto_logout::Why;
use super::desired::Scope;
use super::directory::Session;
use super::directory::difference::FieldChange;
use super::id::{AccountName, DeviceName, Extension, LocationName, Revision, TenantId};
use super::label::Label;

/// One line of the journal.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entry {
    /// Its number: the entries of a tenant are numbered without a gap. Zero until it is stored.
    #[serde(default)]
    pub revision: Revision,
    /// When.
    pub at: Timestamp,
    /// The tenant.
    pub tenant: TenantId,
    /// The actor.
    pub by: Actor,
    /// The call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Label>,
    /// The code, as written in the configuration: never the dialled digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// The actor of a command.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// An account in the console.
    Console {
        /// The account.
        account: AccountName,
        /// The address of the browser.
        from: IpAddr,
    },
    /// A user of the command line, by login name.
    Command(String),
    /// Hotdesk itself.
    Controller,
    /// The caller at this device.
    Device(DeviceName),
    /// Hotdesk itself, at a set time.
    Timer(Why),
}

impl Actor {
    /// Whether both are the same account or user, from whichever address.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Console { account, .. }, Self::Console { account: other, .. }) => account == other,
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Console { account, from } => write!(f, "{account} (console, from {from})"),
            Self::Command(name) => write!(f, "{name} (command line)"),
            Self::Controller => f.write_str("hotdesk"),
            Self::Device(device) => write!(f, "device {device}"),
            Self::Timer(why) => write!(f, "hotdesk ({why})"),
        }
    }
}

/// An event.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A link was made with which the user of an account chooses a password.
    AccountInvited {
        /// The account.
        account: AccountName,
        /// Its role.
        role: Role,
        /// Whether it is new.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        added: bool,
    },
    /// An account was removed, with its sessions in the console.
    AccountRemoved {
        /// The account.
        account: AccountName,
    },
    /// An administrator had a switch take the state of this store, which did not fit what the switch held.
    Adopted {
        /// The switch.
        switch: super::id::SwitchName,
        /// How many of its rows differed.
        rows: usize,
    },
    /// A device was added or changed. If it is no longer for hotdesking, its user was logged out.
    DeviceChanged {
        /// The device.
        device: DeviceName,
        /// The user who was logged out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Extension>,
        /// The owners before and after, if that changed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        owners: Vec<Extension>,
        /// What changed; empty for a new record.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<FieldChange>,
        /// Whether it is new.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        added: bool,
    },
    /// A device was removed, and its user logged out.
    DeviceRemoved {
        /// The device.
        device: DeviceName,
        /// The user who was logged out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Extension>,
        /// Its owner, if it had one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        owners: Vec<Extension>,
    },
    /// A location was added or changed.
    LocationChanged {
        /// The location.
        location: LocationName,
        /// Its devices.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        devices: Vec<DeviceName>,
        /// What changed; empty for a new record.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<FieldChange>,
        /// Whether it is new.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        added: bool,
    },
    /// A location without devices was removed.
    LocationRemoved {
        /// The location.
        location: LocationName,
    },
    /// A device was enabled for hotdesking, but an emergency call from it shows no number of its location.
    LocationWaived {
        /// The device.
        device: DeviceName,
    },
    /// Sessions ended or began; see [`super::login::transition::Transition`].
    SessionsChanged {
        /// Ended sessions.
        ended: Vec<Session>,
        /// New sessions.
        begun: Vec<Session>,
        /// Whether it undid an earlier transition: the switch did not acknowledge that, or its operator took it back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        undo: bool,
    },
    /// The user of an account chose a password with a link, and signed in.
    PasswordChosen {
        /// The account.
        account: AccountName,
    },
    /// A wrong password was entered for an account.
    SignInRefused {
        /// The account.
        account: AccountName,
    },
    /// An account signed in to the console.
    SignedIn {
        /// The account.
        account: AccountName,
    },
    /// An account signed out of the console.
    SignedOut {
        /// The account.
        account: AccountName,
    },
    /// A user got a new PIN.
    PinChanged {
        /// The user.
        user: Extension,
    },
    /// A login was refused.
    Refused {
        /// The device.
        device: DeviceName,
        /// The extension that the caller entered, if any; the user need not exist.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Extension>,
        /// [`super::login::refusal::Refusal::code`], or `not-available`.
        reason: String,
    },
    /// A row of a switch table differed from the desired state and was repaired.
    Repaired {
        /// The switch.
        switch: super::id::SwitchName,
        /// The row: `device desk1`, `user 101`, `lamp 101`.
        row: String,
        /// The text before.
        was: String,
        /// The text now.
        is: String,
    },
    /// An automatic logout was postponed.
    Extended {
        /// The user.
        user: Extension,
        /// The device.
        device: DeviceName,
        /// The new time.
        until: Timestamp,
    },
    /// A user changed a setting; see [`super::settings::Setting`].
    SettingChanged {
        /// The user.
        user: Extension,
        /// The setting in words, without numbers.
        setting: String,
    },
    /// One device tried many extensions, or one extension was tried from many devices: see [`super::login::lockout`].
    Spray {
        /// The device of the last attempt.
        device: DeviceName,
        /// The user who was tried from many devices, if that is the case and the user exists.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Extension>,
        /// `device` or `user`: whose failures make the spray.
        of: String,
    },
    /// An administrator ended lockouts, and their failures were forgotten.
    Unlocked {
        /// The user; without user and device: all lockouts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Extension>,
        /// The device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<DeviceName>,
    },
    /// A user was added or changed. If the user may no longer hotdesk, the user was logged out.
    UserChanged {
        /// The user.
        user: Extension,
        /// The devices where the user was logged out.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        devices: Vec<DeviceName>,
        /// What changed; empty for a new record.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<FieldChange>,
        /// Whether it is new.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        added: bool,
    },
    /// A user was removed, and logged out.
    UserRemoved {
        /// The user.
        user: Extension,
        /// The devices where the user was logged out.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        devices: Vec<DeviceName>,
    },
}

impl Event {
    /// The number of logins and of logouts in it.
    pub(super) fn moves(&self) -> (usize, usize) {
        match self {
            Self::SessionsChanged { ended, begun, .. } => (begun.len(), ended.len()),
            Self::DeviceChanged { user, .. } | Self::DeviceRemoved { user, .. } => (0, user.iter().len()),
            Self::UserChanged { devices, .. } | Self::UserRemoved { devices, .. } => (0, devices.len()),
            _ => (0, 0),
        }
    }
}

impl Entry {
    /// The users and devices whose rows may differ after it.
    pub fn touches(&self) -> Scope {
        let (users, devices): (Vec<&Extension>, Vec<&DeviceName>) = match &self.event {
            Event::Adopted { .. } => return Scope::All,
            Event::SessionsChanged { ended, begun, .. } => return Scope::of(ended.iter().chain(begun)),
            Event::DeviceChanged { device, user, owners, .. }
            | Event::DeviceRemoved { device, user, owners } => {
                (user.iter().chain(owners).collect(), vec![device])
            }
            Event::UserChanged { user, devices, .. } | Event::UserRemoved { user, devices } => {
                (vec![user], devices.iter().collect())
            }
            Event::SettingChanged { user, .. } => (vec![user], vec![]),
            Event::Extended { user, device, .. } => (vec![user], vec![device]),
            Event::LocationChanged { devices, .. } => (vec![], devices.iter().collect()),
            Event::AccountInvited { .. }
            | Event::AccountRemoved { .. }
            | Event::PasswordChosen { .. }
            | Event::SignInRefused { .. }
            | Event::SignedIn { .. }
            | Event::SignedOut { .. }
            | Event::LocationRemoved { .. }
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
    /// One line for a reader, with times in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, |at| format!("{at:.0}"))
    }
}

impl Entry {
    /// One line for a reader, with times as `time` writes them.
    pub fn line(&self, time: impl Fn(Timestamp) -> String) -> String {
        let mut line = String::new();
        // Nothing fails when it is written into a text.
        let _ = self.write(&mut line, time);
        line
    }

    /// The same without the actor.
    pub fn what(&self, time: impl Fn(Timestamp) -> String) -> String {
        let mut line = String::new();
        let _ = self.write_event(&mut line, time);
        line
    }

    fn write(&self, f: &mut impl fmt::Write, time: impl Fn(Timestamp) -> String) -> fmt::Result {
        self.write_event(f, time)?;
        write!(f, ", by {}", self.by)
    }

    fn write_event(&self, f: &mut impl fmt::Write, time: impl Fn(Timestamp) -> String) -> fmt::Result {
        let changed = |of: &dyn fmt::Display, fields: &[FieldChange], added: bool| {
            let how = if added { "added" } else { "changed" };
            let fields = fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let colon = if fields.is_empty() { "" } else { ": " };
            format!("{of} {how}{colon}{fields}")
        };
        match &self.event {
            Event::Adopted { switch, rows } => write!(f, "{switch} takes this store, {rows} rows differed")?,
            Event::AccountInvited { account, role, added } => {
                let what = if *added { "added and invited" } else { "invited" };
                write!(f, "account {account} {what} as {role}")?;
            }
            Event::AccountRemoved { account } => write!(f, "account {account} removed")?,
            Event::PasswordChosen { account } => write!(f, "account {account} has a new password")?,
            Event::SignInRefused { account } => write!(f, "wrong password for account {account}")?,
            Event::SignedIn { account } => write!(f, "account {account} signed in")?,
            Event::SignedOut { account } => write!(f, "account {account} signed out")?,
            Event::DeviceChanged { device, fields, added, .. } => {
                write!(f, "device {}", changed(device, fields, *added))?
            }
            Event::DeviceRemoved { device, .. } => write!(f, "device {device} removed")?,
            Event::LocationChanged { location, fields, added, .. } => {
                write!(f, "location {}", changed(location, fields, *added))?
            }
            Event::LocationRemoved { location } => write!(f, "location {location} removed")?,
            Event::LocationWaived { device } => {
                write!(f, "device {device} is for hotdesking without an emergency caller ID")?;
            }
            Event::SessionsChanged { ended, begun, undo } => {
                if *undo {
                    f.write_str("undone: ")?;
                }
                let mut between = "";
                for was in ended {
                    write!(f, "{between}{} logged out at {}", was.user, was.device)?;
                    between = ", ";
                }
                for is in begun {
                    write!(f, "{between}{} logged in at {}", is.user, is.device)?;
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
            Event::Extended { user, device, until } => {
                write!(f, "automatic logout of {user} at {device} postponed until {}", time(*until))?;
            }
            Event::Spray { device, of, .. } if of == "device" => {
                write!(f, "spray: {device} tried many extensions")?;
            }
            Event::Spray { device, user: Some(user), .. } => {
                write!(f, "spray: {user} was tried from many devices, last at {device}")?;
            }
            Event::Spray { device, user: None, .. } => {
                write!(f, "spray: an unknown extension was tried from many devices, last at {device}")?;
            }
            Event::Unlocked { user: Some(user), .. } => write!(f, "lockout of user {user} ended")?,
            Event::Unlocked { device: Some(device), .. } => write!(f, "lockout of device {device} ended")?,
            Event::Unlocked { user: None, device: None } => f.write_str("all lockouts ended")?,
            Event::UserChanged { user, fields, added, .. } => {
                write!(f, "user {}", changed(user, fields, *added))?
            }
            Event::UserRemoved { user, .. } => write!(f, "user {user} removed")?,
        }
        Ok(())
    }
}
