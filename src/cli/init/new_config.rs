//! The new configuration: its only switch, its only tenant, and values in TOML.

use anyhow::Result;

use crate::cli::context::{Absent, CommandContext};
use crate::cli::output;
use crate::config::Config;
use crate::model::id::{SwitchName, TenantId};

/// The only tenant.
pub(super) async fn open(config: Config, absent: Absent) -> Result<CommandContext> {
    CommandContext::open(config, TenantId::default(), absent).await
}

pub(super) fn switch_name() -> Result<SwitchName> {
    Ok("pbx".parse()?)
}

/// A value in TOML.
pub(super) fn value(value: impl ToString) -> String {
    toml::Value::String(value.to_string()).to_string()
}

/// A list of values in TOML.
pub(super) fn list(values: impl IntoIterator<Item = impl ToString>) -> String {
    format!("[{}]", output::joined(values.into_iter().map(value), ", "))
}
