//! Any sequence of acts does the same on SQLite, on Redis and on a model that is too small to be wrong.

use std::collections::{BTreeMap, BTreeSet};

use hotdesk::desk::id::Revision;
use hotdesk::desk::model::{Binding, Device, User};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Again,
    Clear(usize),
    Device(usize, bool, Option<usize>),
    Leave(usize, usize),
    LeaveAll(usize),
    RemoveDevice(usize),
    RemoveUser(usize),
    Seat(usize, usize),
    /// Takes back the n-th of the moves so far.
    Undo(prop::sample::Index),
    User(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let (user, device) = (0..4_usize, 0..3_usize);
    prop_oneof![
        1 => Just(Step::Again),
        1 => device.clone().prop_map(Step::Clear),
        1 => (device.clone(), any::<bool>(), prop::option::of(user.clone())).prop_map(|(d, h, o)| Step::Device(d, h, o)),
        1 => (user.clone(), device.clone()).prop_map(|(u, d)| Step::Leave(u, d)),
        1 => user.clone().prop_map(Step::LeaveAll),
        1 => device.clone().prop_map(Step::RemoveDevice),
        1 => user.clone().prop_map(Step::RemoveUser),
        8 => (user.clone(), device).prop_map(|(u, d)| Step::Seat(u, d)),
        3 => any::<prop::sample::Index>().prop_map(Step::Undo),
        2 => (user, prop::bool::weighted(0.7)).prop_map(|(u, h)| Step::User(u, h)),
    ]
}

/// Who is there, whether he may hotdesk, and who sits where since which revision.
#[derive(Default)]
struct Model {
    users: BTreeMap<Extension, bool>,
    devices: BTreeMap<DeviceName, bool>,
    seats: BTreeSet<(Extension, DeviceName, Revision)>,
    revision: Revision,
}

impl Model {
    fn change(&mut self, what: &What) -> bool {
        let Self { users, devices, seats, .. } = self;
        let there = match what {
            What::Device(Device { name, hotdesk, .. }) => {
                devices.insert(name.clone(), *hotdesk);
                seats.retain(|(_, device, _)| device != name || *hotdesk);
                true
            }
            What::User(User { extension, hotdesk, .. }) => {
                users.insert(extension.clone(), *hotdesk);
                seats.retain(|(user, _, _)| user != extension || *hotdesk);
                true
            }
            What::RemoveDevice(name) => {
                seats.retain(|(_, device, _)| device != name);
                devices.remove(name).is_some()
            }
            What::RemoveUser(extension) => {
                seats.retain(|(user, _, _)| user != extension);
                users.remove(extension).is_some()
            }
            What::Location(_) | What::Pin(..) | What::RemoveLocation(_) => unreachable!(),
        };
        self.revision.0 += u64::from(there);
        there
    }

    /// Returns whether all it names is there.
    fn moves(&mut self, act: &Act) -> bool {
        let next = Revision(self.revision.0 + 1);
        let before = self.seats.clone();
        let (user, device) = match act {
            Act::Clear(device) => (None, Some(device)),
            Act::LeaveAll(user) => (Some(user), None),
            Act::Leave(user, device) | Act::Seat(user, device) => (Some(user), Some(device)),
            Act::Undo { .. } => (None, None),
        };
        if user.is_some_and(|user| !self.users.contains_key(user))
            || device.is_some_and(|device| !self.devices.contains_key(device))
        {
            return false;
        }
        match act {
            Act::Clear(device) => self.seats.retain(|(_, d, _)| d != device),
            Act::LeaveAll(user) => self.seats.retain(|(u, _, _)| u != user),
            Act::Leave(user, device) => self.seats.retain(|(u, d, _)| (u, d) != (user, device)),
            Act::Seat(user, device) => {
                if !self.seats.iter().any(|(u, d, _)| (u, d) == (user, device)) {
                    self.seats.retain(|(u, d, _)| u != user && d != device);
                    self.seats.insert((user.clone(), device.clone(), next));
                }
            }
            Act::Undo { seated, removed } => {
                for Binding { user, device, revision, .. } in seated {
                    self.seats.remove(&(user.clone(), device.clone(), *revision));
                }
                for Binding { user, device, .. } in removed {
                    let free = !self.seats.iter().any(|(u, d, _)| u == user || d == device);
                    if free && self.users.get(user) == Some(&true) && self.devices.get(device) == Some(&true)
                    {
                        self.seats.insert((user.clone(), device.clone(), next));
                    }
                }
            }
        }
        if self.seats != before {
            self.revision = next;
        }
        true
    }
}

