//! What a caller sees and hears of a user, and which devices ring.

use super::call::{Goes, give_up, goes, named, ringing, speaks};
use super::{AT_ONCE, Seen};
use crate::company::Company;
use crate::feature_matrix::site::Phones;
use crate::harness::ami::Message;
use crate::harness::phone::{Event, Phone};

impl Seen<'_> {
    /// A call to a user whose devices are all busy: which devices ring in which order, the caller ID, and the forwarding.
    pub(super) fn called_while_busy(&mut self, user: &str) {
        let mark = self.company.cdrs().len();
        let seen = self.phones.colleague.events().all().len();
        let (rings, then) = self.is_called(user, 486, mark);
        let shown = self.phones.colleague.events().all();
        let shown: Vec<String> = shown[seen..]
            .iter()
            .filter_map(|event| match event {
                Event::Connected(who) => Some(named(who)),
                _ => None,
            })
            .collect();
        let first = if rings == "nothing" { None } else { shown.first() };
        let last = if then.contains(" on ") { shown.last() } else { None };
        // A switch may go on showing the called user; it may not mix the two.
        let mixed = last.is_some_and(|last| Some(last) != first && last.contains(' '));
        let told = first.map_or("-", String::as_str).to_owned();
        self.note(user, "shown to the caller", if mixed { format!("{told}, then {last:?}") } else { told });
        self.note(user, "rings", rings);
        self.note(user, "busy, then", then);
    }

    /// The devices are unreachable, which takes less time than ringing until the time-out.
    pub(super) fn called_without_answer(&mut self, user: &str) {
        let mark = self.company.cdrs().len();
        let (_, then) = self.is_called(user, 480, mark);
        self.note(user, "unanswered, then", then);
    }

    /// The devices that ring, each refused with this code, and where the call is forwarded then.
    fn is_called(&self, user: &str, refused: u16, mark: usize) -> (String, String) {
        let Phones { desk1, desk2, desk3, softphone, mobile, colleague, trunk } = self.phones;
        let log = self.company.log().len();
        let mut rang = vec![];
        colleague.dial(user).unwrap();
        let then = loop {
            match goes(colleague, &[desk1, desk2, mobile, softphone, desk3, trunk]) {
                Goes::Rings(phones) => {
                    let names: Vec<&str> = phones.iter().map(|phone| phone.name()).collect();
                    if names == ["trunk"] {
                        let dialled = trunk.last_invite().unwrap().header("X-Dialled").to_owned();
                        give_up(colleague, &[trunk]);
                        break format!("{dialled} on {}", self.account(mark, &dialled));
                    }
                    if names == ["desk3"] {
                        give_up(colleague, &[desk3]);
                        break "desk3".to_owned();
                    }
                    rang.push(names.join(" + "));
                    phones.iter().for_each(|phone| phone.reject(refused).unwrap());
                }
                Goes::Answered => {
                    let opened = self.opened(log, ["VoiceMail(", "voicemail(default hotdesk.test "]);
                    colleague.hang_up().unwrap();
                    break opened.unwrap_or_else(|| "answered".to_owned());
                }
                Goes::Ended(word) => break word.to_owned(),
            }
        };
        (if rang.is_empty() { "nothing".to_owned() } else { rang.join(", ") }, then)
    }

    /// A call that is answered where it rings first.
    pub(super) fn called_and_answered(&mut self, user: &str) {
        let Phones { desk1, desk2, mobile, softphone, colleague, .. } = self.phones;
        self.recordings();
        colleague.dial(user).unwrap();
        let seen = match goes(colleague, &[desk1, desk2, mobile, softphone]) {
            Goes::Rings(phones) => {
                let phone = phones[0];
                phone.answer().unwrap();
                colleague.wait_answered().unwrap();
                speaks(phone, colleague);
                give_up(colleague, &[phone]);
                self.recorded()
            }
            Goes::Answered => {
                colleague.hang_up().unwrap();
                "-".to_owned()
            }
            Goes::Ended(_) => "-".to_owned(),
        };
        self.note(user, "answers, recorded", seen);
    }

    /// A call to the queue, and its members.
    pub(super) fn queue(&mut self) {
        let (members, number) = match self.company {
            Company::Asterisk(company) => {
                let status = company.pbx.ami().unwrap().list("QueueStatus", &[("Queue", "sales")]).unwrap();
                let members = status.iter().filter(|event| event.get("Event") == "QueueMember");
                let member = |m: &Message| (m.get("Name").to_owned(), m.get("Paused") == "1");
                (members.map(member).collect::<Vec<_>>(), "700")
            }
            Company::FreeSwitch(company) => {
                let list = company.pbx.api("callcenter_config queue list agents sales@default").unwrap();
                let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split('|').collect()).collect();
                let place = |name: &str| lines[0].iter().position(|it| *it == name).unwrap();
                let (name, status) = (place("name"), place("status"));
                let members = lines[1..].iter().filter(|fields| fields.len() > 1);
                let member = |fields: &Vec<&str>| {
                    (
                        fields[name].trim_end_matches("@hotdesk-default").to_owned(),
                        fields[status] == "On Break",
                    )
                };
                (members.map(member).collect(), "701")
            }
        };
        let mut members: Vec<String> = members
            .iter()
            .map(|(who, paused)| format!("{who}{}", if *paused { " paused" } else { "" }))
            .collect();
        members.sort();
        let Phones { desk1, desk2, mobile, softphone, colleague, .. } = self.phones;
        colleague.dial(number).unwrap();
        colleague.wait_answered().unwrap();
        let rung = ringing(&[desk1, desk2, mobile, softphone], AT_ONCE * 4);
        give_up(colleague, &rung);
        let name =
            |phones: Vec<&Phone>| phones.iter().map(|phone| phone.name()).collect::<Vec<_>>().join(" + ");
        self.note("sales", "members", members.join(", "));
        self.note("sales", "ring", if rung.is_empty() { "nothing".into() } else { name(rung) });
    }
}
