//! What is kept of a call: its record, its recording, and what the switch logged.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::{AT_ONCE, Seen};
use crate::company::Company;
use crate::support::phone::PATIENCE;

impl Seen<'_> {
    /// Whose account a call to `number` is on, by the first record of one after `mark`.
    pub(super) fn account(&self, mark: usize, number: &str) -> String {
        let began = Instant::now();
        loop {
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
            if let Some(line) = of_call {
                return field(line);
            }
            assert!(began.elapsed() < PATIENCE, "no record of the call in {}", &cdrs[mark..]);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What was recorded since it was asked last, soon after a call: whose, or that a key was pressed for it.
    pub(super) fn recorded(&self) -> String {
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
