//! A FreeSWITCH of the test's own, on free ports, in a folder of its own: it touches nothing of an installed one.
//!
//! ```ignore
//! let Some(install) = freeswitch::installed() else { return };
//! let switch = Site::new()?.desks(2).file("hotdesk.xml", text).start(&install)?;
//! let desk1 = switch.phone("desk1")?;
//! ```

pub mod binding;
pub mod company;
pub mod esl;
pub mod install;
pub mod site;

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::phone::{Account, Phone};
use super::process::Process;
use super::wait;
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
    child: Option<Process>,
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
        command.args(["-nf", "-nc", "-nonat", "-nonatmap"]);
        command.stdin(Stdio::null()).stdout(console.try_clone()?).stderr(console);
        let child = Process::spawn(&mut command)
            .with_context(|| format!("starting {}", self.install.program.display()))?;
        self.child = Some(child);
        self.wait_ready()
    }

    /// Stops it in good order: calls are hung up.
    pub fn stop(&mut self) -> Result<()> {
        self.api("fsctl shutdown")?;
        let mut child = self.child.take().context("this FreeSWITCH is not running")?;
        wait::find(PATIENCE, || Ok(child.try_wait()?), || "FreeSWITCH runs on and is killed".to_owned())?;
        Ok(())
    }

    /// kill -9. Registrations and mod_db's rows survive it.
    pub fn kill(&mut self) -> Result<()> {
        Ok(self.child.take().context("this FreeSWITCH is not running")?.kill()?)
    }

    /// `fsctl shutdown restart`: the process executes itself again. Waits until it takes commands again.
    ///
    /// With calls, FreeSWITCH 1.10.12 now and then hangs or ends while it unloads its modules. It is then started again, as
    /// a service manager does.
    pub fn restart(&mut self) -> Result<()> {
        let before = self.core()?;
        self.api("fsctl shutdown restart")?;
        let deadline = Instant::now() + PATIENCE / 2;
        while Instant::now() < deadline {
            if self.core().is_ok_and(|now| now != before) {
                return Ok(());
            }
            let child = self.child.as_mut().context("this FreeSWITCH is not running")?;
            if let Some(status) = child.try_wait()? {
                eprintln!("FreeSWITCH did not restart but ended ({status}): it is started again");
                self.child = None;
                return self.start();
            }
            thread::sleep(Duration::from_millis(20));
        }
        eprintln!("FreeSWITCH hangs in its restart: it is killed and started again");
        self.kill()?;
        self.start()
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
        self.child.as_ref().map(Process::id)
    }

    /// A path within its folder: `conf/dialplan/hotdesk.xml`, `log/freeswitch.log`.
    pub fn path(&self, within: &str) -> PathBuf {
        self.dir.as_ref().map_or(Path::new(""), TempDir::path).join(within)
    }

    /// Its log so far at INFO.
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

    /// The call detail records so far, in each form that FreeSWITCH can write without a server.
    pub fn cdrs_by_form(&self) -> [(&'static str, String); 4] {
        let all = |folder: &str| {
            let files = fs::read_dir(self.path(&format!("log/cdr-csv/{folder}"))).unwrap();
            files.map(|file| read(&file.unwrap().path())).collect()
        };
        [("csv", self.cdrs()), ("format", all("format")), ("json", all("json")), ("xml", all("xml"))]
    }

    /// Dials an ordinary number at a device without a user, and waits until each form has the record of that call. Returns all
    /// records: those of earlier calls were written before.
    pub fn cdrs_after_a_refused_call(&self, desk: &Phone) -> Result<[(&'static str, String); 4]> {
        desk.dial("0099887766")?;
        desk.wait_ended()?;
        let written = || {
            let cdrs = self.cdrs_by_form();
            Ok(cdrs.iter().all(|(_, records)| records.contains("CALL_REJECTED")).then_some(cdrs))
        };
        let missing = || format!("{:?}", self.cdrs_by_form().map(|(form, records)| (form, records.len())));
        wait::find(Duration::from_secs(5), written, missing)
    }

    /// The port opens when all modules are loaded; a moment later the profile takes calls.
    fn wait_ready(&mut self) -> Result<()> {
        let (console, log) = (self.path("log/console"), self.path("log/freeswitch.log"));
        let ready = || {
            if let Some(status) = self.child.as_mut().map(Process::try_wait).transpose()?.flatten() {
                self.child = None;
                bail!("FreeSWITCH ended while it booted ({status}):\n{}", tail(&read(&console)));
            }
            Ok(self.api("sofia status").is_ok_and(|status| status.contains("RUNNING")).then_some(()))
        };
        wait::find(PATIENCE, ready, || format!("FreeSWITCH is not ready:\n{}", tail(&read(&log))))
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
