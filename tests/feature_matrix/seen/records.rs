//! The records of a call: its CDR, its recording, and the log of the switch.

use std::fs;
use std::thread;
use std::time::Duration;

use super::{AT_ONCE, Seen};
use crate::company::Company;
use crate::harness::phone::PATIENCE;
use crate::harness::wait;

impl Seen<'_> {
    /// The account of a call to `number`, by the first CDR of one after `mark`.
    pub(super) fn account(&self, mark: usize, number: &str) -> String {
        let account = || {
            let cdrs = self.company.cdrs();
            let of_call = cdrs[mark..].lines().find(|line| line.contains(&format!("\"{number}\"")));
            let field = |line: &str| {
                let fields: Vec<&str> = line.split("\",\"").collect();
                let field = if matches!(self.company, Company::Asterisk(_)) {
                    fields.first().copied()
                } else {
                    fields.last().copied()
                };
                field.unwrap_or_default().trim_matches('"').to_owned()
            };
            Ok(of_call.map(field))
        };
        wait::find(PATIENCE, account, || format!("no record of the call in {}", self.company.cdrs())).unwrap()
    }

    /// What was recorded since the last look, soon after a call: by which user's setting, or by a key.
    pub(super) fn recorded(&self) -> String {
        // Where no file is expected, no event says that the switch is done.
        thread::sleep(AT_ONCE);
        self.recordings()
    }

    pub(super) fn recordings(&self) -> String {
        let asterisk = matches!(self.company, Company::Asterisk(_));
        let folder = self.company.path(if asterisk { "spool/monitor" } else { "recordings" });
        let Ok(files) = fs::read_dir(folder) else { return "no".to_owned() };
        let mut names: Vec<String> = files
            .map(|file| {
                let path = file.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                fs::remove_file(path).unwrap();
                let key = name.starts_with("auto-") || name.contains("-by-key-");
                if key {
                    "by key".to_owned()
                } else {
                    name.splitn(3, '-').take(2).collect::<Vec<_>>().join(" ")
                }
            })
            .collect();
        names.sort();
        if names.is_empty() { "no".to_owned() } else { names.join(", ") }
    }

    /// Which box was opened since the log was so long, by what an Asterisk or a FreeSWITCH logs before its name.
    pub(super) fn opened(&self, mark: usize, by: [&str; 2]) -> Option<String> {
        let log = self.company.log();
        let opened = by.iter().find_map(|by| log.get(mark..)?.split_once(by))?.1;
        // An Asterisk without voicemail goes on.
        thread::sleep(Duration::from_millis(50));
        if self.company.log()[mark..].contains("1?hotdesk-end,s,unavailable") {
            return Some("not available".to_owned());
        }
        Some(format!("box {}", opened.split([',', ')', '@']).next()?))
    }
}
