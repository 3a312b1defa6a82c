//! The form of a user.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::fields::{Fields, Flaw, json};
use crate::model::auto_logout::AutoLogoutRules;
use crate::model::directory::profile::{Forward, Membership, Profile};
use crate::model::directory::{Away, ByUser, CallerId, Snapshot, User};
use crate::model::id::{
    Account, Context, DeviceName, DisplayName, Extension, GroupName, Language, Mailbox, Number,
};

/// A user, with the user's settings and devices.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserForm<'a> {
    /// The user's internal number; leading zeros count. It cannot be changed.
    #[schema(value_type = String, example = "101")]
    pub extension: &'a Extension,
    /// The name that called phones show.
    #[schema(value_type = Option<String>)]
    pub name: Option<&'a DisplayName>,
    /// The caller ID number; null: the extension.
    #[schema(value_type = Option<String>)]
    pub caller_id: Option<&'a Number>,
    /// Whether calls show no number.
    pub anonymous: bool,
    /// Whether the user may log in at devices.
    pub hotdesk: bool,
    /// The language of prompts: en, nl, de.
    #[schema(value_type = Option<String>)]
    pub language: Option<&'a Language>,
    /// Class of service: the dialplan context of the user's calls.
    #[schema(value_type = Option<String>)]
    pub class: Option<&'a Context>,
    /// The voicemail box: 101@default.
    #[schema(value_type = Option<String>)]
    pub mailbox: Option<&'a Mailbox>,
    /// The destination of calls while the user is logged out: voicemail, busy, or a number.
    pub when_logged_out: String,
    /// Which calls are recorded: never, always, inbound, outbound, on-demand.
    pub recording: &'static str,
    /// The call pickup group.
    #[schema(value_type = Option<String>)]
    pub pickup: Option<&'a GroupName>,
    /// The account code in call records; null: the extension.
    #[schema(value_type = Option<String>)]
    pub account: Option<&'a Account>,
    /// The numbers that the user may choose as caller ID, in the order of their keys.
    #[schema(value_type = Vec<String>)]
    pub numbers: &'a [Number],
    /// The groups that the user may join, and the membership of each.
    #[schema(value_type = BTreeMap<String, Membership>)]
    pub groups: &'a BTreeMap<GroupName, Membership>,
    /// DND.
    pub do_not_disturb: bool,
    /// Call forwarding.
    pub forward: &'a Forward,
    /// Whether devices ring one after the other.
    pub in_turn: bool,
    /// Devices that ring for calls to the user, and whether each is switched on. Settings change it.
    #[schema(value_type = BTreeMap<String, bool>)]
    pub rings: BTreeMap<&'a DeviceName, bool>,
    /// Automatic logout of the user.
    pub auto_logout: &'a AutoLogoutRules,
    /// The devices at which the user is logged in. Sessions change it.
    #[schema(value_type = Vec<String>)]
    pub devices: Vec<&'a DeviceName>,
}

impl<'a> UserForm<'a> {
    /// The form of a user of a snapshot.
    pub fn of(user: &'a User, snapshot: &'a Snapshot, by_user: &ByUser<'a>) -> Self {
        let profile = &user.profile;
        let devices = by_user.devices(&user.extension).iter().copied();
        Self {
            extension: &user.extension,
            name: user.name.as_ref(),
            caller_id: match &user.caller_id {
                CallerId::Number(number) => Some(number),
                CallerId::Anonymous | CallerId::Extension => None,
            },
            anonymous: user.caller_id == CallerId::Anonymous,
            hotdesk: user.hotdesk,
            language: user.language.as_ref(),
            class: user.class.as_ref(),
            mailbox: user.mailbox.as_ref(),
            when_logged_out: user.away.to_string(),
            recording: profile.recording.name(),
            pickup: profile.pickup.as_ref(),
            account: profile.account.as_ref(),
            numbers: &profile.numbers,
            groups: &profile.groups,
            do_not_disturb: profile.do_not_disturb,
            forward: &profile.forward,
            in_turn: profile.rings.in_turn,
            rings: devices.map(|device| (device, snapshot.rings(device, user))).collect(),
            auto_logout: &user.auto_logout,
            devices: by_user.sessions(&user.extension).iter().map(|session| &session.device).collect(),
        }
    }

    /// The same as JSON.
    pub fn json(user: &User, snapshot: &Snapshot) -> Value {
        json(&UserForm::of(user, snapshot, &ByUser::of(snapshot)))
    }
}

/// The user `known`, or a new one, as this object says. What the object leaves out is as for a new user; which devices ring
/// stays.
///
/// # Errors
/// Each field that is wrong.
pub fn user(known: &User, snapshot: &Snapshot, object: Map<String, Value>) -> Result<User, Vec<Flaw>> {
    let mut fields = Fields::of(object);
    let mut user = User::new(known.tenant.clone(), known.extension.clone());
    user.name = fields.value("name");
    user.caller_id = caller_id(&mut fields);
    user.hotdesk = fields.flag("hotdesk", true);
    user.language = fields.value("language");
    user.class = fields.value("class");
    user.mailbox = fields.value("mailbox");
    user.away = fields.text("when_logged_out").unwrap_or(Away::Voicemail);
    user.auto_logout = fields.auto_logout();
    user.profile.recording = fields.text("recording").unwrap_or_default();
    user.profile.pickup = fields.value("pickup");
    user.profile.account = fields.value("account");
    user.profile.numbers = fields.list("numbers", Profile::NUMBERS);
    user.profile.groups = groups(&mut fields);
    user.profile.do_not_disturb = fields.flag("do_not_disturb", false);
    user.profile.forward = forward(&mut fields);
    user.profile.rings = known.profile.rings.clone();
    user.profile.rings.in_turn = fields.flag("in_turn", false);
    let [was, is] = [known, &user].map(|user| UserForm::json(user, snapshot));
    fields.fixed(&["extension", "rings", "devices"], [Some(&was), Some(&is)]);
    fields.into_result(Some(user))
}

pub(super) fn caller_id(fields: &mut Fields) -> CallerId {
    match (fields.flag("anonymous", false), fields.value("caller_id")) {
        (true, Some(_)) => {
            fields.refuse("caller_id", "an anonymous user shows no number: give one of the two");
            CallerId::Anonymous
        }
        (true, None) => CallerId::Anonymous,
        (false, number) => number.map_or(CallerId::Extension, CallerId::Number),
    }
}

pub(super) fn groups(fields: &mut Fields) -> BTreeMap<GroupName, Membership> {
    fields.object("groups", |groups| {
        let mut read = BTreeMap::new();
        for name in groups.names() {
            let membership = groups.object(&name, |membership| Membership {
                signed_in: membership.flag("signed_in", false),
                paused: membership.flag("paused", false),
            });
            match GroupName::new(&name) {
                Ok(group) => drop(read.insert(group, membership)),
                Err(wrong) => groups.refuse(&name, wrong),
            }
        }
        read
    })
}

pub(super) fn forward(fields: &mut Fields) -> Forward {
    fields.object("forward", |forward| Forward {
        always: forward.value("always"),
        busy: forward.value("busy"),
        unanswered: forward.value("unanswered"),
    })
}
