//! Lockouts, sprays, PINs that are expired or made with another pepper, and limits of logins.

use std::num::{NonZeroU8, NonZeroU16};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use hotdesk::controller::pepper::Peppers;
use hotdesk::model::command::{self, Command, Loaded, Reads};
use hotdesk::model::id::Revision;
use hotdesk::model::journal::Entry;
use hotdesk::model::login::limits::{LoginLimits, LoginRules, MultipleLogins};
use hotdesk::model::login::pin::{Pepper, Pin, PinRecord};
use hotdesk::model::mark::Mark;
use hotdesk::store::{StoreError, Trim, Trimmed};
use jiff::Timestamp;

use super::*;
use crate::harness::asking::Unlock;
use crate::harness::records::ext;
use crate::store::Place;

impl Scene {
    pub(super) fn rule(&self, rules: LoginLimits) {
        self.rules.send_replace(Arc::new(TenantLimits { default: rules, ..TenantLimits::default() }));
    }

    /// Sets the PIN of a user again, as if they had chosen it so many days ago.
    async fn age(&self, user: &str, days: i64) {
        let set = Timestamp::from_second(Timestamp::now().as_second() - days * 86_400).unwrap();
        let digits = Pin::new(pin(user)).unwrap();
        let record = PinRecord::make(&digits, &records::pepper(), &TenantId::default(), &ext(user), [8; 16]);
        records::change(&self.store, What::Pin(ext(user), record.chosen(set))).await;
    }

    async fn entries(&self) -> Vec<String> {
        journal(&self.store).await.iter().map(ToString::to_string).collect()
    }
}

fn limits(multiple_logins: MultipleLogins, take_over: bool) -> LoginLimits {
    LoginLimits { login: LoginRules { multiple_logins, take_over }, ..LoginLimits::default() }
}

fn refused() -> (Vec<String>, Outcome) {
    (vec!["not-accepted".into()], Outcome::Refused)
}

#[tokio::test]
async fn a_lockout_ends_no_session_and_prevents_no_logout() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    scene.log_in("102", "desk2").await;
    for (user, failures) in [("101", 5), ("103", 4), ("999", 1)] {
        for _ in 0..failures {
            scene.dial("desk2", &format!("*35*{user}*000111"), &[]).await;
        }
    }
    let (heard, _) = scene.dial("desk2", &one_touch("103"), &[]).await;
    assert_eq!(heard, ["locked"], "the device is locked out");
    assert_eq!(sessions_of(&scene.store).await, ["101@desk1", "102@desk2"]);
    assert_eq!(scene.dial("desk2", "*35", &[]).await.1, Outcome::LoggedOut, "at a locked-out device");
    assert_eq!(
        scene.dial("desk1", &one_touch("101"), &[]).await.1,
        Outcome::LoggedOut,
        "of a locked-out user"
    );
    records::change(&scene.store, What::Unlock(Unlock::All)).await;
    scene.log_in("103", "desk2").await;
}

#[tokio::test]
async fn a_spray_is_journalled_once_and_names_no_unknown_extension() {
    let scene = Scene::new().await;
    for user in ["101", "864", "102", "555", "103", "556"] {
        scene.dial("desk1", &format!("*35*{user}*000111"), &[]).await;
    }
    for (n, desk) in ["desk1", "desk2", "desk3"].iter().enumerate() {
        scene.dial(desk, "*35*101*000111", &[]).await;
        scene.dial(desk, &format!("*35*864*00011{n}"), &[]).await;
    }
    let entries = scene.entries().await;
    let sprays: Vec<&String> = entries.iter().filter(|line| line.starts_with("spray")).collect();
    assert_eq!(
        sprays,
        [
            "spray: desk1 tried many extensions, by device desk1",
            "spray: 101 was tried from many devices, last at desk3, by device desk3",
            "spray: an unknown extension was tried from many devices, last at desk3, by device desk3",
        ]
    );
    assert!(!format!("{entries:?}").contains("864"));
}

#[tokio::test]
async fn a_second_login_or_an_occupied_device_is_refused_as_the_rules_say() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    scene.log_in("102", "desk2").await;
    scene.rule(limits(MultipleLogins::Refuse, true));
    assert_eq!(scene.dial("desk3", &one_touch("101"), &[]).await, refused());
    scene.rule(limits(MultipleLogins::Move, false));
    assert_eq!(scene.dial("desk2", &one_touch("101"), &[]).await, refused());
    assert_eq!(sessions_of(&scene.store).await, ["101@desk1", "102@desk2"]);
    let entries = scene.entries().await;
    let reasons: Vec<&str> = entries.iter().rev().take(2).map(String::as_str).collect();
    assert_eq!(
        reasons,
        [
            "101 refused at desk2: device-occupied, by device desk2",
            "101 refused at desk3: user-elsewhere, by device desk3"
        ]
    );
    scene.rule(limits(MultipleLogins::Refuse, true));
    scene.dial("desk1", "*35", &[]).await;
    scene.log_in("101", "desk3").await;
}

