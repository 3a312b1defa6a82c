//! Any sequence of commands has the same effect in memory, on SQLite, on Redis and on a reference.

pub mod reference;

use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::time::Instant;

use hotdesk::model::directory::{Device, User};
use hotdesk::model::login::limits::MultipleLogins;
use hotdesk::model::login::pin::{Pepper, PinRecord};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;

use crate::harness::asking::Unlock;
use reference::{Model, Not};

#[derive(Clone, Debug)]
enum Step {
    Again,
    Clear(usize),
    Device(usize, bool, Option<usize>),
    /// An automatic logout: the session that the n-th change began ends, if it still lasts.
    Expire(prop::sample::Index),
    /// A caller tries a PIN, so many seconds after the last try.
    Guess(usize, usize, i64),
    Leave(usize, usize),
    LeaveAll(usize),
    Pin(usize),
    /// The record of the PIN is replaced, from the current record or from an older one.
    Rehash(usize, bool),
    RemoveDevice(usize),
    RemoveUser(usize),
    /// Another controller takes over.
    Restart,
    /// The n-th of the guesses so far was right.
    Right(prop::sample::Index),
    /// The n-th of the guesses so far was not compared.
    TakeBack(prop::sample::Index),
    LogIn(usize, usize, LoginRules),
    /// Undoes the n-th of the changes so far.
    Undo(prop::sample::Index, usize, bool),
    /// Moves the session that the n-th of the changes so far began.
    Move(prop::sample::Index, usize, LoginRules),
    Unlock(Option<usize>, Option<usize>),
    User(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let (user, device) = (0..4_usize, 0..3_usize);
    let some = |strategy: std::ops::Range<usize>| prop::option::of(strategy);
    let multiple_logins = prop_oneof![
        4 => Just(MultipleLogins::Move),
        2 => Just(MultipleLogins::Refuse),
        3 => (1..4_u8).prop_map(|most| MultipleLogins::Keep(NonZeroU8::new(most).unwrap())),
    ];
    let rules = (multiple_logins, prop::bool::weighted(0.7))
        .prop_map(|(multiple_logins, take_over)| LoginRules { multiple_logins, take_over });
    let after = prop_oneof![
        60 => Just(0_i64), 10 => 0..400_i64, 3 => 800..1000_i64, 3 => 1700..3700_i64, 1 => 80_000..90_000_i64,
        1 => Just(31 * 86_400_i64),
    ];
    prop_oneof![
        2 => Just(Step::Again),
        2 => device.clone().prop_map(Step::Clear),
        6 => (device.clone(), prop::bool::weighted(0.8), some(0..4)).prop_map(|(d, h, o)| Step::Device(d, h, o)),
        24 => (0..7_usize, device.clone(), after).prop_map(|(u, d, s)| Step::Guess(u, d, s)),
        2 => (user.clone(), device.clone()).prop_map(|(u, d)| Step::Leave(u, d)),
        2 => user.clone().prop_map(Step::LeaveAll),
        1 => user.clone().prop_map(Step::Pin),
        1 => (user.clone(), any::<bool>()).prop_map(|(u, s)| Step::Rehash(u, s)),
        1 => device.clone().prop_map(Step::RemoveDevice),
        1 => user.clone().prop_map(Step::RemoveUser),
        6 => any::<prop::sample::Index>().prop_map(Step::Expire),
        3 => any::<prop::sample::Index>().prop_map(Step::Right),
        2 => any::<prop::sample::Index>().prop_map(Step::TakeBack),
        22 => (user.clone(), device.clone(), rules.clone()).prop_map(|(u, d, s)| Step::LogIn(u, d, s)),
        6 => (any::<prop::sample::Index>(), device, rules).prop_map(|(n, d, s)| Step::Move(n, d, s)),
        6 => (any::<prop::sample::Index>(), 1..4_usize, any::<bool>())
            .prop_map(|(n, most, whole)| Step::Undo(n, most, whole)),
        1 => (some(0..4), some(0..3)).prop_map(|(u, d)| Step::Unlock(u, d)),
        8 => (user, prop::bool::weighted(0.8)).prop_map(|(u, h)| Step::User(u, h)),
    ]
}

#[test]
fn any_commands_have_the_same_effect_on_each_store_and_on_a_model() {
    let runtime = runtime();
    let redis = Place::redis();
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let steps = prop::collection::vec(step(), 1..60);
    runner
        .run(&steps, |steps| {
            let (memory, sqlite) = (Place::memory(), Place::sqlite());
            runtime.block_on(async {
                // Removes the records of the previous case.
                empty(&redis.url).await;
                let mut world = World::furnished([&memory, &sqlite, &redis]).await?;
                for step in steps {
                    world.run(step).await?;
                    world.compare().await?;
                    world.compare_the_rest().await?;
                }
                Ok(())
            })
        })
        .unwrap();
}

/// A long history, which reaches states that short ones do not. `HOTDESK_COMMANDS` sets the number of commands.
#[test]
fn a_long_history_has_the_same_effect_on_each_store_and_on_a_model() {
    let commands = std::env::var("HOTDESK_COMMANDS").map_or(COMMANDS, |commands| commands.parse().unwrap());
    let (memory, sqlite, redis) = (Place::memory(), Place::sqlite_in_memory(), Place::redis());
    let seed = getrandom::u64().unwrap();
    let bytes: Vec<u8> = seed.to_be_bytes().repeat(4);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let began = Instant::now();
    let done = runtime().block_on(async {
        let mut world = World::furnished([&memory, &sqlite, &redis]).await?;
        let steps = step().boxed();
        for n in 0..commands {
            let step =
                if n % 997 == 996 { Step::Restart } else { steps.new_tree(&mut runner).unwrap().current() };
            world.run(step).await?;
            if n % 10 == 0 {
                world.compare().await?;
            }
            if n % 100 == 0 {
                world.compare_the_rest().await?;
            }
        }
        world.compare().await?;
        world.compare_the_rest().await?;
        Ok::<_, TestCaseError>(world)
    });
    let world = done.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    assert!(world.seen.len() >= 12, "the results were {:?}", world.seen);
    eprintln!(
        "{commands} commands in {:?}, to revision {}: {:?}",
        began.elapsed(),
        world.model.revision,
        world.seen
    );
}

const COMMANDS: usize = 5_000;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn empty(url: &str) {
    let client = ::redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    ::redis::cmd("FLUSHALL").query_async(&mut connection).await.unwrap()
}

fn who(n: usize) -> Extension {
    ext(&(101 + n).to_string())
}

fn which(n: usize) -> DeviceName {
    name(&format!("desk{}", n + 1))
}

/// The stores, the reference, and what has happened so far.
struct World<'a> {
    places: [&'a Place; 3],
    stores: [Arc<dyn Store>; 3],
    model: Model,
    /// Up to here their journals were compared.
    compared: Revision,
    asked: Option<Move>,
    moves: Vec<Transition>,
    guesses: Vec<Guess>,
    records: Vec<PinRecord>,
    /// The time of the guesses, in seconds. It advances faster than real time.
    clock: i64,
    /// The results of commands, and how often each was seen.
    seen: BTreeMap<String, usize>,
}

/// How many changes and guesses are remembered for an undo.
const REMEMBERED: usize = 30;

impl<'a> World<'a> {
    async fn furnished(places: [&'a Place; 3]) -> Result<Self, TestCaseError> {
        let stores = opened(places).await;
        let mut world = Self {
            places,
            stores,
            model: Model::default(),
            compared: Revision(0),
            asked: None,
            moves: vec![],
            guesses: vec![],
            records: vec![],
            clock: 0,
            seen: BTreeMap::new(),
        };
        for opening in (0..3).map(|n| Step::User(n, true)).chain((0..3).map(|n| Step::Device(n, true, None)))
        {
            world.run(opening).await?;
        }
        Ok(world)
    }

    async fn run(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Device(n, hotdesk, owner) => {
                let owner = owner.map(who);
                self.change(What::Device(Device { hotdesk, owner, ..device(which(n).as_str()) })).await
            }
            Step::Pin(n) => {
                let record = self.record();
                self.change(What::Pin(who(n), record)).await
            }
            Step::RemoveDevice(n) => self.change(What::RemoveDevice(which(n))).await,
            Step::RemoveUser(n) => self.change(What::RemoveUser(who(n))).await,
            Step::Unlock(Some(user), _) => {
                let alias = guess(who(user).as_str(), "desk1", 0).user;
                self.change(What::Unlock(Unlock::User(who(user), alias))).await
            }
            Step::Unlock(None, Some(device)) => {
                self.change(What::Unlock(Unlock::Device(which(device)))).await
            }
            Step::Unlock(None, None) => self.change(What::Unlock(Unlock::All)).await,
            Step::User(n, hotdesk) => {
                self.change(What::User(User { hotdesk, ..user(who(n).as_str()) })).await
            }
            Step::Again => match self.asked.clone() {
                Some(asked) => self.moves(asked, true).await,
                None => Ok(()),
            },
            Step::Clear(d) => self.moves(request_for(SessionCommand::LogOutDevice(which(d))), false).await,
            Step::Leave(u, d) => {
                self.moves(request_for(SessionCommand::LogOut(who(u), which(d))), false).await
            }
            Step::LeaveAll(u) => {
                self.moves(request_for(SessionCommand::LogOutEverywhere(who(u))), false).await
            }
            Step::LogIn(u, d, rules) => {
                self.moves(request_for(SessionCommand::LogIn(who(u), which(d), rules)), false).await
            }
            Step::Expire(_) | Step::Move(..) | Step::Undo(..) if self.moves.is_empty() => Ok(()),
            Step::Expire(n) => match n.get(&self.moves).begun.first().cloned() {
                Some(session) => self.moves(request_for(SessionCommand::Expire(session)), false).await,
                None => Ok(()),
            },
            Step::Move(n, device, rules) => match n.get(&self.moves).begun.first().cloned() {
                Some(session) => {
                    self.moves(request_for(SessionCommand::Move(session, which(device), rules)), false).await
                }
                None => Ok(()),
            },
            Step::Undo(n, most, whole) => {
                let inverse = n.get(&self.moves).clone().inverse(most, whole);
                self.moves(request_for(inverse), false).await
            }
            Step::Guess(u, d, after) => {
                self.clock += after;
                self.guess(guess(who(u).as_str(), which(d).as_str(), self.clock)).await
            }
            Step::Right(_) | Step::TakeBack(_) if self.guesses.is_empty() => Ok(()),
            Step::TakeBack(n) => {
                let guess = n.get(&self.guesses).clone();
                self.model.take_back(&guess);
                for store in &self.stores {
                    store.take_back(&guess).await.unwrap();
                }
                Ok(())
            }
            Step::Right(n) => {
                let guess = n.get(&self.guesses).clone();
                self.model.forgive(&guess);
                for store in &self.stores {
                    store.forgive(&guess).await.unwrap();
                }
                Ok(())
            }
            Step::Rehash(n, stale) => {
                let was = self.stores[0].pin(&tenant(), &who(n)).await.unwrap();
                let was = if stale { self.records.first().cloned() } else { was };
                let (Some(was), is) = (was, self.record()) else { return Ok(()) };
                for store in &self.stores {
                    store.rehash(&tenant(), &who(n), &was, &is).await.unwrap();
                }
                Ok(())
            }
            Step::Restart => {
                self.stores = opened(self.places).await;
                Ok(())
            }
        }
    }

