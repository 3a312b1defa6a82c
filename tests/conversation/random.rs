//! Any sequence of calls, commands and automatic logouts does what a reference says: on both stores, in the switch, and in the
//! prompts to the caller.

mod reference;

use std::num::{NonZeroU8, NonZeroU16};
use std::time::Instant;

use hotdesk::controller::auto_logout::{Settings, Timers};
use hotdesk::controller::clock::Moment;
use hotdesk::model::auto_logout;
use hotdesk::model::desired::Scope;
use hotdesk::model::directory::location::{Location, Zone};
use hotdesk::model::directory::{Session, Snapshot};
use hotdesk::model::id::Extension;
use hotdesk::model::journal::Actor;
use hotdesk::model::login::limits::{LoginLimits, LoginRules, MultipleLogins};
use hotdesk::model::login::pin::{Cost, Pin, PinRecord};
use hotdesk::model::login::transition::SessionCommand;
use jiff::SignedDuration;

use super::*;
use crate::harness::asking::Ask as _;
use crate::harness::asking::{Change, Unlock};
use crate::harness::records::ext;
use crate::store::Place;
use crate::store::model::reference::{self as stores, Not};
use reference::{AutoLogout, Code, Reference, moving};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_commands_do_what_the_reference_does_on_sqlite() {
    any_commands(Place::sqlite_in_memory()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_commands_do_what_the_reference_does_on_redis() {
    any_commands(Place::redis_in_memory()).await;
}

/// 103 hears Dutch. The last one is never a user.
const USERS: [&str; 5] = ["101", "102", "103", "104", "999"];
const DEVICES: [&str; 3] = ["desk1", "desk2", "desk3"];
/// PINs that may be chosen.
const PINS: [&str; 3] = ["729154", "583617", "903162"];
const PRESETS: [Preset; 4] = [Preset::Simmpl, Preset::ThreeCx, Preset::Xelion, Preset::Extras];

const CHEAP: Cost = Cost { memory_kib: 8, passes: 1 };

const COMMANDS: usize = 1500;
/// How long store and switch may take to follow.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs many commands, and compares after each. `HOTDESK_COMMANDS` sets their number. `HOTDESK_SEED` repeats a run that failed.
async fn any_commands(place: Place) {
    let number = |name| std::env::var(name).ok().map(|number: String| number.parse::<u64>().unwrap());
    let commands = number("HOTDESK_COMMANDS").map_or(COMMANDS, |commands| commands as usize);
    let seed = number("HOTDESK_SEED").unwrap_or_else(|| getrandom::u64().unwrap());
    let began = Instant::now();
    let mut day = Day::begin(place, Random(seed)).await;
    for n in 0..commands {
        day.when = format!("HOTDESK_SEED={seed}, command {n}");
        day.step().await;
        day.compare().await;
    }
    eprintln!("HOTDESK_SEED={seed}: {commands} commands in {:?}: {:?}", began.elapsed(), day.seen);
    let times = |what: &str| day.seen.iter().filter(|(seen, _)| seen.contains(what)).count();
    let all = [
        "LoggedIn",
        "LoggedOut",
        "PinChanged",
        "Refused",
        "Told",
        "Unavailable",
        "locked",
        "automatic logout",
    ];
    assert!(commands < COMMANDS || all.iter().all(|what| times(what) > 0), "seed {seed}: {:?}", day.seen);
}

/// xorshift64
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }

    fn one_in(&mut self, most: usize) -> bool {
        self.below(most) == 0
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// The tested controller, and the reference.
struct Day {
    place: Place,
    scene: Scene,
    clock: watch::Sender<Moment>,
    settings: watch::Sender<Arc<Settings>>,
    _stop: DropGuard,
    reference: Reference,
    random: Random,
    /// The number of the command, and the seed of the run.
    when: String,
    /// The results of commands, and how often each was seen.
    seen: BTreeMap<String, usize>,
}

fn location() -> Location {
    let zone = Zone::new("UTC").unwrap();
    Location { zone, ..records::location() }
}

fn settings(AutoLogout { after, at }: AutoLogout) -> Arc<Settings> {
    let after = after.map_or(String::new(), |hours| format!("after = '{hours}h'\n"));
    let at = at.map_or(String::new(), |hour| format!("at = '{hour}:00'\n"));
    let rules = toml::from_str(&(after + &at)).unwrap();
    Arc::new(Settings {
        rules,
        warn: None,
        asks: false,
        extend: "60m".parse().unwrap(),
        zone: jiff::tz::TimeZone::UTC,
    })
}

impl Day {
    async fn begin(place: Place, random: Random) -> Self {
        let now: Timestamp = "2026-11-18T08:00:00Z".parse().unwrap();
        let (clock, time) = watch::channel(Moment::at(now));
        let settings = watch::Sender::new(settings(AutoLogout::default()));
        let store = place.open().await;
        records::change(&store, What::Location(location())).await;
        let scene = Self::scene(store, Arc::default(), time);
        let reference = Reference {
            snapshot: stores::Model::default(),
            pins: BTreeMap::new(),
            rules: LoginLimits::default(),
            auto_logout: AutoLogout::default(),
            own: BTreeMap::new(),
            extended: BTreeMap::new(),
            busy: BTreeSet::new(),
            away: false,
            now,
        };
        let stop = CancellationToken::new();
        let (when, seen) = ("at the beginning".into(), BTreeMap::new());
        let _stop = stop.clone().drop_guard();
        let mut day = Self { place, scene, clock, settings, _stop, reference, random, when, seen };
        day.timers(stop);
        for (n, user) in USERS[..4].iter().enumerate() {
            day.user(user, true, None).await;
            day.pin(user, PINS[n % PINS.len()]).await;
        }
        for desk in DEVICES {
            day.change(What::Device(device(desk))).await;
        }
        day.compare().await;
        day
    }

    fn scene(store: Arc<dyn Store>, toy: Arc<ToySwitch>, time: watch::Receiver<Moment>) -> Scene {
        let mut scene = Scene::over(store, &PRESETS, toy, Clock::told(time));
        scene.controller.pins = Pins::at(CHEAP, records::pepper());
        scene
    }

    fn timers(&self, stop: CancellationToken) {
        let floor: Arc<dyn Switch> = self.scene.toy.clone();
        let timers = Timers {
            tenant: TenantId::default(),
            store: self.scene.store.clone(),
            switches: BTreeMap::from([(switch("pbx"), floor)]),
            held: vec![],
            settings: self.settings.subscribe(),
            clock: Clock::told(self.clock.subscribe()),
        };
        timers.start(stop);
    }

    async fn step(&mut self) {
        let (user, desk) = (self.random.one(&USERS), self.random.one(&DEVICES));
        if self.reference.away && self.random.one_in(4) {
            return self.away();
        }
        match self.random.below(100) {
            0..=9 => self.time(),
            10..=13 => {
                let (hotdesk, after) = (!self.random.one_in(8), self.random.one(&["", "never", "3h", "20h"]));
                let user = self.random.one(&USERS[..4]);
                self.user(user, hotdesk, Some(after).filter(|rule| !rule.is_empty())).await;
            }
            14..=18 => {
                let owner = Some(user).filter(|_| self.random.one_in(3)).map(ext);
                let (hotdesk, fenced) = (!self.random.one_in(10), self.random.one_in(12));
                let allow_from = if fenced { vec!["192.0.2.0/24".parse().unwrap()] } else { vec![] };
                self.change(What::Device(Device { hotdesk, owner, allow_from, ..device(desk) })).await;
            }
            19 => {
                self.change(What::RemoveUser(ext(user))).await;
            }
            20 => {
                self.change(What::RemoveDevice(name(desk))).await;
            }
            21..=26 => {
                let pin = self.random.one(&PINS);
                self.pin(user, pin).await;
            }
            27..=29 => {
                let alias = records::pepper().alias(&TenantId::default(), &ext(user));
                let unlock = [Unlock::All, Unlock::Device(name(desk)), Unlock::User(ext(user), alias)];
                let unlock = unlock[self.random.below(3)].clone();
                self.change(What::Unlock(unlock)).await;
            }
            30..=32 => self.rule(),
            33..=34 => {
                let (after, at) = (
                    self.random.one(&[None, None, Some(4), Some(9)]),
                    self.random.one(&[None, Some(7), Some(23)]),
                );
                self.reference.auto_logout = AutoLogout { after, at };
                self.settings.send_replace(settings(self.reference.auto_logout));
            }
            35..=38 => self.command(user, desk).await,
            39..=42 => self.device_is_used(desk),
            43..=44 => self.extend(desk).await,
            45..=46 => self.drift(desk),
            // Seldom: until it is back, each login waits.
            47..=48 if self.random.one_in(4) => self.away(),
            49..=50 => self.restart().await,
            _ => self.dial(user, desk).await,
        }
    }

    fn time(&mut self) {
        let seconds = match self.random.below(30) {
            0..=14 => self.random.below(400),
            15..=24 => 600 + self.random.below(4 * 3600),
            25..=28 => 3600 * self.random.below(30) + self.random.below(3600),
            _ if self.random.one_in(20) => 31 * 86_400,
            _ => 2 * 86_400,
        };
        self.reference.now += SignedDuration::from_secs(seconds as i64);
        self.clock.send_replace(Moment::at(self.reference.now));
    }

    /// Changes the store as the command line does, and checks the refusal.
    async fn change(&mut self, what: What) -> bool {
        let expected = self.reference.snapshot.change(&what);
        let (tenant, by) = (TenantId::default(), Actor::Command("test".into()));
        let change = Change { tenant, what, by, at: self.reference.now };
        let done = self.scene.store.change(&change).await.map(drop).map_err(Not::from);
        assert_eq!(done, expected, "{:?}, {}", change.what, self.when);
        if let (Ok(()), What::RemoveUser(user)) = (&done, &change.what) {
            self.reference.pins.remove(user);
            self.reference.own.remove(user);
        }
        done.is_ok()
    }

    async fn user(&mut self, extension: &str, hotdesk: bool, after: Option<&str>) {
        let mut user = user(extension, "x");
        user.hotdesk = hotdesk;
        user.language = Language::new("nl").ok().filter(|_| extension == "103");
        self.reference.own.remove(&ext(extension));
        if let Some(after) = after {
            user.auto_logout =
                toml::from_str::<auto_logout::AutoLogoutRules>(&format!("after = '{after}'")).unwrap();
            let hours = after.strip_suffix('h').map(|hours| hours.parse().unwrap());
            self.reference.own.insert(ext(extension), hours);
        }
        self.change(What::User(user)).await;
    }

    async fn pin(&mut self, user: &str, digits: &'static str) {
        let (pin, pepper) = (Pin::new(digits).unwrap(), records::pepper());
        let tenant = TenantId::default();
        let record = PinRecord::make_at(CHEAP, &pin, &pepper, &tenant, &ext(user), [9; 16]);
        let now = self.reference.now;
        if self.change(What::Pin(ext(user), record.chosen(now))).await {
            self.reference.pins.insert(ext(user), (digits, now));
        }
    }

    fn rule(&mut self) {
        let two = NonZeroU8::new(2).unwrap();
        let multiple_logins = self.random.one(&[
            MultipleLogins::Refuse,
            MultipleLogins::Keep(two),
            MultipleLogins::Keep(two),
            MultipleLogins::Move,
            MultipleLogins::Move,
        ]);
        let login = LoginRules { multiple_logins, take_over: !self.random.one_in(5) };
        let pin_days = self.random.one(&[None, None, None, NonZeroU16::new(3)]);
        self.reference.rules = LoginLimits { login, pin_days };
        self.scene.rule(self.reference.rules);
    }

    async fn command(&mut self, user: &str, desk: &str) {
        let (user, desk) = (ext(user), name(desk));
        let command = match self.random.below(4) {
            0 => SessionCommand::LogOutDevice(desk),
            1 => SessionCommand::LogOutEverywhere(user),
            _ => SessionCommand::LogIn(user, desk, self.reference.rules.login),
        };
        let expected = self.reference.tries(command.clone());
        let done = self.scene.store.change_sessions(&moving(command.clone(), self.reference.now)).await;
        assert_eq!(done.map(drop).map_err(Not::from), expected, "{command:?}, {}", self.when);
    }

    /// A call begins or ends at a device.
    fn device_is_used(&mut self, desk: &str) {
        let (busy, desk) = (&mut self.reference.busy, name(desk));
        if !busy.remove(&desk) {
            busy.insert(desk.clone());
        }
        *self.scene.toy.busy.lock().unwrap() = busy.clone();
        let _ = self.scene.toy.device_events.send(DeviceEvent { device: desk, call: true });
    }

    async fn extend(&mut self, desk: &str) {
        let until = self.reference.now + SignedDuration::from_hours(1 + self.random.below(12) as i64);
        let key = self.random.one(&["1", "1", "2", ""]);
        let expected = self.reference.is_asked(&name(desk), until, key);
        let heard = self.scene.call(desk, "", Some(until), (&[key], None)).await;
        assert_eq!(heard, expected, "extension at {desk}, {}", self.when);
    }

    /// Another program writes into the switch, and the switch reports a possible change.
    fn drift(&mut self, desk: &str) {
        let mut table = self.scene.toy.table.lock().unwrap();
        if self.random.one_in(2) {
            table.retain(|key, _| key.about != About::Device(name(desk)));
        } else {
            table.insert(rows::read_key("hotdesk/what"), "this is".into());
        }
        drop(table);
        self.scene.toy.in_doubt.send_modify(|n| *n += 1);
    }

    /// The switch becomes unreachable, or reachable again.
    fn away(&mut self) {
        self.reference.away = !self.reference.away;
        *self.scene.toy.mood.lock().unwrap() = if self.reference.away { Mood::Away } else { Mood::Well };
        if !self.reference.away {
            self.scene.toy.in_doubt.send_modify(|n| *n += 1);
        }
    }

    /// The controller stops. Time passes, the directory changes, and the switch may lose its table. Then another controller starts.
    async fn restart(&mut self) {
        let stop = CancellationToken::new();
        self._stop = stop.clone().drop_guard();
        let (store, toy) = (self.place.open().await, self.scene.toy.clone());
        // Without a reconciler or timers.
        self.scene._stop = CancellationToken::new().drop_guard();
        if self.random.one_in(2) {
            toy.table.lock().unwrap().clear();
        }
        for _ in 0..self.random.below(3) {
            self.time();
            let (user, hotdesk) = (self.random.one(&USERS[..4]), !self.random.one_in(3));
            self.user(user, hotdesk, None).await;
        }
        self.scene = Self::scene(store, toy, self.clock.subscribe());
        self.scene.rule(self.reference.rules);
        self.timers(stop);
    }

    /// The entries of a caller, most often the right ones.
    fn entries(&mut self, code: Code, user: &'static str, desk: &str) -> Vec<&'static str> {
        let here = self.reference.at(&name(desk)).map(|(.., user)| user);
        let named = match code {
            Code::Login(user) | Code::ToggleUser(user) | Code::Touch(user, _) => user,
            Code::ChangePin => USERS.into_iter().find(|user| Some(ext(user)) == here).unwrap_or(user),
            _ => user,
        };
        let asks = matches!(code, Code::Toggle | Code::Everywhere)
            || matches!(code, Code::ChangePin) && here.is_none();
        let mut entries = vec![];
        for _ in 0..3 {
            if asks {
                entries.push(if self.random.one_in(12) { self.random.one(&["", "555"]) } else { named });
            }
            let right = self.reference.pins.get(&ext(named)).map_or("729154", |(pin, _)| pin);
            let wrong = ["", "12", "000111", "55*903162", "583617"];
            let right_now = !self.random.one_in(3);
            entries.push(if right_now { right } else { self.random.one(&wrong) });
            if right_now && matches!(code, Code::ChangePin) {
                for _ in 0..3 {
                    let new = self.random.one(&PINS);
                    entries.extend([if self.random.one_in(6) { "123456" } else { new }, new]);
                }
            }
        }
        // Now and then the caller hangs up.
        if self.random.one_in(6) {
            entries.truncate(self.random.below(4));
        }
        entries
    }

    async fn dial(&mut self, user: &'static str, desk: &str) {
        let user = if user == "999" && !self.random.one_in(4) { "101" } else { user };
        let right = self.reference.pins.get(&ext(user)).map_or("729154", |(pin, _)| *pin);
        let pin = if self.random.one_in(5) { "000111" } else { right };
        let code = match self.random.below(24) {
            0 => Code::ChangePin,
            1..=2 => Code::Everywhere,
            3..=5 => Code::Login(user),
            6 => Code::Logout,
            7 => Code::Mistyped,
            8..=9 => Code::Pinless(user),
            10..=11 => Code::Toggle,
            12..=13 => Code::ToggleUser(user),
            14 => Code::Who,
            _ => Code::Touch(user, pin),
        };
        let entries = self.entries(code, user, desk);
        let expected = self.reference.hears(&name(desk), code, &entries);
        let heard = self.scene.dial(desk, &code.keys(), &entries).await;
        assert_eq!(heard, expected, "{code:?} at {desk} with {entries:?}, {}", self.when);
        let last = heard.0.last().map_or("", String::as_str);
        *self.seen.entry(format!("{:?} {last}", heard.1)).or_default() += 1;
    }

    /// Compares users, devices, sessions, failures and the switch table.
    async fn compare(&mut self) {
        let (store, tenant) = (self.scene.store.clone(), TenantId::default());
        let all = async || store.snapshot(&tenant, &Scope::All).await.unwrap();
        let until = Instant::now() + PATIENCE;
        let mut snapshot = all().await;
        // An automatic logout needs a moment.
        if self.reference.time_passes() {
            *self.seen.entry("automatic logout".into()).or_default() += 1;
            while sessions(&snapshot) != sessions(&self.reference.snapshot.snapshot())
                && Instant::now() < until
            {
                tokio::time::sleep(Duration::from_millis(1)).await;
                snapshot = all().await;
            }
        }
        assert_eq!(sessions(&snapshot), sessions(&self.reference.snapshot.snapshot()), "{}", self.when);
        self.reference.counts_as(&snapshot);
        let is = Snapshot { locations: snapshot.locations.clone(), ..self.reference.snapshot.snapshot() };
        assert_eq!(snapshot, is, "{}", self.when);
        store.prune(&tenant, self.reference.now).await;
        self.reference.snapshot.prune(self.reference.now.as_second());
        let tried = store.tries(&tenant).await.unwrap();
        assert_eq!(stores::tried(&tried), self.reference.snapshot.tried(), "{}", self.when);
        if self.reference.away {
            return;
        }
        let expected = self.reference.table(&location());
        while *self.scene.toy.table.lock().unwrap() != expected && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(*self.scene.toy.table.lock().unwrap(), expected, "{}", self.when);
    }
}

/// The device, the user and the beginning of each session.
fn sessions(snapshot: &Snapshot) -> Vec<(DeviceName, Extension, Timestamp)> {
    snapshot.sessions.values().map(|at| (at.device.clone(), at.user.clone(), at.since)).collect()
}
