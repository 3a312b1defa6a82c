//! A large company that changes all the time: 10,000 users, 2,000 devices, 500 logins a second for a minute, on a real
//! Asterisk with a real store. The cost of one change must not grow with the number of users. After the minute the benchmark
//! reads back rows, hints, BLFs and queue members, and compares them with the store. Then all of it again, with every BLF
//! watched.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

#[path = "../tests/harness/mod.rs"]
mod harness;

mod pbx;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::harness::asking::Ask as _;
use crate::harness::asking::{Import, Move};
use harness::asterisk::Asterisk;
use hotdesk::asterisk::ami::client::Manager;
use hotdesk::asterisk::ami::codec::Action;
use hotdesk::asterisk::table::astdb::AsteriskSwitch;
use hotdesk::asterisk::table::rows;
use hotdesk::controller::reconcile::{Kept, PATIENCE, Reconciler};
use hotdesk::controller::request_id;
use hotdesk::model::desired::{About, Desired, Reading, Records, Scope, difference};
use hotdesk::model::directory::group::{Group, Kind};
use hotdesk::model::directory::profile::Membership;
use hotdesk::model::directory::{Device, User};
use hotdesk::model::id::{DeviceName, DialTarget, Extension, GroupName, SwitchName, TenantId};
use hotdesk::model::journal::Actor;
use hotdesk::model::login::limits::LoginRules;
use hotdesk::model::login::transition::{SessionCommand, Transition};
use hotdesk::model::routes::Routes;
use hotdesk::store::{Store, open};
use hotdesk::switch::Switch;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

/// Numbers of users whose logins are compared.
const COMPANIES: [usize; 3] = [100, 1_000, 10_000];
/// Users who share a device.
const SHARE: usize = 5;
/// Logins per second.
const RATE: u64 = 500;
/// How long they last.
const MINUTE: Duration = Duration::from_secs(60);
/// Every so many users, one takes the calls of a queue.
const MEMBER: usize = 10;
/// Number of queues: 50 members each, in the largest company.
const QUEUES: usize = 20;
/// Timed logins of each kind of user.
const TIMED: usize = 200;

fn user(n: usize) -> Extension {
    Extension::new(format!("{}", 10_000 + n)).unwrap()
}

fn desk(n: usize) -> DeviceName {
    DeviceName::new(format!("desk{n}")).unwrap()
}

fn queue(n: usize) -> GroupName {
    GroupName::new(format!("queue{}", n % QUEUES)).unwrap()
}

fn routes() -> Routes {
    let groups = (0..QUEUES).map(|n| (queue(n), Group { kind: Kind::Queue, number: None })).collect();
    Routes { groups, ..Routes::default() }
}

/// Users who take the calls of a queue, or the others. Each kind has its own devices, and logs in at them in turn.
#[derive(Clone, Copy)]
enum Who {
    Members,
    Others,
}

impl Who {
    /// How many of `all` users or devices are of this kind.
    fn of(self, all: usize) -> usize {
        match self {
            Self::Members => all / MEMBER,
            Self::Others => all - all / MEMBER,
        }
    }

    /// The number of the `n`th of this kind.
    fn nth(self, n: usize) -> usize {
        match self {
            Self::Members => n * MEMBER,
            Self::Others => n + n / (MEMBER - 1) + 1,
        }
    }
}

/// Adds users, and a device for every [`SHARE`] of them; every tenth user is signed in to a queue.
async fn hire(store: &dyn Store, users: usize) {
    let tenant = TenantId::default();
    let hired = (0..users).map(|n| {
        let mut user = User::new(tenant.clone(), user(n));
        if n % MEMBER == 0 {
            let paused = n % (2 * MEMBER) == 0;
            user.profile.groups.insert(queue(n / MEMBER), Membership { signed_in: true, paused });
        }
        user
    });
    let desks = (0..users / SHARE).map(|n| {
        let dial = DialTarget::new(format!("PJSIP/desk{n}")).unwrap();
        Device::new(tenant.clone(), desk(n), SwitchName::default(), dial)
    });
    let import = Import {
        tenant: tenant.clone(),
        locations: vec![],
        users: hired.collect(),
        pins: vec![],
        devices: desks.collect(),
        by: Actor::Controller,
        at: Timestamp::now(),
    };
    store.import(&import).await.unwrap();
}

