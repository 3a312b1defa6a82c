//! The codes on real switches: each row of each preset dialled, no PIN left behind, and the printed dialplan sends what the
//! grammar reads.

mod canary;
mod personal;
mod printed;
mod rows;

use std::thread;
use std::time::{Duration, Instant};

use crate::company::{Company, dial};
use crate::harness::each::on_each;
use crate::harness::phone::Phone;

/// All presets that can be combined.
const TOGETHER: &str = "[codes]\npresets = [\"simmpl\", \"3cx\", \"xelion\", \"freepbx\", \"kazoo\", \"extras\", \"personal\"]\npinless = true\n";
/// The remaining preset.
const AVAYA: &str = "[codes]\npresets = [\"avaya\"]\n";

/// Dials, enters each of `entries` once its prompt is heard, and hangs up if another question follows.
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
