//! What callers live through, with a scripted phone, a real store and a switch that can be told to fail.

mod acts;
mod codes;
mod safety;
mod settings;
mod table;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotdesk::controller::Controller;
use hotdesk::controller::clock::Clock;
use hotdesk::controller::pins::Pins;
use hotdesk::controller::reconcile::{Kept, Reconciler};
use hotdesk::desk::code::{Codes, Preset};
use hotdesk::desk::id::{CallId, DeviceName, Language, LocationName, TenantId};
use hotdesk::desk::journal::Event;
use hotdesk::desk::location::{Location, Zone};
use hotdesk::desk::model::Device;
use hotdesk::desk::policy::Prompt;
use hotdesk::desk::reach::Reach;
use hotdesk::desk::rules::Rulebook;
use hotdesk::desk::table::{Edit, Key, Row, Scope, Table};
use hotdesk::store::{self, Store, What};
use hotdesk::switch::activity::{Doing, Look, Stir};
use hotdesk::switch::{Call, Dialled, Digits, Entry, Gone, Outcome, Phone, Switch, SwitchError, Utterance};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::office::{self, device, journal, name, pin, seats, switch, user};

/// What the switch does when rows are written.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Away,
    Silent,
    Well,
}

struct ToySwitch {
    table: Mutex<Table>,
    mood: Mutex<Mood>,
    unsettled: watch::Sender<u64>,
    /// Which phones have a call; the others are free.
    busy: Mutex<BTreeSet<DeviceName>>,
    stirs: broadcast::Sender<Stir>,
}

impl ToySwitch {
    fn is(&self) -> Result<Mood, SwitchError> {
        match *self.mood.lock().unwrap() {
            Mood::Away => Err(SwitchError::Away("gone for the test".into())),
            mood => Ok(mood),
        }
    }
}

impl Default for ToySwitch {
    fn default() -> Self {
        Self {
            table: Mutex::default(),
            mood: Mutex::new(Mood::Well),
            unsettled: watch::Sender::new(0),
            busy: Mutex::default(),
            stirs: broadcast::Sender::new(16),
        }
    }
}

#[async_trait::async_trait]
impl Switch for ToySwitch {
    async fn read(&self, scope: &Scope, _: &Table) -> Result<Table, SwitchError> {
        self.is()?;
        let held = self.table.lock().unwrap().clone();
        Ok(held.into_iter().filter(|(key, _)| scope.contains(key)).collect())
    }

    async fn apply(&self, edits: &[Edit]) -> Result<(), SwitchError> {
        if self.is()? == Mood::Silent {
            std::future::pending().await
        }
        let mut table = self.table.lock().unwrap();
        for Edit { key, is, .. } in edits {
            match is {
                Some(row) => table.insert(key.clone(), row.clone()),
                None => table.remove(key),
            };
        }
        Ok(())
    }

    async fn look_at(&self, devices: &[Device]) -> Result<Look, SwitchError> {
        let busy = self.busy.lock().unwrap();
        let does = |device: &Device| if busy.contains(&device.name) { Doing::Busy } else { Doing::Free };
        Ok(Look { up: Duration::from_secs(3600), doing: devices.iter().map(does).collect() })
    }

    async fn ring(&self, _: &Device, _: Timestamp) -> Result<(), SwitchError> {
        Ok(())
    }

    fn stirs(&self) -> broadcast::Receiver<Stir> {
        self.stirs.subscribe()
    }

    fn unsettled(&self) -> watch::Receiver<u64> {
        self.unsettled.subscribe()
    }
}

/// Answers each question with the next entry; hangs up when there is none left.
struct ScriptedPhone {
    entries: VecDeque<String>,
    /// Hangs up when this is to be said.
    leaves_at: Option<Prompt>,
    heard: Arc<Mutex<Vec<String>>>,
    ended: Arc<Mutex<Option<Outcome>>>,
}

