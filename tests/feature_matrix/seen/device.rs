//! What is seen at a device, by calls from there.

use std::thread;

use super::call::{Goes, ended, give_up, goes, shown, speaks};
use super::{AT_ONCE, Seen};
use crate::harness::phone::PATIENCE;
use crate::harness::wait;

impl Seen<'_> {
    /// A call to a number in the country: what the trunk gets, which records it leaves, and which lamp it lights.
    pub(super) fn calls_out(&mut self, subject: &str) {
        let (desk, trunk) = (self.desk(subject), &self.phones.trunk);
        let lit = |users: &[&str]| -> Vec<String> {
            users.iter().filter(|user| self.lamp(user) == "lit").map(ToString::to_string).collect()
        };
        // A lamp that an earlier call lit goes out.
        thread::sleep(AT_ONCE);
        let before = lit(&["101", "102"]);
        let mark = self.company.cdrs().len();
        self.recordings();
        desk.dial("0201234567").unwrap();
        let told = match goes(desk, &[trunk]) {
            Goes::Rings(_) => {
                let invite = trunk.last_invite().unwrap();
                let shown = shown(trunk);
                trunk.answer().unwrap();
                desk.wait_answered().unwrap();
                speaks(desk, trunk);
                let during: Vec<_> =
                    lit(&["101", "102"]).into_iter().filter(|user| !before.contains(user)).collect();
                give_up(desk, &[trunk]);
                [
                    shown,
                    invite.header("X-Spoken").to_owned(),
                    self.account(mark, "0201234567"),
                    self.recorded(),
                    if during.is_empty() { "none".to_owned() } else { during.join(" ") },
                ]
            }
            Goes::Ended(word) => [word, "-", "-", "-", "-"].map(str::to_owned),
            Goes::Answered => ["answered", "-", "-", "-", "-"].map(str::to_owned),
        };
        let aspects = ["calls show", "is spoken to in", "account", "is recorded", "lights the lamp of"];
        for (aspect, seen) in aspects.into_iter().zip(told) {
            self.note(subject, aspect, seen);
        }
    }

    pub(super) fn calls_abroad(&mut self, subject: &str) {
        let (desk, trunk) = (self.desk(subject), &self.phones.trunk);
        desk.dial("0049301234").unwrap();
        let seen = match goes(desk, &[trunk]) {
            Goes::Rings(_) => {
                let seen = shown(trunk);
                give_up(desk, &[trunk]);
                seen
            }
            Goes::Ended(word) => word.to_owned(),
            Goes::Answered => "answered".to_owned(),
        };
        self.note(subject, "calls abroad show", seen);
    }

    pub(super) fn opens_voicemail(&mut self, subject: &str) {
        let desk = self.desk(subject);
        let mark = self.company.log().len();
        desk.dial("*97").unwrap();
        let result = || {
            let over = !desk.in_call();
            let opened = self.opened(mark, ["VoiceMailMain(", "voicemail(check auth default hotdesk.test "]);
            Ok(opened.or_else(|| over.then(|| ended(desk).to_owned())))
        };
        let seen = wait::find(PATIENCE, result, || format!("{subject}: *97 has no result")).unwrap();
        if desk.in_call() {
            desk.hang_up().unwrap();
        }
        self.note(subject, "*97 opens", seen);
    }

    /// A call to 103, which this device may pick up or not.
    pub(super) fn picks_up(&mut self, subject: &str) {
        let (desk, colleague, desk3) = (self.desk(subject), &self.phones.colleague, &self.phones.desk3);
        colleague.dial("103").unwrap();
        desk3.wait_ringing().unwrap();
        desk.dial("*8").unwrap();
        let seen = match goes(desk, &[]) {
            Goes::Answered => {
                colleague.wait_answered().unwrap();
                desk3.wait_ended().unwrap();
                give_up(desk, &[colleague]);
                "103's call"
            }
            Goes::Ended(word) => {
                give_up(colleague, &[desk3]);
                word
            }
            Goes::Rings(_) => unreachable!(),
        };
        self.note(subject, "*8 takes", seen);
    }
}
