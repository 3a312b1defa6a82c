//! Any sequence of acts does the same on SQLite, on Redis and on a reference.

pub mod reference;

use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::time::Instant;

use hotdesk::desk::model::{Device, User};
use hotdesk::desk::pin::{Pepper, PinRecord};
use hotdesk::desk::rules::Multi;
use hotdesk::store::Unlock;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use reference::{Model, Not};

#[derive(Clone, Debug)]
enum Step {
    Again,
    Clear(usize),
    Device(usize, bool, Option<usize>),
    /// A timer is due: what the n-th of the moves so far made ends, if it is still the same.
    Expire(prop::sample::Index),
    /// Somebody tries a PIN, so many seconds after the last one did.
    Guess(usize, usize, i64),
    Leave(usize, usize),
    LeaveAll(usize),
    Pin(usize),
    /// The PIN's record is made anew from the one there is, or from one that was replaced.
    Rehash(usize, bool),
    RemoveDevice(usize),
    RemoveUser(usize),
    /// Another controller takes over.
    Restart,
    /// The n-th of the guesses so far was right.
    Right(prop::sample::Index),
    Seat(usize, usize, Seating),
    /// Takes back the n-th of the moves so far.
    Undo(prop::sample::Index, usize),
    Unlock(Option<usize>, Option<usize>),
    User(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let (user, device) = (0..4_usize, 0..3_usize);
    let some = |strategy: std::ops::Range<usize>| prop::option::of(strategy);
    let multi = prop_oneof![
        4 => Just(Multi::Move),
        2 => Just(Multi::Refuse),
        3 => (1..4_u8).prop_map(|most| Multi::Keep(NonZeroU8::new(most).unwrap())),
    ];
    let seating =
        (multi, prop::bool::weighted(0.7)).prop_map(|(multi, take_over)| Seating { multi, take_over });
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
        22 => (user.clone(), device, seating).prop_map(|(u, d, s)| Step::Seat(u, d, s)),
        6 => (any::<prop::sample::Index>(), 1..4_usize).prop_map(|(n, most)| Step::Undo(n, most)),
        1 => (some(0..4), some(0..3)).prop_map(|(u, d)| Step::Unlock(u, d)),
        8 => (user, prop::bool::weighted(0.8)).prop_map(|(u, h)| Step::User(u, h)),
    ]
}

#[test]
fn any_acts_do_the_same_on_both_stores_and_on_a_model() {
    let runtime = runtime();
    let redis = Place::redis();
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let steps = prop::collection::vec(step(), 1..60);
    runner
        .run(&steps, |steps| {
            let sqlite = Place::sqlite();
            runtime.block_on(async {
                // What the last case left in Redis goes.
                empty(&redis.url).await;
                let mut world = World::furnished([&sqlite, &redis]).await?;
                for step in steps {
                    world.act(step).await?;
                    world.compare().await?;
                    world.compare_the_rest().await?;
                }
                Ok(())
            })
        })
        .unwrap();
}

