//! `hotdesk init`: adds Hotdesk to a switch that is there, with a backup, so that `--undo` gives back what was there before.
//!
//! The frame is the same for each kind of switch: [`plan`] shows what is to be done, [`kept`] keeps what was there, [`apply`] does
//! it or puts all back, [`undo`] gives it back later. [`site::Site`] is what differs; each kind has its file.

mod answers;
mod apply;
mod asterisk;
mod change;
mod console;
mod found;
mod freepbx;
mod freeswitch;
mod kept;
mod named;
mod new_config;
mod plan;
mod site;
mod undo;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::output;
use answers::{Answers, Questions};
use asterisk::PlainAsterisk;
use console::{AsteriskProgram, Console};
use found::Found;
use freepbx::FreePbx;
use freeswitch::FreeSwitch;
use kept::State;
use plan::Planned;
use site::Site;

/// The folder of the configuration and that of the data, as the Debian package makes them.
const PACKAGE: (&str, &str) = ("/etc/hotdesk", "/var/lib/hotdesk");

#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// Kind of switch, if there are several
    #[arg(long, value_enum, value_name = "KIND")]
    switch: Option<Found>,
    /// Folder of the switch's configuration; without it, the usual ones
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Folder of the switch's prompts; without it, that of its packages
    #[arg(long, value_name = "DIR")]
    sounds: Option<PathBuf>,
    /// Program that gives commands to the running Asterisk
    #[arg(long, value_name = "FILE", default_value = "asterisk")]
    program: PathBuf,
    /// Address where Hotdesk takes the calls of Asterisk: 127.0.0.1:4573, on FreePBX port 4574
    #[arg(long, value_name = "ADDRESS")]
    agi_listen: Option<SocketAddr>,
    #[command(flatten)]
    questions: Questions,
    /// Change the files without asking; needed without a terminal
    #[arg(long)]
    yes: bool,
    /// Give the switch its old files back, and remove what init made
    #[arg(long)]
    undo: bool,
    /// With --undo: also give back files that were changed after init
    #[arg(long, requires = "undo", help_heading = output::OVERRIDE)]
    force: bool,
}

impl Init {
    pub(super) async fn run(self, config: Option<PathBuf>, out: &mut dyn Write) -> Result<()> {
        let packaged = Path::new(PACKAGE.0);
        let folder = if packaged.is_dir() { packaged } else { Path::new("") };
        let config = std::path::absolute(config.unwrap_or_else(|| folder.join("hotdesk.toml")))?;
        let own = config.parent().unwrap_or(Path::new("/")).to_owned();
        let data = Path::new(PACKAGE.1);
        let data = if own == packaged && data.is_dir() { data.to_owned() } else { own };
        let state = State::of(&data);
        if self.undo {
            return undo::undo(&state, &config, self.force, out).await;
        }
        state.refuse_second(&config)?;
        let yes = self.yes;
        let (site, answers) = self.found().await?;
        let planned = Planned::new(site, answers, (&config, &data)).await?;
        planned.show(out).await?;
        out.flush()?;
        answers::confirm(yes)?;
        apply::apply(planned, &state, out).await
    }

    /// The switch of this machine, and the answers to what init asks.
    async fn found(mut self) -> Result<(Box<dyn Site>, Answers)> {
        let (found, dir) = Found::find(self.switch, self.dir.as_deref())?;
        let sounds = std::path::absolute(self.sounds.as_deref().unwrap_or(found.sounds()))?;
        let (folders, questions) = ((dir.as_path(), sounds.as_path()), &mut self.questions);
        let program = AsteriskProgram::new(&self.program, &dir);
        Ok(match found {
            Found::Asterisk => {
                Console::Asterisk(program.clone()).run("core show version").await?;
                let site = PlainAsterisk::new(program, folders, self.agi_listen, questions)?;
                (Box::new(site), self.questions.answered(true)?)
            }
            Found::Freepbx => {
                let site = FreePbx::new(program, folders, self.agi_listen, questions).await?;
                let answers = self.questions.answered(site.lacks_caller_id())?;
                site.refuse_lost(&answers.emergency_numbers).await?;
                (Box::new(site), answers)
            }
            Found::Freeswitch => {
                let site = FreeSwitch::new(&dir, self.sounds.as_deref(), questions).await?;
                let answers = self.questions.answered(true)?;
                site.refuse_lost(&answers.emergency_numbers).await?;
                (Box::new(site), answers)
            }
        })
    }
}
