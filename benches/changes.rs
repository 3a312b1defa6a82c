//! A large office that changes all the time: 10,000 users, 2,000 desks, 500 logins a second for a minute, on a real Asterisk
//! with a real store. What one change costs must not grow with the number of users; and after the minute rows, hints, lamps
//! and members of the queues are read back, and are what the store wants. All of it again while every lamp is watched.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[path = "../tests/support/mod.rs"]
mod support;

mod pbx;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hotdesk::asterisk::ami::Action;
use hotdesk::asterisk::astdb::AstDb;
use hotdesk::asterisk::manager::Manager;
use hotdesk::asterisk::rows;
use hotdesk::controller::reconcile::{Kept, Reconciler};
use hotdesk::controller::request_id;
use hotdesk::desk::group::{Group, Kind};
use hotdesk::desk::id::{DeviceName, DialTarget, Extension, GroupName, SwitchName, TenantId};
use hotdesk::desk::journal::Actor;
use hotdesk::desk::model::{Device, User};
use hotdesk::desk::profile::Membership;
use hotdesk::desk::reach::Reach;
use hotdesk::desk::rules::Seating;
use hotdesk::desk::seat::{Act, Move, Transition};
use hotdesk::desk::table::{Key, Scope, Table, difference, wanted};
use hotdesk::store::{Import, Store, open};
use hotdesk::switch::Switch;
use jiff::Timestamp;
use support::asterisk::Asterisk;
use tokio_util::sync::CancellationToken;

/// Offices whose logins are compared.
const OFFICES: [usize; 3] = [100, 1_000, 10_000];
/// That of the minute.
const USERS: usize = 10_000;
/// So many share a desk.
const SHARE: usize = 5;
/// Logins a second.
const RATE: u64 = 500;
/// How long.
const MINUTE: Duration = Duration::from_secs(60);
/// Each so manieth user takes the calls of a queue.
const MEMBER: usize = 10;
/// How many queues there are: of 50 members each, in the largest office.
const QUEUES: usize = 20;
/// Logins that are timed, of each kind of users.
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

fn reach() -> Reach {
    let groups = (0..QUEUES).map(|n| (queue(n), Group { kind: Kind::Queue, number: None })).collect();
    Reach { groups, ..Reach::default() }
}

/// Those who take the calls of a queue, or the others: each kind has its own desks, and comes to them in turn.
#[derive(Clone, Copy)]
enum Who {
    Members,
    Others,
}