    /// A record that differs from all others.
    fn record(&mut self) -> PinRecord {
        let pin = hotdesk::model::login::pin::Pin::new("0042").unwrap();
        let (cost, pepper) =
            (hotdesk::model::login::pin::Cost { memory_kib: 8, passes: 1 }, Pepper::new([7; 64]));
        let salt = (self.records.len() as u128).to_be_bytes();
        let record = PinRecord::make_at(cost, &pin, &pepper, &tenant(), &who(0), salt);
        self.records.push(record.clone());
        record
    }

    async fn change(&mut self, what: What) -> Result<(), TestCaseError> {
        let change = change(what);
        let expected = self.model.change(&change.what);
        let done = self.each(async |store| store.change(&change).await.map(drop).map_err(Not::from)).await;
        prop_assert_eq!(same(done)?, expected, "{:?}", change.what);
        Ok(())
    }

    async fn moves(&mut self, change: Move, again: bool) -> Result<(), TestCaseError> {
        let expected = if again { Ok(()) } else { self.model.moves(&change) };
        let done =
            same(self.each(async |store| store.change_sessions(&change).await.map_err(Not::from)).await)?;
        prop_assert_eq!(&done.as_ref().map(drop), &expected.as_ref().map(drop), "{:?}", change.command);
        *self.seen.entry(format!("{:?}", done.as_ref().map(Transition::is_empty))).or_default() += 1;
        if let Ok(transition) = done {
            self.asked = Some(change);
            self.moves.push(transition);
            if self.moves.len() > REMEMBERED {
                self.moves.remove(0);
            }
        }
        Ok(())
    }

