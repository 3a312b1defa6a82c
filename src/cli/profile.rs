//! Options and columns for the settings that follow a user to every device.

use super::output::{self, Given, List};
use crate::model::directory::columns;
use crate::model::directory::form::UserForm;
use crate::model::directory::profile::{Membership, Profile, Recording, When};
use crate::model::id::{Account, DeviceName, GroupName, Number};
use crate::model::settings::Setting;

/// Settings that only an administrator changes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct AdminSettings {
    /// Calls to record: never (the default), always, inbound, outbound, on-demand
    #[arg(long, value_name = "WHICH")]
    recording: Option<Recording>,
    /// Call pickup group: its members pick up each other's ringing calls
    #[arg(long, value_name = "GROUP")]
    pickup: Option<Given<GroupName>>,
    /// Account code in call records; without it, the extension
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<Given<Account>>,
    /// Numbers that the user may choose as caller ID, in the order of their keys: 0201234567,0207654321
    #[arg(long, value_name = "NUMS", value_parser = numbers)]
    numbers: Option<List<Number>>,
    /// Groups and queues that the user may join: sales,support; memberships in groups that stay do not change
    #[arg(long, value_name = "GROUPS")]
    groups: Option<List<GroupName>>,
}

/// Settings that the user changes by feature code, too.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Settings that users change themselves, by the codes of the preset personal")]
pub(super) struct UserSettings {
    /// Do not disturb: on, off
    #[arg(long, value_name = "ON|OFF", value_parser = on_or_off)]
    dnd: Option<bool>,
    /// Forward all calls to this number
    #[arg(long, value_name = "NUM")]
    forward_always: Option<Given<Number>>,
    /// Forward calls when the user is busy
    #[arg(long, value_name = "NUM")]
    forward_busy: Option<Given<Number>>,
    /// Forward calls that the user does not answer
    #[arg(long, value_name = "NUM")]
    forward_unanswered: Option<Given<Number>>,
    /// Ring the user's devices one after the other: on; or all at once: off
    #[arg(long, value_name = "ON|OFF", value_parser = on_or_off)]
    in_turn: Option<bool>,
}

/// `on` or `off`
pub(super) fn on_or_off(text: &str) -> Result<bool, &'static str> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("use on or off"),
    }
}

/// `0201234567,0207654321`
fn numbers(text: &str) -> Result<List<Number>, String> {
    columns::numbers(text).map(List)
}

impl AdminSettings {
    pub(super) fn set(self, profile: &mut Profile) {
        profile.recording = self.recording.unwrap_or(profile.recording);
        Given::set(self.pickup, &mut profile.pickup);
        Given::set(self.account, &mut profile.account);
        if let Some(List(numbers)) = self.numbers {
            profile.numbers = numbers;
        }
        if let Some(List(groups)) = self.groups {
            profile.set_groups(groups);
        }
    }
}

impl UserSettings {
    pub(super) fn settings(self) -> Vec<Setting> {
        let forward = |when, given: Option<Given<Number>>| given.map(|Given(to)| Setting::Forward(when, to));
        let settings = [
            self.dnd.map(Setting::DoNotDisturb),
            forward(When::Always, self.forward_always),
            forward(When::Busy, self.forward_busy),
            forward(When::Unanswered, self.forward_unanswered),
            self.in_turn.map(Setting::RingInTurn),
        ];
        settings.into_iter().flatten().collect()
    }
}

/// What a table shows of them.
pub(super) fn facts(user: &UserForm) -> Vec<(&'static str, String)> {
    let on_off = |on: bool| if on { "on" } else { "off" };
    let group = |(group, membership): (&GroupName, &Membership)| match membership {
        Membership { signed_in: false, .. } => format!("{group} (out)"),
        Membership { paused: true, .. } => format!("{group} (paused)"),
        Membership { .. } => format!("{group} (in)"),
    };
    let forward = [(When::Always, "always"), (When::Busy, "busy"), (When::Unanswered, "unanswered")];
    let forward = forward.map(|(when, word)| user.forward.to(when).map(|to| format!("{word} to {to}")));
    let rings = |(device, rings): (&&DeviceName, &bool)| format!("{device} {}", on_off(*rings));
    let turn = if user.in_turn { ", one after the other" } else { "" };
    vec![
        ("recording", user.recording.to_string()),
        ("call pickup", output::or_dash(user.pickup)),
        ("account", output::or_dash(user.account)),
        ("numbers", output::joined_or("-", user.numbers)),
        ("groups", output::joined_or("-", user.groups.iter().map(group))),
        ("DND", on_off(user.do_not_disturb).into()),
        ("call forwarding", output::joined_or("-", forward.into_iter().flatten())),
        ("rings at", output::joined_or("-", user.rings.iter().map(rings)) + turn),
    ]
}