#[test]
fn any_acts_do_the_same_on_both_stores_and_on_a_model() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let redis = Place::redis();
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let steps = prop::collection::vec(step(), 1..40);
    runner
        .run(&steps, |steps| {
            let sqlite = Place::sqlite();
            runtime.block_on(async {
                let stores = [sqlite.open().await, redis.open().await];
                // What the last case left in Redis goes.
                empty(&redis.url).await;
                tell(&stores, steps).await
            })
        })
        .unwrap();
}

async fn empty(url: &str) {
    let client = ::redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    ::redis::cmd("FLUSHALL").query_async(&mut connection).await.unwrap()
}

async fn tell(stores: &[Arc<dyn Store>; 2], steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    let who = |n: usize| ext(&(101 + n).to_string());
    let which = |n: usize| name(&format!("desk{}", n + 1));
    let mut asked: Option<Move> = None;
    let mut moves: Vec<Transition> = vec![];
    let opening = (0..3).map(|n| Step::User(n, true)).chain((0..2).map(|n| Step::Device(n, true, None)));
    for step in opening.chain(steps) {
        let what = match step {
            Step::Device(n, hotdesk, owner) => {
                Err(What::Device(Device { hotdesk, owner: owner.map(who), ..device(which(n).as_str()) }))
            }
            Step::RemoveDevice(n) => Err(What::RemoveDevice(which(n))),
            Step::RemoveUser(n) => Err(What::RemoveUser(who(n))),
            Step::User(n, hotdesk) => Err(What::User(User { hotdesk, ..user(who(n).as_str()) })),
            Step::Again => {
                let Some(asked) = &asked else { continue };
                Ok(asked.clone())
            }
            Step::Clear(d) => Ok(act(Act::Clear(which(d)))),
            Step::Leave(u, d) => Ok(act(Act::Leave(who(u), which(d)))),
            Step::LeaveAll(u) => Ok(act(Act::LeaveAll(who(u)))),
            Step::Seat(u, d) => Ok(act(Act::Seat(who(u), which(d)))),
            Step::Undo(_) if moves.is_empty() => continue,
            Step::Undo(n) => Ok(act(n.get(&moves).clone().inverse())),
        };
        match what {
            Err(what) => {
                let change = change(what);
                let there = model.change(&change.what);
                for store in stores {
                    prop_assert_eq!(store.change(&change).await.is_ok(), there, "{:?}", change.what);
                }
            }
            Ok(act) => {
                let again = asked.as_ref().is_some_and(|asked| asked.request == act.request);
                let there = again || model.moves(&act.act);
                let done = [stores[0].move_people(&act).await.ok(), stores[1].move_people(&act).await.ok()];
                prop_assert_eq!(&done[0], &done[1], "{:?}", act.act);
                prop_assert_eq!(done[0].is_some(), there, "{:?}", act.act);
                if let [Some(transition), _] = done {
                    asked = Some(act);
                    moves.push(transition);
                }
            }
        }
        let offices = [all(&stores[0]).await, all(&stores[1]).await];
        prop_assert_eq!(&offices[0], &offices[1]);
        let seats: BTreeSet<_> = offices[0]
            .bindings
            .values()
            .map(|binding| (binding.user.clone(), binding.device.clone(), binding.revision))
            .collect();
        prop_assert_eq!(&seats, &model.seats);
        prop_assert_eq!(offices[0].revision, model.revision);
        for scope in (0..4).map(|n| Scope::user(&who(n))).chain((0..3).map(|n| Scope::device(&which(n)))) {
            let some = [
                stores[0].office(&tenant(), &scope).await.unwrap(),
                stores[1].office(&tenant(), &scope).await.unwrap(),
            ];
            prop_assert_eq!(&some[0], &some[1], "{:?}", scope);
        }
    }
    let journals = [
        stores[0].journal(&tenant(), Revision(0), 1000).await.unwrap(),
        stores[1].journal(&tenant(), Revision(0), 1000).await.unwrap(),
    ];
    prop_assert_eq!(&journals[0], &journals[1]);
    Ok(())
}
