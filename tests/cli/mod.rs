//! The command line as an administrator uses it: the built program, its texts and exit codes, on SQLite.

mod absent_store;
mod allocator;
mod auto_logout;
mod backup;
mod check;
mod codes;
mod configuration;
mod conventions;
mod dialplan;
mod directory;
mod export;
mod import;
mod init;
mod install;
mod journal;
mod lockouts;
mod owner;
mod plain_words;
mod profile;
mod reload;
mod secrets;
mod service_manager;
mod sessions;
mod supervision;
mod terminal;
mod text_files;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with a configuration and an empty store.
struct Desk(tempfile::TempDir);

/// What the program printed, and its exit code.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self::bare();
        let open = hotdesk::store::open("sqlite:hotdesk.db", desk.0.path());
        tokio::runtime::Runtime::new().unwrap().block_on(open).unwrap();
        // Nothing listens there: an Asterisk of this machine must not take part in the test.
        desk.configure("[[switch]]\nname = \"pbx\"\nami = \"127.0.0.1:1\"\n");
        desk
    }

    /// With two users, and two devices at a location.
    fn furnished() -> Self {
        let desk = Self::new();
        desk.ok("user add 101 --name Ann");
        desk.ok("user add 102 --name Bob");
        desk.ok("location add ams --emergency-caller-id 0201 --zone Europe/Amsterdam");
        for device in ["desk1", "desk2"] {
            desk.ok(&format!("device add {device} --switch pbx --dial PJSIP/{device} --location ams"));
        }
        desk
    }

    /// Furnished, with some groups.
    fn with_groups() -> Self {
        let desk = Self::furnished();
        let groups = ["sales", "support", "new", "400"]
            .map(|name| format!("[[group]]\nname = \"{name}\"\nkind = \"ring\"\n"));
        desk.configure(&format!("[[switch]]\nname = \"pbx\"\nami = \"127.0.0.1:1\"\n{}", groups.concat()));
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
        // A program that does not read its input may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let done = child.wait_with_output().unwrap();
        Said {
            code: done.status.code().unwrap(),
            out: String::from_utf8(done.stdout).unwrap(),
            err: String::from_utf8(done.stderr).unwrap(),
        }
    }

    /// Runs a command that succeeds without notes; returns its output.
    fn ok(&self, args: &str) -> String {
        let said = self.run(args);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{args}: {said:?}");
        said.out
    }

    /// Runs a command that succeeds with a note; returns its output and the note.
    fn noted(&self, args: &str) -> (String, String) {
        let said = self.run(args);
        assert_eq!(said.code, 0, "{args}: {said:?}");
        assert!(said.err.starts_with("hotdesk: "), "{args}: {said:?}");
        (said.out, said.err)
    }

    /// Runs a command that fails; returns its error.
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
