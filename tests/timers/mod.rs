//! Who does not log out himself, with a clock and a switch that do what they are told, and real stores.

mod returning;
mod together;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotdesk::controller::clock::Clock;
use hotdesk::controller::stay::stay;
use hotdesk::controller::timers::{Settings, Timers};
use hotdesk::desk::id::{LocationName, Revision, TenantId};
use hotdesk::desk::journal::{Actor, Entry, Event};
use hotdesk::desk::leave::Why;
use hotdesk::desk::location::{Location, Zone};
use hotdesk::desk::model::Device;
use hotdesk::desk::seat::{Act, Move};
use hotdesk::desk::table::{Edit, Scope, Table};
use hotdesk::store::{self, Store, What};
use hotdesk::switch::activity::{Doing, Look, Stir};
use hotdesk::switch::{Switch, SwitchError};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::office::{change, device, ext, name, seats, switch, user};

/// How long what should happen may take, and how long what should not is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_millis(400);

/// A switch whose phones do what a test says.
struct Floor {
    clock: watch::Receiver<Timestamp>,
    started: Mutex<Timestamp>,
    away: Mutex<bool>,
    doing: Mutex<BTreeMap<String, Doing>>,
    /// Which were rung, and until when who answers would stay.
    rung: Mutex<Vec<(String, Timestamp)>>,
    stirs: broadcast::Sender<Stir>,
    unsettled: watch::Sender<u64>,
}

#[async_trait::async_trait]
impl Switch for Floor {
    async fn read(&self, _: &Scope, _: &Table) -> Result<Table, SwitchError> {
        Ok(Table::new())
    }

    async fn apply(&self, _: &[Edit]) -> Result<(), SwitchError> {
        Ok(())
    }

    async fn look_at(&self, devices: &[Device]) -> Result<Look, SwitchError> {
        if *self.away.lock().unwrap() {
            return Err(SwitchError::Away("gone for the test".into()));
        }
        let up = self.clock.borrow().duration_since(*self.started.lock().unwrap());
        let doing = self.doing.lock().unwrap();
        let of = |device: &Device| doing.get(device.name.as_str()).copied().unwrap_or(Doing::Free);
        Ok(Look { up: up.try_into().unwrap(), doing: devices.iter().map(of).collect() })
    }

    async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError> {
        self.rung.lock().unwrap().push((device.name.to_string(), until));
        Ok(())
    }

    fn stirs(&self) -> broadcast::Receiver<Stir> {
        self.stirs.subscribe()
    }

    fn unsettled(&self) -> watch::Receiver<u64> {
        self.unsettled.subscribe()
    }
}

/// An office with its clock, its switch, and what logs people out.
struct Day {
    store: Arc<dyn Store>,
    clock: watch::Sender<Timestamp>,
    floor: Arc<Floor>,
    settings: watch::Sender<Arc<Settings>>,
    _stop: DropGuard,
    _dir: tempfile::TempDir,
}

fn at(text: &str) -> Timestamp {
    format!("{text}[Europe/Amsterdam]").parse::<jiff::Zoned>().unwrap().timestamp()
}

fn settings(rules: &str) -> Arc<Settings> {
    let zone = Zone::new("Europe/Amsterdam").unwrap().rules().clone();
    Arc::new(Settings { rules: toml::from_str(rules).unwrap(), warn: None, asks: None, zone })
}

/// Sits a user down at a time that need not be now.
async fn sit(store: &Arc<dyn Store>, user: &str, desk: &str, at: Timestamp) {
    let act = Move {
        request: hotdesk::controller::request_id().unwrap(),
        tenant: TenantId::default(),
        act: Act::Seat(ext(user), name(desk), Default::default()),
        by: Actor::Controller,
        call: None,
        code: None,
        at,
    };
    assert!(!store.move_people(&act).await.unwrap().is_empty());
}

