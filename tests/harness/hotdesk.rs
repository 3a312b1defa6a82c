//! A hotdesk of the test's own: the built program with its configuration, its store and its log in a folder.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use hotdesk::model::id::{Extension, TenantId};
use hotdesk::model::journal::Actor;
use hotdesk::model::login::pin::Pepper;
use hotdesk::model::login::token::Token;
use hotdesk::model::settings::Setting;
use hotdesk::store::{self};

use super::asking::Ask as _;
use super::asking::{Ask as _, Change, What};
use super::process::{Process, Signal};
use super::{freeswitch, wait};

/// The secret of the AMI user that hotdesk logs in as.
pub const SECRET: &str = "ami-secret-of-the-test";

/// No automatic logout by default, so that the suite passes at any time of day.
const NEVER: &str = "[auto_logout]\nat = \"never\"\n";
const USERS: &str = "[dialplan]\nusers = [\"1XX\"]\n";
/// No console by default: each would want the same port.
const NO_CONSOLE: &str = "[web]\nlisten = \"\"\n";
const PATIENCE: Duration = Duration::from_secs(20);

/// A hotdesk that can be run. Dropped, it is killed, and its folder is gone; after a panic its log is printed.
pub struct Hotdesk {
    program: Vec<PathBuf>,
    toml: String,
    child: Option<Process>,
    dir: TempDir,
    site: Site,
}

/// What its switch calls things.
struct Site {
    class: &'static str,
    dial: fn(&str) -> String,
}

impl Hotdesk {
    /// Writes the configuration for one Asterisk. `program` is what starts hotdesk, with its first arguments.
    pub fn new(program: &[PathBuf], store: &str, ami: SocketAddr, agi: SocketAddr) -> Result<Self> {
        let switch = format!(
            "kind = \"asterisk\"\nagi_listen = \"{agi}\"\nami = \"{ami}\"\nami_user = \"hotdesk\"\n\
             ami_secret_file = \"ami.secret\"\n"
        );
        let site = Site { class: "from-internal", dial: |desk| format!("PJSIP/{desk}") };
        Self::beside(program, store, &switch, ("ami.secret", SECRET), site)
    }

