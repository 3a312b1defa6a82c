//! What is particular to a kind of switch. All else that init does is the same for each of them.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use async_trait::async_trait;

use super::answers::Answers;
use super::change::Change;
use super::console::Console;
use crate::cli::context::CommandContext;
use crate::cli::import::pins::Pins;
use crate::cli::inspected::Inspected;
use crate::cli::plan::Plan;
use crate::cli::{adopt, connected};
use crate::config::{Config, Switch};
use crate::model::directory::Snapshot;

/// The changes of a switch's files.
pub(super) struct Changes {
    pub(super) changes: Vec<Change>,
    /// What the administrator is to know, or to change by hand.
    pub(super) notes: Vec<String>,
}

/// What is to be done, and is not yet.
pub(super) struct Prepared {
    pub(super) config: Config,
    pub(super) answers: Answers,
    /// Of the files of the switch.
    pub(super) changes: Vec<Change>,
}

impl Prepared {
    pub(super) fn switch(&self) -> Result<&Switch> {
        self.config.switches.first().context("the new configuration has no switch")
    }
}

/// What is done when only the phones are left: the switch has read the dialplan, and the store has the records.
pub(super) struct Made<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) inspected: &'a Inspected<'a>,
    pub(super) context: &'a CommandContext,
    pub(super) snapshot: &'a Snapshot,
}

impl Made<'_> {
    /// Writes the switch's rows.
    pub(super) async fn write_rows(&self) -> Result<()> {
        let switch = self.prepared.switch()?;
        let table = connected::table(self.context, switch).await?;
        adopt::write(self.context, switch, table.to.as_ref()).await.map(drop)
    }
}

/// A switch that was found, and what of it becomes a hotdesk.
#[async_trait(?Send)]
pub(super) trait Site {
    /// Gives commands to the running switch.
    fn console(&self) -> Console;

    /// The folders of the switch's dialplan and prompts.
    fn folders(&self) -> (&Path, &Path);

    /// The tables of `hotdesk.toml` for the dialplan of these users.
    fn tables(&self, users: &BTreeSet<String>) -> String;

    /// The keys of its `[[switch]]`, but its name and its folders.
    fn keys(&self) -> String;

    /// The context that sends emergency calls out, if Hotdesk must know it.
    fn emergency_context(&self) -> Option<&str>;

    /// The name of the file with Hotdesk's secret.
    fn secret_file(&self) -> &'static str;

    /// The phones that become hotdesks.
    fn phones(&self) -> Vec<&str>;

    /// Users, devices and locations as they are to be in the store, and the users' PINs.
    async fn directory<'a>(&self, context: &'a CommandContext, answers: &Answers)
    -> Result<(Plan<'a>, Pins)>;

    /// The changes of its files, for these users.
    fn change(&self, after: &Snapshot, answers: &Answers) -> Result<Changes>;

    /// Files that it gets, beside those of `hotdesk dialplan install`, with this secret of Hotdesk.
    fn new_files(&self, secret: &str) -> Vec<(PathBuf, String)>;

    /// The command with which the running switch comes to know Hotdesk's user.
    fn reads_users(&self) -> &'static str;

    /// Has the running switch read the dialplan.
    async fn read_dialplan(&self, inspected: &Inspected<'_>) -> Result<()> {
        inspected.can_reload().await?;
        Ok(inspected.reload().await?)
    }

    /// Writes the rows of the users, and only then makes the phones hotdesks.
    async fn change_phones(&self, made: Made<'_>, out: &mut dyn Write) -> Result<()>;

    /// What to dial at a phone to log in.
    fn to_dial(&self, user: &str) -> String {
        format!("*35*{user}*PIN")
    }
}
