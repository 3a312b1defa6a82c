//! Locks, alarms, PINs that are too old or made with another pepper, and who may sit where.

use std::num::{NonZeroU8, NonZeroU16};
use std::time::Instant;

use hotdesk::controller::pepper::Peppers;
use hotdesk::desk::pin::{Pepper, Pin, PinRecord};
use hotdesk::desk::rules::{Multi, Rules, Seating};
use hotdesk::store::Unlock;
use jiff::Timestamp;

use super::*;
use crate::store::Place;
use crate::support::office::ext;

impl Scene {
    pub(super) fn rule(&self, rules: Rules) {
        self.rules.send_replace(Arc::new(Rulebook { everybody: rules, ..Rulebook::default() }));
    }

    /// Gives a user of the office his PIN once more, as if he had chosen it so many days ago.
    async fn age(&self, user: &str, days: i64) {
        let set = Timestamp::from_second(Timestamp::now().as_second() - days * 86_400).unwrap();
        let digits = Pin::new(pin(user)).unwrap();
        let record = PinRecord::make(&digits, &office::pepper(), &TenantId::default(), &ext(user), [8; 16]);
        office::change(&self.store, What::Pin(ext(user), record.chosen(set))).await;
    }

    async fn told(&self) -> Vec<String> {
        journal(&self.store).await.iter().map(ToString::to_string).collect()
    }
}

fn seating(multi: Multi, take_over: bool) -> Rules {
    Rules { seating: Seating { multi, take_over }, ..Rules::default() }
}

fn refused() -> (Vec<String>, Outcome) {
    (vec!["not-accepted".into()], Outcome::Refused)
}

#[tokio::test]
async fn a_lock_ends_no_binding_and_keeps_nobody_from_leaving() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    scene.log_in("102", "desk2").await;
    for (user, failures) in [("101", 5), ("103", 4), ("999", 1)] {
        for _ in 0..failures {
            scene.dial("desk2", &format!("*35*{user}*000111"), &[]).await;
        }
    }
    let (heard, _) = scene.dial("desk2", &one_touch("103"), &[]).await;
    assert_eq!(heard, ["locked"], "the device");
    assert_eq!(seats(&scene.store).await, ["101@desk1", "102@desk2"]);
    assert_eq!(scene.dial("desk2", "*35", &[]).await.1, Outcome::LoggedOut, "a locked device");
    assert_eq!(scene.dial("desk1", &one_touch("101"), &[]).await.1, Outcome::LoggedOut, "a locked user");
    office::change(&scene.store, What::Unlock(Unlock::All)).await;
    scene.log_in("103", "desk2").await;
}

#[tokio::test]
async fn a_spray_is_journalled_once_and_names_no_digits_that_are_nobodys() {
    let scene = Scene::new().await;
    for user in ["101", "864", "102", "555", "103", "556"] {
        scene.dial("desk1", &format!("*35*{user}*000111"), &[]).await;
    }
    for (n, desk) in ["desk1", "desk2", "desk3"].iter().enumerate() {
        scene.dial(desk, "*35*101*000111", &[]).await;
        scene.dial(desk, &format!("*35*864*00011{n}"), &[]).await;
    }
    let told = scene.told().await;
    let sprays: Vec<&String> = told.iter().filter(|line| line.starts_with("spray")).collect();
    assert_eq!(
        sprays,
        [
            "spray: desk1 tried many extensions, by phone desk1",
            "spray: 101 was tried from many devices, last at desk3, by phone desk3",
            "spray: an extension that is nobody's was tried from many devices, last at desk3, by phone desk3",
        ]
    );
    assert!(!format!("{told:?}").contains("864"));
}

