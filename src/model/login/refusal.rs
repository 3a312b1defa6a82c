//! The reasons for a refusal: one variant for each, with its prompt and its code in the journal.

use std::fmt;

use super::prompt::Prompt;
use crate::model::directory::Kind;
use crate::model::id::{AccountName, DeviceName, EmergencyNumber, Extension, LocationName, Number};

/// A refusal with its reason. The reason is for the journal; the caller hears only the prompt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The user has no number with this key.
    ChoiceUnknown,
    /// What was dialled is no code.
    CodeUnknown,
    /// The device is not for hotdesking.
    DeviceForbidden,
    /// Too many recent failures at this device.
    DeviceLocked,
    /// Another user is logged in at the device, and the tenant does not allow a takeover.
    DeviceOccupied,
    /// The switch has a device that Hotdesk does not know.
    DeviceUnknown,
    /// The caller entered nothing, or no extension, or no PIN.
    EntryMissing,
    /// The user may not join the group, or two groups have the same spelling, or the user is signed in to none.
    GroupUnknown,
    /// Users may not log in at the device from its current address.
    NetworkForbidden,
    /// The device has no user, so there are no settings to change: no session and no owner.
    NoUserHere,
    /// The user has no such device, or is logged in nowhere.
    NothingToRing,
    /// The PIN is right, but older than allowed.
    PinExpired,
    /// The new PIN is not a PIN, too easy to guess, the same as before, or the two entries differ.
    PinUnfit,
    /// The PIN is wrong, or the user has none.
    PinWrong,
    /// The user is logged in elsewhere, and must log out there first.
    UserElsewhere,
    /// The user may not hotdesk.
    UserForbidden,
    /// Too many recent failures of this user.
    UserLocked,
    /// There is no such extension.
    UserUnknown,
    /// There is no such account of the console.
    AccountUnknown(AccountName),
    /// The record has changed since it was read.
    ChangedMeanwhile(Subject),
    /// A location at which devices for hotdesking stand must keep an emergency caller ID.
    EmergencyCallerIdNeeded(LocationName, Vec<DeviceName>),
    /// The extension is an emergency number.
    EmergencyExtension(Extension),
    /// Calls are not forwarded to an emergency number.
    ForwardToEmergency(Number),
    /// Calls are not forwarded to the user's own extension.
    ForwardToSelf(Number),
    /// No administrator of the console would remain.
    LastAdministrator(AccountName),
    /// The link was used already, is too old, or another one was made since.
    LinkVoid,
    /// The password was changed while it was compared.
    PasswordChanged,
    /// Users cannot log in at a device of this kind.
    KindForbidsHotdesk(DeviceName, Kind),
    /// A device of this kind must have an owner.
    KindNeedsOwner(DeviceName, Kind),
    /// Devices stand at the location.
    LocationInUse(LocationName, Vec<DeviceName>),
    /// There is no login or logout that this operator can undo.
    NothingToUndo,
    /// The session at the device is not the one that was to be moved or undone: someone has logged in or out there since.
    Overtaken(DeviceName),
    /// There is no such record.
    Missing(Subject),
    /// An emergency call from the device would show no number of its location, or the device has no location.
    NoEmergencyCallerId(DeviceName, Option<LocationName>),
    /// The number is not an emergency number of the configuration.
    NotAnEmergencyNumber(EmergencyNumber),
}

impl Refusal {
    /// The prompt for the caller. Refusals that would reveal an extension, a PIN or a permission have the same prompt.
    pub const fn prompt(&self) -> Prompt {
        match self {
            Self::DeviceLocked | Self::UserLocked => Prompt::Locked,
            Self::NoUserHere => Prompt::NotAllowedHere,
            Self::ChoiceUnknown
            | Self::CodeUnknown
            | Self::DeviceForbidden
            | Self::DeviceOccupied
            | Self::DeviceUnknown
            | Self::EntryMissing
            | Self::GroupUnknown
            | Self::NetworkForbidden
            | Self::NothingToRing
            | Self::PinExpired
            | Self::PinUnfit
            | Self::PinWrong
            | Self::UserElsewhere
            | Self::UserForbidden
            | Self::UserUnknown
            | Self::AccountUnknown(_)
            | Self::ChangedMeanwhile(_)
            | Self::LastAdministrator(_)
            | Self::LinkVoid
            | Self::PasswordChanged
            | Self::EmergencyCallerIdNeeded(..)
            | Self::EmergencyExtension(_)
            | Self::ForwardToEmergency(_)
            | Self::ForwardToSelf(_)
            | Self::KindForbidsHotdesk(..)
            | Self::KindNeedsOwner(..)
            | Self::LocationInUse(..)
            | Self::Missing(_)
            | Self::NothingToUndo
            | Self::Overtaken(_)
            | Self::NoEmergencyCallerId(..)
            | Self::NotAnEmergencyNumber(_) => Prompt::NotAccepted,
        }
    }

