//! The rules for a request: each answer is yes, or a refusal.

use std::net::IpAddr;

use super::refusal::Refusal;
use crate::model::codes::{Action, Operand, Proof, Request, Served};
use crate::model::directory::{Device, User};
use crate::model::id::Extension;

/// The meaning of a request at a device.
#[derive(Debug, Eq, PartialEq)]
pub enum Intent {
    /// A user logs in: ask for what is missing.
    LogIn {
        /// The extension, if it was dialled.
        user: Option<Extension>,
        /// How the user proves the identity.
        pin: Proof,
    },
    /// A user wants a new PIN. Without an extension it is the user logged in here.
    ChangePin(Option<Extension>),
    /// Log out this user, who is logged in here.
    LogOut(Extension),
    /// A user logs out everywhere: ask for what is missing.
    LogOutEverywhere {
        /// The extension, if it was dialled.
        user: Option<Extension>,
        /// How the user proves the identity.
        pin: Proof,
    },
    /// No user is logged in here, so there is no logout.
    NothingToLogOut,
    /// The device's user changes a setting.
    Set(Action, Option<Operand>),
    /// Say who is logged in here.
    Tell,
    /// Not for Hotdesk: the switch should have handled it.
    Unserved,
}

/// The meaning of a request at a device with the session of `current`. A toggle depends on *this user at this device*.
pub fn intent(request: Request, current: Option<&Extension>) -> Intent {
    let Request { action, user, pin, operand } = request;
    if action.served() != Served::Controller {
        return Intent::Unserved;
    }
    match (action, user, current) {
        (Action::Toggle, None, Some(current)) | (Action::Logout, _, Some(current)) => {
            Intent::LogOut(current.clone())
        }
        (Action::Toggle, Some(user), Some(current)) if user == *current => Intent::LogOut(user),
        (Action::Logout, _, None) => Intent::NothingToLogOut,
        (Action::Login | Action::Toggle, user, _) => Intent::LogIn { user, pin },
        (Action::LogoutEverywhere, user, _) => Intent::LogOutEverywhere { user, pin },
        (Action::ChangePin, user, _) => Intent::ChangePin(user),
        (Action::WhoIsHere, ..) => Intent::Tell,
        (setting, ..) => Intent::Set(setting, operand),
    }
}

/// Whether users may log in at this device, from its current address.
pub fn admit_device(device: Option<&Device>, from: Option<IpAddr>) -> Result<(), Refusal> {
    let device = device.ok_or(Refusal::DeviceUnknown)?;
    if !device.hotdesk {
        return Err(Refusal::DeviceForbidden);
    }
    let nets = &device.allow_from;
    if !nets.is_empty() && !from.is_some_and(|from| nets.iter().any(|net| net.contains(&from))) {
        return Err(Refusal::NetworkForbidden);
    }
    Ok(())
}

/// Whether this user may log in, once the PIN has been compared.
pub fn admit_user(user: Option<&User>, pin_matches: bool) -> Result<(), Refusal> {
    let user = user.ok_or(Refusal::UserUnknown)?;
    if !pin_matches {
        return Err(Refusal::PinWrong);
    }
    if user.hotdesk { Ok(()) } else { Err(Refusal::UserForbidden) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{DeviceName, DialTarget, SwitchName, TenantId};

    fn device(hotdesk: bool, allow_from: &[&str]) -> Device {
        let (tenant, desk) = (TenantId::default(), DeviceName::new("desk1").unwrap());
        let dial = DialTarget::new("PJSIP/desk1").unwrap();
        let allow_from = allow_from.iter().map(|net| net.parse().unwrap()).collect();
        Device { hotdesk, allow_from, ..Device::new(tenant, desk, SwitchName::default(), dial) }
    }

    #[test]
    fn a_device_admits_by_permission_and_network() {
        let here = Some("192.0.2.7".parse().unwrap());
        assert_eq!(admit_device(None, here), Err(Refusal::DeviceUnknown));
        assert_eq!(admit_device(Some(&device(false, &[])), here), Err(Refusal::DeviceForbidden));
        assert_eq!(admit_device(Some(&device(true, &[])), None), Ok(()));
        let fenced = device(true, &["192.0.2.0/24", "2001:db8::/32"]);
        assert_eq!(admit_device(Some(&fenced), here), Ok(()));
        assert_eq!(
            admit_device(Some(&fenced), Some("198.51.100.1".parse().unwrap())),
            Err(Refusal::NetworkForbidden)
        );
        assert_eq!(admit_device(Some(&fenced), None), Err(Refusal::NetworkForbidden));
    }
}