impl Phone for ScriptedPhone {
    async fn ask(&mut self, prompt: Prompt, _: &Digits) -> Result<Entry, Gone> {
        self.heard.lock().unwrap().push(format!("{}?", prompt.name()));
        let entry = self.entries.pop_front().ok_or(Gone)?;
        Ok(Dialled(entry.into()))
    }

    async fn say(&mut self, what: &[Utterance]) -> Result<(), Gone> {
        for utterance in what {
            let text = match utterance {
                Utterance::Prompt(prompt) if Some(*prompt) == self.leaves_at => return Err(Gone),
                Utterance::Prompt(prompt) => prompt.name().to_owned(),
                Utterance::Extension(extension) => extension.to_string(),
                Utterance::Number(number) => number.to_string(),
            };
            self.heard.lock().unwrap().push(text);
        }
        Ok(())
    }

    async fn speak(&mut self, language: &Language) -> Result<(), Gone> {
        self.heard.lock().unwrap().push(format!("({language})"));
        Ok(())
    }

    async fn end(self, outcome: Outcome) {
        *self.ended.lock().unwrap() = Some(outcome);
    }
}

struct Scene {
    store: Arc<dyn Store>,
    controller: Controller,
    rules: watch::Sender<Arc<Rulebook>>,
    toy: Arc<ToySwitch>,
    _stop: DropGuard,
    _dir: Option<tempfile::TempDir>,
}

impl Scene {
    async fn new() -> Self {
        Self::with(&[Preset::Simmpl]).await
    }

    /// Where the codes of these presets are dialled.
    async fn with(presets: &[Preset]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = store::open("sqlite:hotdesk.db", dir.path()).await.unwrap();
        office::furnish(&store).await;
        Self { _dir: Some(dir), ..Self::over(store, presets, Arc::default(), Clock::Wall) }
    }

    /// A controller of its own, on a store that has everything.
    fn over(store: Arc<dyn Store>, presets: &[Preset], toy: Arc<ToySwitch>, clock: Clock) -> Self {
        let stop = CancellationToken::new();
        let kept = Kept { name: switch("pbx"), tenant: TenantId::default(), reach: Reach::default() };
        let (reconciler, _) = Reconciler::start(kept, store.clone(), toy.clone(), stop.clone());
        let (rules, watched) = watch::channel(Arc::default());
        let controller = Controller {
            store: store.clone(),
            pins: Pins::new(office::pepper()),
            codes: watch::channel(Arc::new(Codes::of(presets).unwrap().into())).1,
            rules: watched,
            switches: BTreeMap::from([((switch("pbx"), TenantId::default()), reconciler)]),
            clock,
        };
        Self { store, controller, rules, toy, _stop: stop.drop_guard(), _dir: None }
    }

    /// Dials `code` at `desk`, enters `entries` one by one; returns what was heard and how it ended.
    async fn dial(&self, desk: &str, code: &str, entries: &[&str]) -> (Vec<String>, Outcome) {
        self.dial_until(desk, code, entries, None).await
    }

    async fn dial_until(
        &self,
        desk: &str,
        code: &str,
        entries: &[&str],
        leaves_at: Option<Prompt>,
    ) -> (Vec<String>, Outcome) {
        self.call(desk, code, None, (entries, leaves_at)).await
    }

    async fn call(
        &self,
        desk: &str,
        code: &str,
        stays: Option<Timestamp>,
        (entries, leaves_at): (&[&str], Option<Prompt>),
    ) -> (Vec<String>, Outcome) {
        let (heard, ended) = (Arc::default(), Arc::default());
        let phone = ScriptedPhone {
            entries: entries.iter().map(ToString::to_string).collect(),
            leaves_at,
            heard: Arc::clone(&heard),
            ended: Arc::clone(&ended),
        };
        let call = Call {
            id: CallId::new("1795283486.1").unwrap(),
            switch: switch("pbx"),
            tenant: TenantId::default(),
            device: name(desk),
            stays,
            dialled: Dialled(code.to_owned().into()),
            from: Some("127.0.0.1".parse().unwrap()),
        };
        self.controller.converse(call, phone).await;
        let heard = heard.lock().unwrap().clone();
        let ended = ended.lock().unwrap().unwrap();
        (heard, ended)
    }

