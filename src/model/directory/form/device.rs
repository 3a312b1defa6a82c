//! The form of a device.

use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::fields::{Fields, Flaw, json};
use crate::model::auto_logout::AutoLogoutRules;
use crate::model::directory::{Device, Kind, ShortList, Snapshot};
use crate::model::id::{
    Context, DeviceName, DialTarget, Extension, LocationName, Number, SwitchName, TenantId,
};

/// The most networks from which users may log in at a device.
const NETWORKS: usize = 100;

/// A device, with its user.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub struct DeviceForm<'a> {
    /// Its name on the switch. It cannot be changed.
    #[schema(value_type = String, example = "desk1")]
    pub device: &'a DeviceName,
    /// The switch that it registers with.
    #[schema(value_type = String)]
    pub switch: &'a SwitchName,
    /// What the switch dials to ring it: PJSIP/desk1.
    #[schema(value_type = String)]
    pub dial: &'a DialTarget,
    /// Its kind: desk, softphone, mobile.
    #[schema(value_type = String)]
    pub kind: Kind,
    /// Whether users may log in at it.
    pub hotdesk: bool,
    /// Its location.
    #[schema(value_type = Option<String>)]
    pub location: Option<&'a LocationName>,
    /// The number that emergency calls from it show. Its location has it.
    #[schema(value_type = Option<String>)]
    pub emergency_caller_id: Option<&'a Number>,
    /// The user who has it while no guest is logged in.
    #[schema(value_type = Option<String>)]
    pub owner: Option<&'a Extension>,
    /// The networks that logins may come from; none: any.
    #[schema(value_type = Vec<String>)]
    pub allow_from: &'a [IpNet],
    /// Numbers that may be dialled while no user is logged in.
    #[schema(value_type = Vec<String>)]
    pub may_dial: &'a [Number],
    /// The dialplan context for those calls; null: they reach users only.
    #[schema(value_type = Option<String>)]
    pub class: Option<&'a Context>,
    /// Automatic logout at the device.
    pub auto_logout: &'a AutoLogoutRules,
    /// The user who is logged in at it. Sessions change it.
    #[schema(value_type = Option<String>)]
    pub user: Option<&'a Extension>,
}

impl<'a> DeviceForm<'a> {
    /// The form of a device of a snapshot.
    pub fn of(device: &'a Device, snapshot: &'a Snapshot) -> Self {
        Self {
            device: &device.name,
            switch: &device.switch,
            dial: &device.dial,
            kind: device.kind,
            hotdesk: device.hotdesk,
            location: device.location.as_ref(),
            emergency_caller_id: snapshot.emergency_caller_id(device),
            owner: device.owner.as_ref(),
            allow_from: &device.allow_from,
            may_dial: &device.may_dial.numbers,
            class: device.may_dial.class.as_ref(),
            auto_logout: &device.auto_logout,
            user: snapshot.sessions.get(&device.name).map(|session| &session.user),
        }
    }

    /// The same as JSON.
    pub fn json(device: &Device, snapshot: &Snapshot) -> Value {
        json(&DeviceForm::of(device, snapshot))
    }
}

/// The device of this name as this object says. What the object leaves out is as for a new device.
///
/// # Errors
/// Each field that is wrong.
pub fn device(
    (tenant, name): (&TenantId, &DeviceName),
    snapshot: &Snapshot,
    object: Map<String, Value>,
) -> Result<Device, Vec<Flaw>> {
    let mut fields = Fields::of(object);
    let known = snapshot.devices.get(name);
    let place = (fields.needed("switch"), fields.needed("dial"));
    let kind: Kind = fields.text("kind").unwrap_or_default();
    let hotdesk = fields.flag("hotdesk", kind.is_desk());
    let (location, owner) = (fields.value("location"), fields.value("owner"));
    let allow_from = fields.list("allow_from", NETWORKS);
    let may_dial =
        ShortList { numbers: fields.list("may_dial", ShortList::MOST), class: fields.value("class") };
    let auto_logout = fields.auto_logout();
    let device = match place {
        (Some(switch), Some(dial)) => Some(Device {
            kind,
            hotdesk,
            location,
            owner,
            allow_from,
            may_dial,
            auto_logout,
            ..Device::new(tenant.clone(), name.clone(), switch, dial)
        }),
        _ => None,
    };
    let [was, is] = [known, device.as_ref()].map(|it| it.map(|it| DeviceForm::json(it, snapshot)));
    // Without its switch nothing is compared: that it is missing is said already.
    if device.is_some() {
        fields.fixed(&["device", "emergency_caller_id", "user"], [was.as_ref(), is.as_ref()]);
    }
    fields.into_result(device)
}