#[tokio::test]
async fn a_user_with_two_sessions_is_called_at_both_devices() {
    let scene = Scene::new().await;
    scene.rule(limits(MultipleLogins::Keep(NonZeroU8::new(2).unwrap()), true));
    scene.log_in("101", "desk1").await;
    let (heard, _) = scene.dial("desk2", &one_touch("101"), &[]).await;
    assert_eq!(heard, ["logged-in", "101"], "no session ended");
    assert_eq!((scene.row_of("desk1"), scene.row_of("desk2")), (Some("101".into()), Some("101".into())));
    let rings = |user: &str| scene.rings(user);
    assert_eq!(rings("101").as_deref(), Some("PJSIP/desk1&PJSIP/desk2"));
    let (heard, _) = scene.dial("desk3", &one_touch("101"), &[]).await;
    assert_eq!(heard, ["logged-in", "101", "moved-from"]);
    assert_eq!(sessions_of(&scene.store).await, ["101@desk2", "101@desk3"]);
    assert_eq!((scene.row_of("desk1"), rings("101").as_deref()), (None, Some("PJSIP/desk2&PJSIP/desk3")));
    // A logout at one device leaves the session at the other.
    scene.dial("desk2", "*35", &[]).await;
    assert_eq!(rings("101").as_deref(), Some("PJSIP/desk3"));
    // The switch does not acknowledge the third session: it is undone, and the ended session is back.
    scene.log_in("101", "desk1").await;
    *scene.toy.mood.lock().unwrap() = Mood::Away;
    scene.dial("desk2", &one_touch("101"), &[]).await;
    assert_eq!(sessions_of(&scene.store).await, ["101@desk1", "101@desk3"]);
}

#[tokio::test]
async fn an_expired_pin_sounds_like_a_wrong_one_and_the_journal_has_the_reason() {
    let scene = Scene::new().await;
    scene.age("101", 91).await;
    scene.age("102", 89).await;
    scene.log_in("101", "desk1").await;
    scene.rule(LoginLimits { pin_days: NonZeroU16::new(90), ..LoginLimits::default() });
    scene.log_in("102", "desk2").await;
    scene.log_in("103", "desk3").await;
    let thrice = ["enter-pin?", "not-accepted"].repeat(3);
    let (heard, outcome) = scene.dial("desk2", "*35*101", &[pin("101"); 3]).await;
    assert_eq!((heard, outcome), (thrice.iter().map(ToString::to_string).collect(), Outcome::Refused));
    assert!(scene.entries().await.last().unwrap().contains("101 refused at desk2: pin-expired"));
    assert_eq!(scene.dial("desk1", "*35", &[]).await.1, Outcome::LoggedOut, "it prevents no logout");
    // It counts as a failure, too. So a missing lockout does not reveal that the PIN was right.
    scene.dial("desk1", "*35*101", &[pin("101"); 2]).await;
    assert_eq!(scene.dial("desk3", &one_touch("101"), &[]).await.0, ["locked"]);
}

#[tokio::test]
async fn a_user_with_an_expired_pin_chooses_another_and_logs_in_with_it() {
    let scene = Scene::with(&[Preset::Simmpl, Preset::Extras]).await;
    scene.age("101", 91).await;
    scene.rule(LoginLimits { pin_days: NonZeroU16::new(90), ..LoginLimits::default() });
    assert_eq!(scene.dial("desk1", &one_touch("101"), &[]).await.0[0], "not-accepted");
    let (_, outcome) = scene.dial("desk1", "*3500", &["101", pin("101"), "729163", "729163"]).await;
    assert_eq!(outcome, Outcome::PinChanged);
    assert_eq!(scene.dial("desk1", "*35*101*729163", &[]).await.1, Outcome::LoggedIn);
}

#[tokio::test]
async fn after_a_rotation_each_pin_gets_the_new_pepper_at_the_next_login() {
    let scene = Scene::new().await;
    scene.age("101", 50).await;
    let record = async |user: &str| scene.store.pin(&TenantId::default(), &ext(user)).await.unwrap().unwrap();
    let before = record("101").await;
    let new = Pepper::new([43; 64]);
    let name = new.name().to_owned();
    scene.controller.pins.reload_peppers(Peppers { current: new.clone(), others: vec![records::pepper()] });
    // A wrong PIN changes no record.
    scene.dial("desk1", "*35*101*000111", &[]).await;
    assert_eq!(record("101").await, before);
    for user in ["101", "102"] {
        scene.log_in(user, "desk1").await;
        assert_eq!(record(user).await.pepper(), name);
    }
    assert_eq!(record("101").await.set(), before.set(), "the PIN keeps its age");
    assert_eq!(record("103").await.pepper(), records::pepper().name());
    // The old pepper is removed. A user who has logged in since logs in, and another user is refused.
    scene.controller.pins.reload_peppers(new.into());
    scene.log_in("101", "desk2").await;
    assert_eq!(scene.dial("desk3", &one_touch("103"), &[]).await.0[0], "not-accepted");
}

