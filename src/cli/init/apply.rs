//! Does what was planned, step by step, each acknowledged before the next; after a failure all is as before.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::change::Change;
use super::kept::{Kept, State, Store};
use super::new_config::open;
use super::plan::Planned;
use super::site::{Made, Prepared, Site};
use super::undo::withdrawn;
use crate::cli::check::Check;
use crate::cli::context::{Absent, CommandContext};
use crate::cli::dialplan::install::Install;
use crate::cli::dialplan::placed::{About, write_as};
use crate::cli::import::pins::Pins;
use crate::cli::inspected::Inspected;
use crate::cli::output;
use crate::controller::pepper::{self, Peppers};
use crate::model::check::Finding;
use crate::model::id::TenantId;

/// How long a reload of the switch may take until it is seen.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// Does all of it. After an error everything is as before.
pub(super) async fn apply(planned: Planned, state: &State, out: &mut dyn Write) -> Result<()> {
    let store = ["hotdesk.db", "hotdesk.db-wal", "hotdesk.db-shm", "hotdesk.pepper"];
    let store = store.iter().map(|name| planned.data.join(name)).collect();
    let mut kept = Kept::new(planned.site.console(), store);
    let mut secret = [0; 24];
    getrandom::fill(&mut secret)?;
    let secret = Zeroizing::new(base16ct::lower::encode_string(&secret));
    let new_files: Vec<_> = planned
        .site
        .new_files(&secret)
        .into_iter()
        .map(|(path, text)| (path, Zeroizing::new(text)))
        .collect();
    let secret = Zeroizing::new(format!("{}\n", *secret));
    kept.makes(&planned.config_file, Some(&planned.config_text));
    kept.makes(&planned.secret_file(), Some(&secret));
    new_files.iter().for_each(|(path, text)| kept.makes(path, Some(text)));
    planned.generated().iter().for_each(|path| kept.makes(path, None));
    let changes =
        planned.prepared.changes.iter().map(|change| (change.path.as_path(), change.after.as_str()));
    let kept = state.keep(kept, changes).context("nothing was changed");
    let kept = kept.inspect_err(|_| drop(state.remove()))?;
    let done = match write_files(&planned, &secret, &new_files, out).await {
        Ok(()) => take_effect(planned.site.as_ref(), &planned.prepared, out).await,
        Err(error) => Err(error),
    };
    match done {
        Ok((context, pins)) => finish(&planned, &context, &pins, out).await,
        Err(error) => {
            // Rows may not be there yet, or the switch does not let Hotdesk in.
            let _ = withdrawn(&kept.console, Some(planned.prepared.config)).await;
            Err(rolled_back(&kept, state, error).await)
        }
    }
}

/// Puts back what was there, and says whether that was done.
async fn rolled_back(kept: &Kept, state: &State, error: anyhow::Error) -> anyhow::Error {
    let back = async {
        kept.give_back(state, Store::Removed)?;
        kept.console.read_again().await?;
        state.remove()
    };
    match back.await {
        Ok(()) => error.context("everything is as before init"),
        Err(back) => anyhow!(
            "{error:#}. Not everything could be put back: {back:#}. Run hotdesk init --undo; {} has the old files",
            state.path().display()
        ),
    }
}

