//! Automatic logouts, with a clock and a switch that the test sets, and real stores.

mod clock;
mod returning;
mod together;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotdesk::controller::auto_logout::{Settings, Timers};
use hotdesk::controller::clock::{Clock, Moment};
use hotdesk::controller::commands::extend;
use hotdesk::model::auto_logout::Why;
use hotdesk::model::desired::{Desired, Edit, Reading, Records, Scope, Subjects};
use hotdesk::model::directory::Device;
use hotdesk::model::directory::location::{Location, Zone};
use hotdesk::model::id::{LocationName, Revision, TenantId};
use hotdesk::model::journal::{Actor, Entry, Event};
use hotdesk::model::login::transition::SessionCommand;
use hotdesk::store::{self, Store};
use hotdesk::switch::device_state::{DeviceEvent, DeviceState, DeviceStates};
use hotdesk::switch::{Switch, SwitchError};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::harness::asking::Ask as _;
use crate::harness::asking::{Move, What};
use crate::harness::records::{change, device, ext, name, sessions_of, switch, user};

/// How long an expected change may take, and how long a test waits for an unexpected one.
const PATIENCE: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_millis(400);

/// A switch whose devices have the states that a test sets.
struct ToyPhones {
    clock: watch::Receiver<Moment>,
    started: Mutex<Timestamp>,
    away: Mutex<bool>,
    doing: Mutex<BTreeMap<String, DeviceState>>,
    /// The devices with a warning call, and the end of their sessions after an extension.
    rung: Mutex<Vec<(String, Timestamp)>>,
    device_events: broadcast::Sender<DeviceEvent>,
    in_doubt: watch::Sender<u64>,
}

#[async_trait::async_trait]
impl Switch for ToyPhones {
    async fn read(&self, _: &Subjects) -> Result<Reading, SwitchError> {
        Ok(Reading::default())
    }

    fn project(&self, _: &Desired, _: &Records) -> Records {
        Records::new()
    }

    async fn apply(&self, _: &[Edit]) -> Result<(), SwitchError> {
        Ok(())
    }

    async fn device_states(&self, devices: &[Device]) -> Result<DeviceStates, SwitchError> {
        if *self.away.lock().unwrap() {
            return Err(SwitchError::Away("gone for the test".into()));
        }
        let up = self.clock.borrow().wall.duration_since(*self.started.lock().unwrap());
        let doing = self.doing.lock().unwrap();
        let of = |device: &Device| doing.get(device.name.as_str()).copied().unwrap_or(DeviceState::Free);
        Ok(DeviceStates { up: up.try_into().unwrap(), states: devices.iter().map(of).collect() })
    }

    async fn ring(&self, device: &Device, until: Timestamp) -> Result<(), SwitchError> {
        self.rung.lock().unwrap().push((device.name.to_string(), until));
        Ok(())
    }

    fn device_events(&self) -> broadcast::Receiver<DeviceEvent> {
        self.device_events.subscribe()
    }

    fn in_doubt(&self) -> watch::Receiver<u64> {
        self.in_doubt.subscribe()
    }
}

/// A store with its clock, its switch, and the controller that logs users out.
struct Day {
    store: Arc<dyn Store>,
    clock: watch::Sender<Moment>,
    phones: Arc<ToyPhones>,
    settings: watch::Sender<Arc<Settings>>,
    _stop: DropGuard,
    _dir: tempfile::TempDir,
}

fn at(text: &str) -> Timestamp {
    format!("{text}[Europe/Amsterdam]").parse::<jiff::Zoned>().unwrap().timestamp()
}

fn settings(rules: &str) -> Arc<Settings> {
    let zone = Zone::new("Europe/Amsterdam").unwrap().rules().clone();
    Arc::new(Settings {
        rules: toml::from_str(rules).unwrap(),
        warn: None,
        asks: false,
        extend: "60m".parse().unwrap(),
        zone,
    })
}

/// Logs a user in at this time.
async fn log_in(store: &Arc<dyn Store>, user: &str, desk: &str, at: Timestamp) {
    let login = Move {
        request: hotdesk::controller::request_id().unwrap(),
        tenant: TenantId::default(),
        command: SessionCommand::LogIn(ext(user), name(desk), Default::default()),
        by: Actor::Controller,
        call: None,
        code: None,
        at,
    };
    assert!(!store.change_sessions(&login).await.unwrap().is_empty());
}