/// Logs in a user at a device, both by number.
async fn log_in(store: &dyn Store, who: usize, at: usize) -> Transition {
    let login = Move {
        request: request_id().unwrap(),
        tenant: TenantId::default(),
        command: SessionCommand::LogIn(user(who), desk(at), LoginRules::default()),
        by: Actor::Controller,
        call: None,
        code: None,
        at: Timestamp::now(),
    };
    store.change_sessions(&login).await.unwrap()
}

/// The desired and the actual state of the switch.
async fn both(store: &dyn Store, switch: &AsteriskSwitch) -> (Records, Reading) {
    let snapshot = store.snapshot(&TenantId::default(), &Scope::All).await.unwrap();
    let desired = Desired::of(&snapshot, &Scope::All, &SwitchName::default(), &routes());
    let mut held = switch.read(&Desired::subjects(&snapshot, &Scope::All)).await.unwrap();
    assert_eq!(held.not_readable, []);
    // The mark of the store is no state.
    held.records.retain(|key, _| Some(key) != switch.mark_key().as_ref());
    (switch.project(&desired, &held.records), held)
}

/// Waits until both are equal; how long that took.
async fn agreed(store: &dyn Store, switch: &AsteriskSwitch) -> (Duration, Records) {
    let began = Instant::now();
    loop {
        let (wanted, held) = both(store, switch).await;
        let differs = difference(&wanted, &held);
        if differs.is_empty() {
            return (began.elapsed(), held.records);
        }
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "{} never agree: {:?}",
            differs.len(),
            differs.first()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The cost of a login.
#[derive(Clone, Copy)]
struct Cost {
    /// In the store.
    stored: Duration,
    /// Until the switch has acknowledged it.
    whole: Duration,
    /// Processor time of Asterisk and of Hotdesk. Unlike the two above it hardly depends on the load of the machine.
    cpu: [Duration; 2],
}

/// The processor time that Asterisk and this process have used.
fn cpu(pbx: &Asterisk) -> [Duration; 2] {
    [pbx.pid().unwrap(), std::process::id()].map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let after_name = stat.rsplit(')').next().unwrap();
        let ticks = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    })
}

/// Times logins, one after the other: a user without a session logs in at a device where another user is logged in.
async fn timed(store: &dyn Store, reconciler: &Reconciler, pbx: &Asterisk, users: usize, who: Who) -> Cost {
    // Until the work of earlier logins has ended.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (mut times, before) = ((vec![], vec![]), cpu(pbx));
    let (people, desks) = (who.of(users), who.of(users / SHARE));
    for n in 0..TIMED {
        let began = Instant::now();
        let done = log_in(store, who.nth((n + desks) % people), who.nth(n % desks)).await;
        times.0.push(began.elapsed());
        reconciler.reconcile(done.touches(), Some(done.revision)).await.unwrap();
        times.1.push(began.elapsed());
        assert_eq!((done.begun.len(), done.ended.len()), (1, 1), "the device has another user");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ([asterisk, hotdesk], [asterisk_before, hotdesk_before]) = (cpu(pbx), before);
    let cpu =
        [asterisk - asterisk_before, hotdesk - hotdesk_before].map(|all| all / u32::try_from(TIMED).unwrap());
    Cost { stored: median(times.0), whole: median(times.1), cpu }
}

/// Prints a cost, and its ratio to that of the smallest company.
fn print(what: &str, cost: Cost, smallest: Cost) {
    let beside = |is: Duration, least: Duration| {
        format!("{:>8.3} ms ({:.2})", is.as_secs_f64() * 1e3, is.as_secs_f64() / least.as_secs_f64())
    };
    let ([asterisk, hotdesk], [least, hotdesk_least]) = (cost.cpu, smallest.cpu);
    println!(
        "  {what:38} {}, of which the store {}; processor: Asterisk {}, Hotdesk {}",
        beside(cost.whole, smallest.whole),
        beside(cost.stored, smallest.stored),
        beside(asterisk, least),
        beside(hotdesk, hotdesk_least),
    );
}

/// Watches every user and device: asking for a state makes Asterisk's hint, like a phone's SUBSCRIBE.
async fn watch_all(manager: &Manager, all: usize) {
    let users = (0..all).map(|n| About::Blf(user(n)));
    let lamps = users.chain((0..all / SHARE).map(|n| About::DeviceBlf(desk(n))));
    let ask = |lamp| {
        Action::new("ExtensionState")
            .with("Exten", rows::extension(&lamp).unwrap())
            .with("Context", "hotdesk-hints")
    };
    let answers = manager.act_all(lamps.map(ask).collect()).await.unwrap();
    assert!(answers.iter().all(|answer| answer.is_success()));
}

/// Logs users in, [`RATE`] times a second for `length`; then reads everything back.
async fn minute(store: &dyn Store, switch: &AsteriskSwitch, (users, length): (usize, Duration)) {
    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(RATE).unwrap());
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let (began, mut logins) = (Instant::now(), 0);
    while began.elapsed() < length {
        tick.tick().await;
        log_in(store, logins * 7_919 % users, logins * 104_729 % (users / SHARE)).await;
        logins += 1;
    }
    let rate = logins as f64 / began.elapsed().as_secs_f64();
    let (late, held) = agreed(store, switch).await;
    let of = |is: fn(&About) -> bool| held.keys().filter(|key| is(&key.about)).count();
    println!(
        "{logins} logins in {length:.0?} ({rate:.0}/s); {late:.1?} later the switch agrees with the store: {} rows of \
         devices, {} of users, {} hints, {} members",
        of(|about| matches!(about, About::Device(_))),
        of(|about| matches!(about, About::User(_))),
        of(|about| matches!(about, About::Blf(_) | About::DeviceBlf(_))),
        of(|about| matches!(about, About::Member(..))),
    );
}

