//! What becomes of a call, and the names that are shown with it.

use std::thread;
use std::time::{Duration, Instant};

use super::AT_ONCE;
use crate::support::phone::{Event, Identity, PATIENCE, Phone};

/// What begins a recording, for who may do so on demand; and how long that takes.
const KEY: &str = "*2";
const PRESSED: Duration = Duration::from_millis(500);

/// How a call that a phone made goes on.
pub(super) enum Goes<'a> {
    /// These ring, as many as do so at once.
    Rings(Vec<&'a Phone>),
    Answered,
    /// In a word.
    Ended(&'static str),
}

/// In a call that is up: one presses the key, and speaks until the other has heard something of it.
pub(super) fn speaks(one: &Phone, other: &Phone) {
    one.press(KEY);
    thread::sleep(PRESSED);
    one.tone(true);
    other.wait_audio().unwrap();
    thread::sleep(AT_ONCE);
    one.tone(false);
}

/// Waits until something becomes of the call that `caller` made; `others` may ring.
pub(super) fn goes<'a>(caller: &Phone, others: &[&'a Phone]) -> Goes<'a> {
    let began = Instant::now();
    loop {
        if others.iter().any(|phone| phone.in_call()) {
            return Goes::Rings(ringing(others, AT_ONCE));
        }
        if !caller.in_call() {
            return Goes::Ended(ended(caller));
        }
        if is_answered(caller) {
            return Goes::Answered;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{}: nothing becomes of it: {:?}",
            caller.name(),
            caller.events().all()
        );
        thread::sleep(Duration::from_millis(5));
    }
}

/// Who calls the phone that rings, as it is told.
pub(super) fn shown(phone: &Phone) -> String {
    let from = phone.wait_ringing().unwrap().from;
    let hidden = phone.last_invite().unwrap().header("Privacy") == "id";
    format!("{}{}", named(&from), if hidden { ", hidden" } else { "" })
}

/// His name and number; or the number, when that is all a display has.
pub(super) fn named(who: &Identity) -> String {
    let Identity { name, number } = who;
    if name.is_empty() || name == number { number.clone() } else { format!("{name} {number}") }
}

/// Those that ring after a while.
pub(super) fn ringing<'a>(phones: &[&'a Phone], after: Duration) -> Vec<&'a Phone> {
    thread::sleep(after);
    phones.iter().copied().filter(|phone| phone.in_call()).collect()
}

/// Whether the call that the phone has now is up.
fn is_answered(phone: &Phone) -> bool {
    let of_call = |event: &Event| matches!(event, Event::Answered | Event::Ended(_) | Event::Ringing(_));
    let last = phone.events().all().into_iter().rev().find(of_call);
    matches!(last, Some(Event::Answered))
}

/// How the call that the phone made has ended, in a word.
pub(super) fn ended(phone: &Phone) -> &'static str {
    match phone.wait_ended().unwrap().code {
        403 => "refused",
        404 => "no such number",
        480 => "nobody",
        486 => "busy",
        503 => "not available",
        other => panic!("{}: the call ended with {other}", phone.name()),
    }
}

/// Hangs up at one end, and waits until the others have seen it.
pub(super) fn give_up(phone: &Phone, others: &[&Phone]) {
    phone.hang_up().unwrap();
    others.iter().for_each(|other| drop(other.wait_ended().unwrap()));
}