impl Day {
    /// Users 101 to 103, desk1 and desk2 in Amsterdam and desk3 in Lisbon; 101 and 103 are logged in at desk1
    /// and desk3 since nine, and it is ten.
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
        log_in(&store, "101", "desk1", at("2026-11-18T09:00")).await;
        log_in(&store, "103", "desk3", at("2026-11-18T09:00")).await;
        let (clock, time) = watch::channel(Moment::at(at("2026-11-18T10:00")));
        let phones = Arc::new(ToyPhones {
            clock: time,
            started: Mutex::new(at("2026-11-01T00:00")),
            away: Mutex::new(false),
            doing: Mutex::default(),
            rung: Mutex::default(),
            device_events: broadcast::Sender::new(16),
            in_doubt: watch::Sender::new(0),
        });
        let settings = watch::Sender::new(settings(rules));
        let stop = CancellationToken::new();
        let day = Self { store, clock, phones, settings, _stop: stop.clone().drop_guard(), _dir: dir };
        day.controller(stop);
        day.quiet().await;
        day
    }

    /// Starts one more controller on this store.
    fn controller(&self, stop: CancellationToken) {
        let phones: Arc<dyn Switch> = self.phones.clone();
        let timers = Timers {
            tenant: TenantId::default(),
            store: self.store.clone(),
            switches: BTreeMap::from([(switch("pbx"), phones)]),
            held: vec![],
            settings: self.settings.subscribe(),
            clock: Clock::told(self.clock.subscribe()),
        };
        timers.start(stop);
    }

    /// Waits until the controllers have handled all changes.
    async fn quiet(&self) {
        tokio::time::sleep(QUIET).await;
    }

    async fn is(&self, time: &str) {
        self.passes(time, 3).await;
    }

    /// It is this time, by the first so many of the machine's three clocks.
    async fn passes(&self, time: &str, clocks: usize) {
        self.clock.send_modify(|now| {
            let by = at(time).duration_since(now.wall);
            let Moment { wall, passed, awake } = *now;
            let passed = if clocks > 1 { passed + by } else { passed };
            let awake = if clocks > 2 { awake + by } else { awake };
            *now = Moment { wall: wall + by, passed, awake };
        });
        self.quiet().await;
    }

    /// A device changes its state, and the switch sends an event.
    async fn does(&self, desk: &str, doing: DeviceState) {
        self.phones.doing.lock().unwrap().insert(desk.into(), doing);
        let _ = self
            .phones
            .device_events
            .send(DeviceEvent { device: name(desk), call: doing == DeviceState::Busy });
        self.quiet().await;
    }

    async fn sessions(&self) -> Vec<String> {
        sessions_of(&self.store).await
    }

    /// Waits until these are the sessions, as `101@desk1`.
    async fn waits_for(&self, sessions: &[&str]) {
        let wait = async {
            while self.sessions().await != sessions {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            assert_eq!(self.sessions().await, sessions);
        }
    }

    /// The users that were logged out automatically, and why.
    async fn logged_out(&self) -> Vec<(String, Why)> {
        let journal = self.store.journal(&TenantId::default(), Revision(0), 10_000).await.unwrap();
        let users = journal.into_iter().filter_map(|entry| match (entry.by, entry.event) {
            (Actor::Timer(why), Event::SessionsChanged { ended, begun, undo: false }) => {
                assert!(ended.len() == 1 && begun.is_empty());
                Some((ended[0].user.to_string(), why))
            }
            _ => None,
        });
        users.collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_in_amsterdam_are_logged_out_at_23_and_those_in_lisbon_an_hour_later() {
    let day = Day::begin("at = '23:00'").await;
    day.is("2026-11-18T22:59:59").await;
    assert_eq!(day.sessions().await, ["101@desk1", "103@desk3"]);
    day.is("2026-11-18T23:00").await;
    day.waits_for(&["103@desk3"]).await;
    day.is("2026-11-18T23:59:59").await;
    assert_eq!(day.sessions().await, ["103@desk3"]);
    day.is("2026-11-19T00:00").await;
    day.waits_for(&[]).await;
    assert_eq!(day.logged_out().await, [("101".into(), Why::TimeOfDay), ("103".into(), Why::TimeOfDay)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_waits_for_the_end_of_a_call() {
    let day = Day::begin("at = '23:00'").await;
    day.does("desk1", DeviceState::Busy).await;
    for time in ["2026-11-18T23:00", "2026-11-18T23:00:30", "2026-11-18T23:20"] {
        day.is(time).await;
        assert_eq!(day.sessions().await, ["101@desk1", "103@desk3"], "{time}");
    }
    // The logout follows the end of the call, and not the next look at the clock.
    day.does("desk1", DeviceState::Free).await;
    day.waits_for(&["103@desk3"]).await;
    // A missed event is made up for at the next look.
    day.phones.doing.lock().unwrap().insert("desk3".into(), DeviceState::Busy);
    day.is("2026-11-19T00:10").await;
    day.phones.doing.lock().unwrap().insert("desk3".into(), DeviceState::Gone);
    assert_eq!(day.sessions().await, ["103@desk3"]);
    day.is("2026-11-19T00:10:01").await;
    day.waits_for(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_time_counts_from_the_end_of_the_last_call_also_for_a_later_controller() {
    let day = Day::begin("idle = '2h'").await;
    day.does("desk1", DeviceState::Busy).await;
    day.is("2026-11-18T10:30").await;
    day.does("desk1", DeviceState::Free).await;
    // A short call that shows only in its event.
    day.is("2026-11-18T10:45").await;
    let _ = day.phones.device_events.send(DeviceEvent { device: name("desk3"), call: true });
    day.quiet().await;
    day.is("2026-11-18T12:29").await;
    assert_eq!(day.sessions().await, ["101@desk1", "103@desk3"]);
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    day.controller(stop);
    day.is("2026-11-18T12:30").await;
    day.waits_for(&["103@desk3"]).await;
    day.is("2026-11-18T12:45").await;
    day.waits_for(&[]).await;
    assert_eq!(day.logged_out().await, [("101".into(), Why::Idle), ("103".into(), Why::Idle)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_stays_unregistered_is_logged_out_and_one_that_registers_again_is_not() {
    let day = Day::begin("unregistered = '15m'").await;
    day.does("desk1", DeviceState::Gone).await;
    day.does("desk3", DeviceState::Gone).await;
    day.is("2026-11-18T10:10").await;
    day.does("desk3", DeviceState::Free).await;
    day.is("2026-11-18T10:14:59").await;
    assert_eq!(day.sessions().await, ["101@desk1", "103@desk3"]);
    day.is("2026-11-18T10:15").await;
    day.waits_for(&["103@desk3"]).await;
    assert_eq!(day.logged_out().await, [("101".into(), Why::Unregistered)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_switch_logs_no_user_out() {
    let day = Day::begin("unregistered = '15m'").await;
    // The switch removes all contacts as it stops. Then it is unreachable. Then it knows no contact.
    day.does("desk1", DeviceState::Gone).await;
    *day.phones.away.lock().unwrap() = true;
    day.is("2026-11-18T10:01").await;
    *day.phones.started.lock().unwrap() = at("2026-11-18T10:01");
    *day.phones.away.lock().unwrap() = false;
    day.does("desk3", DeviceState::Gone).await;
    for time in ["2026-11-18T10:15", "2026-11-18T10:16", "2026-11-18T11:59", "2026-11-18T12:15"] {
        day.is(time).await;
        assert_eq!(day.sessions().await, ["101@desk1", "103@desk3"], "{time}");
    }
    // One device registers again and unregisters. The other one does not register again.
    day.does("desk1", DeviceState::Free).await;
    day.does("desk1", DeviceState::Gone).await;
    day.is("2026-11-18T12:16").await;
    day.waits_for(&["101@desk1"]).await;
    day.is("2026-11-18T12:30").await;
    day.waits_for(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_at_their_own_device_is_not_logged_out() {
    let day = Day::begin("after = '8h'").await;
    change(&day.store, What::Device(Device { owner: Some(ext("101")), ..device("desk1") })).await;
    day.quiet().await;
    day.is("2026-11-18T17:00").await;
    day.waits_for(&["101@desk1"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_extended_session_ends_later() {
    let day = Day::begin("at = '23:00'").await;
    let snapshot = day.store.snapshot(&TenantId::default(), &Scope::All).await.unwrap();
    let (until, by) = (at("2026-11-19T00:30"), (Actor::Device(name("desk1")), at("2026-11-18T22:50")));
    let session = &snapshot.sessions[&name("desk1")];
    assert!(extend(day.store.as_ref(), &TenantId::default(), session, until, by).await.unwrap());
    day.quiet().await;
    day.is("2026-11-19T00:00").await;
    day.waits_for(&["101@desk1"]).await;
    day.is("2026-11-19T00:29:59").await;
    assert_eq!(day.sessions().await, ["101@desk1"]);
    day.is("2026-11-19T00:30").await;
    day.waits_for(&[]).await;
    let journal = day.store.journal(&TenantId::default(), Revision(0), 10_000).await.unwrap();
    let extended = |entry: &&Entry| matches!(entry.event, Event::Extended { .. });
    assert_eq!(journal.iter().filter(extended).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_controllers_makes_the_warning_call_and_a_second_one_only_after_an_extension() {
    let day = Day::begin("at = '23:00'\nidle = '14h'").await;
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    day.controller(stop);
    let warn = Some(hotdesk::model::schedule::Span::minutes(10));
    day.settings.send_modify(|settings| {
        *settings = Arc::new(Settings { warn, asks: true, ..(**settings).clone() });
    });
    day.is("2026-11-18T22:49:59").await;
    assert_eq!(*day.phones.rung.lock().unwrap(), []);
    day.is("2026-11-18T22:50").await;
    let rung = |until: &str| ("desk1".to_owned(), at(until));
    assert_eq!(*day.phones.rung.lock().unwrap(), [rung("2026-11-19T00:00")]);
    day.is("2026-11-18T22:55").await;
    let snapshot = day.store.snapshot(&TenantId::default(), &Scope::All).await.unwrap();
    let by = (Actor::Device(name("desk1")), at("2026-11-18T22:55"));
    let (session, until) = (&snapshot.sessions[&name("desk1")], at("2026-11-19T00:00"));
    assert!(extend(day.store.as_ref(), &TenantId::default(), session, until, by).await.unwrap());
    // A device in a call gets no warning call. An extended session gets another one before its end.
    day.does("desk3", DeviceState::Busy).await;
    day.is("2026-11-18T23:50").await;
    assert_eq!(*day.phones.rung.lock().unwrap(), [rung("2026-11-19T00:00"), rung("2026-11-19T01:00")]);
    day.is("2026-11-19T00:00").await;
    day.waits_for(&["103@desk3"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_user_gets_no_warning_call() {
    let day = Day::begin("idle = '2h'").await;
    let warn = Some(hotdesk::model::schedule::Span::minutes(10));
    day.settings.send_modify(|settings| {
        *settings = Arc::new(Settings { warn, asks: true, ..(**settings).clone() });
    });
    day.is("2026-11-18T10:55").await;
    day.is("2026-11-18T11:00").await;
    day.waits_for(&[]).await;
    assert_eq!(*day.phones.rung.lock().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_automatic_logout_waits_until_the_switch_is_reachable() {
    let day = Day::begin("after = '8h'").await;
    *day.phones.away.lock().unwrap() = true;
    day.is("2026-11-18T17:00").await;
    assert_eq!(day.sessions().await, ["101@desk1", "103@desk3"]);
    *day.phones.away.lock().unwrap() = false;
    day.is("2026-11-18T17:00:01").await;
    day.waits_for(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_rules_apply_at_once_and_the_narrowest_wins() {
    let day = Day::begin("after = '8h'").await;
    let mut own = user("101", "101");
    own.auto_logout = toml::from_str("after = 'never'").unwrap();
    change(&day.store, What::User(own)).await;
    let location = LocationName::new("lis").unwrap();
    let mut lisbon = Location::new(TenantId::default(), location, Zone::new("Europe/Lisbon").unwrap());
    lisbon.auto_logout = toml::from_str("after = '9h'").unwrap();
    change(&day.store, What::Location(lisbon)).await;
    day.quiet().await;
    day.is("2026-11-18T17:30").await;
    assert_eq!(day.sessions().await, ["101@desk1", "103@desk3"]);
    day.is("2026-11-18T18:00").await;
    day.waits_for(&["101@desk1"]).await;
    // A reload of the configuration. A new login begins a new time.
    day.settings.send_replace(settings("at = '19:00'\nafter = '8h'"));
    log_in(&day.store, "103", "desk2", at("2026-11-18T18:30")).await;
    day.quiet().await;
    day.is("2026-11-18T19:00").await;
    day.waits_for(&[]).await;
    assert_eq!(day.logged_out().await.len(), 3);
}
