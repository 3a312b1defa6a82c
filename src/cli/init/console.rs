//! Commands to the running switch, as an administrator gives them: before init there is no other way in.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::new_config::switch_name;
use crate::cli::connected::Connected;
use crate::freeswitch::conf::{EventSocket, event_socket};
use crate::freeswitch::esl::client::{Client, Settings};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(20);

/// The way in to a switch. It is kept with the old files, so that `--undo` finds it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) enum Console {
    Asterisk(AsteriskProgram),
    FreePbx(AsteriskProgram),
    /// The folder of its configuration, which says where its event socket is.
    FreeSwitch(PathBuf),
}

impl Console {
    /// What the running switch answers.
    pub(super) async fn run(&self, command: &str) -> Result<Zeroizing<String>> {
        match self {
            Self::Asterisk(program) | Self::FreePbx(program) => program.run(command).await,
            Self::FreeSwitch(dir) => {
                let answer = administrator(dir).await?.to.api(command).await?;
                Ok(Zeroizing::new(answer.unwrap_or_default()))
            }
        }
    }

    /// Has the switch read its old files again, and forget the rows of Hotdesk.
    pub(super) async fn read_again(&self) -> Result<()> {
        let forget = [
            "database del CustomDevstate hotdesk_on",
            "database deltree hotdesk",
            "database deltree hotdesk-called",
        ];
        let (read, forget) = match self {
            Self::Asterisk(_) => {
                (&["module reload res_pjsip.so", "dialplan reload", "manager reload"][..], &forget[..])
            }
            Self::FreePbx(_) => (&["dialplan reload", "manager reload"][..], &forget[..]),
            Self::FreeSwitch(_) => (&["reloadxml"][..], &[][..]),
        };
        for command in read.iter().chain(forget) {
            self.run(command).await?;
        }
        Ok(())
    }

    /// The name of the switch.
    pub(super) const fn switch(&self) -> &'static str {
        match self {
            Self::Asterisk(_) | Self::FreePbx(_) => "Asterisk",
            Self::FreeSwitch(_) => "FreeSWITCH",
        }
    }
}

/// The event socket of a FreeSWITCH, with the password that its configuration in this folder says.
pub(super) async fn administrator(dir: &Path) -> Result<Connected<Client>> {
    let EventSocket { host, port, password, .. } = event_socket(dir)?;
    let (address, deadline) = (format!("{host}:{port}"), ANSWER);
    let (events, filters) = (vec![], vec![]);
    let settings =
        Settings { name: switch_name()?, address, user: None, password, deadline, events, filters };
    Connected::event_socket(settings).await
}

/// The program `asterisk`, and the configuration of the Asterisk that it talks to.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct AsteriskProgram {
    program: PathBuf,
    config: Option<PathBuf>,
}

impl AsteriskProgram {
    /// `dir` is the folder of the configuration. Without an `asterisk.conf` there, the program has its own place for it.
    pub(super) fn new(program: &Path, dir: &Path) -> Self {
        let config = dir.join("asterisk.conf");
        Self { program: program.into(), config: config.exists().then_some(config) }
    }

    async fn run(&self, command: &str) -> Result<Zeroizing<String>> {
        let mut asterisk = Command::new(&self.program);
        if let Some(config) = &self.config {
            asterisk.arg("-C").arg(config);
        }
        asterisk.args(["-rx", command]).stdin(Stdio::null()).kill_on_drop(true);
        let program = self.program.display();
        let done = timeout(ANSWER, asterisk.output()).await;
        let done = done.with_context(|| format!("{program} -rx '{command}' has not ended after 20 s"))?;
        let done = done.with_context(|| format!("cannot start {program}: name it with --program"))?;
        let answer = Zeroizing::new(done.stdout);
        if !done.status.success() {
            let said = [&done.stderr[..], &answer].concat();
            let said = String::from_utf8_lossy(&said).trim().to_owned();
            bail!(
                "Asterisk does not answer `{program} -rx '{command}'`: {said}. Start it, or run this as root"
            );
        }
        Ok(Zeroizing::new(String::from_utf8_lossy(&answer).into_owned()))
    }
}
