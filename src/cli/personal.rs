//! `hotdesk user ring` and `user group`: settings that users change themselves by a feature code.

use std::io::Write;

use anyhow::{Context as _, Result, bail};
use clap::ArgAction;

use super::context::CommandContext;
use super::output;
use super::profile::on_or_off;
use crate::model::directory::User;
use crate::model::directory::profile::Membership;
use crate::model::id::{DeviceName, Extension, GroupName};
use crate::model::settings::Setting;

#[derive(Debug, clap::Args)]
pub(super) struct Ring {
    /// Extension of the user
    extension: Extension,
    /// Device that the user owns; or hotdesk: the device of their login session
    device: DeviceName,
    /// Whether the device rings for calls to the user: on, off
    #[arg(action = ArgAction::Set, value_parser = on_or_off)]
    to: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Group {
    /// Extension of the user
    extension: Extension,
    /// Group that the user may join
    group: GroupName,
    /// Membership: in, out, or pause (in, without calls)
    #[arg(value_parser = membership)]
    to: Membership,
}

fn membership(text: &str) -> Result<Membership, &'static str> {
    match text {
        "in" => Ok(Membership { signed_in: true, paused: false }),
        "out" => Ok(Membership { signed_in: false, paused: false }),
        "pause" => Ok(Membership { signed_in: true, paused: true }),
        _ => Err("use in, out or pause"),
    }
}

impl Ring {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let Self { extension, device, to: on } = self;
        let (user, snapshot) = context.user(&extension).await?;
        let own =
            snapshot.devices.get(&device).is_some_and(|device| device.owner.as_ref() == Some(&extension));
        let setting = if own {
            Setting::Ring(device.clone(), on)
        } else if device.as_str() == "hotdesk" {
            let latest = snapshot.sessions_of(&extension).map(|login| login.revision).max();
            let latest = latest.with_context(|| {
                format!("user {extension} is not logged in, so there is no device to ring")
            })?;
            Setting::RingHotdesk(latest, on)
        } else if snapshot.sessions.get(&device).is_some_and(|login| login.user == extension) {
            bail!(
                "user {extension} is logged in at {device} but does not own it; use: hotdesk user ring {extension} hotdesk on|off"
            );
        } else {
            bail!(
                "user {extension} does not own {device}; to change that: hotdesk device set {device} --owner {extension}"
            );
        };
        switch(context, &user, setting, out).await
    }
}

impl Group {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let Self { extension, group, to } = self;
        let (user, _) = context.user(&extension).await?;
        if !user.profile.groups.contains_key(&group) {
            let groups = output::joined(user.profile.groups.keys().chain([&group]), ",");
            bail!(
                "user {extension} may not join {group}; to allow it: hotdesk user set {extension} --groups {groups}"
            );
        }
        switch(context, &user, Setting::Group(group, to), out).await
    }
}

async fn switch(context: &CommandContext, user: &User, setting: Setting, out: &mut dyn Write) -> Result<()> {
    let extension = &user.extension;
    if !setting.changes(user) {
        writeln!(out, "user {extension} is unchanged")?;
        return Ok(());
    }
    let text = setting.to_string();
    context.set(extension, vec![setting]).await?;
    writeln!(out, "user {extension}: {text}")?;
    Ok(())
}
