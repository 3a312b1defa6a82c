//! A refusal sounds the same for every reason, after the same time, and changes nothing.

use std::time::{Duration, Instant};

use super::{Company, PHONES, SOON, company};
use crate::harness::company::{DESKS, one_touch, pin};
use crate::harness::freeswitch::esl::{Esl, Event};
use crate::harness::phone::Phone;

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
    assert_eq!(
        dial("desk1", "*35*103", &[secret.as_str(); 3]),
        wrong,
        "the right PIN of a user without the right"
    );
    // A device without hotdesking or from a wrong address is refused at once, without a question.
    for desk in ["desk2", "desk3"] {
        assert_eq!(dial(desk, &one_touch("101"), &[]), ["not-accepted"], "{desk}");
    }
    assert!(company.agreed(SOON).unwrap().is_empty());
    let journal = company.hotdesk.run(&["journal", "--json"]).unwrap();
    for reason in ["pin-wrong", "user-unknown", "user-forbidden", "network-forbidden", "device-forbidden"] {
        assert!(journal.contains(reason), "{reason} is journalled:\n{journal}");
    }
}

/// How much they may differ.
const ALIKE: Duration = Duration::from_millis(20);
/// How often it is measured, each time at three devices and for two extensions of a kind, so that no lockout begins.
const ROUNDS: usize = PHONES / 3;

#[test]
fn every_refusal_takes_the_same_time() {
    let Some(company) = company() else { return };
    let known = |n: usize| format!("12{n}");
    let forbidden = |n: usize| format!("13{n}");
    for n in 0..2 * ROUNDS {
        for extension in [known(n), forbidden(n)] {
            company.hotdesk.add_user(&extension, "Any User", pin("103")).unwrap();
        }
        company.hotdesk.run(&["user", "set", &forbidden(n), "--no-hotdesk"]).unwrap();
    }
    let desks: Vec<_> = (1..=PHONES).map(|desk| format!("desk{desk}")).collect();
    for desk in desks.iter().skip(DESKS.len()) {
        company.hotdesk.add_desk(desk, "0205550100").unwrap();
    }
    let mut listener = listener(&company);
    let mut all = [const { vec![] }; 3];
    let mut seen = vec![];
    for (round, desks) in desks.chunks(3).enumerate() {
        let phones: Vec<_> = desks.iter().map(|desk| company.pbx.phone(desk).unwrap()).collect();
        // In turns, so that a busy moment of the machine slows all kinds alike.
        for n in [2 * round, 2 * round + 1].into_iter().flat_map(|n| [n; 4]) {
            let tries = [(format!("14{n}"), "000000"), (known(n), "000000"), (forbidden(n), pin("103"))];
            for ((phone, all), (extension, pin)) in phones.iter().zip(&mut all).zip(tries) {
                all.push(refused_after(&mut listener, phone, &extension, pin));
            }
        }
        let waits = all.clone().map(undisturbed);
        seen.push(waits);
        if *waits.iter().max().unwrap() - *waits.iter().min().unwrap() < ALIKE {
            eprintln!("from the last key to the refusal (unknown, wrong, not allowed): {seen:?}");
            return;
        }
    }
    panic!("unknown, wrong and not allowed differ: {seen:?}");
}

/// The mean of the faster half: a busy machine only adds. Not the median itself, as FreeSWITCH begins a sound with the
/// next 20 ms of the call, so that two medians are the same or 20 ms apart.
fn undisturbed(mut waits: Vec<Duration>) -> Duration {
    waits.sort();
    waits.truncate(waits.len() / 2);
    waits.iter().sum::<Duration>() / waits.len() as u32
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

#[test]
fn a_device_without_a_session_speaks_the_language_of_its_location() {
    let Some(mut company) = company() else { return };
    let desk1 = company.pbx.phone("desk1").unwrap();
    company.hotdesk.run(&["location", "set", "room-of-desk1", "--language", "de"]).unwrap();
    let row = || company.pbx.api("db select/hotdesk-device-default/desk1").unwrap();
    let began = Instant::now();
    while !row().trim_end().ends_with("|de") {
        assert!(began.elapsed() < SOON, "{}", row());
    }
    let mut listener = listener(&company);
    let files = |events: &[Event]| -> Vec<String> {
        let played = events.iter().filter(|event| event["Event-Name"] == "CHANNEL_EXECUTE");
        let files = played.filter_map(|event| event.get("Application-Data")?.split_once("/hotdesk/"));
        files.filter_map(|(_, file)| file.split(' ').next()).map(str::to_owned).collect()
    };
    // Prompts of the dialplan, and prompts of the controller.
    desk1.dial("102").unwrap();
    desk1.wait_ended().unwrap();
    assert!(files(&next_call(&mut listener)).contains(&"de/not-allowed-here.wav".into()));
    company.dial_code(&desk1, "*35*199*836152", &[]).unwrap();
    assert!(files(&next_call(&mut listener)).contains(&"de/not-accepted.wav".into()));
    company.hotdesk.stop().unwrap();
    desk1.dial("*35").unwrap();
    desk1.wait_ended().unwrap();
    assert!(files(&next_call(&mut listener)).contains(&"de/not-available.wav".into()));
}
