//! `hotdesk dialplan freeswitch --users`: the entries that the directory of a FreeSWITCH lacks.

use std::io::Write;

use anyhow::Result;

use crate::cli::context::{Absent, CommandContext};
use crate::cli::inspected::Inspected;
use crate::config::{Config, Switch};
use crate::freeswitch::dialplan::directory_entries;
use crate::model::id::TenantId;

pub(super) async fn print(
    config: &Config,
    switch: &Switch,
    tenant: &TenantId,
    out: &mut dyn Write,
) -> Result<()> {
    let context = CommandContext::open(config.clone(), tenant.clone(), Absent::Refuse).await?;
    let switch = context.switch(&switch.name)?;
    let snapshot = context.snapshot().await?;
    let lacking = Inspected::new(config, switch, None).await?.without_entry(tenant, &snapshot).await?;
    out.write_all(directory_entries(&lacking, &snapshot).as_bytes())?;
    Ok(())
}