    /// Its name in the journal and the logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ChoiceUnknown => "choice-unknown",
            Self::CodeUnknown => "code-unknown",
            Self::DeviceForbidden => "device-forbidden",
            Self::DeviceLocked => "device-locked",
            Self::DeviceOccupied => "device-occupied",
            Self::DeviceUnknown | Self::Missing(Subject::Device(_)) => "device-unknown",
            Self::EntryMissing => "entry-missing",
            Self::GroupUnknown => "group-unknown",
            Self::NetworkForbidden => "network-forbidden",
            Self::NoUserHere => "no-user-here",
            Self::NothingToRing => "nothing-to-ring",
            Self::PinExpired => "pin-expired",
            Self::PinUnfit => "pin-unfit",
            Self::PinWrong => "pin-wrong",
            Self::UserElsewhere => "user-elsewhere",
            Self::UserForbidden => "user-forbidden",
            Self::UserLocked => "user-locked",
            Self::UserUnknown | Self::Missing(Subject::User(_)) => "user-unknown",
            Self::AccountUnknown(_) => "account-unknown",
            Self::ChangedMeanwhile(_) => "changed-meanwhile",
            Self::LastAdministrator(_) => "last-administrator",
            Self::LinkVoid => "link-void",
            Self::PasswordChanged => "password-changed",
            Self::EmergencyCallerIdNeeded(..) => "emergency-caller-id-needed",
            Self::EmergencyExtension(_) => "emergency-extension",
            Self::ForwardToEmergency(_) | Self::ForwardToSelf(_) => "number-forbidden",
            Self::KindForbidsHotdesk(..) => "kind-forbids-hotdesk",
            Self::KindNeedsOwner(..) => "kind-needs-owner",
            Self::LocationInUse(..) => "location-in-use",
            Self::Missing(Subject::Location(_)) => "location-unknown",
            Self::NothingToUndo => "nothing-to-undo",
            Self::Overtaken(_) => "overtaken",
            Self::NoEmergencyCallerId(..) => "no-emergency-caller-id",
            Self::NotAnEmergencyNumber(_) => "not-an-emergency-number",
        }
    }

    /// Whether the caller may try again.
    pub const fn invites_another_try(&self) -> bool {
        matches!(
            self,
            Self::EntryMissing
                | Self::PinExpired
                | Self::PinUnfit
                | Self::PinWrong
                | Self::UserForbidden
                | Self::UserUnknown
        )
    }
}

/// A record that a command is about. In this order each kind names only records of the kinds before it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// A location.
    Location(LocationName),
    /// A user.
    User(Extension),
    /// A device.
    Device(DeviceName),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(device) => write!(f, "device {device}"),
            Self::Location(location) => write!(f, "location {location}"),
            Self::User(user) => write!(f, "user {user}"),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    /// For an administrator: what is wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccountUnknown(account) => write!(f, "there is no account {account}"),
            Self::LastAdministrator(account) => {
                write!(f, "{account} is the only administrator of the console who has a password")
            }
            Self::LinkVoid => {
                f.write_str("this link was used already, is too old, or another one was made since")
            }
            Self::ChangedMeanwhile(subject) => {
                write!(
                    f,
                    "{subject} was changed by another writer meanwhile, so nothing was changed: try again"
                )
            }
            Self::EmergencyCallerIdNeeded(location, devices) => write!(
                f,
                "{} hotdesking devices at {location} need its emergency caller ID, for example {}",
                devices.len(),
                devices.first().map_or("", DeviceName::as_str)
            ),
            Self::EmergencyExtension(user) => {
                write!(f, "{user} is an emergency number, so calls to it would not reach the user")
            }
            Self::ForwardToEmergency(number) => {
                write!(f, "{number} is an emergency number: calls cannot be forwarded to it")
            }
            Self::ForwardToSelf(number) => {
                write!(f, "{number} is the extension of this user: calls would loop")
            }
            Self::KindForbidsHotdesk(_, kind) => write!(f, "users cannot log in at a {kind}"),
            Self::KindNeedsOwner(_, kind) => write!(f, "a {kind} needs an owner"),
            Self::LocationInUse(_, devices) => {
                const NAMED: usize = 10;
                let named = devices.iter().take(NAMED).map(DeviceName::as_str).collect::<Vec<_>>().join(", ");
                match devices.len() {
                    1 => write!(f, "device {named} is still at this location"),
                    all if all > NAMED => {
                        write!(f, "devices {named} and {} more are still at this location", all - NAMED)
                    }
                    _ => write!(f, "devices {named} are still at this location"),
                }
            }
            Self::Missing(subject) => write!(f, "there is no {subject}"),
            Self::NothingToUndo => {
                f.write_str("nothing was undone: only your own login or logout of the last minute can be")
            }
            Self::Overtaken(device) => {
                write!(f, "someone has logged in or out at {device} since, so nothing was changed")
            }
            Self::NoEmergencyCallerId(..) => {
                f.write_str("hotdesking needs a location with an emergency caller ID")
            }
            Self::NotAnEmergencyNumber(number) => write!(
                f,
                "{number} is not in [emergency] numbers of the configuration, so the switch does not handle it as an emergency call"
            ),
            refusal => write!(f, "not done: {}", refusal.code()),
        }
    }
}
