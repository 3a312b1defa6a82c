//! The FreeSWITCH to run: no package exists that a test could fetch, so it is an installed one or none.

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A FreeSWITCH that can be run.
#[derive(Clone, Debug)]
pub struct Install {
    /// What starts it.
    pub program: PathBuf,
    /// What it says it is: `FreeSWITCH version: 1.10.12…`.
    pub banner: String,
}

/// The one that `HOTDESK_FREESWITCH` names, else one on the `PATH`, in `/usr/local/freeswitch` or `/opt/freeswitch`.
/// Where there is none, this says on standard error, past the harness that would keep it, that a test is skipped and how
/// many have been so far; the test returns.
pub fn installed() -> Option<Install> {
    static FOUND: LazyLock<Option<Install>> = LazyLock::new(|| candidates().iter().find_map(|p| asked(p)));
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    if FOUND.is_none() {
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        let so_far = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no freeswitch found (HOTDESK_FREESWITCH, PATH, /usr/local/freeswitch, /opt/freeswitch) for \
             {name}; {so_far} skipped so far"
        );
    }
    FOUND.clone()
}

fn candidates() -> Vec<PathBuf> {
    if let Some(named) = env::var_os("HOTDESK_FREESWITCH") {
        return vec![PathBuf::from(&named), Path::new(&named).join("bin/freeswitch")];
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join("freeswitch"));
    let usual =
        ["/usr/local/freeswitch", "/opt/freeswitch"].map(|prefix| Path::new(prefix).join("bin/freeswitch"));
    on_path.chain(usual).collect()
}

/// It, if it can say what it is.
fn asked(program: &Path) -> Option<Install> {
    if !program.is_file() {
        return None;
    }
    let output = Command::new(program).arg("-version").stdin(Stdio::null()).output().ok()?;
    let banner = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    banner.starts_with("FreeSWITCH").then(|| Install { program: program.to_owned(), banner })
}
