//! Hotdesk or the switch is killed during logins. Afterwards store and switch agree, and no user has two sessions.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use crate::company::Company;
use crate::harness::company::{USERS, one_touch};
use crate::harness::debian::Version;
use crate::harness::each::on_newest;
use crate::harness::phone::Phone;

on_newest! {
    hotdesk_killed_200_times_during_logins_agrees_with_the_switch_within_2_s
    a_switch_killed_during_logins_agrees_with_the_store_within_2_s
}

const DEVICES: [&str; 3] = ["desk1", "desk2", "desk3"];

/// A stream of numbers that looks random and is the same each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

pub fn any_user(dice: &mut Dice) -> &'static str {
    USERS[dice.roll(USERS.len() as u64) as usize].0
}

pub fn each_user_has_one_session(sessions: &[String]) {
    let users: BTreeSet<&str> = sessions.iter().filter_map(|session| session.split('@').next()).collect();
    assert_eq!(users.len(), sessions.len(), "{sessions:?}");
}

fn phones(company: &Company) -> Vec<Phone> {
    DEVICES.iter().map(|device| company.phone(device)).collect()
}

/// How long a login takes from the dialling to the row on this machine.
fn longest_login(company: &mut Company, phone: &Phone) -> Duration {
    let took = ["101", "102", "103"].map(|user| {
        let mark = company.hotdesk().log().len();
        let began = Instant::now();
        phone.dial(&one_touch(user)).unwrap();
        company.hotdesk().wait_for_log(mark, "login.done").unwrap();
        let took = began.elapsed();
        phone.hang_up().unwrap();
        took
    });
    took.into_iter().max().unwrap()
}

/// Ends all calls.
pub fn hang_up_all(phones: &[Phone]) {
    for phone in phones.iter().filter(|phone| phone.in_call()) {
        let _ = phone.hang_up();
    }
}

fn hotdesk_killed_200_times_during_logins_agrees_with_the_switch_within_2_s(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    let phones = phones(&company);
    let mut dice = Dice(1);
    let mut slowest = Duration::ZERO;
    let span = longest_login(&mut company, &phones[0]).as_micros() as u64 * 2;
    let (mut before, mut moved) = (company.sessions(), 0);
    for round in 0..200 {
        let device = dice.roll(3) as usize;
        phones[device].dial(&one_touch(any_user(&mut dice))).unwrap();
        // Each kill comes at another moment of the login.
        thread::sleep(Duration::from_micros(dice.roll(span)));
        company.hotdesk().kill().unwrap();
        hang_up_all(&phones);
        company.hotdesk().start().unwrap();
        let up = Instant::now();
        let sessions = company.agreed().unwrap_or_else(|error| panic!("round {round}: {error:#}"));
        slowest = slowest.max(up.elapsed());
        each_user_has_one_session(&sessions);
        moved += usize::from(sessions != before);
        before = sessions;
    }
    let journal = company.run(&["journal", "--json"]);
    let repaired = journal.matches("\"repaired\"").count();
    eprintln!(
        "200 kills of hotdesk within {span} us of the dialling: {moved} after the login, {} before it, {repaired} rows repaired; \
         store and switch agreed within {slowest:?} of the start",
        200 - moved
    );
    assert!((10..=190).contains(&moved), "the moments miss the login: {moved} of 200 were after it");
}

fn a_switch_killed_during_logins_agrees_with_the_store_within_2_s(version: Option<Version>) {
    let Some(mut company) = Company::open(version, "") else { return };
    // A FreeSWITCH takes longer to start.
    let kills = if version.is_some() { 20 } else { 10 };
    let mut dice = Dice(2);
    let mut slowest = Duration::ZERO;
    for round in 0..kills {
        let phones = phones(&company);
        for _ in 0..2 {
            let device = dice.roll(3) as usize;
            let code = one_touch(any_user(&mut dice));
            if !phones[device].in_call() {
                phones[device].dial(&code).unwrap();
            }
        }
        thread::sleep(Duration::from_micros(dice.roll(150_000)));
        company.kill_switch();
        drop(phones);
        company.start_switch();
        let up = Instant::now();
        let sessions = company.agreed().unwrap_or_else(|error| panic!("round {round}: {error:#}"));
        slowest = slowest.max(up.elapsed());
        each_user_has_one_session(&sessions);
    }
    eprintln!("{kills} kills of the switch: store and switch agreed within {slowest:?} of its start");
}
