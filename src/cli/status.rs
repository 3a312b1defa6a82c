//! `hotdesk status`: who sits where, since when, and when he is logged out by himself.

use std::io::Write;

use serde::Serialize;

use super::print;
use super::site::Site;
use crate::config::Leave;
use crate::desk::leave::Due;
use crate::desk::model::{Binding, Office};
use crate::desk::table::Scope;

#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// As JSON: [{"device", "user", "since", "revision", "leaves": {"at", "why"}}], by device
    #[arg(long)]
    json: bool,
}

/// A binding as it is listed.
#[derive(Serialize)]
pub(super) struct Listed<'a> {
    #[serde(flatten)]
    pub(super) binding: &'a Binding,
    /// When he leaves by himself, as far as is known; later, while he has a call.
    pub(super) leaves: Option<Due>,
}

impl Status {
    pub(super) async fn run(self, site: &Site, out: &mut dyn Write) -> anyhow::Result<()> {
        let office = site.office().await?;
        let listed = listed(site, &office).await?;
        if self.json {
            return print::json(out, &listed);
        }
        if listed.is_empty() {
            writeln!(out, "nobody is logged in")?;
            return Ok(());
        }
        let row = |Listed { binding, leaves }: &Listed| {
            let name = office.users.get(&binding.user).and_then(|user| user.name.as_ref());
            let leaves = leaves.map(|due| format!("{} ({})", print::time(due.at), due.why));
            vec![
                binding.device.to_string(),
                binding.user.to_string(),
                print::or_dash(name),
                print::time(binding.since),
                print::or_dash(leaves.as_ref()),
            ]
        };
        let rows: Vec<_> = listed.iter().map(row).collect();
        print::table(out, &["DEVICE", "USER", "NAME", "SINCE", "LEAVES"], &rows)
    }
}

/// Those who sit somewhere in `office`.
pub(super) async fn listed<'a>(site: &Site, office: &'a Office) -> anyhow::Result<Vec<Listed<'a>>> {
    let seen = site.store.seen(&site.tenant, &Scope::All).await?;
    let here = Leave::zone();
    let of = |binding: &'a Binding| {
        let device = office.devices.get(&binding.device);
        let location = device.and_then(|device| office.location_of(device));
        let zone = location.map_or(&here, |location| location.zone.rules());
        let seen = seen.get(&binding.device).copied().unwrap_or_default();
        let leaves = office.leave(binding, site.config.of(&site.tenant).leave().rules()).due(
            zone,
            binding.since,
            &seen,
        );
        Listed { binding, leaves }
    };
    Ok(office.bindings.values().map(of).collect())
}
