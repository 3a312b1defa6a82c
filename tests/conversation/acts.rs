//! Any sequence of calls and commands leaves the store and the switch as the reference of the stores says.

use std::num::NonZeroU8;

use hotdesk::desk::pin::{Cost, Pin, PinRecord};
use hotdesk::desk::rules::{Multi, Rules, Seating};
use hotdesk::desk::seat::{Act, Move};
use hotdesk::store::{Guess, Unlock};
use jiff::Timestamp;

use super::*;
use crate::store::Place;
use crate::store::model::reference::Model;
use crate::support::office::ext;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_calls_do_what_the_reference_does_on_sqlite() {
    any_calls(Place::sqlite_in_memory()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_calls_do_what_the_reference_does_on_redis() {
    any_calls(Place::redis()).await;
}

const USERS: [&str; 4] = ["101", "102", "103", "999"];
const DESKS: [&str; 3] = ["desk1", "desk2", "desk3"];
const CALLS: usize = 400;

/// The scene and the reference.
struct Both {
    scene: Scene,
    model: Model,
    rules: Seating,
    forbidden: [bool; 3],
    closed: [bool; 3],
}

async fn any_calls(place: Place) {
    let acts = std::env::var("HOTDESK_ACTS").map_or(CALLS, |acts| acts.parse().unwrap());
    let store = place.open().await;
    let scene = Scene::over(store.clone(), &[Preset::Simmpl]);
    let (rules, model) = (Seating::default(), Model::default());
    let mut both = Both { scene, model, rules, forbidden: [false; 3], closed: [false; 3] };
    office::change(&both.scene.store, What::Location(office::location())).await;
    for user in 0..3 {
        both.change(What::User(self::user(USERS[user], "x"))).await;
        let digits = Pin::new(pin(USERS[user])).unwrap();
        let (cost, tenant) = (Cost { memory_kib: 8, passes: 1 }, TenantId::default());
        let record =
            PinRecord::make_at(cost, &digits, &office::pepper(), &tenant, &ext(USERS[user]), [9; 16]);
        both.change(What::Pin(ext(USERS[user]), record)).await;
        both.change(What::Device(device(DESKS[user]))).await;
    }
    let seed = getrandom::u64().unwrap();
    let mut random = seed;
    // xorshift64
    let mut below = |most: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % most as u64) as usize
    };
    for n in 0..acts {
        let (user, desk) = (below(4), below(3));
        match below(40) {
            0 => both.forbid(user.min(2), below(3) == 0).await,
            1 => both.close(desk, below(3) == 0).await,
            2 => both.rule(below(5), below(3) > 0),
            3 => both.change(What::Unlock(Unlock::All)).await,
            // Another controller, with a switch that knows nothing yet.
            4 => both.scene = Scene::over(place.open().await, &[Preset::Simmpl]),
            5..=12 => both.call(user, desk, false).await,
            _ => both.call(user, desk, true).await,
        }
        if n % 40 == 4 {
            both.rule(below(5), below(3) > 0);
        }
        both.scene.rule(Rules { seating: both.rules, ..Rules::default() });
        both.compare(&format!("seed {seed}, act {n}")).await;
    }
}

impl Both {
    async fn change(&mut self, what: What) {
        self.model.change(&what).unwrap();
        office::change(&self.scene.store, what).await;
    }

    async fn forbid(&mut self, n: usize, forbidden: bool) {
        self.forbidden[n] = forbidden;
        let mut user = user(USERS[n], "x");
        user.hotdesk = !forbidden;
        self.change(What::User(user)).await;
    }

    async fn close(&mut self, n: usize, closed: bool) {
        self.closed[n] = closed;
        let mut device = device(DESKS[n]);
        device.hotdesk = !closed;
        self.change(What::Device(device)).await;
    }

    fn rule(&mut self, multi: usize, take_over: bool) {
        let multi = match multi {
            0 => Multi::Refuse,
            1 | 2 => Multi::Keep(NonZeroU8::new(2).unwrap()),
            _ => Multi::Move,
        };
        self.rules = Seating { multi, take_over };
    }

    /// One key with a right or a wrong PIN.
    async fn call(&mut self, user: usize, desk: usize, right: bool) {
        let (known, digits) = (user < 3, if right && user < 3 { pin(USERS[user]) } else { "000111" });
        let code = format!("*35*{}*{digits}", USERS[user]);
        let (_, outcome) = self.scene.dial(DESKS[desk], &code, &[]).await;
        let (who, at) = (ext(USERS[user]), name(DESKS[desk]));
        let expected = if self.model.seats.iter().any(|(.., d, u)| (u, d) == (&who, &at)) {
            self.moves(Act::Leave(who, at));
            Outcome::LoggedOut
        } else if self.closed[desk] {
            Outcome::Refused
        } else {
            let alias = office::pepper().alias(&TenantId::default(), &who);
            let guess =
                Guess { tenant: TenantId::default(), user: alias, device: at.clone(), at: Timestamp::now() };
            let may = self.model.attempt(&guess).is_ok() && right && known && !self.forbidden[user];
            if may {
                self.model.forgive(&guess);
            }
            if may && self.moves(Act::Seat(who, at, self.rules)) {
                Outcome::LoggedIn
            } else {
                Outcome::Refused
            }
        };
        assert_eq!(outcome, expected, "{code} at {}", DESKS[desk]);
    }

    fn moves(&mut self, act: Act) -> bool {
        let (by, at) = (hotdesk::desk::journal::Actor::Controller, Timestamp::now());
        let request = hotdesk::controller::request_id().unwrap();
        self.model
            .moves(&Move { request, tenant: TenantId::default(), act, by, call: None, code: None, at })
            .is_ok()
    }

    async fn compare(&self, when: &str) {
        let mut expected: Vec<String> =
            self.model.seats.iter().map(|(.., desk, user)| format!("{user}@{desk}")).collect();
        expected.sort_by_key(|seat| seat.split('@').next_back().map(str::to_owned));
        assert_eq!(seats(&self.scene.store).await, expected, "{when}");
        // What the command line changed reaches the switch a little later.
        let rows = || DESKS.iter().filter_map(|desk| Some(format!("{}@{desk}", self.scene.row_of(desk)?)));
        for _ in 0..200 {
            if rows().eq(expected.iter().cloned()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(rows().collect::<Vec<_>>(), expected, "the switch, {when}");
    }
}