/// Long histories, which short ones that shrink well never get to. The number can be given by `HOTDESK_ACTS`.
#[test]
fn a_long_history_does_the_same_on_both_stores_and_on_a_model() {
    let acts = std::env::var("HOTDESK_ACTS").map_or(ACTS, |acts| acts.parse().unwrap());
    let (sqlite, redis) = (Place::sqlite_in_memory(), Place::redis());
    let seed = getrandom::u64().unwrap();
    let bytes: Vec<u8> = seed.to_be_bytes().repeat(4);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let began = Instant::now();
    let done = runtime().block_on(async {
        let mut world = World::furnished([&sqlite, &redis]).await?;
        let steps = step().boxed();
        for n in 0..acts {
            let step =
                if n % 997 == 996 { Step::Restart } else { steps.new_tree(&mut runner).unwrap().current() };
            world.act(step).await?;
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
    assert!(world.seen.len() >= 12, "the acts came to {:?}", world.seen);
    eprintln!("{acts} acts in {:?}, to revision {}: {:?}", began.elapsed(), world.model.revision, world.seen);
}

const ACTS: usize = 5_000;

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

/// Both stores, the reference, and what has happened so far.
struct World<'a> {
    places: [&'a Place; 2],
    stores: [Arc<dyn Store>; 2],
    model: Model,
    asked: Option<Move>,
    moves: Vec<Transition>,
    guesses: Vec<Guess>,
    records: Vec<PinRecord>,
    /// Of the guesses, in seconds: it goes ahead of ours.
    clock: i64,
    /// How acts ended, and how often.
    seen: BTreeMap<String, usize>,
}

/// How many moves and guesses are remembered, to be taken back.
const REMEMBERED: usize = 30;

impl<'a> World<'a> {
    async fn furnished(places: [&'a Place; 2]) -> Result<Self, TestCaseError> {
        let stores = [places[0].open().await, places[1].open().await];
        let mut world = Self {
            places,
            stores,
            model: Model::default(),
            asked: None,
            moves: vec![],
            guesses: vec![],
            records: vec![],
            clock: 0,
            seen: BTreeMap::new(),
        };
        for opening in (0..3).map(|n| Step::User(n, true)).chain((0..3).map(|n| Step::Device(n, true, None)))
        {
            world.act(opening).await?;
        }
        Ok(world)
    }

    async fn act(&mut self, step: Step) -> Result<(), TestCaseError> {
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
            Step::Clear(d) => self.moves(act(Act::Clear(which(d))), false).await,
            Step::Leave(u, d) => self.moves(act(Act::Leave(who(u), which(d))), false).await,
            Step::LeaveAll(u) => self.moves(act(Act::LeaveAll(who(u))), false).await,
            Step::Seat(u, d, rules) => self.moves(act(Act::Seat(who(u), which(d), rules)), false).await,
            Step::Expire(_) | Step::Undo(..) if self.moves.is_empty() => Ok(()),
            Step::Expire(n) => match n.get(&self.moves).seated.first().cloned() {
                Some(binding) => self.moves(act(Act::Expire(binding)), false).await,
                None => Ok(()),
            },
            Step::Undo(n, most) => {
                let inverse = n.get(&self.moves).clone().inverse(most);
                self.moves(act(inverse), false).await
            }
            Step::Guess(u, d, after) => {
                self.clock += after;
                self.guess(guess(who(u).as_str(), which(d).as_str(), self.clock)).await
            }
            Step::Right(_) if self.guesses.is_empty() => Ok(()),
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
                self.stores = [self.places[0].open().await, self.places[1].open().await];
                Ok(())
            }
        }
    }

    /// One like no other.
    fn record(&mut self) -> PinRecord {
        let pin = hotdesk::desk::pin::Pin::new("0042").unwrap();
        let (cost, pepper) = (hotdesk::desk::pin::Cost { memory_kib: 8, passes: 1 }, Pepper::new([7; 64]));
        let salt = (self.records.len() as u128).to_be_bytes();
        let record = PinRecord::make_at(cost, &pin, &pepper, &tenant(), &who(0), salt);
        self.records.push(record.clone());
        record
    }

    async fn change(&mut self, what: What) -> Result<(), TestCaseError> {
        let change = change(what);
        let expected = self.model.change(&change.what);
        let (one, other) = tokio::join!(self.stores[0].change(&change), self.stores[1].change(&change));
        for done in [one, other] {
            prop_assert_eq!(&done.map(drop).map_err(Not::from), &expected, "{:?}", change.what);
        }
        Ok(())
    }

    async fn moves(&mut self, act: Move, again: bool) -> Result<(), TestCaseError> {
        let expected = if again { Ok(()) } else { self.model.moves(&act) };
        let (done, other) = tokio::join!(self.stores[0].move_people(&act), self.stores[1].move_people(&act));
        let [done, other] = [done, other].map(|done| done.map_err(Not::from));
        prop_assert_eq!(&done, &other, "{:?}", act.act);
        prop_assert_eq!(&done.as_ref().map(drop), &expected.as_ref().map(drop), "{:?}", act.act);
        *self.seen.entry(format!("{:?}", done.as_ref().map(Transition::is_empty))).or_default() += 1;
        if let Ok(transition) = done {
            self.asked = Some(act);
            self.moves.push(transition);
            if self.moves.len() > REMEMBERED {
                self.moves.remove(0);
            }
        }
        Ok(())
    }

    async fn guess(&mut self, guess: Guess) -> Result<(), TestCaseError> {
        let expected = self.model.attempt(&guess);
        let (done, other) = tokio::join!(self.stores[0].attempt(&guess), self.stores[1].attempt(&guess));
        let (done, other) = (done.unwrap(), other.unwrap());
        prop_assert_eq!(&done, &other, "{:?}", guess);
        prop_assert_eq!(done.allowed, expected, "{:?}", guess);
        *self.seen.entry(format!("{done:?}")).or_default() += 1;
        if expected.is_ok() {
            self.guesses.push(guess);
            if self.guesses.len() > REMEMBERED {
                self.guesses.remove(0);
            }
        }
        Ok(())
    }

    /// Who is there and who sits where.
    async fn compare(&self) -> Result<(), TestCaseError> {
        let (one, other) = tokio::join!(all(&self.stores[0]), all(&self.stores[1]));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(&reference::seats(&one), &self.model.seats);
        prop_assert_eq!(one.revision, self.model.revision);
        Ok(())
    }

    /// Its parts, the failures, the PINs and the journal's end.
    async fn compare_the_rest(&self) -> Result<(), TestCaseError> {
        let [one, other] = &self.stores;
        for scope in (0..4).map(|n| Scope::user(&who(n))).chain((0..3).map(|n| Scope::device(&which(n)))) {
            let some = [
                one.office(&tenant(), &scope).await.unwrap(),
                other.office(&tenant(), &scope).await.unwrap(),
            ];
            prop_assert_eq!(&some[0], &some[1], "{:?}", scope);
        }
        let mut tried = [one.tries(&tenant()).await.unwrap(), other.tries(&tenant()).await.unwrap()];
        tried.iter_mut().for_each(|tried| tried.sort());
        prop_assert_eq!(&tried[0], &tried[1]);
        prop_assert_eq!(reference::tried(&tried[0]), self.model.tried());
        for n in 0..4 {
            let pins =
                [one.pin(&tenant(), &who(n)).await.unwrap(), other.pin(&tenant(), &who(n)).await.unwrap()];
            prop_assert_eq!(&pins[0], &pins[1]);
        }
        let after = Revision(self.model.revision.0.saturating_sub(60));
        let journals = [
            one.journal(&tenant(), after, 60).await.unwrap(),
            other.journal(&tenant(), after, 60).await.unwrap(),
        ];
        prop_assert_eq!(&journals[0], &journals[1]);
        Ok(())
    }
}
