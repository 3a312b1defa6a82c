//! `hotdesk export`: the directory as the CSV files that `hotdesk import` takes.

use std::fmt::Display;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use csv::WriterBuilder;

use super::context::CommandContext;
use super::output::{self, joined};
use crate::model::auto_logout::AutoLogoutRules;
use crate::model::directory::location::Location;
use crate::model::directory::profile::When;
use crate::model::directory::{CallerId, Device, User};

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// Folder for locations.csv, users.csv and devices.csv, readable by you alone; none of them may be there already
    folder: PathBuf,
}

/// The columns of a row, with their cells.
type Row = Vec<(&'static str, String)>;

impl Export {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let snapshot = context.snapshot().await?;
        let sheets: [(&str, Vec<Row>); 3] = [
            ("locations.csv", snapshot.locations.values().map(location).collect()),
            ("users.csv", snapshot.users.values().map(user).collect()),
            ("devices.csv", snapshot.devices.values().map(device).collect()),
        ];
        for (name, _) in &sheets {
            let path = self.folder.join(name);
            ensure!(!path.exists(), "{} is there already: name another folder", path.display());
        }
        let unwritable = |path: &Path| format!("cannot write {}", path.display());
        fs::create_dir_all(&self.folder).with_context(|| unwritable(&self.folder))?;
        for (name, rows) in sheets.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            let path = self.folder.join(name);
            write(&path, &rows).with_context(|| unwritable(&path))?;
            writeln!(out, "{}, rows: {}", path.display(), rows.len())?;
        }
        output::note(
            "PINs, sessions, memberships in groups and which devices ring are not exported: back up the store for them",
        );
        Ok(())
    }
}

fn write(path: &Path, rows: &[Row]) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut writer = WriterBuilder::new().from_writer(&file);
    if let Some(first) = rows.first() {
        writer.write_record(first.iter().map(|(column, _)| column))?;
    }
    for row in rows {
        writer.write_record(row.iter().map(|(_, cell)| cell))?;
    }
    writer.flush()?;
    Ok(file.sync_all()?)
}

fn cell(value: Option<&impl Display>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn on(is: bool) -> String {
    if is { "on" } else { "off" }.to_owned()
}

fn location(location: &Location) -> Row {
    let Location { name, zone, language, emergency, address, auto_logout, .. } = location;
    let row = vec![
        ("location", name.to_string()),
        ("emergency-caller-id", cell(emergency.caller_id.as_ref())),
        ("emergency-numbers", joined(&emergency.numbers, ",")),
        ("zone", zone.to_string()),
        ("language", cell(language.as_ref())),
        ("address", cell(address.as_ref())),
    ];
    with(row, auto_logout)
}

fn user(user: &User) -> Row {
    let profile = &user.profile;
    let caller_id = match &user.caller_id {
        CallerId::Anonymous => "anonymous".to_owned(),
        CallerId::Extension => String::new(),
        CallerId::Number(number) => number.to_string(),
    };
    let row = vec![
        ("extension", user.extension.to_string()),
        ("name", cell(user.name.as_ref())),
        ("caller-id", caller_id),
        ("hotdesk", output::yes(user.hotdesk).to_owned()),
        ("language", cell(user.language.as_ref())),
        ("class", cell(user.class.as_ref())),
        ("mailbox", cell(user.mailbox.as_ref())),
        ("when-logged-out", user.away.to_string()),
        ("recording", profile.recording.to_string()),
        ("pickup", cell(profile.pickup.as_ref())),
        ("account", cell(profile.account.as_ref())),
        ("numbers", joined(&profile.numbers, ",")),
        ("groups", joined(profile.groups.keys(), ",")),
        ("dnd", on(profile.do_not_disturb)),
        ("forward-always", cell(profile.forward.to(When::Always))),
        ("forward-busy", cell(profile.forward.to(When::Busy))),
        ("forward-unanswered", cell(profile.forward.to(When::Unanswered))),
        ("in-turn", on(profile.rings.in_turn)),
    ];
    with(row, &user.auto_logout)
}

fn device(device: &Device) -> Row {
    let networks =
        if device.allow_from.is_empty() { "any".to_owned() } else { joined(&device.allow_from, " ") };
    let row = vec![
        ("device", device.name.to_string()),
        ("switch", device.switch.to_string()),
        ("dial", device.dial.to_string()),
        ("kind", device.kind.to_string()),
        ("hotdesk", output::yes(device.hotdesk).to_owned()),
        ("location", cell(device.location.as_ref())),
        ("owner", cell(device.owner.as_ref())),
        ("allow-from", networks),
        ("may-dial", joined(&device.may_dial.numbers, ",")),
        ("class", cell(device.may_dial.class.as_ref())),
    ];
    with(row, &device.auto_logout)
}

/// The row with the columns of automatic logout.
fn with(row: Row, rules: &AutoLogoutRules) -> Row {
    let rules = [
        ("auto-logout-at", cell(rules.at.as_ref())),
        ("auto-logout-days", cell(rules.days.as_ref())),
        ("auto-logout-after", cell(rules.after.as_ref())),
        ("auto-logout-idle", cell(rules.idle.as_ref())),
        ("auto-logout-unregistered", cell(rules.unregistered.as_ref())),
    ];
    row.into_iter().chain(rules).collect()
}
