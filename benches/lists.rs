//! What goes through all users: each list and comparison takes time that grows like the number of users and not faster, and
//! `hotdesk serve` keeps to its memory. With `--bench`: 1,000, 10,000 and 100,000 users in SQLite, and the memory beside a
//! real Asterisk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

#[path = "../tests/harness/mod.rs"]
mod harness;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use harness::asking::{Ask as _, Import, Move};
use harness::company::Company;
use harness::debian::Version;
use harness::hotdesk::Hotdesk;
use hotdesk::asterisk::namespace::Namespace;
use hotdesk::controller::request_id;
use hotdesk::model::desired::{Desired, Reading, Scope, difference};
use hotdesk::model::directory::location::{Location, Zone};
use hotdesk::model::directory::{Device, User};
use hotdesk::model::id::{
    DeviceName, DialTarget, DisplayName, Extension, LocationName, SwitchName, TenantId,
};
use hotdesk::model::journal::Actor;
use hotdesk::model::login::limits::LoginRules;
use hotdesk::model::login::pin::{Cost, Pepper, Pin, PinRecord};
use hotdesk::model::login::transition::SessionCommand;
use hotdesk::model::routes::Routes;
use hotdesk::store::{Store, open};
use jiff::Timestamp;
use tokio::runtime::Runtime;

/// Numbers of users; there are a fifth as many devices.
const WHOLE: [usize; 3] = [1_000, 10_000, 100_000];
/// The same with `--short`, and as a test: that each list succeeds and stays linear.
const SHORT: [usize; 3] = [100, 500, 2_500];
/// How much longer a user may take among ten times as many users.
const FACTOR: f64 = 3.0;
/// What `user list` of 100,000 users may take, in seconds.
const LIST: f64 = 3.0;
/// What `hotdesk serve` may keep resident with 100,000 users, in MB.
const MEMORY: f64 = 200.0;

fn user(n: usize) -> Extension {
    Extension::new(format!("{}", 100_000 + n)).unwrap()
}

fn desk(n: usize) -> DeviceName {
    DeviceName::new(format!("desk{n}")).unwrap()
}

fn place(n: usize) -> LocationName {
    LocationName::new(format!("site{n}")).unwrap()
}

/// So many users with PINs, a fifth as many devices at locations, and a session at every tenth of them.
async fn fill(store: &Arc<dyn Store>, users: usize) {
    let (tenant, at) = (TenantId::default(), Timestamp::now());
    let (pin, pepper) = (Pin::new("729154").unwrap(), Pepper::new([42; 64]));
    let cheap = Cost { memory_kib: 8, passes: 1 };
    let devices = (users / 5).max(10);
    let named = |n: usize| User {
        name: DisplayName::new(format!("User {n}")).ok(),
        ..User::new(tenant.clone(), user(n))
    };
    let record = |n: usize| (user(n), PinRecord::make_at(cheap, &pin, &pepper, &tenant, &user(n), [9; 16]));
    let device = |n: usize| {
        let dial = DialTarget::new(format!("PJSIP/desk{n}")).unwrap();
        let mut device = Device::new(tenant.clone(), desk(n), SwitchName::new("pbx").unwrap(), dial);
        device.location = Some(place(n % (users / 100)));
        device
    };
    let location = |n: usize| Location::new(tenant.clone(), place(n), Zone::default());
    let import = Import {
        tenant: tenant.clone(),
        locations: (0..users / 100).map(location).collect(),
        users: (0..users).map(named).collect(),
        pins: (0..users).map(record).collect(),
        devices: (0..devices).map(device).collect(),
        by: Actor::Controller,
        at,
    };
    store.import(&import).await.unwrap();
    for n in (0..devices).step_by(10) {
        let command = SessionCommand::LogIn(user(n), desk(n), LoginRules::default());
        let by = Actor::Controller;
        let request = request_id().unwrap();
        let login = Move { request, tenant: tenant.clone(), command, by, call: None, code: None, at };
        assert_eq!(store.change_sessions(&login).await.unwrap().begun.len(), 1);
    }
}