    /// Without a configuration.
    pub fn unconfigured(program: &[PathBuf]) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("hotdesk-").tempdir()?;
        let site = Site { class: "phones", dial: |desk| format!("PJSIP/{desk}") };
        Ok(Self { program: program.to_vec(), toml: String::new(), child: None, dir, site })
    }

    /// Writes the configuration for one FreeSWITCH.
    pub fn beside_freeswitch(program: &[PathBuf], store: &str, esl: SocketAddr) -> Result<Self> {
        let switch = format!("kind = \"freeswitch\"\nesl = \"{esl}\"\nesl_password_file = \"esl.secret\"\n");
        let site = Site { class: "default", dial: |desk| format!("user/{desk}@{}", freeswitch::DOMAIN) };
        Self::beside(program, store, &switch, ("esl.secret", freeswitch::PASSWORD), site)
    }

    /// Logs in to its FreeSWITCH with no more rights than it needs, and has `more` keys of the switch.
    pub fn with_least_rights(mut self, more: &str) -> Result<Self> {
        self.toml += &format!("esl_user = \"{}\"\n{more}", freeswitch::ESL_USER);
        self.configure("")?;
        fs::write(self.path("esl.secret"), freeswitch::ESL_USER_PASSWORD)?;
        Ok(self)
    }

    /// One more beside the same switch, with the same store and the same keys; `was` in its configuration is `is`.
    pub fn second(&self, (was, is): (&str, &str)) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("hotdesk-").tempdir()?;
        for file in ["esl.secret", "hotdesk.pepper"] {
            fs::copy(self.path(file), dir.path().join(file))?;
        }
        let toml = fs::read_to_string(self.path("hotdesk.toml"))?;
        ensure!(toml.contains(was), "there is no {was} in {toml}");
        let toml = toml.replacen(was, is, 1);
        fs::write(dir.path().join("hotdesk.toml"), &toml)?;
        let site = Site { ..self.site };
        Ok(Self { program: self.program.clone(), child: None, dir, site, toml })
    }

    fn beside(
        program: &[PathBuf],
        store: &str,
        switch: &str,
        (file, secret): (&str, &str),
        site: Site,
    ) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("hotdesk-").tempdir()?;
        let toml = format!(
            "[store]\nurl = \"{store}\"\n{NEVER}{USERS}{NO_CONSOLE}[emergency]\nnumbers = [\"112\"]\n\
             context = \"emergency\"\n[[switch]]\nname = \"pbx\"\n{switch}"
        );
        fs::write(dir.path().join("hotdesk.toml"), &toml)?;
        let file = dir.path().join(file);
        fs::write(&file, secret)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        Ok(Self { program: program.to_vec(), toml, child: None, dir, site })
    }

    /// Puts `more` into its configuration, in place of what was put there before. It may have a `[auto_logout]`, `[dialplan]` or
    /// `[web]` of its own.
    pub fn configure(&self, more: &str) -> Result<()> {
        let own = [("[auto_logout]", NEVER), ("[dialplan]", USERS), ("[web]", NO_CONSOLE)];
        let toml = own.iter().filter(|(section, _)| more.contains(section));
        let toml = toml.fold(self.toml.clone(), |toml, (_, usual)| toml.replace(usual, ""));
        Ok(fs::write(self.path("hotdesk.toml"), format!("{toml}\n{more}"))?)
    }

    /// A path within its folder.
    pub fn path(&self, within: &str) -> PathBuf {
        self.dir.path().join(within)
    }

    /// Its folder: everything that it writes is there.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// Runs one command, which must succeed; what it printed.
    pub fn run(&self, args: &[&str]) -> Result<String> {
        self.run_with(args, "")
    }

    /// Runs one command with something on its standard input.
    pub fn run_with(&self, args: &[&str], input: &str) -> Result<String> {
        let output = self.output(args, input)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "hotdesk {}: {}\n{text}{}",
            args.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(text)
    }

    /// Runs one command, however it ends.
    pub fn output(&self, args: &[&str], input: &str) -> Result<Output> {
        let mut child = self
            .command()
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting hotdesk")?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        Ok(child.wait_with_output()?)
    }

    /// Adds a user with a PIN who may call everything inside.
    pub fn add_user(&self, extension: &str, name: &str, pin: &str) -> Result<()> {
        let class = ["--class", self.site.class];
        self.run(
            &[&["user", "add", extension, "--name", name, "--mailbox", extension], &class[..]].concat(),
        )?;
        self.run_with(&["user", "pin", extension], &format!("{pin}\n"))?;
        Ok(())
    }

    /// Adds a device at its own location, whose emergency caller ID is `emergency`.
    pub fn add_desk(&self, desk: &str, emergency: &str) -> Result<()> {
        let (dial, room) = ((self.site.dial)(desk), format!("room-of-{desk}"));
        self.run(&["location", "add", &room, "--emergency-caller-id", emergency])?;
        self.run(&["device", "add", desk, "--switch", "pbx", "--dial", &dial, "--location", &room])?;
        Ok(())
    }

    /// Changes a setting of a user in the store, as another process would.
    pub fn set(&self, user: &str, setting: Setting) -> Result<()> {
        self.change(What::Setting(Extension::new(user)?, setting))
    }

    /// Changes the store, as another process would.
    pub fn change(&self, what: What) -> Result<()> {
        let (tenant, by) = (TenantId::default(), Actor::Command("test".to_owned()));
        let change = Change { tenant, what, by, at: jiff::Timestamp::now() };
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            let store = store::open("sqlite:hotdesk.db", self.folder()).await?;
            store.change(&change).await?;
            Ok(())
        })
    }

    /// Starts serving, and waits until the switch's table is reconciled.
    pub fn start(&mut self) -> Result<()> {
        let mark = self.log().len();
        self.spawn()?;
        self.wait_for_log(mark, "event=\"table.reconciled\"")
    }

    /// Starts serving, and waits for nothing.
    pub fn spawn(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "this hotdesk runs already");
        let log = File::options().create(true).append(true).open(self.path("log"))?;
        let mut command = self.command();
        command.arg("serve").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(Process::spawn(&mut command)?);
        Ok(())
    }

    /// kill -9.
    pub fn kill(&mut self) -> Result<()> {
        Ok(self.child.take().context("this hotdesk is not running")?.kill()?)
    }

    /// Sends a signal, by pid.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(self.child.as_ref().context("this hotdesk is not running")?.signal(signal)?)
    }

    /// Stops it in good order.
    pub fn stop(&mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let mut child = self.child.take().context("this hotdesk is not running")?;
        let running = || "hotdesk runs on and is killed".to_owned();
        let status = wait::find(PATIENCE, || Ok(child.try_wait()?), running)?;
        ensure!(status.success(), "hotdesk ended with {status}");
        Ok(())
    }

    /// The token of its dialplan.
    pub fn token(&self) -> String {
        let key = fs::read(self.path("hotdesk.pepper")).unwrap();
        Token::of(&Pepper::new(key.try_into().unwrap())).reveal().to_owned()
    }

    /// Its process, while it serves.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Process::id)
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        read(&self.path("log"))
    }

    /// Its metrics, from the address that it logged.
    pub fn metrics(&self) -> Result<String> {
        let log = self.log();
        let line = log.lines().find(|line| line.contains("event=\"metrics.listening\""));
        let address =
            line.and_then(|line| line.split("address=").nth(1)).and_then(|rest| rest.split(' ').next());
        let mut stream = TcpStream::connect(address.context("it serves no metrics")?)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: hotdesk\r\nConnection: close\r\n\r\n")?;
        Ok(std::io::read_to_string(stream)?)
    }

    /// Waits until the log after `mark` holds `text`.
    pub fn wait_for_log(&mut self, mark: usize, text: &str) -> Result<()> {
        let file = self.path("log");
        let logged = || {
            let log = read(&file);
            if log.get(mark..).is_some_and(|new| new.contains(text)) {
                return Ok(Some(()));
            }
            if let Some(status) = self.child.as_mut().map(Process::try_wait).transpose()?.flatten() {
                self.child = None;
                bail!("hotdesk ended ({status}) before it logged {text}:\n{log}");
            }
            Ok(None)
        };
        wait::find(PATIENCE, logged, || format!("hotdesk did not log {text}:\n{}", read(&file)))
    }

    /// Waits until the switch, which restarts after `mark`, has been lost, is connected again, and holds the desired state.
    /// A comparison that was under way before does not count.
    pub fn wait_reconnected(&mut self, mark: usize) -> Result<()> {
        const LOST: &str = "event=\"switch.down\"";
        self.wait_for_log(mark, LOST)?;
        let lost = mark + self.log().get(mark..).and_then(|log| log.find(LOST)).unwrap_or_default();
        self.wait_for_log(lost, "event=\"switch.up\"")?;
        self.wait_for_log(lost, "event=\"table.reconciled\"")
    }

    /// One of its commands, to be run as one likes.
    pub fn command(&self) -> Command {
        let mut program = self.program.iter();
        let mut command = Command::new(program.next().map_or(Path::new("hotdesk"), PathBuf::as_path));
        command.args(program).arg("-c").arg(self.path("hotdesk.toml"));
        // What the developer has set must not change what is tested.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HOTDESK_")) {
            command.env_remove(name);
        }
        command
    }
}

impl Drop for Hotdesk {
    fn drop(&mut self) {
        let _ = self.kill();
        if thread::panicking() {
            eprintln!("--- what hotdesk logged:\n{}---", self.log());
        }
    }
}

fn read(file: &Path) -> String {
    fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
