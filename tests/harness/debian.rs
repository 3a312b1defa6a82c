//! Programs that the tests run against: the installed one, else Debian's, fetched into `target/debian` without root.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use anyhow::{Context, Error, Result, bail, ensure};

/// Which Asterisk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// The installed one, else the newest that Debian has (22 in sid), else 16.
    Current,
    /// 16.28 from Debian bullseye: the oldest that Hotdesk is for.
    V16,
}

/// An Asterisk that can be run.
#[derive(Clone, Debug)]
pub struct Install {
    /// What starts it.
    pub program: PathBuf,
    /// Where its modules are, `chan_pjsip.so` among them.
    pub modules: PathBuf,
    /// Where its `sounds` and XML documentation are.
    pub data: PathBuf,
    /// What it says it is: `Asterisk 22.10.1…`.
    pub banner: String,
}

/// The Asterisk to run. The first call on a machine may take 20 s and says on standard error what it does; what came
/// of it holds for the whole process, so that without a network only the first test waits.
pub fn asterisk(version: Version) -> Result<Install> {
    static CURRENT: LazyLock<Result<Install, String>> = LazyLock::new(|| current_asterisk().map_err(chain));
    static V16: LazyLock<Result<Install, String>> =
        LazyLock::new(|| fetched_asterisk("bullseye").map_err(chain));
    let found: &Result<Install, String> = match version {
        Version::Current => &CURRENT,
        Version::V16 => &V16,
    };
    found.clone().map_err(Error::msg)
}

fn current_asterisk() -> Result<Install> {
    if let Some(install) = installed_asterisk() {
        return Ok(install);
    }
    fetched_asterisk("sid").or_else(|newest| {
        eprintln!("{newest:#}; trying Asterisk 16");
        fetched_asterisk("bullseye")
    })
}

fn chain(error: Error) -> String {
    format!("{error:#}")
}

/// The redis-server to run: the installed one, else that of the machine's own Debian release.
pub fn redis_server() -> Result<PathBuf> {
    match on_path("redis-server") {
        Some(program) => Ok(program),
        None => Ok(fetch("redis-server", "host", "usr/bin/redis-server")?.join("run")),
    }
}

fn installed_asterisk() -> Option<Install> {
    let program = on_path("asterisk")?;
    let configured = |key: &str| {
        let text = fs::read_to_string("/etc/asterisk/asterisk.conf").ok()?;
        let (_, value) = text.lines().filter_map(|l| l.split_once("=>")).find(|(k, _)| k.trim() == key)?;
        Some(PathBuf::from(value.split(';').next()?.trim()))
    };
    let first_with = |file: &str, configured: Option<PathBuf>, usual: &[&str]| {
        configured
            .into_iter()
            .chain(usual.iter().map(PathBuf::from))
            .find(|folder| folder.join(file).exists())
    };
    let libraries =
        ["/usr/lib/asterisk/modules", "/usr/lib64/asterisk/modules", "/usr/local/lib/asterisk/modules"];
    let debian = format!("/usr/lib/{}-linux-gnu/asterisk/modules", env::consts::ARCH);
    let usual: Vec<&str> = libraries.into_iter().chain([debian.as_str()]).collect();
    let modules = first_with("chan_pjsip.so", configured("astmoddir"), &usual)?;
    let data = first_with("sounds", configured("astdatadir"), &["/usr/share/asterisk", "/var/lib/asterisk"])?;
    let banner = banner(&program).ok()?;
    Some(Install { program, modules, data, banner })
}

fn fetched_asterisk(suite: &str) -> Result<Install> {
    let folder = fetch("asterisk", suite, "usr/sbin/asterisk")?;
    let libraries = folder.join("root/usr/lib");
    let modules = libraries
        .read_dir()
        .with_context(|| format!("reading {}", libraries.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .flat_map(|architecture| [architecture.join("asterisk/modules"), architecture.join("modules")])
        .find(|modules| modules.join("chan_pjsip.so").exists())
        .with_context(|| format!("no chan_pjsip.so in {}; delete it to fetch it anew", folder.display()))?;
    let program = folder.join("run");
    let banner = banner(&program)?;
    Ok(Install { program, modules, data: folder.join("root/usr/share/asterisk"), banner })
}

fn banner(program: &Path) -> Result<String> {
    let output =
        Command::new(program).arg("-V").output().with_context(|| format!("running {}", program.display()))?;
    ensure!(output.status.success(), "{} -V: {}", program.display(), String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Debian's `package` of `suite`, unpacked; the folder's `run` starts `program`.
fn fetch(package: &str, suite: &str, program: &str) -> Result<PathBuf> {
    let folder = target().join("debian").join(format!("{package}-{suite}"));
    let status = Command::new("bash")
        .args(["-c", include_str!("fetch-debian.sh"), "fetch-debian"])
        .arg(&folder)
        .args([suite, package, program])
        .stdin(Stdio::null())
        .status()
        .context("fetching from Debian needs bash")?;
    if !status.success() {
        bail!("{package} could not be fetched from Debian {suite} (see above), and none is installed");
    }
    Ok(folder)
}

/// Cargo's target folder: the one this program was built into, else where Cargo would put one.
pub fn target() -> PathBuf {
    let built_into = env::current_exe().ok().and_then(|program| {
        program.ancestors().find(|dir| dir.join("CACHEDIR.TAG").exists()).map(Path::to_owned)
    });
    built_into
        .or_else(|| env::var_os("CARGO_TARGET_DIR").map(PathBuf::from))
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}
