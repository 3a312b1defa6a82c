//! What a switch should do, in plain words, and how its records compare.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::controller::check::{Comparison, difference_in_words};
use crate::model::desired::{About, Desired, DesiredDevice, DesiredUser, Key, Member};
use crate::model::directory::{Away, group};
use crate::model::id::SwitchName;

/// What a switch should do, and what is known of its records.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnSwitch {
    /// The switch.
    #[schema(value_type = String)]
    pub switch: SwitchName,
    /// What holds for a switch of its kind.
    pub note: Option<&'static str>,
    /// Why nothing could be read.
    pub not_read: Option<String>,
    /// What it should do.
    pub things: Vec<Thing>,
    /// Records that belong to none of the things, and what else could not be read.
    pub others: Vec<Record>,
}

/// A thing that the switch should do, with the records for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Thing {
    /// Its subject.
    pub about: String,
    /// What the switch should do, in words.
    pub should: Vec<String>,
    /// Its records.
    pub records: Vec<Record>,
}

/// A record in a switch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Record {
    /// How it compares.
    pub state: State,
    /// Which it is, or how it differs.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    pub what: String,
}

/// How a record compares with what it should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The switch keeps no such records.
    NotKept,
    /// It could not be read.
    NotRead,
    /// It is as it should be.
    InSync,
    /// It differs.
    Differs,
    /// The switch cannot have it.
    Refused,
}

impl State {
    fn of(self, what: impl ToString) -> Record {
        Record { state: self, what: what.to_string() }
    }
}

impl OnSwitch {
    /// Compares what was read with what is desired, or says why nothing was read.
    pub(super) fn of(
        switch: &SwitchName,
        note: Option<&'static str>,
        desired: &Desired,
        found: Result<Comparison, String>,
    ) -> Self {
        let mut on = Self { switch: switch.clone(), note, not_read: None, things: vec![], others: vec![] };
        let found = match found {
            Ok(found) => Some(found),
            Err(why) => {
                on.not_read = Some(why);
                None
            }
        };
        for about in desired.abouts() {
            let records = found.as_ref().map(|found| records(found, &about)).unwrap_or_default();
            let should = match (&found, note) {
                (Some(found), Some(_)) => freepbx_words(found, desired, &about),
                _ => words(desired, &about),
            };
            on.things.push(Thing { should, about: about.to_string(), records });
        }
        if let Some(found) = found {
            let abouts: BTreeSet<About> = desired.abouts().into_iter().collect();
            let others = found.edits.iter().filter(|edit| !abouts.contains(&edit.key.about));
            on.others.extend(others.map(|edit| State::Differs.of(difference_in_words(edit))));
            on.others.extend(found.reading.not_readable.iter().map(|unread| State::NotRead.of(unread)));
        }
        on
    }

    /// How its records compare as a whole; none if none could be read.
    #[must_use]
    pub fn conclusion(&self) -> Option<String> {
        let all = || self.things.iter().flat_map(|thing| &thing.records).chain(&self.others);
        let repairs = "`hotdesk serve` repairs";
        let any = |state| all().any(|record| record.state == state);
        Some(match all().filter(|record| record.state == State::Differs).count() {
            _ if self.not_read.is_some() => return None,
            0 if any(State::Refused) => {
                format!("{repairs} nothing that the switch refuses: do what it says")
            }
            0 if any(State::NotRead) => "all that could be read is in sync".into(),
            0 => "in sync: it holds all that it should".into(),
            1 => format!("one record differs; {repairs} it within a minute, and journals it"),
            n => format!("{n} records differ; {repairs} them within a minute, and journals it"),
        })
    }
}

/// The records of one thing.
fn records(found: &Comparison, about: &About) -> Vec<Record> {
    let mut records = vec![];
    if found.not_kept.contains(about.kind()) {
        records.push(State::NotKept.of(""));
    }
    let edits = || found.edits.iter().filter(|edit| edit.key.about == *about);
    let refused = || found.refused.iter().filter(|(key, _)| key.about == *about);
    let edited: BTreeSet<&Key> = edits().map(|edit| &edit.key).chain(refused().map(|(key, _)| key)).collect();
    records.extend(refused().map(|(_, why)| State::Refused.of(why)));
    for key in found.wanted.keys().filter(|key| key.about == *about) {
        match found.reading.not_read(key) {
            Some(unread) => records.push(State::NotRead.of(unread)),
            None if edited.contains(key) => {}
            None => records.push(State::InSync.of(format!("{} {}", key.part.name, key.name))),
        }
    }
    records.extend(edits().map(|edit| State::Differs.of(difference_in_words(edit))));
    records
}

