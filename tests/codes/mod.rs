//! The codes on real switches: each row of each preset dialled, no PIN left behind, and the printed dialplan sends what the
//! grammar reads.

mod canary;
mod personal;
mod printed;
mod rows;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::company::{Company, dial};
use crate::support::each::on_each;
use crate::support::phone::Phone;

/// All presets that go together.
const TOGETHER: &str = "[codes]\npresets = [\"simmpl\", \"3cx\", \"xelion\", \"freepbx\", \"kazoo\", \"extras\", \"personal\"]\npinless = true\n";
/// The other one.
const AVAYA: &str = "[codes]\npresets = [\"avaya\"]\n";

/// Dials, enters each of `entries` once its prompt is heard, and leaves what asks on.
fn dial_and_leave(phone: &Phone, code: &str, entries: &[&str]) {
    phone.dial(code).unwrap();
    for entry in entries {
        phone.wait_audio().unwrap();
        phone.press(&format!("{entry}#"));
        phone.wait_silence().unwrap();
    }
    let patience = Instant::now() + Duration::from_millis(700);
    while phone.in_call() && Instant::now() < patience {
        thread::sleep(Duration::from_millis(20));
    }
    if phone.in_call() {
        let _ = phone.hang_up();
    }
}

/// Every file below `folder`.
fn files(folder: &Path, look: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, look);
        } else if path.is_file() {
            look(&path, &std::fs::read(&path).unwrap());
        }
    }
}
