use hotdesk::model::login::lockout::{Kind, Lockout};
use hotdesk::model::login::refusal::Refusal;

use super::*;

use crate::harness::asking::{Attempt, Tried, Unlock};

on_each_store! {
    five_failures_lock_a_user_out_and_ten_a_device
    a_right_pin_forgives_the_user_and_itself
    an_attempt_that_was_not_compared_is_no_failure
    a_thousand_at_once_get_as_many_tries_as_one_after_the_other
    a_right_pin_among_parallel_tries_gives_no_other_user_more_tries
    a_lockout_ends_and_the_next_one_is_longer
    fifty_in_a_row_need_an_administrator_also_after_a_restart
    an_administrator_clears_a_lockout_and_the_journal_says_so
    a_spray_is_reported_once
    old_failures_are_forgotten
}

fn allowed() -> Attempt {
    Attempt { allowed: Ok(()), spray: vec![] }
}

async fn tries(store: &Arc<dyn Store>, user: &str, device: &str, second: i64, most: usize) -> usize {
    let mut allowed = 0;
    for _ in 0..most {
        allowed += usize::from(store.attempt(&guess(user, device, second)).await.unwrap().allowed.is_ok());
    }
    allowed
}

async fn tried(store: &Arc<dyn Store>) -> Vec<Tried> {
    let mut tried = store.tries(&tenant()).await.unwrap();
    tried.sort();
    tried
}

async fn five_failures_lock_a_user_out_and_ten_a_device(place: Place) {
    let store = place.open().await;
    assert_eq!(tries(&store, "101", "desk1", 0, 7).await, 5);
    assert_eq!(tries(&store, "101", "desk2", 1, 1).await, 0, "the user is locked out everywhere");
    assert_eq!(tries(&store, "102", "desk1", 2, 4).await, 4);
    assert_eq!(tries(&store, "103", "desk1", 3, 2).await, 1, "the tenth of the device");
    let locked = store.attempt(&guess("104", "desk1", 3)).await.unwrap();
    assert_eq!(locked.allowed, Err(Refusal::DeviceLocked));
    assert_eq!(store.attempt(&guess("101", "desk1", 3)).await.unwrap().allowed, Err(Refusal::UserLocked));
    assert_eq!(store.attempt(&guess("103", "desk2", 3)).await.unwrap(), allowed());
    let other = Guess { tenant: TenantId::new("other").unwrap(), ..guess("101", "desk1", 3) };
    assert_eq!(store.attempt(&other).await.unwrap(), allowed());
}

async fn a_right_pin_forgives_the_user_and_itself(place: Place) {
    let store = place.open().await;
    assert_eq!(tries(&store, "101", "desk1", 0, 5).await, 5);
    store.forgive(&guess("101", "desk1", 0)).await.unwrap();
    assert_eq!(tries(&store, "101", "desk2", 0, 9).await, 5, "the failures of the user are cleared");
    assert_eq!(tries(&store, "102", "desk1", 0, 9).await, 5);
    assert_eq!(
        tries(&store, "103", "desk1", 0, 9).await,
        5,
        "and those at the device: five and five are ten"
    );
    assert_eq!(tries(&store, "104", "desk1", 0, 9).await, 0);
    store.forgive(&guess("103", "desk1", 0)).await.unwrap();
    assert_eq!(tries(&store, "104", "desk1", 0, 9).await, 5, "the tenth was right, and causes no lockout");
    store.forgive(&guess("105", "desk3", 0)).await.unwrap();
    assert_eq!(tries(&store, "105", "desk3", 0, 9).await, 5, "forgiving what never was gives no credit");
}

async fn an_attempt_that_was_not_compared_is_no_failure(place: Place) {
    let store = place.open().await;
    for n in 0..20 {
        assert_eq!(tries(&store, "101", "desk1", n, 1).await, 1);
        store.take_back(&guess("101", "desk1", n)).await.unwrap();
    }
    assert_eq!(tries(&store, "101", "desk1", 20, 9).await, 5);
    store.take_back(&guess("101", "desk1", 20)).await.unwrap();
    assert_eq!(tries(&store, "101", "desk1", 20, 9).await, 1, "the others still count");
}

/// So many tries at once, by two controllers; how many were allowed and not forgiven.
async fn crowd(place: &Place, size: usize, user: impl Fn(usize) -> String, forgives: bool) -> usize {
    let stores = [place.open().await, place.open().await];
    let tries: Vec<_> = (0..size)
        .map(|n: usize| {
            let (store, guess) = (Arc::clone(&stores[n % 2]), guess(&user(n), "desk1", 0));
            tokio::spawn(async move {
                let allowed = store.attempt(&guess).await.unwrap().allowed.is_ok();
                if allowed && forgives && n.is_multiple_of(2) {
                    store.forgive(&guess).await.unwrap();
                    return false;
                }
                allowed
            })
        })
        .collect();
    let mut allowed = 0;
    for tried in tries {
        allowed += usize::from(tried.await.unwrap());
    }
    allowed
}

