//! FreeSWITCH restarts during logins, and hotdesk starts again during a conversation.

use std::thread;
use std::time::{Duration, Instant};

use super::{SOON, company};
use crate::each_switch::crash::{Dice, any_user, each_user_has_one_session, hang_up_all};
use crate::harness::company::one_touch;

#[test]
fn freeswitch_restarted_twice_in_the_middle_of_logins_agrees_with_the_store_within_2_s() {
    let Some(mut company) = company() else { return };
    let phones = ["desk1", "desk2", "desk3"].map(|device| company.pbx.phone(device).unwrap());
    let (mut dice, mut slowest) = (Dice(3), Duration::ZERO);
    for round in 0..2 {
        for phone in &phones {
            phone.dial(&one_touch(any_user(&mut dice))).unwrap();
        }
        thread::sleep(Duration::from_micros(dice.roll(150_000)));
        company.pbx.restart().unwrap();
        let up = Instant::now();
        let sessions = company.agreed(SOON).unwrap_or_else(|error| panic!("round {round}: {error:#}"));
        slowest = slowest.max(up.elapsed());
        each_user_has_one_session(&sessions);
        // A login works again once FreeSWITCH takes calls, which is later than the event socket.
        hang_up_all(&phones);
        while phones[round].register().is_err() {
            assert!(up.elapsed() < Duration::from_secs(20), "no phone can register");
        }
        company.log_in(&phones[round], "101").unwrap();
    }
    eprintln!("2 restarts of FreeSWITCH: store and switch agreed within {slowest:?} of its start");
}

#[test]
fn a_restarted_hotdesk_ends_an_abandoned_conversation() {
    let Some(mut company) = company() else { return };
    let desk = company.pbx.phone("desk1").unwrap();
    desk.dial("*35").unwrap();
    desk.wait_audio().unwrap();
    desk.press("101#");
    desk.wait_silence().unwrap();
    company.hotdesk.kill().unwrap();
    // Without hotdesk the call goes on.
    thread::sleep(Duration::from_secs(3));
    assert!(desk.in_call());
    company.hotdesk.start().unwrap();
    let ended = desk.wait_ended_within(Duration::from_secs(30)).unwrap();
    assert!(company.hotdesk.log().contains("esl.released"), "{ended:?}");
    company.log_in(&desk, "101").unwrap();
}

#[test]
fn a_code_dialled_while_hotdesk_starts_is_served() {
    let Some(mut company) = company() else { return };
    let desk = company.pbx.phone("desk1").unwrap();
    company.hotdesk.kill().unwrap();
    desk.dial(&one_touch("101")).unwrap();
    // The call waits, and no event shows it.
    thread::sleep(Duration::from_millis(500));
    company.hotdesk.start().unwrap();
    desk.wait_ended_within(Duration::from_secs(20)).unwrap();
    assert_eq!(company.agreed(SOON).unwrap(), ["101@desk1"]);
}