fn write(path: &Path, text: &str, about: std::io::Result<About>) -> Result<()> {
    let written = about.and_then(|about| write_as(path, text.as_bytes(), about));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Writes all files but the late ones. The switch has not read any of them yet.
async fn write_files(
    planned: &Planned,
    secret: &str,
    new_files: &[(std::path::PathBuf, Zeroizing<String>)],
    out: &mut dyn Write,
) -> Result<()> {
    let of = |folder: &Path, mode: u32| Ok::<_, std::io::Error>(About { mode, ..About::of(folder)? });
    write(&planned.config_file, &planned.config_text, of(&planned.prepared.config.folder, 0o640))?;
    write(&planned.secret_file(), secret, of(&planned.data, 0o600))?;
    for (path, text) in new_files {
        write(path, text, of(path.parent().unwrap_or(path), 0o640))?;
        writeln!(out, "{}: written", path.display())?;
    }
    let mut installed = vec![];
    Install::first().run(&planned.prepared.config, &mut installed).await?;
    // The last line says that the switch has not read the files, which comes next here.
    let installed = String::from_utf8_lossy(&installed).into_owned();
    let lines: Vec<&str> = installed.lines().collect();
    let lines = lines.split_last().map_or(&[][..], |(_, lines)| lines);
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    write_changes(&planned.prepared, |change| !change.late, out)
}

/// Writes those changes of the switch's files.
pub(super) fn write_changes(
    prepared: &Prepared,
    which: impl Fn(&Change) -> bool,
    out: &mut dyn Write,
) -> Result<()> {
    for change in prepared.changes.iter().filter(|change| which(change)) {
        ensure!(
            std::fs::read_to_string(&change.path).is_ok_and(|now| Some(now) == change.before),
            "{} was changed meanwhile",
            change.path.display()
        );
        write(&change.path, &change.after, About::of(&change.path))?;
        writeln!(out, "{}: changed", change.path.display())?;
    }
    Ok(())
}

/// Has the running switch read the files, each step acknowledged, and makes the records of the store. First the dialplan, then
/// the users' rows, and last the phones, so that at no time a phone can call nothing.
async fn take_effect(
    site: &dyn Site,
    prepared: &Prepared,
    out: &mut dyn Write,
) -> Result<(CommandContext, Pins)> {
    site.console().run(site.reads_users()).await?;
    let peppers = pepper::all(&prepared.config.store.pepper_file)?;
    let inspected = &inspected(prepared, &peppers).await?;
    site.read_dialplan(inspected).await?;
    let tenant = TenantId::default();
    let context = open(prepared.config.clone(), Absent::Make).await?;
    let (plan, pins) = site.directory(&context, &prepared.answers).await?;
    let loaded = inspected.loaded().await?;
    let modules = inspected.modules(&tenant, &plan.after).await?;
    fails(modules.iter().chain([&loaded]))?;
    if site.emergency_context().is_some() {
        fails(&inspected.emergency_numbers(&tenant).await?)?;
    }
    writeln!(out, "{}: {}", loaded.check, loaded.found)?;
    plan.apply(pins.records(&context).await?).await?;
    let snapshot = &context.snapshot().await?;
    let (users, devices, locations) =
        (snapshot.users.len(), snapshot.devices.len(), snapshot.locations.len());
    writeln!(out, "added: {users} users, {devices} devices, {locations} locations")?;
    site.change_phones(Made { prepared, inspected, context: &context, snapshot }, out).await?;
    Ok((context, pins))
}

/// The switch, once it knows Hotdesk's user.
async fn inspected<'a>(prepared: &'a Prepared, peppers: &'a Peppers) -> Result<Inspected<'a>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Inspected::new(&prepared.config, prepared.switch()?, Some(peppers)).await {
            Ok(inspected) => return Ok(inspected),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// An error with what is wrong.
pub(super) fn fails<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Result<()> {
    match findings.into_iter().find(|finding| finding.ok == Some(false)) {
        None => Ok(()),
        Some(Finding { check, found, remedy, .. }) => {
            bail!("{check}: {found}. {}", remedy.as_deref().unwrap_or_default())
        }
    }
}

/// Shows the PINs, once; then what the check finds, and what to dial.
async fn finish(planned: &Planned, context: &CommandContext, pins: &Pins, out: &mut dyn Write) -> Result<()> {
    for (user, pin) in pins.made() {
        writeln!(out, "PIN of {user}: {}", pin.reveal())?;
    }
    writeln!(out, "check, while Hotdesk does not run yet:")?;
    Check::all().run_at(context, out).await?;
    let snapshot = context.snapshot().await?;
    let user = snapshot.users.keys().next().map_or_else(|| "EXTENSION".into(), ToString::to_string);
    writeln!(
        out,
        "now start Hotdesk: systemctl start hotdesk, or hotdesk serve. Then dial {} at one of the phones {}",
        planned.site.to_dial(&user),
        output::joined(planned.site.phones(), ", ")
    )?;
    Ok(())
}
