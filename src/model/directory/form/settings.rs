//! The form of the settings that users change themselves by phone.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::fields::{Fields, Flaw, json};
use super::user::{UserForm, caller_id, forward, groups};
use crate::model::directory::profile::{Forward, Membership, When};
use crate::model::directory::{ByUser, Snapshot, User};
use crate::model::id::{DeviceName, GroupName, Number};
use crate::model::settings::Setting;

/// The settings that users change themselves by phone.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
pub struct SettingsForm<'a> {
    /// The caller ID number; null: the extension.
    #[schema(value_type = Option<String>)]
    caller_id: Option<&'a Number>,
    /// Whether calls show no number.
    anonymous: bool,
    /// DND.
    do_not_disturb: bool,
    /// Call forwarding.
    forward: &'a Forward,
    /// The groups that the user may join, and the membership of each.
    #[schema(value_type = BTreeMap<String, Membership>)]
    groups: &'a BTreeMap<GroupName, Membership>,
    /// Whether devices ring one after the other.
    in_turn: bool,
    /// Devices that ring for calls to the user, and whether each is switched on.
    #[schema(value_type = BTreeMap<String, bool>)]
    rings: BTreeMap<&'a DeviceName, bool>,
}

impl SettingsForm<'_> {
    /// The settings of a user as JSON.
    pub fn json(user: &User, snapshot: &Snapshot) -> Value {
        let by_user = ByUser::of(snapshot);
        let UserForm { caller_id, anonymous, do_not_disturb, forward, groups, in_turn, rings, .. } =
            UserForm::of(user, snapshot, &by_user);
        json(&SettingsForm { caller_id, anonymous, do_not_disturb, forward, groups, in_turn, rings })
    }
}

/// What is to be set so that the settings of `user` are as this object says.
///
/// # Errors
/// Each field that is wrong.
pub fn settings(
    user: &User,
    snapshot: &Snapshot,
    object: Map<String, Value>,
) -> Result<Vec<Setting>, Vec<Flaw>> {
    let mut fields = Fields::of(object);
    let caller_id = caller_id(&mut fields);
    let mut settings =
        vec![Setting::CallerId(caller_id), Setting::DoNotDisturb(fields.flag("do_not_disturb", false))];
    let Forward { always, busy, unanswered } = forward(&mut fields);
    let forwards = [(When::Always, always), (When::Busy, busy), (When::Unanswered, unanswered)];
    settings.extend(forwards.map(|(when, to)| Setting::Forward(when, to)));
    let groups = groups(&mut fields);
    for name in groups.keys().filter(|name| !user.profile.groups.contains_key(*name)) {
        fields.refuse("groups", format_args!("the user may not join {name}"));
    }
    // One that is left out is signed out.
    for name in user.profile.groups.keys() {
        settings.push(Setting::Group(name.clone(), groups.get(name).copied().unwrap_or_default()));
    }
    settings.push(Setting::RingInTurn(fields.flag("in_turn", false)));
    let rings: Vec<(String, bool)> = fields.object("rings", |rings| {
        rings.names().into_iter().filter_map(|name| Some((name.clone(), rings.value(&name)?))).collect()
    });
    let now = UserForm::of(user, snapshot, &ByUser::of(snapshot)).rings.into_iter();
    let now: BTreeMap<DeviceName, bool> = now.map(|(device, rings)| (device.clone(), rings)).collect();
    for (name, on) in rings.into_iter().filter(|(name, on)| now.get(name.as_str()) != Some(on)) {
        let device = DeviceName::new(&name).map_err(|wrong| wrong.to_string());
        match device.and_then(|device| ring(user, snapshot, device, on)) {
            Ok(setting) => settings.push(setting),
            Err(wrong) => fields.refuse("rings", wrong),
        }
    }
    settings.retain(|setting| setting.changes(user));
    fields.into_result(Some(settings))
}

/// Whether a device that the user owns, or at which the user is logged in, rings.
fn ring(user: &User, snapshot: &Snapshot, device: DeviceName, on: bool) -> Result<Setting, String> {
    let owner = snapshot.devices.get(&device).and_then(|device| device.owner.as_ref());
    let here = snapshot.sessions.get(&device).is_some_and(|login| login.user == user.extension);
    let latest = snapshot.sessions_of(&user.extension).map(|login| login.revision).max();
    match (owner == Some(&user.extension), latest.filter(|_| here)) {
        (true, _) => Ok(Setting::Ring(device, on)),
        (false, Some(latest)) => Ok(Setting::RingHotdesk(latest, on)),
        (false, None) => Err(format!("the user neither owns {device} nor is logged in there")),
    }
}
