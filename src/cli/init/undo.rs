//! `hotdesk init --undo`: gives everything back.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};

use super::console::Console;
use super::kept::{State, Store};
use super::new_config::open;
use crate::cli::context::Absent;
use crate::cli::{adopt, connected, control, output};
use crate::config::Config;
use crate::model::login::transition::SessionCommand;
use crate::store::Memory;

/// Gives everything back.
pub(super) async fn undo(state: &State, file: &Path, force: bool, out: &mut dyn Write) -> Result<()> {
    let kept = state.kept()?;
    let config = Config::load(file, &|name| std::env::var_os(name)).ok();
    if let Some(known) = &config {
        ensure!(
            !control::is_running(known, file).await,
            "nothing was changed: hotdesk serve is running. Stop it first: systemctl stop hotdesk"
        );
    }
    let since = kept.changed_since(state);
    ensure!(
        since.is_empty() || force,
        "nothing was changed: {} was changed after init, or is gone. Take that change back, or add --force to lose it",
        output::joined(since.iter().map(|path| path.display()), ", ")
    );
    let switch = kept.console.switch();
    match withdrawn(&kept.console, config).await {
        Err(error) if force => output::note(format_args!("users stay logged in on the switch: {error:#}")),
        done => done.context(
            "no file was given back, as the users could not be logged out on the switch. --force leaves them there",
        )?,
    }
    for line in kept.give_back(state, Store::SetAside).context("not everything was given back: try again")? {
        writeln!(out, "{line}")?;
    }
    kept.console.read_again().await.with_context(|| {
        format!("the old files are back, and {switch} has not read them: start it, or run this again as root")
    })?;
    state.remove()?;
    writeln!(out, "{switch} has read its old files again")?;
    Ok(())
}

/// Takes back what the rows of the switch say, where it does not forget them all at once.
pub(super) async fn withdrawn(console: &Console, config: Option<Config>) -> Result<()> {
    let Some(config) = config else { return Ok(()) };
    let mut context = open(config, Absent::Empty).await?;
    match console {
        Console::Asterisk(_) => return Ok(()),
        // The rows are FreePBX's, and stay: its users are logged out.
        Console::FreePbx(_) => {
            for device in context.snapshot().await?.sessions.into_keys() {
                context.move_session(SessionCommand::LogOutDevice(device)).await?;
            }
        }
        // An empty store wants no rows.
        Console::FreeSwitch(_) => context.store = Arc::new(Memory::default()),
    }
    for switch in &context.config.switches {
        adopt::write(&context, switch, connected::table(&context, switch).await?.to.as_ref()).await?;
    }
    Ok(())
}
