//! An Asterisk of the test's own, on free ports, in a folder of its own: it touches nothing of an installed one.
//!
//! ```ignore
//! let pbx = Site::new()?.desks(2).dialplan("#include hotdesk.conf\n").file("hotdesk.conf", text).start(Version::Current)?;
//! let desk1 = pbx.phone("desk1")?;
//! ```

mod data;
pub mod ports;
pub mod site;

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::ami::Ami;
use super::debian::{self, Install, Version};
use super::phone::{Account, Phone};
use super::process::Process;
use super::wait;
pub use site::{ADMIN, Endpoint, Site, password};

/// How long it may take to boot or to stop. It takes 0.3 s on an idle machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running Asterisk. Dropped, it is killed, and its folder is gone; after a panic the folder stays, and its path
/// is printed.
pub struct Asterisk {
    install: Install,
    site: Site,
    child: Option<Process>,
    // Always there; optional only so that `drop` can keep it.
    dir: Option<TempDir>,
}

impl Site {
    /// Starts it, and waits until it has fully booted.
    pub fn start(self, version: Version) -> Result<Asterisk> {
        let install = debian::asterisk(version)?;
        // Short, because the control socket's path within it must stay under 108 bytes.
        let dir = tempfile::Builder::new().prefix("hotdesk-pbx-").tempdir()?;
        self.write(&install, dir.path())?;
        let mut asterisk = Asterisk { install, site: self, child: None, dir: Some(dir) };
        asterisk.start()?;
        Ok(asterisk)
    }
}

impl Asterisk {
    /// Starts it again after [`Self::stop`] or [`Self::kill`]: same folder, same ports, and AstDB as it was saved.
    pub fn start(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "this Asterisk runs already");
        let console = File::options().create(true).append(true).open(self.path("log/console"))?;
        let mut command = Command::new(&self.install.program);
        command.arg("-f").arg("-C").arg(self.path("etc/asterisk.conf"));
        command.stdin(Stdio::null()).stdout(console.try_clone()?).stderr(console);
        let child = Process::spawn(&mut command)
            .with_context(|| format!("starting {}", self.install.program.display()))?;
        self.child = Some(child);
        self.wait_booted()
    }

    /// Stops it in good order: calls are hung up, AstDB is written.
    pub fn stop(&mut self) -> Result<()> {
        self.cli("core stop now")?;
        let mut child = self.child.take().context("this Asterisk is not running")?;
        wait::find(PATIENCE, || Ok(child.try_wait()?), || "Asterisk runs on and is killed".to_owned())?;
        Ok(())
    }

    /// kill -9. Writes to AstDB within the last second are lost.
    pub fn kill(&mut self) -> Result<()> {
        Ok(self.child.take().context("this Asterisk is not running")?.kill()?)
    }

    /// Stops it in good order and starts it again.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.start()
    }

    /// What its command line answers; some 20 ms a command.
    pub fn cli(&self, command: &str) -> Result<String> {
        let output = Command::new("timeout")
            .arg("10")
            .arg(&self.install.program)
            .arg("-C")
            .arg(self.path("etc/asterisk.conf"))
            .args(["-rx", command])
            .stdin(Stdio::null())
            .output()
            .context("running asterisk -rx")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "asterisk -rx '{command}': {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(text)
    }

    /// A new AMI session that may do all.
    pub fn ami(&self) -> Result<Ami> {
        let (user, secret) = ADMIN;
        Ami::login(self.site.ports.ami, user, secret)
    }

    /// An endpoint's phone, registered.
    pub fn phone(&self, endpoint: &str) -> Result<Phone> {
        let phone = Phone::new(self.account(endpoint))?;
        phone.register()?;
        Ok(phone)
    }

    /// What a phone needs to know to be this endpoint's.
    pub fn account(&self, endpoint: &str) -> Account {
        Account {
            server: self.site.ports.sip,
            domain: None,
            user: endpoint.to_owned(),
            password: password(endpoint),
        }
    }

    /// Where it takes SIP over UDP.
    pub fn sip(&self) -> SocketAddr {
        self.site.ports.sip
    }

    /// Where it takes AMI.
    pub fn ami_address(&self) -> SocketAddr {
        self.site.ports.ami
    }

    /// A port kept for the test's FastAGI server.
    pub fn agi(&self) -> SocketAddr {
        self.site.ports.agi
    }

    /// What it says it is.
    pub fn banner(&self) -> &str {
        &self.install.banner
    }

    /// Its program, which also gives commands to it.
    pub fn program(&self) -> &Path {
        &self.install.program
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Process::id)
    }

    /// A path within its folder: `etc/extensions.conf`, `log/full`, `spool/voicemail`.
    pub fn path(&self, within: &str) -> PathBuf {
        self.dir.as_ref().map_or(Path::new(""), TempDir::path).join(within)
    }

    /// Replaces one of its configuration files; the test reloads.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.path("etc").join(name), text).with_context(|| format!("writing {name}"))
    }

    /// Lets several phones register as `endpoint` at once, and adds `more` to its AOR.
    pub fn share(&self, endpoint: &str, more: &str) -> Result<()> {
        let conf = read(&self.path("etc/pjsip.conf"));
        let aor = format!("[{endpoint}](aor)\n");
        let shared = conf.replace(&aor, &format!("{aor}max_contacts=3\nremove_existing=no\n{more}"));
        self.write("pjsip.conf", &shared)?;
        self.cli("module reload res_pjsip.so")?;
        let shown = || self.cli(&format!("pjsip show aor {endpoint}"));
        let taken =
            || Ok(shown()?.lines().any(|line| line.replace(' ', "") == "max_contacts:3").then_some(()));
        wait::find(PATIENCE, taken, || format!("{:?}", shown()))
    }

    /// Its log so far: notices, warnings, errors and each step of the dialplan.
    pub fn log(&self) -> String {
        read(&self.path("log/full"))
    }

    /// The call detail records so far, as CSV.
    pub fn cdrs(&self) -> String {
        read(&self.path("log/cdr-csv/Master.csv"))
    }

    fn wait_booted(&mut self) -> Result<()> {
        let (console, log) = (self.path("log/console"), self.path("log/full"));
        let connected = || {
            if let Some(status) = self.child.as_mut().map(Process::try_wait).transpose()?.flatten() {
                self.child = None;
                bail!("Asterisk ended while it booted ({status}):\n{}", tail(&read(&console)));
            }
            Ok(self.ami().ok())
        };
        let ami = wait::find(PATIENCE, connected, || format!("no AMI of Asterisk:\n{}", tail(&read(&log))))?;
        ami.wait("FullyBooted", |m| m.is("FullyBooted"))?;
        Ok(())
    }
}

impl Drop for Asterisk {
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
