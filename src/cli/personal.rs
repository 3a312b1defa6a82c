//! `hotdesk user ring` and `user group`: what a user may switch himself by a code.

use std::io::Write;
use std::str::FromStr;

use anyhow::{Context as _, bail};

use super::profile::Toggle;
use super::site::Site;
use crate::desk::id::{DeviceName, Extension, GroupName};
use crate::desk::model::User;
use crate::desk::profile::Membership;
use crate::desk::setting::Setting;
use crate::store::What;

#[derive(Debug, clap::Args)]
pub(super) struct Ring {
    /// His extension
    extension: Extension,
    /// A device of his own; or hotdesk: wherever he has logged in
    device: DeviceName,
    /// Whether it rings when he is called: on, off
    to: Toggle,
}

#[derive(Debug, clap::Args)]
pub(super) struct Group {
    /// His extension
    extension: Extension,
    /// A group that he may be in
    group: GroupName,
    /// in, out, or pause: in, but taking no calls now
    to: Stands,
}

/// How he is to stand with a group.
#[derive(Clone, Copy, Debug)]
enum Stands {
    In,
    Out,
    Pause,
}

impl FromStr for Stands {
    type Err = &'static str;
    fn from_str(value: &str) -> Result<Self, Self::Err> {
        match value {
            "in" => Ok(Self::In),
            "out" => Ok(Self::Out),
            "pause" => Ok(Self::Pause),
            _ => Err("it takes in, out or pause"),
        }
    }
}

impl Ring {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let Self { extension, device, to: Toggle(on) } = self;
        let (user, office) = site.user(&extension).await?;
        let own = office.devices.get(&device).is_some_and(|device| device.owner.as_ref() == Some(&extension));
        let setting = if own {
            Setting::Ring(device.clone(), on)
        } else if device.as_str() == "hotdesk" {
            let last = office.bindings_of(&extension).map(|login| login.revision).max();
            let last = last.with_context(|| {
                format!("{extension} has logged in nowhere, so there is no hotdesk to ring")
            })?;
            Setting::RingHotdesk(last, on)
        } else if office.bindings.get(&device).is_some_and(|login| login.user == extension) {
            bail!(
                "{extension} has logged in at {device}, and does not own it: hotdesk user ring {extension} hotdesk on|off"
            );
        } else {
            bail!("{device} is no device of {extension}: hotdesk device set {device} --owner {extension}");
        };
        switch(site, &user, setting, out).await
    }
}

impl Group {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let Self { extension, group, to } = self;
        let (user, _) = site.user(&extension).await?;
        if !user.profile.groups.contains_key(&group) {
            let may: Vec<&str> =
                user.profile.groups.keys().map(GroupName::as_str).chain([group.as_str()]).collect();
            bail!(
                "{extension} may not be in {group}: hotdesk user set {extension} --groups {}",
                may.join(",")
            );
        }
        let membership = match to {
            Stands::In => Membership { signed_in: true, paused: false },
            Stands::Out => Membership { signed_in: false, paused: false },
            Stands::Pause => Membership { signed_in: true, paused: true },
        };
        let setting = Setting::Group(group, membership);
        switch(site, &user, setting, out).await
    }
}

/// Sets this, and says so.
async fn switch(site: &Site, user: &User, setting: Setting, out: &mut dyn Write) -> anyhow::Result<()> {
    let extension = &user.extension;
    if !setting.changes(user) {
        writeln!(out, "user {extension} is so already")?;
        return Ok(());
    }
    let said = setting.to_string();
    site.change(What::Setting(extension.clone(), setting)).await?;
    writeln!(out, "user {extension}: {said}")?;
    Ok(())
}