    async fn log_in(&self, user: &str, desk: &str) {
        let (heard, outcome) = self.dial(desk, &one_touch(user), &[]).await;
        assert_eq!(outcome, Outcome::LoggedIn, "{heard:?}");
    }

    fn row_of(&self, desk: &str) -> Option<String> {
        match self.toy.table.lock().unwrap().get(&Key::Device(name(desk))) {
            Some(Row::Device(row)) => row.user.as_ref().map(ToString::to_string),
            _ => None,
        }
    }
}

fn one_touch(user: &str) -> String {
    format!("*35*{user}*{}", pin(user))
}

#[tokio::test]
async fn who_was_rung_stays_by_pressing_one_and_by_nothing_else() {
    let scene = Scene::new().await;
    let tenant = TenantId::default();
    let until = Timestamp::from_second(4_000_000_000).unwrap();
    let rung = async |keys: &[&str]| scene.call("desk1", "", Some(until), (keys, None)).await;
    assert_eq!(rung(&["1"]).await, (vec!["logged-out".into()], Outcome::LoggedOut), "nobody sits there");
    scene.log_in("101", "desk1").await;
    for key in ["2", "", "*"] {
        let (heard, outcome) = rung(&[key]).await;
        assert_eq!((heard.last().unwrap().as_str(), outcome), ("press-one-to-stay?", Outcome::Told));
    }
    rung(&[]).await;
    assert!(scene.store.seen(&tenant, &Scope::All).await.unwrap().values().all(|seen| seen.stays.is_none()));
    // Who answers twice stays once.
    for _ in 0..2 {
        let (heard, outcome) = rung(&["1"]).await;
        assert!(
            heard.ends_with(&["press-one-to-stay?".into(), "logged-in".into(), "101".into()]),
            "{heard:?}"
        );
        assert_eq!(outcome, Outcome::Told);
    }
    let seen = scene.store.seen(&tenant, &Scope::All).await.unwrap();
    assert_eq!(seen[&name("desk1")].stays, Some(until));
    let journalled = journal(&scene.store).await;
    assert_eq!(journalled.iter().filter(|entry| matches!(entry.event, Event::Stays { .. })).count(), 1);
}

#[tokio::test]
async fn one_key_logs_in_and_the_same_key_logs_out() {
    let scene = Scene::new().await;
    let code = one_touch("101");
    assert_eq!(
        scene.dial("desk1", &code, &[]).await,
        (vec!["logged-in".into(), "101".into()], Outcome::LoggedIn)
    );
    assert_eq!(seats(&scene.store).await, ["101@desk1"]);
    assert_eq!(scene.row_of("desk1").as_deref(), Some("101"));
    assert_eq!(scene.dial("desk1", &code, &[]).await, (vec!["logged-out".into()], Outcome::LoggedOut));
    assert!(seats(&scene.store).await.is_empty());
    assert_eq!(scene.row_of("desk1"), None);
}

#[tokio::test]
async fn each_length_asks_for_what_is_missing_and_each_logs_out() {
    let scene = Scene::new().await;
    for (code, entries, asked) in [
        ("*35", &["101", pin("101")][..], &["enter-extension?", "enter-pin?"][..]),
        ("*35*101", &[pin("101")], &["enter-pin?"]),
        ("*35*101#", &[pin("101")], &["enter-pin?"]),
    ] {
        let (heard, outcome) = scene.dial("desk1", code, entries).await;
        assert_eq!(outcome, Outcome::LoggedIn, "{code}: {heard:?}");
        assert_eq!(heard[..asked.len()], *asked, "{code}");
        assert_eq!(heard[asked.len()..], ["logged-in", "101"], "{code}");
        let (heard, outcome) = scene.dial("desk1", code, &[]).await;
        assert_eq!((heard, outcome), (vec!["logged-out".into()], Outcome::LoggedOut), "{code}");
    }
}

