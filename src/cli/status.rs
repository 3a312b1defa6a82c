//! `hotdesk status`: the login sessions, and when each ends by automatic logout.

use std::io::Write;

use anyhow::Result;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::context::CommandContext;
use super::output;
use crate::model::auto_logout::Due;
use crate::model::desired::Scope;
use crate::model::directory::{Session, Snapshot};

#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// Print JSON: [{"device", "user", "since", "revision", "auto_logout": {"at", "why"}}], ordered by device
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
pub(super) struct Listed<'a> {
    #[serde(flatten)]
    pub(super) session: &'a Session,
    /// When automatic logout ends it, as far as is known; a call in progress postpones it.
    pub(super) auto_logout: Option<Due>,
}

impl Status {
    pub(super) async fn run(self, context: &CommandContext, out: &mut dyn Write) -> Result<()> {
        let snapshot = context.snapshot().await?;
        let listed = listed(context, &snapshot).await?;
        if listed.is_empty() && !self.json {
            output::note("no user is logged in");
            return Ok(());
        }
        let names = ["DEVICE", "USER", "NAME", "SINCE", "AUTOMATIC LOGOUT"];
        output::list(out, self.json, &listed, &names, |Listed { session, auto_logout }| {
            let name = snapshot.users.get(&session.user).and_then(|user| user.name.as_ref());
            let auto_logout = auto_logout.map(|due| format!("{} ({})", output::time(due.at), due.why));
            vec![
                session.device.to_string(),
                session.user.to_string(),
                output::or_dash(name),
                output::time(session.since),
                output::or_dash(auto_logout.as_ref()),
            ]
        })
    }
}

pub(super) async fn listed<'a>(context: &CommandContext, snapshot: &'a Snapshot) -> Result<Vec<Listed<'a>>> {
    let seen = context.store.observations(&context.tenant, &Scope::All).await?;
    let here = TimeZone::system();
    let of = |session: &'a Session| {
        let device = snapshot.devices.get(&session.device);
        let location = device.and_then(|device| snapshot.location_of(device));
        let zone = location.map_or(&here, |location| location.zone.rules());
        let seen = seen.get(&session.device).copied().unwrap_or_default();
        let auto_logout = snapshot
            .auto_logout(session, context.config.of(&context.tenant).auto_logout().rules())
            .due(zone, session.since, &seen);
        Listed { session, auto_logout }
    };
    Ok(snapshot.sessions.values().map(of).collect())
}