impl Day {
    /// Users 101 to 103, desk1 and desk2 in Amsterdam and desk3 in Lisbon; 101 and 103 sit at the desks of their numbers
    /// since nine, and it is ten.
    async fn begin(rules: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = store::open("sqlite:hotdesk.db", dir.path()).await.unwrap();
        for (place, zone) in [("ams", "Europe/Amsterdam"), ("lis", "Europe/Lisbon")] {
            let place = LocationName::new(place).unwrap();
            let place = Location::new(TenantId::default(), place, Zone::new(zone).unwrap());
            change(&store, What::Location(place)).await;
        }
        for (extension, desk, place) in
            [("101", "desk1", "ams"), ("102", "desk2", "ams"), ("103", "desk3", "lis")]
        {
            change(&store, What::User(user(extension, extension))).await;
            let location = Some(LocationName::new(place).unwrap());
            change(&store, What::Device(Device { location, ..device(desk) })).await;
        }
        sit(&store, "101", "desk1", at("2026-11-18T09:00")).await;
        sit(&store, "103", "desk3", at("2026-11-18T09:00")).await;
        let (clock, told) = watch::channel(at("2026-11-18T10:00"));
        let floor = Arc::new(Floor {
            clock: told,
            started: Mutex::new(at("2026-11-01T00:00")),
            away: Mutex::new(false),
            doing: Mutex::default(),
            rung: Mutex::default(),
            stirs: broadcast::Sender::new(16),
            unsettled: watch::Sender::new(0),
        });
        let settings = watch::Sender::new(settings(rules));
        let stop = CancellationToken::new();
        let day = Self { store, clock, floor, settings, _stop: stop.clone().drop_guard(), _dir: dir };
        day.controller(stop);
        day.settled().await;
        day
    }

    /// One more controller of this office.
    fn controller(&self, stop: CancellationToken) {
        let floor: Arc<dyn Switch> = self.floor.clone();
        let timers = Timers {
            tenant: TenantId::default(),
            store: self.store.clone(),
            switches: BTreeMap::from([(switch("pbx"), floor)]),
            settings: self.settings.subscribe(),
            clock: Clock::Told(self.clock.subscribe()),
        };
        timers.start(stop);
    }

    /// Lets what happens now happen.
    async fn settled(&self) {
        tokio::time::sleep(QUIET).await;
    }

    async fn is(&self, time: &str) {
        self.clock.send_replace(at(time));
        self.settled().await;
    }

    /// A phone does this now, and its switch says so.
    async fn does(&self, desk: &str, doing: Doing) {
        self.floor.doing.lock().unwrap().insert(desk.into(), doing);
        let _ = self.floor.stirs.send(Stir { device: name(desk), call: doing == Doing::Busy });
        self.settled().await;
    }

    async fn seats(&self) -> Vec<String> {
        seats(&self.store).await
    }

