//! A terminal for the program, with a person at it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::harness::wait;

/// Both ends of a new terminal: that of the person, and that of the program.
pub(super) fn open() -> (File, File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    (terminal.into(), File::options().read(true).write(true).open(name).unwrap())
}

/// A program that asks at its terminal.
pub(super) struct Dialogue {
    child: Child,
    keys: File,
    shown: Arc<Mutex<String>>,
    /// Reads what is shown, to its end.
    reader: JoinHandle<()>,
    /// How much of it was read.
    read: usize,
}

impl Dialogue {
    pub(super) fn begin(mut command: Command) -> Self {
        let (mut keys, screen) = open();
        command.stdin(screen.try_clone().unwrap()).stdout(screen.try_clone().unwrap()).stderr(screen);
        let child = command.spawn().unwrap();
        // With the last copy of the screen gone, reading ends when the program has ended.
        drop(command);
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut from, to) = (keys.try_clone().unwrap(), shown.clone());
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                to.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        keys.flush().unwrap();
        Self { child, keys, shown, reader, read: 0 }
    }

    /// Waits until the program has shown this behind what was read before, and enters a line.
    pub(super) fn answer(&mut self, question: &str, line: &str) {
        let shown = || self.shown.lock().unwrap()[self.read..].to_owned();
        let state = || format!("{question:?} is not in {:?}", shown());
        wait::until(Duration::from_secs(30), || shown().contains(question), state);
        self.read += shown().find(question).unwrap() + question.len();
        self.keys.write_all(line.as_bytes()).unwrap();
    }

    /// The exit code, and all that was shown.
    pub(super) fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let shown = || self.shown.lock().unwrap().clone();
        // The last lines may still be on their way.
        wait::until(Duration::from_secs(5), || self.reader.is_finished(), || format!("{:?}", shown()));
        (code, shown())
    }
}