/// A FreePBX makes a user's calls by its own settings: only the records say what Hotdesk wants.
fn freepbx_words(found: &Comparison, desired: &Desired, about: &About) -> Vec<String> {
    let mut wanted = found.wanted.iter().filter(|(key, _)| key.about == *about);
    match about {
        About::User(_) => {
            let list = wanted.find(|(key, _)| key.name.ends_with("/device")).map_or("", |(_, list)| list);
            let rings = if list.is_empty() { "no device".into() } else { list.replace('&', " and ") };
            vec![format!("calls to the user ring {rings}; the rest is FreePBX's")]
        }
        About::Blf(_) => {
            vec![wanted.next().map_or("has no hint there".into(), |(_, hint)| format!("shows {hint}"))]
        }
        _ => words(desired, about),
    }
}

fn words(desired: &Desired, about: &About) -> Vec<String> {
    let of_device = about.device().and_then(|device| desired.devices.get(device));
    let of_user = about.user().and_then(|user| desired.users.get(user));
    match (about, of_device, of_user) {
        (About::Device(_), Some(is), _) => device(is),
        (About::DeviceBlf(_), ..) => vec!["lit, as a user is logged in".into()],
        (About::User(_), _, Some(is)) => user(is),
        (About::Profile(_), _, Some(is)) => profile(is),
        (About::Blf(_), _, Some(is)) => vec![blf(is)],
        (About::Member(group, _), _, Some(is)) => is.groups.get(group).map(member).into_iter().collect(),
        _ => vec![],
    }
}

fn member(Member { kind, paused }: &Member) -> String {
    let what = match kind {
        group::Kind::Queue => "a member of the queue",
        group::Kind::Ring => "rings with the group",
    };
    if *paused { format!("{what}, paused") } else { what.into() }
}

fn device(DesiredDevice { user, emergency, mailbox, may_dial, revision, .. }: &DesiredDevice) -> Vec<String> {
    let mut words = vec![match user {
        Some(user) => format!("calls from here are those of user {user}, by revision {revision}"),
        None => "no user".into(),
    }];
    let shown = emergency.as_ref().map_or("no number of its own".into(), ToString::to_string);
    words.push(format!("an emergency call shows {shown}"));
    words.extend(mailbox.as_ref().map(|mailbox| format!("its MWI is that of mailbox {mailbox}")));
    if user.is_none() && !may_dial.numbers.is_empty() {
        let numbers: Vec<&str> = may_dial.numbers.iter().map(|number| number.as_str()).collect();
        words.push(format!("may dial {}", numbers.join(" ")));
    }
    words
}

fn user(user: &DesiredUser) -> Vec<String> {
    let DesiredUser { dial, number, name, anonymous, language, class, mailbox, away, .. } = user;
    let mut words = vec![match dial {
        Some(dial) => format!("calls to the user ring {dial}"),
        None if *away == Away::Voicemail && mailbox.is_none() => {
            "calls to the user ring nowhere, and end: there is no mailbox".into()
        }
        None => format!("calls to the user ring nowhere, and go to {away}"),
    }];
    let name = name.as_ref().map(|name| format!(" {name:?}", name = name.as_str())).unwrap_or_default();
    words.push(match anonymous {
        true => "their calls show no number".into(),
        false => format!("their calls show {number}{name}"),
    });
    words.extend(class.as_ref().map(|class| format!("go into the context {class}")));
    words.extend(language.as_ref().map(|language| format!("language {language}")));
    words.extend(mailbox.as_ref().map(|mailbox| format!("mailbox {mailbox}")));
    words
}

fn profile(user: &DesiredUser) -> Vec<String> {
    let DesiredUser { then, busy, unanswered, recording, account, pickup, .. } = user;
    let mut words = vec![format!("recorded: {recording}")];
    words.extend(then.as_ref().map(|then| format!("rings {then} after that")));
    words.extend(busy.as_ref().map(|to| format!("busy: to {to}")));
    words.extend(unanswered.as_ref().map(|to| format!("unanswered: to {to}")));
    words.extend(account.as_ref().map(|account| format!("account {account}")));
    words.extend(pickup.as_ref().map(|group| format!("pick-up group {group}")));
    words
}

fn blf(user: &DesiredUser) -> String {
    match (&user.blf.watch, user.blf.lit) {
        (_, true) => "lit: DND or forwarding of all calls is on".into(),
        (Some(watch), false) => format!("shows {watch}"),
        (None, false) => "dark".into(),
    }
}