impl Who {
    /// Of `all` users, or desks, how many are of this kind.
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

/// Users and desks up to these numbers; every tenth user is signed in to a queue.
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

/// A user sits down at a desk, by their numbers.
async fn log_in(store: &dyn Store, who: usize, at: usize) -> Transition {
    let act = Move {
        request: request_id().unwrap(),
        tenant: TenantId::default(),
        act: Act::Seat(user(who), desk(at), Seating::default()),
        by: Actor::Controller,
        call: None,
        code: None,
        at: Timestamp::now(),
    };
    store.move_people(&act).await.unwrap()
}

/// What the switch should hold, and what it does.
async fn both(store: &dyn Store, switch: &AstDb) -> (Table, Table) {
    let office = store.office(&TenantId::default(), &Scope::All).await.unwrap();
    let wanted = wanted(&office, &SwitchName::default(), &reach());
    let held = switch.read(&Scope::All, &wanted).await.unwrap();
    (wanted, held)
}

/// How long until they are the same.
async fn agreed(store: &dyn Store, switch: &AstDb) -> (Duration, Table) {
    let began = Instant::now();
    loop {
        let (wanted, held) = both(store, switch).await;
        if wanted == held {
            return (began.elapsed(), held);
        }
        let differs = difference(&wanted, &held);
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

/// What a login costs.
#[derive(Clone, Copy)]
struct Cost {
    /// In the store.
    stored: Duration,
    /// Until the switch has acknowledged it.
    whole: Duration,
    /// Of a processor, for Asterisk and us; unlike the two above it hardly depends on what else the machine does.
    cpu: [Duration; 2],
}

/// The processor time that Asterisk and we have had.
fn cpu(pbx: &Asterisk) -> [Duration; 2] {
    [pbx.pid().unwrap(), std::process::id()].map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let after_name = stat.rsplit(')').next().unwrap();
        let ticks = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    })
}

/// Logins, one after the other: each is of somebody who sits nowhere, at a desk where somebody sits.
async fn timed(store: &dyn Store, reconciler: &Reconciler, pbx: &Asterisk, users: usize, who: Who) -> Cost {
    // What was done before is seen to.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (mut times, before) = ((vec![], vec![]), cpu(pbx));
    let (people, desks) = (who.of(users), who.of(users / SHARE));
    for n in 0..TIMED {
        let began = Instant::now();
        let done = log_in(store, who.nth((n + desks) % people), who.nth(n % desks)).await;
        times.0.push(began.elapsed());
        reconciler.settle(done.touches()).await.unwrap();
        times.1.push(began.elapsed());
        assert_eq!((done.seated.len(), done.removed.len()), (1, 1), "a desk changed hands");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ([theirs, ours], [theirs_before, ours_before]) = (cpu(pbx), before);
    let cpu = [theirs - theirs_before, ours - ours_before].map(|all| all / u32::try_from(TIMED).unwrap());
    Cost { stored: median(times.0), whole: median(times.1), cpu }
}

/// Prints it, and its ratio to that of the smallest office.
fn print(what: &str, cost: Cost, smallest: Cost) {
    let beside = |is: Duration, least: Duration| {
        format!("{:>8.3} ms ({:.2})", is.as_secs_f64() * 1e3, is.as_secs_f64() / least.as_secs_f64())
    };
    let ([theirs, ours], [least, our_least]) = (cost.cpu, smallest.cpu);
    println!(
        "  {what:38} {}, of which the store {}; processor: Asterisk {}, we {}",
        beside(cost.whole, smallest.whole),
        beside(cost.stored, smallest.stored),
        beside(theirs, least),
        beside(ours, our_least),
    );
}

/// Everybody and every desk is watched by somebody: what a phone's SUBSCRIBE does to Asterisk's hints, asking for the state does.
async fn watch_all(manager: &Manager) {
    let users = (0..USERS).map(|n| Key::Lamp(user(n)));
    let lamps = users.chain((0..USERS / SHARE).map(|n| Key::Seat(desk(n))));
    let ask = |lamp| {
        Action::new("ExtensionState")
            .with("Exten", rows::extension(&lamp).unwrap())
            .with("Context", "hotdesk-hints")
    };
    let answers = manager.act_all(lamps.map(ask).collect()).await.unwrap();
    assert!(answers.iter().all(|answer| answer.is_success()));
}

/// Somebody sits down somewhere, 500 times a second for a minute; then all is read back.
async fn minute(store: &dyn Store, switch: &AstDb) {
    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(RATE).unwrap());
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let (began, mut logins) = (Instant::now(), 0);
    while began.elapsed() < MINUTE {
        tick.tick().await;
        log_in(store, logins * 7_919 % USERS, logins * 104_729 % (USERS / SHARE)).await;
        logins += 1;
    }
    let rate = logins as f64 / began.elapsed().as_secs_f64();
    let (late, held) = agreed(store, switch).await;
    let of = |is: fn(&Key) -> bool| held.keys().filter(|key| is(key)).count();
    println!(
        "{logins} logins in a minute ({rate:.0}/s); {late:.1?} later the switch holds just what the store wants: {} rows of \
         devices, {} of users, {} lamps, {} members",
        of(|key| matches!(key, Key::Device(_))),
        of(|key| matches!(key, Key::User(_))),
        of(|key| matches!(key, Key::Lamp(_) | Key::Seat(_))),
        of(|key| matches!(key, Key::Member(..))),
    );
}

async fn run() {
    let pbx = pbx::asterisk(&reach());
    let stop = CancellationToken::new();
    let manager = pbx::manager(&pbx, &stop).await;
    let tenant = TenantId::default();
    let switch = Arc::new(AstDb::new(manager.clone(), &tenant).with(reach().groups));
    let folder = tempfile::tempdir().unwrap();
    let store = open("sqlite:hotdesk.db", folder.path()).await.unwrap();
    let kept = Kept { name: SwitchName::default(), tenant, reach: reach() };
    let (reconciler, _task) = Reconciler::start(kept, store.clone(), switch.clone(), stop.clone());
    let store = store.as_ref();

    println!(
        "{}, a desk for {SHARE} users, every {MEMBER}th user in one of {QUEUES} queues; medians of {TIMED} logins, and their \
         ratios to those of {} users",
        pbx.banner(),
        OFFICES.first().unwrap()
    );
    let mut smallest = None;
    for users in OFFICES {
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
    minute(store, &switch).await;

    // What whoever begins to watch now is shown, is what the store wants.
    watch_all(&manager).await;
    let (wanted, held) = both(store, &switch).await;
    assert_eq!(difference(&wanted, &held).first(), None);
    for n in 0..USERS / SHARE {
        log_in(store, n, n).await;
    }
    agreed(store, &switch).await;
    let (least, _) = smallest.unwrap();
    let others = timed(store, &reconciler, &pbx, USERS, Who::Others).await;
    print(&format!("{USERS} users, every lamp is watched"), others, least);
    minute(store, &switch).await;
    stop.cancel();
}

fn main() {
    // As a test: that it builds.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}
