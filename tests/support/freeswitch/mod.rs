//! A FreeSWITCH of the test's own, on free ports, in a folder of its own: it touches nothing of an installed one.
//!
//! ```ignore
//! let Some(install) = freeswitch::installed() else { return };
//! let switch = Site::new()?.desks(2).file("hotdesk.xml", text).start(&install)?;
//! let desk1 = switch.phone("desk1")?;
//! ```

pub mod esl;
pub mod install;
pub mod site;

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::phone::{Account, Phone};
pub use esl::Esl;
pub use install::{Install, installed};
pub use site::{DOMAIN, ESL_USER, ESL_USER_PASSWORD, PASSWORD, Site, User, password};

/// How long it may take to boot or to stop. It boots in 1.5 s on an idle machine and restarts in 8 s.
const PATIENCE: Duration = Duration::from_secs(40);

/// A running FreeSWITCH. Dropped, it is killed, and its folder is gone; after a panic the folder stays, and its path
/// is printed.
pub struct FreeSwitch {
    install: Install,
    site: Site,
    child: Option<Child>,
    // Always there; optional only so that `drop` can keep it.
    dir: Option<TempDir>,
}

impl Site {
    /// Starts it, and waits until it takes commands.
    pub fn start(self, install: &Install) -> Result<FreeSwitch> {
        let dir = tempfile::Builder::new().prefix("hotdesk-fs-").tempdir()?;
        self.write(dir.path())?;
        let mut switch = FreeSwitch { install: install.clone(), site: self, child: None, dir: Some(dir) };
        switch.start()?;
        Ok(switch)
    }
}

impl FreeSwitch {
    /// Starts it again after [`Self::stop`] or [`Self::kill`]: same folder, same ports, same databases.
    pub fn start(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "this FreeSWITCH runs already");
        let console = File::options().create(true).append(true).open(self.path("log/console"))?;
        let mut command = Command::new(&self.install.program);
        for (option, folder) in site::FOLDERS {
            command.arg(option).arg(self.path(folder));
        }
        let child = command
            .args(["-nf", "-nc", "-nonat", "-nonatmap"])
            .stdin(Stdio::null())
            .stdout(console.try_clone()?)
            .stderr(console)
            .spawn()
            .with_context(|| format!("starting {}", self.install.program.display()))?;
        self.child = Some(child);
        self.wait_ready()
    }

    /// Stops it in good order: calls are hung up.
    pub fn stop(&mut self) -> Result<()> {
        self.api("fsctl shutdown")?;
        let mut child = self.child.take().context("this FreeSWITCH is not running")?;
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                bail!("FreeSWITCH did not stop within {PATIENCE:?} and was killed");
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// kill -9. Registrations and mod_db's rows survive it.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("this FreeSWITCH is not running")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// `fsctl shutdown restart`: the process executes itself anew. Waits until it takes commands again.
    pub fn restart(&mut self) -> Result<()> {
        let before = self.core()?;
        self.api("fsctl shutdown restart")?;
        let deadline = Instant::now() + PATIENCE;
        while self.core().ok().is_none_or(|now| now == before) {
            ensure!(Instant::now() < deadline, "FreeSWITCH did not restart within {PATIENCE:?}");
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// The UUID of this run of it.
    pub fn core(&self) -> Result<String> {
        self.api("global_getvar core_uuid")
    }

    /// A new event-socket connection that may do all.
    pub fn esl(&self) -> Result<Esl> {
        Esl::login(self.esl_address(), PASSWORD)
    }

    /// What an API command answers, on a connection of its own.
    pub fn api(&self, command: &str) -> Result<String> {
        self.esl()?.api(command)
    }

    /// A user's phone, registered.
    pub fn phone(&self, user: &str) -> Result<Phone> {
        let phone = Phone::new(self.account(user))?;
        phone.register()?;
        Ok(phone)
    }

    /// The phone of a user of another domain, registered.
    pub fn phone_in(&self, domain: &str, user: &str) -> Result<Phone> {
        let phone = Phone::new(Account { domain: Some(domain.to_owned()), ..self.account(user) })?;
        phone.register()?;
        Ok(phone)
    }

    /// What a phone needs to know to be this user's.
    pub fn account(&self, user: &str) -> Account {
        Account {
            server: self.site.ports.sip,
            domain: Some(DOMAIN.to_owned()),
            user: user.to_owned(),
            password: password(user),
        }
    }

    /// Where it takes SIP over UDP.
    pub fn sip(&self) -> SocketAddr {
        self.site.ports.sip
    }

    /// Where its event socket listens.
    pub fn esl_address(&self) -> SocketAddr {
        self.site.ports.ami
    }

    /// What it says it is.
    pub fn banner(&self) -> &str {
        &self.install.banner
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// A path within its folder: `conf/dialplan/hotdesk.xml`, `log/freeswitch.log`.
    pub fn path(&self, within: &str) -> PathBuf {
        self.dir.as_ref().map_or(Path::new(""), TempDir::path).join(within)
    }

    /// Its log so far, as it is at INFO.
    pub fn log(&self) -> String {
        read(&self.path("log/freeswitch.log"))
    }

    /// Its log so far at DEBUG: each step of the dialplan.
    pub fn debug_log(&self) -> String {
        read(&self.path("log/debug.log"))
    }

    /// The call detail records so far, as CSV.
    pub fn cdrs(&self) -> String {
        read(&self.path("log/cdr-csv/Master.csv"))
    }

    /// The port opens when all modules are loaded; a moment later the profile takes calls.
    fn wait_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                self.child = None;
                bail!(
                    "FreeSWITCH ended while it booted ({status}):\n{}",
                    tail(&read(&self.path("log/console")))
                );
            }
            if self.api("sofia status").is_ok_and(|status| status.contains("RUNNING")) {
                return Ok(());
            }
            let late = || format!("FreeSWITCH took no commands after {PATIENCE:?}:\n{}", tail(&self.log()));
            ensure!(Instant::now() < deadline, late());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for FreeSwitch {
    fn drop(&mut self) {
        let _ = self.kill();
        if thread::panicking()
            && let Some(dir) = self.dir.take()
        {
            eprintln!("{}: its configuration and logs are kept in {}", self.banner(), dir.keep().display());
        }
    }
}

fn read(file: &Path) -> String {
    fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n")
}
