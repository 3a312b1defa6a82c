//! A program that a test starts, which does not outlive the suite.

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, kill_process};

pub use rustix::process::Signal;

/// Waits for the end of its input, which the suite holds open as long as it lives, and kills the program then.
const GUARD: &str = r#"trap '' HUP INT TERM; read -r _line; kill -KILL "$1" 2>/dev/null"#;

/// A running program. Dropped, it is killed. A guard beside it kills it when the suite itself is killed, whose `Drop`s do not
/// run then.
pub struct Process {
    child: Child,
    /// Kills it when the pipe to it closes.
    pub guard: Child,
}

impl Process {
    /// Starts `command` and its guard.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut child = command.spawn()?;
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match guard {
            Ok(guard) => Ok(Self { child, guard }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        send(signal, self.id())
    }

    /// How it ended, if it has.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// kill -9, and waits for its end.
    pub fn kill(&mut self) -> io::Result<()> {
        // The guard first: it must never kill a program that has got this number after the end of this one.
        self.guard.kill()?;
        self.guard.wait()?;
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Sends a signal to a process that the test has started.
pub fn send(signal: Signal, pid: u32) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(kill_process(pid, signal)?)
}
