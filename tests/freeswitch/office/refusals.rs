//! Who may not hears the same whatever the reason, after the same time, and changes nothing.

use std::time::Duration;

use super::{Company, PHONES, SOON, company};
use crate::support::company::{DESKS, one_touch, pin};
use crate::support::freeswitch::esl::{Esl, Event};
use crate::support::phone::Phone;

#[test]
fn every_refusal_sounds_the_same_and_changes_nothing() {
    let Some(company) = company() else { return };
    company.hotdesk.run(&["user", "set", "103", "--no-hotdesk"]).unwrap();
    company.hotdesk.run(&["device", "set", "desk3", "--no-hotdesk"]).unwrap();
    company.hotdesk.run(&["device", "set", "desk2", "--allow-from", "192.0.2.0/24"]).unwrap();
    let mut listener = listener(&company);
    let mut dial = |desk: &str, code: &str, entries: &[&str]| {
        let heard = company.dial_code(&company.pbx.phone(desk).unwrap(), code, entries).unwrap();
        assert!(heard > Duration::from_millis(300), "{heard:?}");
        played(&next_call(&mut listener))
    };

    let secret = format!("{}#", pin("103"));
    let wrong = dial("desk1", "*35*102", &["000000#"; 3]);
    assert_eq!(wrong, ["enter-pin", "not-accepted"].repeat(3), "there is no fourth question");
    assert_eq!(dial("desk1", "*35*199", &["000000#"; 3]), wrong, "an unknown extension");
    assert_eq!(dial("desk1", "*35*103", &[secret.as_str(); 3]), wrong, "the right PIN of one who may not");
    // A place that is not for it says so at once, and asks nothing.
    for desk in ["desk2", "desk3"] {
        assert_eq!(dial(desk, &one_touch("101"), &[]), ["not-accepted"], "{desk}");
    }
    assert!(company.agreed(SOON).unwrap().is_empty());
    let journal = company.hotdesk.run(&["journal", "--json"]).unwrap();
    for reason in ["pin-wrong", "user-unknown", "user-forbidden", "network-forbidden", "device-forbidden"] {
        assert!(journal.contains(reason), "{reason} is journalled:\n{journal}");
    }
}

/// Extensions, so many of each kind that nobody is locked: unknown, known with a wrong PIN, and not allowed.
const KINDS: [[&str; 6]; 3] = [
    ["141", "142", "143", "144", "145", "146"],
    ["121", "122", "123", "124", "125", "126"],
    ["131", "132", "133", "134", "135", "136"],
];
/// How much they may differ in the middle.
const ALIKE: Duration = Duration::from_millis(20);

#[test]
fn every_refusal_takes_the_same_time() {
    let Some(company) = company() else { return };
    for extension in KINDS[1].iter().chain(&KINDS[2]) {
        company.hotdesk.add_user(extension, "Somebody", pin("103")).unwrap();
    }
    for extension in KINDS[2] {
        company.hotdesk.run(&["user", "set", extension, "--no-hotdesk"]).unwrap();
    }
    for desk in DESKS.len() + 1..=PHONES {
        company.hotdesk.add_desk(&format!("desk{desk}"), "0205550100").unwrap();
    }
    let phones: Vec<_> =
        (1..=PHONES).map(|desk| company.pbx.phone(&format!("desk{desk}")).unwrap()).collect();
    let mut listener = listener(&company);
    // In turns, so that a busy moment of the machine is everybody's; and again, should it have been busy all along.
    let mut seen = vec![];
    for (phones, tries) in phones.chunks(3).zip([0..2, 2..4, 4..6]) {
        let mut waits = [const { vec![] }; 3];
        for extension in tries.flat_map(|one| [one; 4]) {
            for (kind, extensions) in KINDS.iter().enumerate() {
                let pin = if kind == 2 { pin("103") } else { "000000" };
                waits[kind].push(refused_after(&mut listener, &phones[kind], extensions[extension], pin));
            }
        }
        let waits = waits.map(middle);
        let apart = *waits.iter().max().unwrap() - *waits.iter().min().unwrap();
        seen.push(waits);
        if apart < ALIKE {
            eprintln!("from the last key to the refusal (unknown, wrong, not allowed): {seen:?}");
            return;
        }
    }
    panic!("unknown, wrong and not allowed differ: {seen:?}");
}

/// The mean of the middle half. Not the median itself: FreeSWITCH begins a sound with the next 20 ms of the call, so
/// that two medians are the same or 20 ms apart.
fn middle(mut waits: Vec<Duration>) -> Duration {
    waits.sort();
    let half = &waits[waits.len() / 4..waits.len() - waits.len() / 4];
    half.iter().sum::<Duration>() / half.len() as u32
}

/// Dials, enters a PIN that is refused, and hangs up; FreeSWITCH's own time from the last key to the refusal.
fn refused_after(listener: &mut Esl, phone: &Phone, extension: &str, pin: &str) -> Duration {
    phone.dial(&format!("*35*{extension}")).unwrap();
    phone.wait_audio().unwrap();
    phone.tap(&format!("{pin}#"));
    let mut keyed = 0;
    let refusal = loop {
        let event = listener.wait(|_| true).unwrap();
        match event["Event-Name"].as_str() {
            "CHANNEL_EXECUTE_COMPLETE" if event["Application"] == "read" => keyed = at(&event),
            "CHANNEL_EXECUTE" if sound(&event).as_deref() == Some("not-accepted") => break at(&event),
            _ => {}
        }
    };
    phone.hang_up().unwrap();
    next_call(listener);
    Duration::from_micros(refusal - keyed)
}

fn at(event: &Event) -> u64 {
    event["Event-Date-Timestamp"].parse().unwrap()
}

/// Hears of all that is executed.
fn listener(company: &Company) -> Esl {
    let mut listener = company.pbx.esl().unwrap();
    listener.command("event plain CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_DESTROY").unwrap();
    listener
}

/// All events up to the end of a call.
fn next_call(listener: &mut Esl) -> Vec<Event> {
    let mut events = vec![];
    while events.last().is_none_or(|event: &Event| event["Event-Name"] != "CHANNEL_DESTROY") {
        events.push(listener.wait(|_| true).unwrap());
    }
    events
}

/// The prompts that were played, alone or with a question.
fn played(events: &[Event]) -> Vec<String> {
    events.iter().filter(|event| event["Event-Name"] == "CHANNEL_EXECUTE").filter_map(sound).collect()
}

/// The name of the sound that an application plays.
fn sound(event: &Event) -> Option<String> {
    let file = event.get("Application-Data")?.split(' ').find_map(|word| word.strip_suffix(".wav"))?;
    file.rsplit('/').next().map(str::to_owned)
}
