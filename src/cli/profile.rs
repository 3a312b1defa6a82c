//! What follows a user, as flags: what an administrator says of him, and what he may as well switch himself.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::print::Given;
use crate::desk::id::{Account, DeviceName, GroupName, Number};
use crate::desk::model::{Office, User};
use crate::desk::profile::{Forward, Membership, Profile, Recording, When};
use crate::desk::setting::Setting;

/// What an administrator says of a user.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Follows {
    /// Which of his calls are recorded: never (the default), always, inbound, outbound, on-demand
    #[arg(long, value_name = "WHICH")]
    recording: Option<Recording>,
    /// The group whose ringing phones he may pick up, and who may pick up his
    #[arg(long, value_name = "GROUP")]
    pickup: Option<Given<GroupName>>,
    /// What the accounts of his calls are kept under; his extension, if there is none
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<Given<Account>>,
    /// The numbers that he may show, in the order of the keys that choose them: 0201234567,0207654321
    #[arg(long, value_name = "NUMS")]
    numbers: Option<Given<Numbers>>,
    /// The groups and queues that he may be in: sales,support. How he stands with those he is in already stays
    #[arg(long, value_name = "GROUPS")]
    groups: Option<Given<Groups>>,
}

/// What he may as well switch himself.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What he may switch himself by the codes of the preset personal")]
pub(super) struct Switched {
    /// Not to be rung: on, off
    #[arg(long, value_name = "ON|OFF")]
    dnd: Option<Toggle>,
    /// Where all his calls go
    #[arg(long, value_name = "NUM")]
    forward_always: Option<Given<Number>>,
    /// Where his calls go that find him busy
    #[arg(long, value_name = "NUM")]
    forward_busy: Option<Given<Number>>,
    /// Where his calls go that he does not answer
    #[arg(long, value_name = "NUM")]
    forward_unanswered: Option<Given<Number>>,
    /// His phones ring one after the other: on; or all at once: off
    #[arg(long, value_name = "ON|OFF")]
    in_turn: Option<Toggle>,
}

/// `on` or `off`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Toggle(pub(super) bool);

impl FromStr for Toggle {
    type Err = &'static str;
    fn from_str(value: &str) -> Result<Self, Self::Err> {
        match value {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            _ => Err("it takes on or off"),
        }
    }
}

/// `0201234567,0207654321`.
#[derive(Clone, Debug)]
struct Numbers(Vec<Number>);

impl FromStr for Numbers {
    type Err = String;
    fn from_str(value: &str) -> Result<Self, String> {
        let numbers: Vec<Number> = listed(value)?;
        if numbers.len() > Profile::NUMBERS {
            return Err(format!("there are {} keys to choose numbers by, and no more", Profile::NUMBERS));
        }
        Ok(Self(numbers))
    }
}

/// `sales,support`.
#[derive(Clone, Debug)]
struct Groups(Vec<GroupName>);

impl FromStr for Groups {
    type Err = String;
    fn from_str(value: &str) -> Result<Self, String> {
        listed(value).map(Self)
    }
}

fn listed<T: FromStr<Err: fmt::Display>>(value: &str) -> Result<Vec<T>, String> {
    value.split(',').map(|one| one.trim().parse::<T>().map_err(|error| error.to_string())).collect()
}

impl Follows {
    /// Replaces what was given.
    pub(super) fn put(self, profile: &mut Profile) {
        profile.recording = self.recording.unwrap_or(profile.recording);
        Given::put(self.pickup, &mut profile.pickup);
        Given::put(self.account, &mut profile.account);
        if self.numbers.is_some() {
            let mut numbers = None;
            Given::put(self.numbers, &mut numbers);
            profile.numbers = numbers.map(|Numbers(numbers)| numbers).unwrap_or_default();
        }
        if self.groups.is_some() {
            let mut groups = None;
            Given::put(self.groups, &mut groups);
            let groups = groups.map(|Groups(groups)| groups).unwrap_or_default();
            let stands = |group: GroupName| {
                let membership = profile.groups.get(&group).copied().unwrap_or_default();
                (group, membership)
            };
            profile.groups = groups.into_iter().map(stands).collect();
        }
    }
}

impl Switched {
    /// What was given, each by itself.
    pub(super) fn settings(self) -> Vec<Setting> {
        let forward = |when, given: Option<Given<Number>>| {
            given.map(|given| {
                let mut to = None;
                Given::put(Some(given), &mut to);
                Setting::Forward(when, to)
            })
        };
        let settings = [
            self.dnd.map(|Toggle(on)| Setting::DoNotDisturb(on)),
            forward(When::Always, self.forward_always),
            forward(When::Busy, self.forward_busy),
            forward(When::Unanswered, self.forward_unanswered),
            self.in_turn.map(|Toggle(on)| Setting::RingInTurn(on)),
        ];
        settings.into_iter().flatten().collect()
    }
}

/// A profile as it is listed.
#[derive(Serialize)]
pub(super) struct Listed<'a> {
    recording: &'static str,
    pickup: Option<&'a GroupName>,
    account: Option<&'a Account>,
    numbers: &'a [Number],
    groups: &'a BTreeMap<GroupName, Membership>,
    do_not_disturb: bool,
    forward: &'a Forward,
    in_turn: bool,
    /// The devices that are his now, and whether they ring when he is called.
    rings: BTreeMap<&'a DeviceName, bool>,
}

impl<'a> Listed<'a> {
    pub(super) fn of(user: &'a User, office: &'a Office) -> Self {
        let profile = &user.profile;
        let his = office.devices.keys().filter(|device| office.user_at(device) == Some(&user.extension));
        Self {
            recording: profile.recording.name(),
            pickup: profile.pickup.as_ref(),
            account: profile.account.as_ref(),
            numbers: &profile.numbers,
            groups: &profile.groups,
            do_not_disturb: profile.do_not_disturb,
            forward: &profile.forward,
            in_turn: profile.rings.in_turn,
            rings: his.map(|device| (device, office.rings(device, user))).collect(),
        }
    }

    /// Each as one reads it.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let or_dash = |text: String| if text.is_empty() { "-".into() } else { text };
        let joined = |items: Vec<String>| or_dash(items.join(", "));
        let name = |name: Option<String>| name.unwrap_or_else(|| "-".into());
        let group = |(group, membership): (&GroupName, &Membership)| match membership {
            Membership { signed_in: false, .. } => format!("{group} (out)"),
            Membership { paused: true, .. } => format!("{group} (paused)"),
            Membership { .. } => format!("{group} (in)"),
        };
        let forward = [(When::Always, "always"), (When::Busy, "busy"), (When::Unanswered, "unanswered")];
        let forward = forward.map(|(when, word)| self.forward.to(when).map(|to| format!("{word} to {to}")));
        let rings = |(device, rings): (&&DeviceName, &bool)| {
            format!("{device} {}", if *rings { "on" } else { "off" })
        };
        let turn = if self.in_turn { ", one after the other" } else { "" };
        vec![
            ("recording", self.recording.to_string()),
            ("pick-up", name(self.pickup.map(ToString::to_string))),
            ("account", name(self.account.map(ToString::to_string))),
            ("numbers", joined(self.numbers.iter().map(ToString::to_string).collect())),
            ("groups", joined(self.groups.iter().map(group).collect())),
            ("DND", if self.do_not_disturb { "on" } else { "off" }.into()),
            ("forwards", joined(forward.into_iter().flatten().collect())),
            ("rings", joined(self.rings.iter().map(rings).collect()) + turn),
        ]
    }
}