#[tokio::test]
async fn another_users_code_switches_identity_in_one_go() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    scene.log_in("102", "desk1").await;
    assert_eq!(seats(&scene.store).await, ["102@desk1"]);
    assert_eq!(scene.row_of("desk1").as_deref(), Some("102"));
}

#[tokio::test]
async fn a_guest_keeps_the_desk_whose_owner_logs_in_elsewhere() {
    let scene = Scene::new().await;
    office::change(&scene.store, What::Device(Device { owner: Some(office::ext("101")), ..device("desk1") }))
        .await;
    scene.log_in("102", "desk1").await;
    scene.log_in("101", "desk2").await;
    let rows = ["desk1", "desk2"].map(|desk| scene.row_of(desk));
    assert_eq!(rows, [Some("102".into()), Some("101".into())]);
}

#[tokio::test]
async fn logging_in_elsewhere_moves_him_and_says_so() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    let (heard, _) = scene.dial("desk2", &one_touch("101"), &[]).await;
    assert_eq!(heard, ["logged-in", "101", "moved-from"]);
    assert_eq!(seats(&scene.store).await, ["101@desk2"]);
    assert_eq!((scene.row_of("desk1"), scene.row_of("desk2")), (None, Some("101".into())));
}

#[tokio::test]
async fn a_star_starts_the_entry_over() {
    let scene = Scene::new().await;
    let right = format!("99*{}", pin("101"));
    let (_, outcome) = scene.dial("desk1", "*35", &["55*102*101", &right]).await;
    assert_eq!(outcome, Outcome::LoggedIn);
    assert_eq!(seats(&scene.store).await, ["101@desk1"]);
}

#[tokio::test]
async fn unknown_wrong_and_forbidden_sound_the_same_three_times_and_change_nothing() {
    let scene = Scene::new().await;
    let mut forbidden = user("103", "Carol");
    forbidden.hotdesk = false;
    office::change(&scene.store, What::User(forbidden)).await;
    let mut heards = vec![];
    for (code, entry) in [("*35*999", "729154"), ("*35*101", "111222"), ("*35*103", pin("103"))] {
        let (heard, outcome) = scene.dial("desk1", code, &[entry; 4]).await;
        assert_eq!(outcome, Outcome::Refused);
        heards.push(heard);
    }
    let thrice = ["enter-pin?", "not-accepted"].repeat(3);
    assert!(heards.iter().all(|heard| *heard == thrice), "{heards:?}");
    assert!(seats(&scene.store).await.is_empty());
    let (heard, _) = scene.dial("desk2", "*35*101*000000", &[pin("101")]).await;
    assert_eq!(heard, ["not-accepted", "enter-pin?", "logged-in", "101"]);
}

#[tokio::test]
async fn a_device_that_is_not_for_hotdesking_or_not_where_it_should_be_is_refused_at_once() {
    let scene = Scene::new().await;
    let mut lift = device("desk1");
    lift.hotdesk = false;
    let mut fenced = device("desk2");
    fenced.allow_from = vec!["192.0.2.0/24".parse().unwrap()];
    office::change(&scene.store, What::Device(lift)).await;
    office::change(&scene.store, What::Device(fenced)).await;
    for desk in ["desk1", "desk2", "nodesk"] {
        let refused = (vec!["not-accepted".into()], Outcome::Refused);
        assert_eq!(scene.dial(desk, &one_touch("101"), &[]).await, refused, "{desk}");
        assert_eq!(scene.dial(desk, "*35", &["101", pin("101")]).await, refused, "{desk}");
    }
    assert!(seats(&scene.store).await.is_empty());
}