    async fn guess(&mut self, guess: Guess) -> Result<(), TestCaseError> {
        let expected = self.model.attempt(&guess);
        let done = same(self.each(async |store| store.attempt(&guess).await.unwrap()).await)?;
        self.each(async |store| store.prune(&tenant(), guess.at).await).await;
        prop_assert_eq!(&done.allowed, &expected, "{:?}", guess);
        *self.seen.entry(format!("{done:?}")).or_default() += 1;
        if expected.is_ok() {
            self.guesses.push(guess);
            if self.guesses.len() > REMEMBERED {
                self.guesses.remove(0);
            }
        }
        Ok(())
    }

    /// Users, devices and sessions.
    async fn compare(&self) -> Result<(), TestCaseError> {
        let is = same(self.each(async |store| all(store).await).await)?;
        prop_assert_eq!(&reference::logins(&is), &self.model.logins);
        prop_assert_eq!(is.revision, self.model.revision);
        Ok(())
    }

    /// The scopes, the failures, the PINs, and the journal since the last comparison.
    async fn compare_the_rest(&mut self) -> Result<(), TestCaseError> {
        let tenant = tenant();
        for scope in (0..4).map(|n| Scope::user(&who(n))).chain((0..3).map(|n| Scope::device(&which(n)))) {
            same(self.each(async |store| store.snapshot(&tenant, &scope).await.unwrap()).await)?;
        }
        let tried = self.each(async |store| {
            let mut tried = store.tries(&tenant).await.unwrap();
            tried.sort();
            tried
        });
        prop_assert_eq!(reference::tried(&same(tried.await)?), self.model.tried());
        for n in 0..4 {
            same(self.each(async |store| store.pin(&tenant, &who(n)).await.unwrap()).await)?;
        }
        let (since, all) = (self.compared, 1000);
        let journal = self.each(async |store| store.journal(&tenant, since, all).await.unwrap());
        prop_assert!(same(journal.await)?.len() < all, "compared whole");
        self.compared = self.model.revision;
        Ok(())
    }

    /// What each store answers, asked at the same time.
    async fn each<T>(&self, ask: impl AsyncFn(&Arc<dyn Store>) -> T) -> [T; 3] {
        let [memory, sqlite, redis] = &self.stores;
        tokio::join!(ask(memory), ask(sqlite), ask(redis)).into()
    }
}

async fn opened(places: [&Place; 3]) -> [Arc<dyn Store>; 3] {
    let [memory, sqlite, redis] = places;
    tokio::join!(memory.open(), sqlite.open(), redis.open()).into()
}

/// The answer that all stores gave.
fn same<T: PartialEq + std::fmt::Debug>(answers: [T; 3]) -> Result<T, TestCaseError> {
    let [memory, sqlite, redis] = answers;
    prop_assert_eq!(&memory, &sqlite, "in memory and SQLite");
    prop_assert_eq!(&sqlite, &redis, "SQLite and Redis");
    Ok(redis)
}
