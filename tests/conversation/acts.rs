//! Any sequence of acts, by phone, by command and by the clock, does what a reference says: on both stores, in the switch,
//! and in the caller's ear.

mod reference;

use std::num::{NonZeroU8, NonZeroU16};
use std::time::Instant;

use hotdesk::controller::timers::{Settings, Timers};
use hotdesk::desk::id::Extension;
use hotdesk::desk::journal::Actor;
use hotdesk::desk::leave;
use hotdesk::desk::location::{Location, Zone};
use hotdesk::desk::model::{Binding, Office};
use hotdesk::desk::pin::{Cost, Pin, PinRecord};
use hotdesk::desk::rules::{Multi, Rules, Seating};
use hotdesk::desk::seat::Act;
use hotdesk::store::{Change, Unlock};
use jiff::SignedDuration;

use super::*;
use crate::store::Place;
use crate::store::model::reference::{self as stores, Not};
use crate::support::office::ext;
use reference::{Code, Leave, Reference, moving};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_acts_do_what_the_reference_does_on_sqlite() {
    any_acts(Place::sqlite_in_memory()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_acts_do_what_the_reference_does_on_redis() {
    any_acts(Place::redis_in_memory()).await;
}

/// 103 is spoken to in Dutch; the last one never is a user.
const USERS: [&str; 5] = ["101", "102", "103", "104", "999"];
const DESKS: [&str; 3] = ["desk1", "desk2", "desk3"];
/// PINs that may be chosen.
const PINS: [&str; 3] = ["729154", "583617", "903162"];
const PRESETS: [Preset; 4] = [Preset::Simmpl, Preset::ThreeCx, Preset::Xelion, Preset::Extras];

const CHEAP: Cost = Cost { memory_kib: 8, passes: 1 };

const ACTS: usize = 1500;
/// How long store and switch may take to follow.
const PATIENCE: Duration = Duration::from_secs(20);

/// Each of many acts, and a comparison after it. `HOTDESK_ACTS` says how many, `HOTDESK_SEED` which: that of a run
/// that failed.
async fn any_acts(place: Place) {
    let number = |name| std::env::var(name).ok().map(|number: String| number.parse::<u64>().unwrap());
    let acts = number("HOTDESK_ACTS").map_or(ACTS, |acts| acts as usize);
    let seed = number("HOTDESK_SEED").unwrap_or_else(|| getrandom::u64().unwrap());
    let began = Instant::now();
    let mut day = Day::begin(place, Random(seed)).await;
    for n in 0..acts {
        day.when = format!("HOTDESK_SEED={seed}, act {n}");
        day.act().await;
        day.compare().await;
    }
    eprintln!("HOTDESK_SEED={seed}: {acts} acts in {:?}: {:?}", began.elapsed(), day.seen);
    let times = |what: &str| day.seen.iter().filter(|(seen, _)| seen.contains(what)).count();
    let all = ["LoggedIn", "LoggedOut", "PinChanged", "Refused", "Told", "Unavailable", "locked", "left by"];
    assert!(acts < ACTS || all.iter().all(|what| times(what) > 0), "seed {seed}: {:?}", day.seen);
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

/// What is tried, and the reference.
struct Day {
    place: Place,
    scene: Scene,
    clock: watch::Sender<Timestamp>,
    settings: watch::Sender<Arc<Settings>>,
    _stop: DropGuard,
    reference: Reference,
    random: Random,
    /// Which act of which run.
    when: String,
    /// How acts ended, and how often.
    seen: BTreeMap<String, usize>,
}

fn location() -> Location {
    let zone = Zone::new("UTC").unwrap();
    Location { zone, ..office::location() }
}

fn settings(Leave { after, at }: Leave) -> Arc<Settings> {
    let after = after.map_or(String::new(), |hours| format!("after = '{hours}h'\n"));
    let at = at.map_or(String::new(), |hour| format!("at = '{hour}:00'\n"));
    let rules = toml::from_str(&(after + &at)).unwrap();
    Arc::new(Settings { rules, warn: None, asks: None, zone: jiff::tz::TimeZone::UTC })
}

impl Day {
    async fn begin(place: Place, random: Random) -> Self {
        let now: Timestamp = "2026-11-18T08:00:00Z".parse().unwrap();
        let (clock, told) = watch::channel(now);
        let settings = watch::Sender::new(settings(Leave::default()));
        let store = place.open().await;
        office::change(&store, What::Location(location())).await;
        let scene = Self::scene(store, Arc::default(), told);
        let reference = Reference {
            office: stores::Model::default(),
            pins: BTreeMap::new(),
            rules: Rules::default(),
            leave: Leave::default(),
            own: BTreeMap::new(),
            stays: BTreeMap::new(),
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
        for desk in DESKS {
            day.change(What::Device(device(desk))).await;
        }
        day.compare().await;
        day
    }

    fn scene(store: Arc<dyn Store>, toy: Arc<ToySwitch>, told: watch::Receiver<Timestamp>) -> Scene {
        let mut scene = Scene::over(store, &PRESETS, toy, Clock::Told(told));
        scene.controller.pins = Pins::at(CHEAP, office::pepper());
        scene
    }

    fn timers(&self, stop: CancellationToken) {
        let floor: Arc<dyn Switch> = self.scene.toy.clone();
        let timers = Timers {
            tenant: TenantId::default(),
            store: self.scene.store.clone(),
            switches: BTreeMap::from([(switch("pbx"), floor)]),
            settings: self.settings.subscribe(),
            clock: Clock::Told(self.clock.subscribe()),
        };
        timers.start(stop);
    }

    async fn act(&mut self) {
        let (user, desk) = (self.random.one(&USERS), self.random.one(&DESKS));
        if self.reference.away && self.random.one_in(4) {
            return self.away();
        }
        match self.random.below(100) {
            0..=9 => self.time(),
            10..=13 => {
                let (hotdesk, leave) = (!self.random.one_in(8), self.random.one(&["", "never", "3h", "20h"]));
                let user = self.random.one(&USERS[..4]);
                self.user(user, hotdesk, Some(leave).filter(|rule| !rule.is_empty())).await;
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
                let alias = office::pepper().alias(&TenantId::default(), &ext(user));
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
                self.reference.leave = Leave { after, at };
                self.settings.send_replace(settings(self.reference.leave));
            }
            35..=38 => self.command(user, desk).await,
            39..=42 => self.phone_rings(desk),
            43..=44 => self.stay(desk).await,
            45..=46 => self.drift(desk),
            47..=48 => self.away(),
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
        self.clock.send_replace(self.reference.now);
    }

    /// As the command line does it, and refused where it must be.
    async fn change(&mut self, what: What) -> bool {
        let expected = self.reference.office.change(&what);
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

    async fn user(&mut self, extension: &str, hotdesk: bool, leaves: Option<&str>) {
        let mut user = user(extension, "x");
        user.hotdesk = hotdesk;
        user.language = Language::new("nl").ok().filter(|_| extension == "103");
        self.reference.own.remove(&ext(extension));
        if let Some(leaves) = leaves {
            user.leave = toml::from_str::<leave::Rules>(&format!("after = '{leaves}'")).unwrap();
            let hours = leaves.strip_suffix('h').map(|hours| hours.parse().unwrap());
            self.reference.own.insert(ext(extension), hours);
        }
        self.change(What::User(user)).await;
    }

    async fn pin(&mut self, user: &str, digits: &'static str) {
        let (pin, pepper) = (Pin::new(digits).unwrap(), office::pepper());
        let tenant = TenantId::default();
        let record = PinRecord::make_at(CHEAP, &pin, &pepper, &tenant, &ext(user), [9; 16]);
        let now = self.reference.now;
        if self.change(What::Pin(ext(user), record.chosen(now))).await {
            self.reference.pins.insert(ext(user), (digits, now));
        }
    }

    fn rule(&mut self) {
        let two = NonZeroU8::new(2).unwrap();
        let multi =
            self.random.one(&[Multi::Refuse, Multi::Keep(two), Multi::Keep(two), Multi::Move, Multi::Move]);
        let seating = Seating { multi, take_over: !self.random.one_in(5) };
        let pin_days = self.random.one(&[None, None, None, NonZeroU16::new(3)]);
        self.reference.rules = Rules { seating, pin_days };
        self.scene.rule(self.reference.rules);
    }

    async fn command(&mut self, user: &str, desk: &str) {
        let (user, desk) = (ext(user), name(desk));
        let act = match self.random.below(4) {
            0 => Act::Clear(desk),
            1 => Act::LeaveAll(user),
            _ => Act::Seat(user, desk, self.reference.rules.seating),
        };
        let expected = self.reference.tries(act.clone());
        let done = self.scene.store.move_people(&moving(act.clone(), self.reference.now)).await;
        assert_eq!(done.map(drop).map_err(Not::from), expected, "{act:?}, {}", self.when);
    }

    /// A call begins at a phone, or ends.
    fn phone_rings(&mut self, desk: &str) {
        let (busy, desk) = (&mut self.reference.busy, name(desk));
        if !busy.remove(&desk) {
            busy.insert(desk.clone());
        }
        *self.scene.toy.busy.lock().unwrap() = busy.clone();
        let _ = self.scene.toy.stirs.send(Stir { device: desk, call: true });
    }

    async fn stay(&mut self, desk: &str) {
        let until = self.reference.now + SignedDuration::from_hours(1 + self.random.below(12) as i64);
        let key = self.random.one(&["1", "1", "2", ""]);
        let expected = self.reference.is_asked(&name(desk), until, key);
        let heard = self.scene.call(desk, "", Some(until), (&[key], None)).await;
        assert_eq!(heard, expected, "stays at {desk}, {}", self.when);
    }

    /// Somebody else writes into the switch, and it says that it may have changed.
    fn drift(&mut self, desk: &str) {
        let mut table = self.scene.toy.table.lock().unwrap();
        if self.random.one_in(2) {
            table.remove(&Key::Device(name(desk)));
        } else {
            table.insert(Key::Unknown("what".into()), Row::Unreadable("this is".into()));
        }
        drop(table);
        self.scene.toy.unsettled.send_modify(|n| *n += 1);
    }

    /// The switch goes away, or comes back.
    fn away(&mut self) {
        self.reference.away = !self.reference.away;
        *self.scene.toy.mood.lock().unwrap() = if self.reference.away { Mood::Away } else { Mood::Well };
        if !self.reference.away {
            self.scene.toy.unsettled.send_modify(|n| *n += 1);
        }
    }

    /// The controller is no more; time passes, the directory changes, the switch forgets; then there is another one.
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

    /// What a caller would enter, most often rightly.
    fn entries(&mut self, code: Code, user: &'static str, desk: &str) -> Vec<&'static str> {
        let here = self.reference.at(&name(desk)).map(|(.., user)| user);
        let named = match code {
            Code::Login(user) | Code::ToggleHim(user) | Code::Touch(user, _) => user,
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
        // Now and then he hangs up.
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
            12..=13 => Code::ToggleHim(user),
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

    /// Who is there and sits where, whose failures count, and the switch's table.
    async fn compare(&mut self) {
        let (store, tenant) = (self.scene.store.clone(), TenantId::default());
        let all = async || store.office(&tenant, &Scope::All).await.unwrap();
        let until = Instant::now() + PATIENCE;
        let mut office = all().await;
        // Who leaves by himself does so in a moment.
        if self.reference.time_passes() {
            *self.seen.entry("left by themselves".into()).or_default() += 1;
            while who(&office) != who(&self.reference.office.office()) && Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(1)).await;
                office = all().await;
            }
        }
        assert_eq!(who(&office), who(&self.reference.office.office()), "{}", self.when);
        self.reference.counts_as(&office);
        let is = Office { locations: office.locations.clone(), ..self.reference.office.office() };
        assert_eq!(office, is, "{}", self.when);
        let tried = store.tries(&tenant).await.unwrap();
        assert_eq!(stores::tried(&tried), self.reference.office.tried(), "{}", self.when);
        if self.reference.away {
            return;
        }
        let wanted = self.reference.table(&location());
        while *self.scene.toy.table.lock().unwrap() != wanted && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(*self.scene.toy.table.lock().unwrap(), wanted, "{}", self.when);
    }
}

/// Who sits where since when.
fn who(office: &Office) -> Vec<(DeviceName, Extension, Timestamp)> {
    office.bindings.values().map(|at| (at.device.clone(), at.user.clone(), at.since)).collect()
}