#[tokio::test]
async fn who_sits_elsewhere_or_comes_to_an_occupied_desk_is_refused_where_the_rules_say_so() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    scene.log_in("102", "desk2").await;
    scene.rule(seating(Multi::Refuse, true));
    assert_eq!(scene.dial("desk3", &one_touch("101"), &[]).await, refused());
    scene.rule(seating(Multi::Move, false));
    assert_eq!(scene.dial("desk2", &one_touch("101"), &[]).await, refused());
    assert_eq!(seats(&scene.store).await, ["101@desk1", "102@desk2"]);
    let told = scene.told().await;
    let reasons: Vec<&str> = told.iter().rev().take(2).map(String::as_str).collect();
    assert_eq!(
        reasons,
        [
            "101 refused at desk2: device-occupied, by phone desk2",
            "101 refused at desk3: user-elsewhere, by phone desk3"
        ]
    );
    scene.rule(seating(Multi::Refuse, true));
    scene.dial("desk1", "*35", &[]).await;
    scene.log_in("101", "desk3").await;
}

#[tokio::test]
async fn where_two_desks_are_kept_he_is_called_at_both() {
    let scene = Scene::new().await;
    scene.rule(seating(Multi::Keep(NonZeroU8::new(2).unwrap()), true));
    scene.log_in("101", "desk1").await;
    let (heard, _) = scene.dial("desk2", &one_touch("101"), &[]).await;
    assert_eq!(heard, ["logged-in", "101"], "he was moved from nowhere");
    assert_eq!((scene.row_of("desk1"), scene.row_of("desk2")), (Some("101".into()), Some("101".into())));
    let rings = |user: &str| match scene.toy.table.lock().unwrap().get(&Key::User(ext(user))) {
        Some(Row::User(row)) => row.dial.as_ref().map(ToString::to_string),
        _ => None,
    };
    assert_eq!(rings("101").as_deref(), Some("PJSIP/desk1&PJSIP/desk2"));
    let (heard, _) = scene.dial("desk3", &one_touch("101"), &[]).await;
    assert_eq!(heard, ["logged-in", "101", "moved-from"]);
    assert_eq!(seats(&scene.store).await, ["101@desk2", "101@desk3"]);
    assert_eq!((scene.row_of("desk1"), rings("101").as_deref()), (None, Some("PJSIP/desk2&PJSIP/desk3")));
    // He leaves one, and stays at the other.
    scene.dial("desk2", "*35", &[]).await;
    assert_eq!(rings("101").as_deref(), Some("PJSIP/desk3"));
    // A switch that does not acknowledge the third takes it back, and the first is his again.
    scene.log_in("101", "desk1").await;
    *scene.toy.mood.lock().unwrap() = Mood::Away;
    scene.dial("desk2", &one_touch("101"), &[]).await;
    assert_eq!(seats(&scene.store).await, ["101@desk1", "101@desk3"]);
}

#[tokio::test]
async fn a_pin_that_is_too_old_sounds_like_a_wrong_one_and_the_journal_knows_better() {
    let scene = Scene::new().await;
    scene.age("101", 91).await;
    scene.age("102", 89).await;
    scene.log_in("101", "desk1").await;
    scene.rule(Rules { pin_days: NonZeroU16::new(90), ..Rules::default() });
    scene.log_in("102", "desk2").await;
    scene.log_in("103", "desk3").await;
    let thrice = ["enter-pin?", "not-accepted"].repeat(3);
    let (heard, outcome) = scene.dial("desk2", "*35*101", &[pin("101"); 3]).await;
    assert_eq!((heard, outcome), (thrice.iter().map(ToString::to_string).collect(), Outcome::Refused));
    assert!(scene.told().await.last().unwrap().contains("101 refused at desk2: pin-expired"));
    assert_eq!(scene.dial("desk1", "*35", &[]).await.1, Outcome::LoggedOut, "it keeps nobody from leaving");
    // Also in that it counts: nobody learns from a lock that does not come that the PIN was right.
    scene.dial("desk1", "*35*101", &[pin("101"); 2]).await;
    assert_eq!(scene.dial("desk3", &one_touch("101"), &[]).await.0, ["locked"]);
}

