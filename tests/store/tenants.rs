//! Ten tenants with the same extensions, the same devices and even the same request IDs in one store: each is as if
//! it were alone.

use std::collections::BTreeMap;

use hotdesk::model::directory::{Device, User};
use hotdesk::model::id::Revision;
use hotdesk::model::journal::Entry;
use hotdesk::model::login::pin::{Cost, Pin, PinRecord};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

use crate::harness::asking::Attempt;

const COMMANDS: usize = 10_000;
const TENANTS: usize = 10;
const LEAST: Cost = Cost { memory_kib: 8, passes: 1 };
const USERS: [&str; 4] = ["101", "102", "103", "104"];
const DESKS: [&str; 3] = ["desk1", "desk2", "desk3"];

on_each_store! {
    ten_tenants_with_the_same_extensions_share_nothing
}

#[derive(Clone, Debug)]
enum Step {
    Clear(&'static str),
    Device(&'static str, bool, Option<&'static str>),
    Guess(&'static str, &'static str),
    Leave(&'static str, &'static str),
    LeaveAll(&'static str),
    Pin(&'static str),
    RemoveDevice(&'static str),
    RemoveUser(&'static str),
    LogIn(&'static str, &'static str),
    User(&'static str, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let (user, desk) = (prop::sample::select(&USERS[..]), prop::sample::select(&DESKS[..]));
    prop_oneof![
        1 => desk.clone().prop_map(Step::Clear),
        4 => (desk.clone(), prop::bool::weighted(0.9), prop::option::of(user.clone())).prop_map(|(d, h, o)| Step::Device(d, h, o)),
        3 => (user.clone(), desk.clone()).prop_map(|(u, d)| Step::Guess(u, d)),
        2 => (user.clone(), desk.clone()).prop_map(|(u, d)| Step::Leave(u, d)),
        1 => user.clone().prop_map(Step::LeaveAll),
        1 => user.clone().prop_map(Step::Pin),
        1 => desk.clone().prop_map(Step::RemoveDevice),
        1 => user.clone().prop_map(Step::RemoveUser),
        10 => (user.clone(), desk).prop_map(|(u, d)| Step::LogIn(u, d)),
        4 => (user, prop::bool::weighted(0.9)).prop_map(|(u, h)| Step::User(u, h)),
    ]
}

/// What a tenant can see of itself.
#[derive(Debug, PartialEq)]
struct Seen {
    snapshot: Snapshot,
    journal: Vec<Entry>,
    /// What each command returned.
    done: Vec<String>,
    pins: BTreeMap<&'static str, Option<String>>,
    tries: Vec<Attempt>,
}

async fn ten_tenants_with_the_same_extensions_share_nothing(place: Place) {
    let store = place.open().await;
    let tenants: Vec<TenantId> = (0..TENANTS).map(|n| TenantId::new(format!("t{n}")).unwrap()).collect();
    let mut runner = TestRunner::deterministic();
    let plan = (0..TENANTS, step());
    // The time and the step of each command.
    let mut stories: Vec<Vec<(i64, Step)>> = vec![vec![]; TENANTS];
    let mut order = vec![];
    for second in 0..i64::try_from(COMMANDS).unwrap() {
        let (whose, step) = plan.new_tree(&mut runner).unwrap().current();
        order.push((whose, stories[whose].len()));
        stories[whose].push((second, step));
    }

    let mut together = vec![vec![]; TENANTS];
    for (whose, n) in order {
        together[whose].push(run_command(&store, &tenants[whose], n, &stories[whose][n]).await);
    }
    let mut moved = 0;
    for ((tenant, story), done) in tenants.iter().zip(&stories).zip(together) {
        let alone = Place::sqlite();
        let alone = alone.open().await;
        let mut done_alone = vec![];
        for (n, step) in story.iter().enumerate() {
            done_alone.push(run_command(&alone, tenant, n, step).await);
        }
        let (here, there) = (see(&store, tenant, done).await, see(&alone, tenant, done_alone).await);
        assert_eq!(here, there, "{tenant}");
        assert!(here.journal.iter().all(|entry| entry.tenant == *tenant));
        moved += here.snapshot.revision.0;
    }
    assert!(moved > COMMANDS as u64 / 3, "most commands change something: {moved}");
}

/// Runs the `n`th command of a tenant. Returns its result.
async fn run_command(
    store: &Arc<dyn Store>,
    tenant: &TenantId,
    n: usize,
    (second, step): &(i64, Step),
) -> String {
    let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
    let by = Actor::Command("test".into());
    let command = match step {
        Step::Device(d, hotdesk, owner) => {
            let (tenant, hotdesk, owner) = (tenant.clone(), *hotdesk, owner.map(ext));
            Err(What::Device(Device { tenant, hotdesk, owner, ..device(d) }))
        }
        Step::User(u, hotdesk) => {
            Err(What::User(User { hotdesk: *hotdesk, ..User::new(tenant.clone(), ext(u)) }))
        }
        Step::RemoveDevice(d) => Err(What::RemoveDevice(name(d))),
        Step::RemoveUser(u) => Err(What::RemoveUser(ext(u))),
        Step::Pin(u) => {
            let salt = [u8::try_from(n % 251).unwrap(); 16];
            let pin = Pin::new("729154").unwrap();
            let record = PinRecord::make_at(LEAST, &pin, &records::pepper(), tenant, &ext(u), salt);
            Err(What::Pin(ext(u), record))
        }
        Step::Guess(u, d) => {
            let user = records::pepper().alias(tenant, &ext(u));
            let guess = Guess { tenant: tenant.clone(), user, device: name(d), at };
            return format!("{:?}", store.attempt(&guess).await);
        }
        Step::Clear(d) => Ok(SessionCommand::LogOutDevice(name(d))),
        Step::Leave(u, d) => Ok(SessionCommand::LogOut(ext(u), name(d))),
        Step::LeaveAll(u) => Ok(SessionCommand::LogOutEverywhere(ext(u))),
        Step::LogIn(u, d) => Ok(log_in_command(ext(u), name(d))),
    };
    match command {
        Err(what) => {
            format!(
                "{:?}",
                store
                    .change(&Change { tenant: tenant.clone(), what, by, at })
                    .await
                    .map_err(|e| e.to_string())
            )
        }
        Ok(command) => {
            // The same ids in each tenant.
            let request = RequestId::from_bits(n as u128);
            let change = Move { request, tenant: tenant.clone(), command, by, call: None, code: None, at };
            format!("{:?}", store.change_sessions(&change).await.map_err(|e| e.to_string()))
        }
    }
}

async fn see(store: &Arc<dyn Store>, tenant: &TenantId, done: Vec<String>) -> Seen {
    let mut pins = BTreeMap::new();
    let mut tries = vec![];
    for user in USERS {
        let record = store.pin(tenant, &ext(user)).await.unwrap();
        pins.insert(user, record.map(|record| serde_json::to_string(&record).unwrap()));
        let at = Timestamp::from_second(1_800_000_000 + 10_000).unwrap();
        let user = records::pepper().alias(tenant, &ext(user));
        tries.push(
            store.attempt(&Guess { tenant: tenant.clone(), user, device: name("desk1"), at }).await.unwrap(),
        );
    }
    Seen {
        snapshot: store.snapshot(tenant, &Scope::All).await.unwrap(),
        journal: store.journal(tenant, Revision(0), 10_000).await.unwrap(),
        done,
        pins,
        tries,
    }
}
