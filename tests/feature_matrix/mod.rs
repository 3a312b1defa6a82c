//! The device takes over all settings of its user: what each device, a colleague and the called user see, at each device
//! of 101, with real phones on each switch. The tables hold the expected values.
//!
//! 101, Alice, may call abroad and hears German. All calls of Alice are recorded, with the account project-a and
//! with another caller ID than 101. Alice is in the pickup group of 103. A softphone and a mobile ring after the current device.
//!
//! 102, Bob, may call within the country and hears English. Calls of Bob are recorded on demand and show no number. Bob owns
//! desk1. 103 has a fixed device without hotdesking. Each has a mailbox. Alice and Bob are in the queue, where Bob pauses.

mod seen;
mod site;

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::company::{Company, dial, registered};
use crate::harness::debian::Version;
use crate::harness::each::on_each;
use crate::harness::wait;
use seen::Seen;
use site::Phones;

on_each! {
    each_setting_follows_the_user_and_returns_to_the_owner
}

/// The expected values by the session of 101: none, at desk1, which 102 owns, at desk2, which has no owner, and there while 102
/// has DND. The lamps come last, because they show the state at the end.
const GRID: &str = "
                         | nowhere                     | desk1                    | desk2                       | undisturbed
desk1 *97 opens          | box 102                     | box 101                  | box 102                     | box 102
desk1 calls show         | Anonymous anonymous, hidden | Alice 0205550177         | Anonymous anonymous, hidden | Anonymous anonymous, hidden
desk1 is spoken to in    | en                          | de                       | en                          | en
desk1 account            | 102                         | project-a                | 102                         | 102
desk1 is recorded        | by key                      | 101 outbound             | by key                      | by key
desk1 lights the lamp of | 102                         | 101                      | 102                         | none  
desk1 calls abroad show  | no such number              | Alice 0205550177         | no such number              | no such number
desk1 *8 takes           | none                        | 103's call               | none                        | none  
desk2 *97 opens          | refused                     | refused                  | box 101                     | box 101
desk2 calls show         | refused                     | refused                  | Alice 0205550177            | Alice 0205550177
desk2 is spoken to in    | -                           | -                        | de                          | de
desk2 account            | -                           | -                        | project-a                   | project-a
desk2 is recorded        | -                           | -                        | 101 outbound                | 101 outbound
desk2 lights the lamp of | -                           | -                        | 101                         | 101
desk2 calls abroad show  | refused                     | refused                  | Alice 0205550177            | Alice 0205550177
desk2 *8 takes           | refused                     | refused                  | 103's call                  | 103's call
101 rings                | mobile, softphone           | desk1, mobile, softphone | desk2, mobile, softphone    | desk2, mobile, softphone
101 shown to the caller  | Alice 101                   | Alice 101                | Alice 101                   | Alice 101
101 busy, then           | 0209990101 on project-a     | 0209990101 on project-a  | 0209990101 on project-a     | 0209990101 on project-a
101 unanswered, then     | desk3                       | desk3                    | desk3                       | desk3
101 answers, recorded    | 101 inbound                 | 101 inbound              | 101 inbound                 | 101 inbound
102 rings                | desk1                       | nothing                  | desk1                       | nothing
102 shown to the caller  | 102                         | -                        | 102                         | -
102 busy, then           | box 102                     | box 102                  | box 102                     | box 102
102 unanswered, then     | 0209990102 on 102           | box 102                  | 0209990102 on 102           | box 102
102 answers, recorded    | by key                      | -                        | by key                      | -
sales members            | 101, 102 paused             | 101                      | 101, 102 paused             | 101
sales ring               | mobile                      | desk1                    | desk2                       | desk2
desk1 voicemail lamp     | 1 new                       | 2 new                    | 1 new                       | 1 new
desk1 key lamp           | dark                        | lit                      | dark                        | dark
desk2 voicemail lamp     | dark                        | dark                     | 2 new                       | 2 new
desk2 key lamp           | dark                        | dark                     | lit                         | lit
101 lamp                 | dark                        | dark                     | dark                        | dark
102 lamp                 | dark                        | dark                     | dark                        | lit
";

/// The codes that are dialled while 101 is at desk2 and 102 at desk1, and the values that differ from then on.
const CODES: &str = "
desk2 *78              | 101 lamp: lit                           | 101 rings: nothing | 101 busy, then: 0209990101 on project-a
desk2 *79              | 101 lamp: dark                          | 101 rings: desk2, mobile, softphone
desk2 *72103           | 101 lamp: lit                           | 101 rings: nothing | 101 busy, then: desk3
desk2 *73              | 101 lamp: dark                          | 101 rings: desk2, mobile, softphone | 101 busy, then: 0209990101 on project-a
desk2 *90103           | 101 busy, then: desk3
desk2 *91              | 101 busy, then: box 101
desk2 *900209990101    | 101 busy, then: 0209990101 on project-a
desk2 *520209990111    | 101 unanswered, then: 0209990111 on project-a
desk2 *53              | 101 unanswered, then: box 101
desk2 *52103           | 101 unanswered, then: desk3
desk2 *382             | desk2 calls abroad show: Alice 0205550178
desk2 *380             | desk2 calls abroad show: Anonymous anonymous, hidden
desk2 *38              | desk2 calls abroad show: Alice 101
desk2 *381             | desk2 calls abroad show: Alice 0205550177
desk2 *374             | 101 rings: desk2, softphone
desk2 *371             | 101 rings: softphone
desk2 *373             | 101 rings: nothing                      | 101 unanswered, then: box 101
desk2 *375 *374 *371   | 101 rings: desk2 + mobile
desk2 *375 *373        | 101 rings: desk2, mobile, softphone
desk1 *372             | 102 rings: nothing
desk1 *372             | 102 rings: desk1
desk2 *4572537         | sales members: 102 paused
desk2 *4572537         | sales members: 101, 102 paused
desk2 *46              | sales members: 101 paused, 102 paused
desk2 *46 desk1 *46    | sales members: 101, 102
desk1 *46              | sales members: 101, 102 paused
";