#[tokio::test]
async fn with_a_pin_that_is_too_old_he_chooses_another_and_logs_in_with_that() {
    let scene = Scene::with(&[Preset::Simmpl, Preset::Extras]).await;
    scene.age("101", 91).await;
    scene.rule(Rules { pin_days: NonZeroU16::new(90), ..Rules::default() });
    assert_eq!(scene.dial("desk1", &one_touch("101"), &[]).await.0[0], "not-accepted");
    let (_, outcome) = scene.dial("desk1", "*3500", &["101", pin("101"), "729163", "729163"]).await;
    assert_eq!(outcome, Outcome::PinChanged);
    assert_eq!(scene.dial("desk1", "*35*101*729163", &[]).await.1, Outcome::LoggedIn);
}

#[tokio::test]
async fn after_a_rotation_each_pin_goes_over_to_the_new_pepper_with_its_next_login() {
    let scene = Scene::new().await;
    scene.age("101", 50).await;
    let record = async |user: &str| scene.store.pin(&TenantId::default(), &ext(user)).await.unwrap().unwrap();
    let before = record("101").await;
    let new = Pepper::new([43; 64]);
    let name = new.name().to_owned();
    scene.controller.pins.season(Peppers { current: new.clone(), others: vec![office::pepper()] });
    // A wrong PIN moves nothing.
    scene.dial("desk1", "*35*101*000111", &[]).await;
    assert_eq!(record("101").await, before);
    for user in ["101", "102"] {
        scene.log_in(user, "desk1").await;
        assert_eq!(record(user).await.pepper(), name);
    }
    assert_eq!(record("101").await.set(), before.set(), "it is as old as it was");
    assert_eq!(record("103").await.pepper(), office::pepper().name());
    // The old one goes: who has logged in since does not notice, and who has not is refused.
    scene.controller.pins.season(new.into());
    scene.log_in("101", "desk2").await;
    assert_eq!(scene.dial("desk3", &one_touch("103"), &[]).await.0[0], "not-accepted");
}

/// How many times each refusal is measured; and how often that is done again where other work of the machine blurs it.
const ROUNDS: usize = 15;
const AGAIN: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_wrong_forbidden_and_expired_take_the_same_time() {
    let place = Place::sqlite_in_memory();
    let store = place.open().await;
    office::furnish(&store).await;
    let scene = Scene::over(store, &[Preset::Simmpl], Arc::default(), Clock::Wall);
    let mut forbidden = user("103", "Carol");
    forbidden.hotdesk = false;
    office::change(&scene.store, What::User(forbidden)).await;
    scene.age("102", 91).await;
    scene.rule(Rules { pin_days: NonZeroU16::new(90), ..Rules::default() });
    let codes = ["*35*999*729154".into(), "*35*101*000111".into(), one_touch("103"), one_touch("102")];
    for measured in 1..=AGAIN {
        let mut took: Vec<Vec<Duration>> = vec![vec![]; codes.len()];
        for round in 0..ROUNDS {
            for n in 0..codes.len() {
                let which = (n + round) % codes.len();
                let began = Instant::now();
                let (heard, _) = scene.dial("desk1", &codes[which], &[]).await;
                took[which].push(began.elapsed());
                assert_eq!(heard, ["not-accepted", "enter-pin?"], "{}", codes[which]);
                office::change(&scene.store, What::Unlock(Unlock::All)).await;
            }
        }
        let medians: Vec<Duration> = took.into_iter().map(median).collect();
        eprintln!("unknown, wrong, forbidden, expired: {medians:?}");
        let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
        assert!(*least > Duration::from_millis(5), "each costs a hash: {medians:?}");
        if *most - *least < Duration::from_millis(20) {
            break;
        }
        // A difference that is ours would be there each time.
        assert!(measured < AGAIN, "{medians:?}");
    }
    let told = scene.told().await;
    for reason in ["user-unknown", "pin-wrong", "user-forbidden", "pin-expired"] {
        assert!(told.iter().filter(|line| line.contains(reason)).count() >= ROUNDS, "{reason}");
    }
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}