    /// Waits until these are there, as `101@desk1`.
    async fn waits_for(&self, seats: &[&str]) {
        let wait = async {
            while self.seats().await != seats {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            assert_eq!(self.seats().await, seats);
        }
    }

    /// Who was logged out by himself, and why.
    async fn left(&self) -> Vec<(String, Why)> {
        let journal = self.store.journal(&TenantId::default(), Revision(0), 10_000).await.unwrap();
        let left = journal.into_iter().filter_map(|entry| match (entry.by, entry.event) {
            (Actor::Timer(why), Event::Moved { removed, seated, undo: false }) => {
                assert!(removed.len() == 1 && seated.is_empty());
                Some((removed[0].user.to_string(), why))
            }
            _ => None,
        });
        left.collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_23_in_amsterdam_those_in_amsterdam_leave_and_an_hour_later_those_in_lisbon() {
    let day = Day::begin("at = '23:00'").await;
    day.is("2026-11-18T22:59:59").await;
    assert_eq!(day.seats().await, ["101@desk1", "103@desk3"]);
    day.is("2026-11-18T23:00").await;
    day.waits_for(&["103@desk3"]).await;
    day.is("2026-11-18T23:59:59").await;
    assert_eq!(day.seats().await, ["103@desk3"]);
    day.is("2026-11-19T00:00").await;
    day.waits_for(&[]).await;
    assert_eq!(day.left().await, [("101".into(), Why::TimeOfDay), ("103".into(), Why::TimeOfDay)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_over_the_time_is_waited_for() {
    let day = Day::begin("at = '23:00'").await;
    day.does("desk1", Doing::Busy).await;
    for time in ["2026-11-18T23:00", "2026-11-18T23:00:30", "2026-11-18T23:20"] {
        day.is(time).await;
        assert_eq!(day.seats().await, ["101@desk1", "103@desk3"], "{time}");
    }
    // It ends, and nobody has to wait for the next look at the clock.
    day.does("desk1", Doing::Free).await;
    day.waits_for(&["103@desk3"]).await;
    // A sign that never came is made up for.
    day.floor.doing.lock().unwrap().insert("desk3".into(), Doing::Busy);
    day.is("2026-11-19T00:10").await;
    day.floor.doing.lock().unwrap().insert("desk3".into(), Doing::Gone);
    assert_eq!(day.seats().await, ["103@desk3"]);
    day.is("2026-11-19T00:10:01").await;
    day.waits_for(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_counts_from_the_end_of_the_last_call_also_for_a_controller_that_comes_later() {
    let day = Day::begin("idle = '2h'").await;
    day.does("desk1", Doing::Busy).await;
    day.is("2026-11-18T10:30").await;
    day.does("desk1", Doing::Free).await;
    // A call so short that nobody saw it but by its sign.
    day.is("2026-11-18T10:45").await;
    let _ = day.floor.stirs.send(Stir { device: name("desk3"), call: true });
    day.settled().await;
    day.is("2026-11-18T12:29").await;
    assert_eq!(day.seats().await, ["101@desk1", "103@desk3"]);
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    day.controller(stop);
    day.is("2026-11-18T12:30").await;
    day.waits_for(&["103@desk3"]).await;
    day.is("2026-11-18T12:45").await;
    day.waits_for(&[]).await;
    assert_eq!(day.left().await, [("101".into(), Why::Idle), ("103".into(), Why::Idle)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_is_gone_for_long_logs_out_and_one_that_comes_back_does_not() {
    let day = Day::begin("unregistered = '15m'").await;
    day.does("desk1", Doing::Gone).await;
    day.does("desk3", Doing::Gone).await;
    day.is("2026-11-18T10:10").await;
    day.does("desk3", Doing::Free).await;
    day.is("2026-11-18T10:14:59").await;
    assert_eq!(day.seats().await, ["101@desk1", "103@desk3"]);
    day.is("2026-11-18T10:15").await;
    day.waits_for(&["103@desk3"]).await;
    assert_eq!(day.left().await, [("101".into(), Why::Unregistered)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_whole_switch_logs_nobody_out() {
    let day = Day::begin("unregistered = '15m'").await;
    // As it goes down it takes back every contact, then it is away, then it knows nobody.
    day.does("desk1", Doing::Gone).await;
    *day.floor.away.lock().unwrap() = true;
    day.is("2026-11-18T10:01").await;
    *day.floor.started.lock().unwrap() = at("2026-11-18T10:01");
    *day.floor.away.lock().unwrap() = false;
    day.does("desk3", Doing::Gone).await;
    for time in ["2026-11-18T10:15", "2026-11-18T10:16", "2026-11-18T11:59", "2026-11-18T12:15"] {
        day.is(time).await;
        assert_eq!(day.seats().await, ["101@desk1", "103@desk3"], "{time}");
    }
    // One came back and goes again; the other one does not come back at all.
    day.does("desk1", Doing::Free).await;
    day.does("desk1", Doing::Gone).await;
    day.is("2026-11-18T12:16").await;
    day.waits_for(&["101@desk1"]).await;
    day.is("2026-11-18T12:30").await;
    day.waits_for(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_who_logged_in_at_his_own_phone_stays() {
    let day = Day::begin("after = '8h'").await;
    change(&day.store, What::Device(Device { owner: Some(ext("101")), ..device("desk1") })).await;
    day.settled().await;
    day.is("2026-11-18T17:00").await;
    day.waits_for(&["101@desk1"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_so_stays_that_much_longer() {
    let day = Day::begin("at = '23:00'").await;
    let office = day.store.office(&TenantId::default(), &Scope::All).await.unwrap();
    let (until, by) = (at("2026-11-19T00:30"), (Actor::Phone(name("desk1")), at("2026-11-18T22:50")));
    let binding = &office.bindings[&name("desk1")];
    assert!(stay(day.store.as_ref(), &TenantId::default(), binding, until, by).await.unwrap());
    day.settled().await;
    day.is("2026-11-19T00:00").await;
    day.waits_for(&["101@desk1"]).await;
    day.is("2026-11-19T00:29:59").await;
    assert_eq!(day.seats().await, ["101@desk1"]);
    day.is("2026-11-19T00:30").await;
    day.waits_for(&[]).await;
    let journal = day.store.journal(&TenantId::default(), Revision(0), 10_000).await.unwrap();
    let stays = |entry: &&Entry| matches!(entry.event, Event::Stays { .. });
    assert_eq!(journal.iter().filter(stays).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_soon_is_called_once_by_one_of_two_controllers_and_again_only_when_he_stayed() {
    let day = Day::begin("at = '23:00'\nidle = '14h'").await;
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    day.controller(stop);
    let span = |minutes| Some(hotdesk::desk::schedule::Span::minutes(minutes));
    day.settings.send_modify(|settings| {
        *settings = Arc::new(Settings { warn: span(10), asks: span(60), ..(**settings).clone() });
    });
    day.is("2026-11-18T22:49:59").await;
    assert_eq!(*day.floor.rung.lock().unwrap(), []);
    day.is("2026-11-18T22:50").await;
    let rung = |until: &str| ("desk1".to_owned(), at(until));
    assert_eq!(*day.floor.rung.lock().unwrap(), [rung("2026-11-19T00:00")]);
    day.is("2026-11-18T22:55").await;
    let office = day.store.office(&TenantId::default(), &Scope::All).await.unwrap();
    let by = (Actor::Phone(name("desk1")), at("2026-11-18T22:55"));
    let (binding, until) = (&office.bindings[&name("desk1")], at("2026-11-19T00:00"));
    assert!(stay(day.store.as_ref(), &TenantId::default(), binding, until, by).await.unwrap());
    // Who has a call is not called; and who stayed is, once more, before he leaves then.
    day.does("desk3", Doing::Busy).await;
    day.is("2026-11-18T23:50").await;
    assert_eq!(*day.floor.rung.lock().unwrap(), [rung("2026-11-19T00:00"), rung("2026-11-19T01:00")]);
    day.is("2026-11-19T00:00").await;
    day.waits_for(&["103@desk3"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_as_there_was_no_call_is_not_called() {
    let day = Day::begin("idle = '2h'").await;
    let span = |minutes| Some(hotdesk::desk::schedule::Span::minutes(minutes));
    day.settings.send_modify(|settings| {
        *settings = Arc::new(Settings { warn: span(10), asks: span(60), ..(**settings).clone() });
    });
    day.is("2026-11-18T10:55").await;
    day.is("2026-11-18T11:00").await;
    day.waits_for(&[]).await;
    assert_eq!(*day.floor.rung.lock().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_due_leaves_when_his_switch_is_there() {
    let day = Day::begin("after = '8h'").await;
    *day.floor.away.lock().unwrap() = true;
    day.is("2026-11-18T17:00").await;
    assert_eq!(day.seats().await, ["101@desk1", "103@desk3"]);
    *day.floor.away.lock().unwrap() = false;
    day.is("2026-11-18T17:00:01").await;
    day.waits_for(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_change_count_from_then_on_and_the_narrowest_wins() {
    let day = Day::begin("after = '8h'").await;
    let mut own = user("101", "101");
    own.leave = toml::from_str("after = 'never'").unwrap();
    change(&day.store, What::User(own)).await;
    let location = LocationName::new("lis").unwrap();
    let mut lisbon = Location::new(TenantId::default(), location, Zone::new("Europe/Lisbon").unwrap());
    lisbon.leave = toml::from_str("after = '9h'").unwrap();
    change(&day.store, What::Location(lisbon)).await;
    day.settled().await;
    day.is("2026-11-18T17:30").await;
    assert_eq!(day.seats().await, ["101@desk1", "103@desk3"]);
    day.is("2026-11-18T18:00").await;
    day.waits_for(&["101@desk1"]).await;
    // A reload of the configuration; and who sat down again meanwhile begins anew.
    day.settings.send_replace(settings("at = '19:00'\nafter = '8h'"));
    sit(&day.store, "103", "desk2", at("2026-11-18T18:30")).await;
    day.settled().await;
    day.is("2026-11-18T19:00").await;
    day.waits_for(&[]).await;
    assert_eq!(day.left().await.len(), 3);
}