async fn a_thousand_at_once_get_as_many_tries_as_one_after_the_other(place: Place) {
    assert_eq!(crowd(&place, 1000, |_| "101".into(), false).await, 5);
    let store = place.open().await;
    apply(&store, What::Unlock(Unlock::All)).await;
    assert_eq!(crowd(&place, 1000, |n| (200 + n).to_string(), false).await, 10, "by different users");
}

async fn a_right_pin_among_parallel_tries_gives_no_other_user_more_tries(place: Place) {
    // Every second one is right. Ten others may fail at this device; fewer if it is locked while those are compared.
    let failed = crowd(&place, 300, |n| (200 + n).to_string(), true).await;
    let store = place.open().await;
    let mut more = 0;
    for n in 0..20 {
        more += tries(&store, &(600 + n).to_string(), "desk1", 0, 1).await;
    }
    assert_eq!(failed + more, 10, "the right PINs change nothing in the number of failures");
}

async fn a_lockout_ends_and_the_next_one_is_longer(place: Place) {
    let store = place.open().await;
    let mut now = 0;
    for (minutes, desk) in [(15, "desk1"), (30, "desk2"), (60, "desk3"), (60, "desk4")] {
        assert_eq!(tries(&store, "101", desk, now, 6).await, 5);
        assert_eq!(tries(&store, "101", desk, now + minutes * 60 - 1, 1).await, 0, "{minutes}");
        now += minutes * 60;
    }
    now += 24 * 60 * 60;
    assert_eq!(tries(&store, "101", "desk5", now, 6).await, 5);
    assert_eq!(
        tries(&store, "101", "desk5", now + 15 * 60, 1).await,
        1,
        "a day later the first is short again"
    );
}

async fn fifty_in_a_row_need_an_administrator_also_after_a_restart(place: Place) {
    let store = place.open().await;
    let mut allowed = 0;
    for n in 0..60 {
        allowed += tries(&store, "101", &format!("desk{}", n % 20), n * 3600, 1).await;
    }
    assert_eq!(allowed, 50);
    let year = 365 * 24 * 3600;
    let store = place.open().await;
    assert_eq!(tries(&store, "102", "desk1", year, 1).await, 1);
    assert_eq!(tries(&store, "101", "desk1", year, 1).await, 0);
    let found = tried(&store).await.into_iter().find(|tried| tried.tries.in_a_row == 50).unwrap();
    assert_eq!((found.kind, found.tries.lockout(found.kind, 0)), (Kind::User, Some(Lockout::Administrator)));
}

async fn an_administrator_clears_a_lockout_and_the_journal_says_so(place: Place) {
    let store = place.open().await;
    let alias = guess("101", "desk1", 0).user;
    for (unlock, entry, freed) in [
        (Unlock::User(ext("101"), alias), "lockout of user 101 ended, by anna (command line)", [5, 0]),
        (Unlock::Device(name("desk1")), "lockout of device desk1 ended, by anna (command line)", [0, 5]),
        (Unlock::All, "all lockouts ended, by anna (command line)", [5, 5]),
    ] {
        apply(&store, What::Unlock(Unlock::All)).await;
        tries(&store, "101", "desk2", 0, 5).await;
        tries(&store, "102", "desk1", 0, 5).await;
        tries(&store, "103", "desk1", 0, 5).await;
        let revision = apply(&store, What::Unlock(unlock)).await;
        let entries = store.journal(&tenant(), Revision(revision.0 - 1), 9).await.unwrap();
        assert_eq!(entries.iter().map(ToString::to_string).collect::<Vec<_>>(), [entry]);
        let free = [tries(&store, "101", "desk3", 0, 5).await, tries(&store, "104", "desk1", 0, 5).await];
        assert_eq!(free, freed, "{entry}");
    }
    apply(&store, What::Unlock(Unlock::All)).await;
    assert_eq!(tried(&store).await, []);
}

async fn a_spray_is_reported_once(place: Place) {
    let store = place.open().await;
    let mut sprays = vec![];
    for (user, device) in [("101", "desk1"), ("101", "desk2"), ("101", "desk2"), ("101", "desk3")] {
        sprays.push(store.attempt(&guess(user, device, 0)).await.unwrap().spray);
    }
    assert_eq!(sprays, [vec![], vec![], vec![], vec![Kind::User]]);
    let mut sprays = vec![];
    for n in 0..7 {
        sprays.push(store.attempt(&guess(&(200 + n).to_string(), "desk9", n)).await.unwrap().spray);
    }
    assert_eq!(sprays, [vec![], vec![], vec![], vec![], vec![Kind::Device], vec![], vec![]]);
}

async fn old_failures_are_forgotten(place: Place) {
    let store = place.open().await;
    for n in 0..10 {
        tries(&store, &(200 + n).to_string(), &format!("desk{n}"), 0, 1).await;
    }
    assert_eq!(tried(&store).await.len(), 20);
    tries(&store, "101", "desk99", 31 * 24 * 3600, 1).await;
    store.prune(&tenant(), guess("101", "desk99", 31 * 24 * 3600).at).await;
    assert_eq!(tried(&store).await.len(), 2, "the user of the last try, and the device");
}
