//! The rows of a switch in plain words, each beside what it should be.

use std::collections::BTreeSet;
use std::io::Write;

use crate::desk::group;
use crate::desk::table::{DeviceRow, Key, Member, ProfileRow, Row, Table, UserRow};

/// Writes what each row says, and where the switch holds another.
pub(super) fn compare(out: &mut dyn Write, wanted: &Table, held: &Table) -> anyhow::Result<()> {
    let keys: BTreeSet<&Key> = wanted.keys().chain(held.keys()).collect();
    let mut differ = 0;
    for key in keys {
        let (should, has) = (wanted.get(key), held.get(key));
        let words = should.map_or_else(|| vec!["there should be no such row".into()], words);
        writeln!(out, "  {key}: {}", words.join("; "))?;
        if should == has {
            continue;
        }
        differ += 1;
        match has {
            None => writeln!(out, "    DIFFERS: the switch has no such row")?,
            Some(row) => writeln!(out, "    DIFFERS: the switch has: {}", self::words(row).join("; "))?,
        }
    }
    match differ {
        0 => writeln!(out, "  it holds just that")?,
        1 => writeln!(
            out,
            "  one row differs; `hotdesk serve` puts it right within a minute, and journals it"
        )?,
        n => writeln!(
            out,
            "  {n} rows differ; `hotdesk serve` puts them right within a minute, and journals it"
        )?,
    }
    Ok(())
}

/// What a row makes the switch do.
fn words(row: &Row) -> Vec<String> {
    match row {
        Row::Device(row) => device(row),
        Row::Lamp(lamp) => vec![format!("shows {lamp}")],
        Row::Member(member) => vec![member_words(*member)],
        Row::Profile(row) => profile(row),
        Row::Unreadable(text) => vec![format!("{text:?}, which hotdesk did not write")],
        Row::User(row) => user(row),
    }
}

fn member_words(member: Member) -> String {
    let what = match member.kind {
        group::Kind::Queue => "a member of the queue",
        group::Kind::Ring => "rings with the group",
    };
    if member.paused { format!("{what}, paused") } else { what.into() }
}

fn device(row: &DeviceRow) -> Vec<String> {
    let DeviceRow { user, emergency, mailbox, may_dial, revision, .. } = row;
    let mut words = vec![match user {
        Some(user) => format!("calls from here are {user}'s, by revision {revision}"),
        None => "nobody's".into(),
    }];
    let help = emergency.as_ref().map_or("no number of its own".into(), ToString::to_string);
    words.push(format!("an emergency call shows {help}"));
    words.extend(mailbox.as_ref().map(|mailbox| format!("its lamp is that of mailbox {mailbox}")));
    if user.is_none() && !may_dial.numbers.is_empty() {
        let numbers: Vec<&str> = may_dial.numbers.iter().map(|number| number.as_str()).collect();
        words.push(format!("may dial {}", numbers.join(" ")));
    }
    words
}

fn user(row: &UserRow) -> Vec<String> {
    let UserRow { dial, number, name, anonymous, language, class, mailbox, away, .. } = row;
    let mut words = vec![match dial {
        Some(dial) => format!("calls to him ring {dial}"),
        None => format!("calls to him ring nowhere, and go to {away}"),
    }];
    let name = name.as_ref().map(|name| format!(" {name:?}", name = name.as_str())).unwrap_or_default();
    words.push(match anonymous {
        true => "his calls show no number".into(),
        false => format!("his calls show {number}{name}"),
    });
    words.extend(class.as_ref().map(|class| format!("go into the context {class}")));
    words.extend(language.as_ref().map(|language| format!("he is spoken to in {language}")));
    words.extend(mailbox.as_ref().map(|mailbox| format!("mailbox {mailbox}")));
    words
}

fn profile(row: &ProfileRow) -> Vec<String> {
    let ProfileRow { then, busy, unanswered, recording, account, pickup, lamp } = row;
    let mut words = vec![format!("recorded: {recording}")];
    words.extend(then.as_ref().map(|then| format!("rings {then} after that")));
    words.extend(busy.as_ref().map(|to| format!("busy: to {to}")));
    words.extend(unanswered.as_ref().map(|to| format!("unanswered: to {to}")));
    words.extend(account.as_ref().map(|account| format!("account {account}")));
    words.extend(pickup.as_ref().map(|group| format!("pick-up group {group}")));
    words.extend(lamp.as_ref().map(|lamp| format!("lamp: {lamp}")));
    words
}
