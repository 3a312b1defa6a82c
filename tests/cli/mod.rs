//! The command line as an operator meets it: the built program, its words and its exit codes, on SQLite.

mod codes;
mod configuration;
mod dialplan;
mod directory;
mod import;
mod journal;
mod leaving;
mod locks;
mod profile;
mod seats;
mod secrets;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with a configuration and an empty store.
struct Desk(tempfile::TempDir);

/// What the program said.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self::bare();
        // Nobody listens there: an Asterisk of this machine is none of the test's business.
        desk.configure("[[switch]]\nname = \"pbx\"\nami = \"127.0.0.1:1\"\n");
        desk
    }

    /// Two users and two desks at a location.
    fn furnished() -> Self {
        let desk = Self::new();
        desk.ok("user set 101 --name Ann");
        desk.ok("user set 102 --name Bob");
        desk.ok("location set ams --emergency-caller-id 0201 --zone Europe/Amsterdam");
        for device in ["desk1", "desk2"] {
            desk.ok(&format!("device set {device} --switch pbx --dial PJSIP/{device} --location ams"));
        }
        desk
    }

    fn bare() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn configure(&self, text: &str) {
        std::fs::write(self.path("hotdesk.toml"), text).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotdesk"));
        command.current_dir(self.0.path()).env_clear().env("USER", "tester").env("TZ", "UTC");
        command
    }

    /// Runs the program with arguments as they would be typed, without quotes.
    fn run(&self, args: &str) -> Said {
        self.run_with(&args.split_whitespace().collect::<Vec<_>>(), "")
    }

    fn run_with(&self, args: &[&str], input: &str) -> Said {
        let mut child = self
            .command()
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let done = child.wait_with_output().unwrap();
        Said {
            code: done.status.code().unwrap(),
            out: String::from_utf8(done.stdout).unwrap(),
            err: String::from_utf8(done.stderr).unwrap(),
        }
    }

    /// What it prints when it does what it is asked.
    fn ok(&self, args: &str) -> String {
        let said = self.run(args);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{args}: {said:?}");
        said.out
    }

    /// What it says when it cannot.
    fn fails(&self, args: &str) -> String {
        let said = self.run(args);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{args}: {said:?}");
        said.err
    }

    fn json(&self, args: &str) -> serde_json::Value {
        serde_json::from_str(&self.ok(args)).unwrap()
    }
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