/// A NOTIFY of a lamp needs a moment. All else has changed when the confirmation ends.
const NOTIFIED: Duration = Duration::from_secs(5);

fn each_setting_follows_the_user_and_returns_to_the_owner(version: Option<Version>) {
    let Some((company, phones)) = site::open(version) else { return };
    let queues = company.has_queues();
    if !queues {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: queues of the matrix: this FreeSWITCH has no mod_callcenter"
        );
    }
    Matrix { company, phones, version, queues, differences: vec![] }.run();
}

struct Matrix {
    company: Company,
    phones: Phones,
    version: Option<Version>,
    queues: bool,
    /// What differs from the tables.
    differences: Vec<String>,
}

impl Matrix {
    fn run(mut self) {
        self.compare("before the login", "nowhere");
        self.company.log_in(&self.phones.desk1, "101");
        self.compare("after the login", "desk1");
        self.company.log_in(&self.phones.desk2, "101");
        self.compare("after the move: the owner is logged in again", "desk2");
        self.switches();
        dial(&self.phones.desk1, "*78", &[]);
        self.company.restart_switch();
        registered(&self.phones.colleague);
        self.compare("after a restart of the switch", "undisturbed");
        dial(&self.phones.desk1, "*79", &[]);
        self.company.log_in(&self.phones.desk1, "101");
        self.company.hotdesk().stop().unwrap();
        self.company.hotdesk().start().unwrap();
        self.compare("after a restart of hotdesk", "desk1");
        dial(&self.phones.desk1, "*35", &[]);
        self.compare("after the logout: the owner is logged in again", "nowhere");
        assert!(self.differences.is_empty(), "\n{}", self.differences.join("\n"));
    }

    /// Compares everything with a column of [`GRID`].
    fn compare(&mut self, stage: &str, column: &str) {
        let began = Instant::now();
        let mut lines =
            GRID.lines().filter(|line| !line.is_empty()).map(|line| line.split('|').map(str::trim));
        let at = lines.next().unwrap().position(|name| name == column).unwrap();
        let expected: Vec<(&str, &str)> =
            lines.map(|mut cells| (cells.next().unwrap(), cells.nth(at - 1).unwrap())).collect();
        self.sees(stage, &expected);
        println!("{stage}: {:?}", began.elapsed());
    }

    /// Dials each of [`CODES`] and compares what it changes.
    fn switches(&mut self) {
        let began = Instant::now();
        for line in CODES.lines().filter(|line| !line.is_empty()) {
            let mut cells = line.split('|').map(str::trim);
            let code = cells.next().unwrap();
            let expected: Vec<(&str, &str)> = cells.map(|cell| cell.split_once(": ").unwrap()).collect();
            if expected.iter().any(|(row, _)| self.knows(row)) {
                let mut at = &self.phones.desk1;
                for word in code.split(' ') {
                    match word {
                        "desk1" => at = &self.phones.desk1,
                        "desk2" => at = &self.phones.desk2,
                        code => drop(dial(at, code, &[])),
                    }
                }
                self.sees(code, &expected);
            }
        }
        println!("codes: {:?}", began.elapsed());
    }

    /// Whether there is such a thing on this switch.
    fn knows(&self, row: &str) -> bool {
        self.queues || !row.starts_with("sales ")
    }

    fn sees(&mut self, stage: &str, expected: &[(&str, &str)]) {
        let (mut seen, mut differences) = (Seen::now(&self.company, &self.phones), vec![]);
        for (row, expected) in expected.iter().filter(|(row, _)| self.knows(row)) {
            let expected = self.on_this_switch(row, expected, &mut seen);
            let within = if row.ends_with("lamp") { NOTIFIED } else { Duration::ZERO };
            let mut is = String::new();
            let same = || {
                is = seen.of(row);
                Ok((is == expected).then_some(()))
            };
            // A difference is noted, and the test continues.
            let _ = wait::find(within, same, String::new);
            if is != expected {
                let difference = format!("{stage}: {row} is {is:?}, not {expected:?}");
                println!("{difference}");
                differences.push(difference);
            }
        }
        self.differences.extend(differences);
    }

    /// Debian's Asterisk 16 comes without voicemail: it is not available, and a call that would go there ends.
    fn on_this_switch<'a>(&self, row: &str, expected: &'a str, seen: &mut Seen<'_>) -> &'a str {
        let (user, aspect) = row.split_once(' ').unwrap();
        match aspect {
            _ if self.version != Some(Version::V16) => expected,
            "voicemail lamp" => "dark",
            "*97 opens" if expected != "refused" => "not available",
            "busy, then" if expected.starts_with("box") && seen.of(&format!("{user} rings")) != "nothing" => {
                "busy"
            }
            "busy, then" | "unanswered, then" if expected.starts_with("box") => "none",
            _ => expected,
        }
    }
}