/// What fails once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fails {
    /// The commit that counts an attempt, after it was counted.
    Attempt,
    /// The commit that logs the user in and forgives the attempt, since its PIN was right.
    Login,
}

/// A store that works but for one failure.
struct Failing {
    store: Arc<dyn Store>,
    fails: Fails,
    failed: AtomicBool,
}

impl Failing {
    /// An error the first time.
    fn once(&self, fails: Fails) -> Result<(), StoreError> {
        if fails == self.fails && !self.failed.swap(true, Ordering::Relaxed) {
            return Err(StoreError::Broken("(test)".into(), format!("{fails:?}")));
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl Store for Failing {
    async fn load(&self, tenant: &TenantId, reads: &Reads) -> Result<Loaded, StoreError> {
        self.store.load(tenant, reads).await
    }

    async fn commit(&self, command: &Command) -> Result<command::Outcome, StoreError> {
        if matches!(command.change, command::Change::Identified(..)) {
            self.once(Fails::Login)?;
        }
        let done = self.store.commit(command).await;
        if matches!(command.change, command::Change::Attempt(..)) {
            self.once(Fails::Attempt)?;
        }
        done
    }

    async fn journal(
        &self,
        tenant: &TenantId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.store.journal(tenant, after, limit).await
    }

    async fn revision_at(&self, tenant: &TenantId, since: Timestamp) -> Result<Revision, StoreError> {
        self.store.revision_at(tenant, since).await
    }

    async fn probe(&self, tenant: &TenantId) -> Result<(), StoreError> {
        self.store.probe(tenant).await
    }

    async fn trim(&self, trim: &Trim) -> Result<bool, StoreError> {
        self.store.trim(trim).await
    }

    async fn trimmed(&self, tenant: &TenantId) -> Result<Trimmed, StoreError> {
        self.store.trimmed(tenant).await
    }

    async fn changed(
        &self,
        tenant: &TenantId,
        after: Revision,
        patience: Duration,
    ) -> Result<Revision, StoreError> {
        self.store.changed(tenant, after, patience).await
    }

    async fn mark(&self, tenant: &TenantId) -> Result<Option<Mark>, StoreError> {
        self.store.mark(tenant).await
    }

    async fn accept(&self, tenant: &TenantId) -> Result<(), StoreError> {
        self.store.accept(tenant).await
    }
}

/// The call hears that hotdesk is not available, the attempt does not count, and the next call logs in.
async fn an_attempt_does_not_count_when_this_fails(fails: Fails) {
    let place = Place::memory();
    let store = place.open().await;
    records::furnish(&store).await;
    let failing = Failing { store, fails, failed: AtomicBool::default() };
    let scene = Scene::over(Arc::new(failing), &[Preset::Simmpl], Arc::default(), Clock::machine());
    let (heard, outcome) = scene.dial("desk1", &one_touch("101"), &[]).await;
    assert_eq!((heard, outcome), (vec!["not-available".into()], Outcome::Unavailable));
    assert_eq!(scene.store.failures(&TenantId::default()).await.unwrap(), BTreeMap::new());
    assert_eq!(sessions_of(&scene.store).await, [""; 0]);
    scene.log_in("101", "desk1").await;
}

#[tokio::test]
async fn an_attempt_does_not_count_when_the_store_fails_after_counting_it() {
    an_attempt_does_not_count_when_this_fails(Fails::Attempt).await;
}

#[tokio::test]
async fn an_attempt_with_the_right_pin_does_not_count_when_the_login_cannot_be_stored() {
    an_attempt_does_not_count_when_this_fails(Fails::Login).await;
}

/// How often each refusal is measured, and how often the measurement is repeated when the machine is busy.
const ROUNDS: usize = 15;
const AGAIN: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_wrong_forbidden_and_expired_take_the_same_time() {
    let place = Place::sqlite_in_memory();
    let store = place.open().await;
    records::furnish(&store).await;
    let scene = Scene::over(store, &[Preset::Simmpl], Arc::default(), Clock::machine());
    let mut forbidden = user("103", "Carol");
    forbidden.hotdesk = false;
    records::change(&scene.store, What::User(forbidden)).await;
    scene.age("102", 91).await;
    scene.rule(LoginLimits { pin_days: NonZeroU16::new(90), ..LoginLimits::default() });
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
                records::change(&scene.store, What::Unlock(Unlock::All)).await;
            }
        }
        let medians: Vec<Duration> = took.into_iter().map(median).collect();
        eprintln!("unknown, wrong, forbidden, expired: {medians:?}");
        let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
        assert!(*least > Duration::from_millis(5), "each costs a hash: {medians:?}");
        if *most - *least < Duration::from_millis(20) {
            break;
        }
        // A difference that hotdesk causes would show each time.
        assert!(measured < AGAIN, "{medians:?}");
    }
    let entries = scene.entries().await;
    for reason in ["user-unknown", "pin-wrong", "user-forbidden", "pin-expired"] {
        assert!(entries.iter().filter(|line| line.contains(reason)).count() >= ROUNDS, "{reason}");
    }
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}
