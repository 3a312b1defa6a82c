//! The result of a call, and the names that it shows.

use std::thread;
use std::time::Duration;

use super::AT_ONCE;
use crate::harness::phone::{Event, Identity, PATIENCE, Phone};
use crate::harness::wait;

/// The key that starts a recording on demand, and how long that takes.
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
    // The keys take this long, and no event says that the recording has begun.
    thread::sleep(PRESSED);
    one.tone(true);
    other.wait_audio().unwrap();
    thread::sleep(AT_ONCE);
    one.tone(false);
}

/// Waits until something becomes of the call that `caller` made; `others` may ring.
pub(super) fn goes<'a>(caller: &Phone, others: &[&'a Phone]) -> Goes<'a> {
    let result = || {
        Ok(if others.iter().any(|phone| phone.in_call()) {
            Some(Goes::Rings(ringing(others, AT_ONCE)))
        } else if !caller.in_call() {
            Some(Goes::Ended(ended(caller)))
        } else {
            is_answered(caller).then_some(Goes::Answered)
        })
    };
    let state = || format!("the call of {} waits: {:?}", caller.name(), caller.events().all());
    wait::find(PATIENCE, result, state).unwrap()
}

/// The caller, as the ringing phone shows it.
pub(super) fn shown(phone: &Phone) -> String {
    let from = phone.wait_ringing().unwrap().from;
    let hidden = phone.last_invite().unwrap().header("Privacy") == "id";
    format!("{}{}", named(&from), if hidden { ", hidden" } else { "" })
}

/// Name and number, or the number alone when that is all a display has.
pub(super) fn named(who: &Identity) -> String {
    let Identity { name, number } = who;
    if name.is_empty() || name == number { number.clone() } else { format!("{name} {number}") }
}

/// The devices that ring after this time. All that are called together ring by then.
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
        480 => "none",
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