#[tokio::test]
async fn the_sixth_failure_locks_even_the_right_pin_out_and_a_success_forgives() {
    let scene = Scene::new().await;
    for _ in 0..3 {
        scene.dial("desk1", "*35*101", &["000000"]).await;
    }
    scene.log_in("101", "desk2").await;
    for _ in 0..5 {
        scene.dial("desk3", "*35*101", &["000000"]).await;
    }
    let (heard, _) = scene.dial("desk3", &one_touch("101"), &[]).await;
    assert_eq!(heard, ["locked"]);
    assert_eq!(seats(&scene.store).await, ["101@desk2"], "a lock never touches who sits where");
}

#[tokio::test]
async fn hanging_up_at_a_question_changes_nothing_and_after_the_move_it_stands() {
    let scene = Scene::new().await;
    for entries in [&[][..], &["101"]] {
        scene.dial("desk1", "*35", entries).await;
        assert!(seats(&scene.store).await.is_empty());
    }
    scene.dial_until("desk1", &one_touch("101"), &[], Some(Prompt::LoggedIn)).await;
    assert_eq!(seats(&scene.store).await, ["101@desk1"]);
    assert_eq!(scene.row_of("desk1").as_deref(), Some("101"));
}

#[tokio::test]
async fn until_he_is_known_he_is_spoken_to_as_where_the_phone_stands() {
    let scene = Scene::new().await;
    let berlin = LocationName::new("berlin").unwrap();
    let mut location = Location::new(TenantId::default(), berlin.clone(), Zone::default());
    location.language = Language::new("de").ok();
    office::change(&scene.store, What::Location(location)).await;
    let desk1 = Device { location: Some(berlin), ..device("desk1") };
    office::change(&scene.store, What::Device(desk1)).await;
    let mut dutch = user("101", "Alice");
    dutch.language = Language::new("nl").ok();
    office::change(&scene.store, What::User(dutch)).await;
    let one_touch = one_touch("102");
    let heard = async |desk, code, entries: &[&str]| scene.dial(desk, code, entries).await.0.join(" ");

    let known = "(de) enter-extension? enter-pin? (nl) logged-in 101";
    assert_eq!(heard("desk1", "*35", &["101", pin("101")]).await, known);
    assert_eq!(heard("desk1", "*35", &[]).await, "(de) (nl) logged-out");
    // Who has none goes on as it is; so is whoever is refused.
    assert_eq!(heard("desk1", &one_touch, &[]).await, "(de) logged-in 102");
    assert_eq!(heard("desk1", "*99", &[]).await, "(de) not-accepted");
    let until = Timestamp::from_second(4_000_000_000).unwrap();
    let (rung, _) = scene.call("desk1", "", Some(until), (&[""], None)).await;
    assert_eq!(rung.join(" "), "(de) press-one-to-stay?");
    assert_eq!(heard("desk2", &one_touch, &[]).await, "logged-in 102 moved-from");
}

#[tokio::test]
async fn he_is_spoken_to_in_his_language_and_the_journal_names_no_pin() {
    let scene = Scene::new().await;
    let mut dutch = user("101", "Alice");
    dutch.language = Language::new("nl").ok();
    office::change(&scene.store, What::User(dutch)).await;
    let (heard, _) = scene.dial("desk1", "*35", &["101", pin("101")]).await;
    assert_eq!(heard, ["enter-extension?", "enter-pin?", "(nl)", "logged-in", "101"]);
    // A PIN typed where the extension is asked for is not kept either.
    scene.dial("desk2", "*35", &["86420975", "86420975"]).await;
    scene.dial("desk2", "*35*86420975*86420975", &[]).await;
    scene.dial("desk2", "*35*101*86420975", &[]).await;
    let written = format!("{:?}", journal(&scene.store).await);
    assert!(!written.contains("86420975") && !written.contains(pin("101")), "{written}");
}
