//! A large office that changes all the time: 10,000 users, 2,000 desks, 500 logins a second for a minute, on a real Asterisk
//! with a real store. What one change costs must not grow with the number of users; and after the minute rows, hints, lamps
//! and members of the queue are read back, and are what the store wants.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hotdesk::asterisk::astdb::AstDb;
use hotdesk::asterisk::dialplan::{Settings, hotdesk_conf};
use hotdesk::asterisk::manager::{Manager, Settings as Ami, State};
use hotdesk::controller::reconcile::{Kept, Reconciler};
use hotdesk::controller::request_id;
use hotdesk::desk::code::Codes;
use hotdesk::desk::group::{Group, Kind};
use hotdesk::desk::id::{
    Context, DeviceName, DialTarget, EmergencyNumber, Extension, GroupName, SwitchName, TenantId,
};
use hotdesk::desk::journal::Actor;
use hotdesk::desk::model::{Device, User};
use hotdesk::desk::pattern::NumberPattern;
use hotdesk::desk::profile::Membership;
use hotdesk::desk::reach::Reach;
use hotdesk::desk::rules::Seating;
use hotdesk::desk::seat::{Act, Move, Transition};
use hotdesk::desk::table::{Key, Scope, Table, wanted};
use hotdesk::store::{Import, Store, open};
use hotdesk::switch::Switch;
use jiff::Timestamp;
use support::asterisk::{ADMIN, Asterisk, Site};
use support::debian::Version;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// How many desks there are at the most.
const DESKS: usize = 2_000;
/// Logins a second.
const RATE: u64 = 500;
/// How long.
const MINUTE: Duration = Duration::from_secs(60);
/// Each so manieth user takes the calls of the queue.
const MEMBER: usize = 10;

fn user(n: usize) -> Extension {
    Extension::new(format!("{}", 10_000 + n)).unwrap()
}

fn desk(n: usize) -> DeviceName {
    DeviceName::new(format!("desk{n}")).unwrap()
}

fn sales() -> GroupName {
    GroupName::new("sales").unwrap()
}

fn reach() -> Reach {
    let groups = [(sales(), Group { kind: Kind::Queue, number: None })].into();
    Reach { groups, ..Reach::default() }
}

fn asterisk() -> Asterisk {
    let settings = Settings {
        tenant: TenantId::default(),
        codes: Codes::default(),
        users: vec![NumberPattern::new("1XXXX").unwrap()],
        otherwise: None,
        emergency_numbers: vec![EmergencyNumber::new("112").unwrap()],
        emergency_context: Context::emergency(),
        agi: "127.0.0.1:4573".into(),
        ring: 30,
        turn: 15,
        recording: None,
        voicemail_password: true,
        reach: reach(),
        freepbx: false,
    };
    let site = Site::new().unwrap().desks(1).dialplan("#include hotdesk.conf\n");
    site.file("hotdesk.conf", &hotdesk_conf(&settings))
        .file("queues.conf", "[sales]\nstrategy = ringall\n")
        .start(Version::Current)
        .unwrap()
}

/// Users and desks up to these numbers; every tenth user is signed in to the queue.
async fn hire(store: &dyn Store, users: usize) {
    let tenant = TenantId::default();
    let hired = (0..users).map(|n| {
        let mut user = User::new(tenant.clone(), user(n));
        if n % MEMBER == 0 {
            user.profile
                .groups
                .insert(sales(), Membership { signed_in: true, paused: n % (2 * MEMBER) == 0 });
        }
        user
    });
    let desks = (0..users.min(DESKS)).map(|n| {
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

/// Somebody sits down somewhere, whoever and wherever `n` says.
async fn log_in(store: &dyn Store, users: usize, n: usize) -> Transition {
    let act = Act::Seat(user(n * 7_919 % users), desk(n * 104_729 % users.min(DESKS)), Seating::default());
    let act = Move {
        request: request_id().unwrap(),
        tenant: TenantId::default(),
        act,
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
        assert!(began.elapsed() < Duration::from_secs(120), "they never agree");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

async fn run() {
    let pbx = asterisk();
    let (name, secret) = ADMIN;
    let stop = CancellationToken::new();
    let settings = Ami {
        name: SwitchName::default(),
        address: pbx.ami_address().to_string(),
        user: name.into(),
        secret: Zeroizing::new(secret.into()),
        deadline: Duration::from_secs(20),
    };
    let manager = Manager::start(settings, stop.clone());
    manager.state().wait_for(|state| matches!(state, State::Up(_))).await.unwrap();
    let tenant = TenantId::default();
    let switch = Arc::new(AstDb::new(manager, &tenant).with(reach().groups));
    let folder = tempfile::tempdir().unwrap();
    let store = open("sqlite:hotdesk.db", folder.path()).await.unwrap();
    let kept = Kept { name: SwitchName::default(), tenant: tenant.clone(), reach: reach() };
    let (reconciler, _task) = Reconciler::start(kept, store.clone(), switch.clone(), stop.clone());

    println!("{}, 2,000 desks at the most, every {MEMBER}th user in a queue", pbx.banner());
    for users in [100, 1_000, 10_000] {
        hire(store.as_ref(), users).await;
        agreed(store.as_ref(), &switch).await;
        let mut times = (vec![], vec![]);
        for n in 0..200 {
            let began = Instant::now();
            let done = log_in(store.as_ref(), users, n).await;
            times.0.push(began.elapsed());
            reconciler.settle(done.touches()).await.unwrap();
            times.1.push(began.elapsed());
        }
        let (stored, whole) = (median(times.0), median(times.1));
        println!(
            "  {users:6} users: one login {whole:.2?}, of which the store {stored:.2?} (medians of 200)"
        );
    }

    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(RATE).unwrap());
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let (began, mut logins) = (Instant::now(), 0);
    while began.elapsed() < MINUTE {
        tick.tick().await;
        log_in(store.as_ref(), 10_000, logins).await;
        logins += 1;
    }
    let rate = logins as f64 / began.elapsed().as_secs_f64();
    let (late, held) = agreed(store.as_ref(), &switch).await;
    let of = |is: fn(&Key) -> bool| held.keys().filter(|key| is(key)).count();
    println!(
        "{logins} logins in a minute ({rate:.0}/s); {late:.1?} later the switch holds just what the store wants: {} rows of \
         devices, {} of users, {} lamps, {} members",
        of(|key| matches!(key, Key::Device(_))),
        of(|key| matches!(key, Key::User(_))),
        of(|key| matches!(key, Key::Lamp(_) | Key::Seat(_))),
        of(|key| matches!(key, Key::Member(..))),
    );
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