/// Seconds for each list and comparison with so many users.
fn measure(runtime: &Runtime, users: usize) -> BTreeMap<String, f64> {
    let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
    let hotdesk = Hotdesk::new(&program, "sqlite:hotdesk.db", local(1), local(4573)).unwrap();
    // The first PIN makes the pepper.
    hotdesk.run(&["user", "add", "9"]).unwrap();
    hotdesk.run(&["user", "pin", "9", "--generate"]).unwrap();
    let store = runtime.block_on(open("sqlite:hotdesk.db", hotdesk.folder())).unwrap();
    runtime.block_on(fill(&store, users));
    let mut sheet = String::from("extension,name\n");
    (0..users).for_each(|n| writeln!(sheet, "{},Other {n}", user(n)).unwrap());
    std::fs::write(hotdesk.path("users.csv"), sheet).unwrap();

    let mut took = BTreeMap::new();
    let mut time = |what: &str, work: &mut dyn FnMut()| {
        let began = Instant::now();
        work();
        took.insert(what.to_owned(), began.elapsed().as_secs_f64());
    };
    let users_csv = hotdesk.path("users.csv").display().to_string();
    for (command, lines) in [
        (&["user", "list"][..], users + 1),
        (&["user", "list", "--json"], users),
        (&["device", "list"], users / 5),
        (&["device", "list", "--json"], users / 5),
        (&["location", "list"], users / 100 + 1),
        (&["status"], users / 50),
        (&["lockout", "list", "--json"], 1),
        (&["journal", "--since", "1h"], users / 50),
        (&["journal", "--counts"], 2),
        (&["import", &users_csv, "--dry-run"], users),
    ] {
        let name =
            command.iter().filter(|word| !word.ends_with(".csv")).copied().collect::<Vec<_>>().join(" ");
        time(&name, &mut || {
            let printed = hotdesk.run(command).unwrap();
            assert!(printed.lines().count() >= lines, "{name}: {} lines", printed.lines().count());
        });
    }
    let name = SwitchName::new("pbx").unwrap();
    let tenant = TenantId::default();
    time("comparison with an Asterisk", &mut || {
        let snapshot = runtime.block_on(store.snapshot(&tenant, &Scope::All)).unwrap();
        let desired = Desired::of(&snapshot, &Scope::All, &name, &Routes::default());
        let space = Namespace::of(&tenant);
        let records = hotdesk::asterisk::table::rows::project(&space, &desired, &Reading::default().records);
        assert!(difference(&records, &Reading::default()).len() >= users);
        let same = Reading { records: records.clone(), ..Reading::default() };
        assert_eq!(difference(&records, &same), []);
    });
    time("comparison with a FreeSWITCH", &mut || {
        let snapshot = runtime.block_on(store.snapshot(&tenant, &Scope::All)).unwrap();
        let desired = Desired::of(&snapshot, &Scope::All, &name, &Routes::default());
        let records = hotdesk::freeswitch::table::rows::project(&tenant, &desired);
        let same = Reading { records: records.clone(), ..Reading::default() };
        assert_eq!(difference(&records, &same), []);
    });
    took
}

/// The value of a line of `/proc/PID/status`, in MB.
fn status(pid: u32, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = status.lines().find_map(|it| it.strip_prefix(line)).unwrap();
    value.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// What `hotdesk serve` keeps in memory with so many users, beside an Asterisk whose table it writes at its start.
fn memory(runtime: &Runtime, users: usize) -> f64 {
    let program = [PathBuf::from(env!("CARGO_BIN_EXE_hotdesk"))];
    let mut company = Company::open(&program, Version::Current, "sqlite:hotdesk.db").unwrap();
    company.hotdesk.stop().unwrap();
    let store = runtime.block_on(open("sqlite:hotdesk.db", company.hotdesk.folder())).unwrap();
    runtime.block_on(fill(&store, users));
    drop(store);
    company.hotdesk.start().unwrap();
    let pid = company.hotdesk.pid().unwrap();
    let mut most = 0.0_f64;
    // The whole table is compared each minute.
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(70) {
        most = most.max(status(pid, "VmRSS"));
        thread::sleep(Duration::from_millis(100));
    }
    println!(
        "hotdesk serve with {users} users: {:.0} MB resident, {most:.0} MB at most after the start, {:.0} MB at its peak",
        status(pid, "VmRSS"),
        status(pid, "VmHWM")
    );
    status(pid, "VmHWM")
}

fn main() {
    let is = |what: &str| std::env::args().any(|arg| arg == what);
    let short = is("--short") || !is("--bench");
    let sizes = if short { SHORT } else { WHOLE };
    let runtime = Runtime::new().unwrap();
    let took = sizes.map(|users| measure(&runtime, users));
    let [_, middle, large] = sizes;
    println!("seconds for {sizes:?} users");
    for (what, last) in &took[2] {
        let [first, before] = [took[0][what], took[1][what]];
        println!("  {what:32} {first:8.3} {before:8.3} {last:8.3}");
        // A program takes some time to start.
        let per_user = |took: f64, users: usize| (took + 0.05) / users as f64;
        let grows = per_user(*last, large) / per_user(before, middle);
        assert!(
            grows < FACTOR,
            "{what}: a user takes {grows:.1} times as long among {large} as among {middle}"
        );
    }
    if !short {
        let listed = took[2]["user list"];
        assert!(listed <= LIST, "user list took {listed:.1} s");
        let peak = memory(&runtime, large);
        assert!(peak <= MEMORY, "{peak:.0} MB");
    }
}