/// With `short`, and as a test, two small companies and two seconds: that all of it works, not how fast.
async fn run(short: bool) {
    let companies: &[usize] = if short { &[50, 100] } else { &COMPANIES };
    let most = companies.iter().copied().max().unwrap();
    let length = if short { Duration::from_secs(2) } else { MINUTE };
    let pbx = pbx::asterisk(&routes());
    let stop = CancellationToken::new();
    let manager = pbx::manager(&pbx, &stop).await;
    let tenant = TenantId::default();
    let switch = Arc::new(AsteriskSwitch::new(manager.clone(), &tenant).with(routes().groups));
    let folder = tempfile::tempdir().unwrap();
    let store = open("sqlite:hotdesk.db", folder.path()).await.unwrap();
    let kept = Kept { name: SwitchName::default(), tenant, routes: routes(), patience: PATIENCE };
    let (reconciler, _task) = Reconciler::start(kept, store.clone(), switch.clone(), stop.clone());
    let store = store.as_ref();

    println!(
        "{}, a device for {SHARE} users, every {MEMBER}th user in one of {QUEUES} queues; medians of {TIMED} logins, and their \
         ratios to those of {} users",
        pbx.banner(),
        companies.first().unwrap()
    );
    let mut smallest = None;
    for &users in companies {
        hire(store, users).await;
        for n in 0..users / SHARE {
            log_in(store, n, n).await;
        }
        agreed(store, &switch).await;
        let others = timed(store, &reconciler, &pbx, users, Who::Others).await;
        let members = timed(store, &reconciler, &pbx, users, Who::Members).await;
        let (least, least_member) = *smallest.get_or_insert((others, members));
        print(&format!("{users} users"), others, least);
        print(&format!("{users} users, of members of queues"), members, least_member);
    }
    minute(store, &switch, (most, length)).await;

    // A phone that begins to watch now is shown the state that the store has.
    watch_all(&manager, most).await;
    let (wanted, held) = both(store, &switch).await;
    assert_eq!(difference(&wanted, &held).first(), None);
    for n in 0..most / SHARE {
        log_in(store, n, n).await;
    }
    agreed(store, &switch).await;
    let (least, _) = smallest.unwrap();
    let others = timed(store, &reconciler, &pbx, most, Who::Others).await;
    print(&format!("{most} users, every BLF is watched"), others, least);
    minute(store, &switch, (most, length)).await;
    stop.cancel();
}

fn main() {
    let has = |option: &str| std::env::args().any(|arg| arg == option);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(has("--short") || !has("--bench")));
}
