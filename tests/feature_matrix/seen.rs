//! What users see and hear in real calls. Each value is tried once, when it is asked for.

mod call;
mod device;
mod records;
mod user;

use std::collections::BTreeMap;
use std::time::Duration;

use super::site::Phones;
use crate::company::Company;
use crate::harness::phone::{Event, Phone};

/// Devices ring, NOTIFYs come and files are written within this time.
const AT_ONCE: Duration = Duration::from_millis(200);

/// What is seen at one moment.
pub(super) struct Seen<'a> {
    company: &'a Company,
    phones: &'a Phones,
    /// What one call has shown, by the names of the rows.
    known: BTreeMap<String, String>,
}

impl<'a> Seen<'a> {
    pub(super) fn now(company: &'a Company, phones: &'a Phones) -> Self {
        Self { company, phones, known: BTreeMap::new() }
    }

    /// What is seen of `row`: a user, device or queue, and an aspect of it.
    pub(super) fn of(&mut self, row: &str) -> String {
        if let Some(seen) = self.known.get(row) {
            return seen.clone();
        }
        let (subject, aspect) = row.split_once(' ').unwrap();
        match aspect {
            // At rest: nothing has to be tried.
            "voicemail lamp" => return mwi(self.desk(subject)),
            "key lamp" => return self.lamp(&format!("device+{subject}")).to_owned(),
            "lamp" => return self.lamp(subject).to_owned(),
            "calls abroad show" => self.calls_abroad(subject),
            "*97 opens" => self.opens_voicemail(subject),
            "*8 takes" => self.picks_up(subject),
            "calls show" | "is spoken to in" | "account" | "is recorded" | "lights the lamp of" => {
                self.calls_out(subject);
            }
            "rings" | "shown to the caller" | "busy, then" => self.called_while_busy(subject),
            "unanswered, then" => self.called_without_answer(subject),
            "answers, recorded" => self.called_and_answered(subject),
            "members" | "ring" => self.queue(),
            _ => panic!("no test looks at {row:?}"),
        }
        self.known[row].clone()
    }

    fn note(&mut self, subject: &str, aspect: &str, seen: impl Into<String>) {
        self.known.insert(format!("{subject} {aspect}"), seen.into());
    }

    fn desk(&self, name: &str) -> &'a Phone {
        [&self.phones.desk1, &self.phones.desk2].into_iter().find(|desk| desk.name() == name).unwrap()
    }

    /// The colleague's lamp for this.
    fn lamp(&self, watched: &str) -> &'static str {
        let told = self.phones.colleague.events().all().into_iter().rev().find_map(|event| match event {
            Event::Lamp(lamp) if lamp.extension == watched => Some(lamp.state),
            _ => None,
        });
        if told.is_some_and(|state| state != "terminated") { "lit" } else { "dark" }
    }
}

/// The last NOTIFY of a mailbox.
fn mwi(phone: &Phone) -> String {
    let told = phone.events().all().into_iter().rev().find_map(|event| match event {
        Event::Mailbox(mailbox) => Some(mailbox),
        _ => None,
    });
    match told {
        Some(mailbox) if mailbox.waiting => format!("{} new", mailbox.messages.0),
        _ => "dark".to_owned(),
    }
}
