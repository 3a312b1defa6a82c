use hotdesk::desk::policy::Attempts;

use super::*;

on_both_stores! {
    tries_add_up_for_the_user_and_for_the_device
    a_window_is_over_after_its_time
    a_right_pin_forgives_the_user_and_itself
    a_thousand_at_once_are_a_thousand
}

async fn tries_add_up_for_the_user_and_for_the_device(place: Place) {
    let store = place.open().await;
    for (user, device, expected) in [
        ("101", "desk1", Attempts { user: 1, device: 1 }),
        ("101", "desk2", Attempts { user: 2, device: 1 }),
        ("102", "desk1", Attempts { user: 1, device: 2 }),
        ("101", "desk1", Attempts { user: 3, device: 3 }),
    ] {
        assert_eq!(store.attempt(&guess(user, device, 0)).await.unwrap(), expected);
    }
    let other = Guess { tenant: TenantId::new("other").unwrap(), ..guess("101", "desk1", 0) };
    assert_eq!(store.attempt(&other).await.unwrap(), Attempts { user: 1, device: 1 });
}

async fn a_window_is_over_after_its_time(place: Place) {
    let (store, window) = (place.open().await, i64::from(Attempts::WINDOW));
    for (second, count) in [(0, 1), (window - 1, 2), (window, 1), (window + 10, 2), (2 * window, 1)] {
        let counted = store.attempt(&guess("101", "desk1", second)).await.unwrap();
        assert_eq!(counted, Attempts { user: count, device: count }, "after {second} s");
    }
    let counted = store.attempt(&guess("101", "desk1", -9 * window)).await.unwrap();
    assert_eq!(counted.user, 1, "a window of a wrong clock's future locks nobody for ever");
}

async fn a_right_pin_forgives_the_user_and_itself(place: Place) {
    let store = place.open().await;
    for _ in 0..3 {
        store.attempt(&guess("101", "desk1", 0)).await.unwrap();
    }
    store.forgive(&guess("101", "desk1", 0)).await.unwrap();
    let counted = store.attempt(&guess("101", "desk1", 0)).await.unwrap();
    assert_eq!(counted, Attempts { user: 1, device: 3 });
    store.forgive(&guess("103", "desk3", 0)).await.unwrap();
    let counted = store.attempt(&guess("103", "desk3", 0)).await.unwrap();
    assert_eq!(counted, Attempts { user: 1, device: 1 }, "forgiving what never was gives no credit");
}

async fn a_thousand_at_once_are_a_thousand(place: Place) {
    let stores = [place.open().await, place.open().await];
    let tries: Vec<_> = (0..1000)
        .map(|n: usize| {
            let store = Arc::clone(&stores[n % 2]);
            tokio::spawn(async move { store.attempt(&guess("101", "desk1", 0)).await.unwrap().user })
        })
        .collect();
    let mut counts = vec![];
    for counted in tries {
        counts.push(counted.await.unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=1000).collect::<Vec<_>>());
}
