//! At how many desks somebody may sit, and who may come to one that is taken.

use std::num::NonZeroU8;

use hotdesk::desk::journal::Event;
use hotdesk::desk::policy::Refusal;
use hotdesk::desk::rules::Multi;

use super::*;

on_both_stores! {
    who_is_no_longer_for_hotdesking_is_refused_in_the_step_itself
    who_sits_elsewhere_or_comes_to_an_occupied_desk_is_refused_where_the_rules_say_so
    two_desks_are_kept_and_the_third_ends_the_oldest
    all_his_desks_are_left_when_he_leaves_or_may_no_longer
    many_at_once_never_sit_at_more_desks_than_they_may
}

fn by(multi: Multi, take_over: bool, user: &str, device: &str) -> Act {
    Act::Seat(ext(user), name(device), Seating { multi, take_over })
}

fn keep(most: u8) -> Multi {
    Multi::Keep(NonZeroU8::new(most).unwrap())
}

async fn refusal(store: &Arc<dyn Store>, what: Act) -> Refusal {
    let before = all(store).await;
    let refused = doing(store, what).await.unwrap_err();
    assert_eq!(all(store).await, before);
    match refused {
        StoreError::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn who_is_no_longer_for_hotdesking_is_refused_in_the_step_itself(place: Place) {
    let store = place.office(2, 2).await;
    put(&store, What::User(User { hotdesk: false, ..user("101") })).await;
    put(&store, What::Device(Device { hotdesk: false, ..device("desk1") })).await;
    assert_eq!(refusal(&store, sit(ext("101"), name("desk2"))).await, Refusal::UserForbidden);
    assert_eq!(refusal(&store, sit(ext("102"), name("desk1"))).await, Refusal::DeviceForbidden);
    assert_eq!(refusal(&store, sit(ext("101"), name("desk1"))).await, Refusal::UserForbidden);
    seat(&store, "102", "desk2").await;
}

async fn who_sits_elsewhere_or_comes_to_an_occupied_desk_is_refused_where_the_rules_say_so(place: Place) {
    let store = place.office(2, 3).await;
    for (user, device) in [("101", "desk1"), ("102", "desk2")] {
        doing(&store, by(Multi::Refuse, false, user, device)).await.unwrap();
    }
    assert_eq!(refusal(&store, by(Multi::Refuse, true, "101", "desk3")).await, Refusal::UserElsewhere);
    assert_eq!(refusal(&store, by(Multi::Move, false, "101", "desk2")).await, Refusal::DeviceOccupied);
    assert_eq!(refusal(&store, by(keep(9), false, "101", "desk2")).await, Refusal::DeviceOccupied);
    let again = doing(&store, by(Multi::Refuse, false, "101", "desk1")).await.unwrap();
    assert!(again.is_empty(), "he sits there already");
    doing(&store, by(Multi::Move, true, "101", "desk2")).await.unwrap();
    assert_eq!(seated(&all(&store).await), ["101@desk2"]);
}

async fn two_desks_are_kept_and_the_third_ends_the_oldest(place: Place) {
    let store = place.office(2, 4).await;
    for device in ["desk3", "desk1"] {
        doing(&store, by(keep(2), true, "101", device)).await.unwrap();
    }
    doing(&store, by(keep(2), true, "102", "desk2")).await.unwrap();
    assert_eq!(seated(&all(&store).await), ["101@desk1", "102@desk2", "101@desk3"]);
    let moved = doing(&store, by(keep(2), true, "101", "desk2")).await.unwrap();
    assert_eq!(moved.moved_from(), Some(&name("desk3")));
    assert_eq!(seated(&all(&store).await), ["101@desk1", "101@desk2"]);
    // What is known of one of his desks is all that is needed to know his rows.
    let of_one = store.office(&tenant(), &Scope::device(&name("desk1"))).await.unwrap();
    assert_eq!(seated(&of_one), ["101@desk1", "101@desk2"]);

    doing(&store, moved.inverse(2)).await.unwrap();
    assert_eq!(seated(&all(&store).await), ["101@desk1", "102@desk2", "101@desk3"]);
    // Desk3 is still the one where he has been longest.
    doing(&store, by(keep(2), true, "101", "desk4")).await.unwrap();
    assert_eq!(seated(&all(&store).await), ["101@desk1", "102@desk2", "101@desk4"]);
    // The rules are stricter now: one desk is left.
    doing(&store, by(Multi::Move, true, "101", "desk3")).await.unwrap();
    assert_eq!(seated(&all(&store).await), ["102@desk2", "101@desk3"]);
}

async fn all_his_desks_are_left_when_he_leaves_or_may_no_longer(place: Place) {
    let store = place.office(1, 3).await;
    let both = [name("desk1"), name("desk2")];
    for leave in
        [None, Some(What::User(User { hotdesk: false, ..user("101") })), Some(What::RemoveUser(ext("101")))]
    {
        put(&store, What::User(user("101"))).await;
        for device in &both {
            doing(&store, by(keep(3), true, "101", device.as_str())).await.unwrap();
        }
        match leave {
            None => {
                let left = doing(&store, Act::LeaveAll(ext("101"))).await.unwrap();
                assert!(left.removed.iter().map(|was| &was.device).eq(&both));
            }
            Some(what) => {
                let revision = put(&store, what).await;
                let entries = store.journal(&tenant(), Revision(revision.0 - 1), 9).await.unwrap();
                let (Event::UserChanged { devices, .. } | Event::UserRemoved { devices, .. }) =
                    &entries[0].event
                else {
                    panic!("{entries:?}")
                };
                assert_eq!(*devices, both);
                let touched = Scope::Some { users: [ext("101")].into(), devices: both.clone().into() };
                assert_eq!(entries[0].touches(), touched);
            }
        }
        assert_eq!(seated(&all(&store).await), [""; 0]);
    }
}

async fn many_at_once_never_sit_at_more_desks_than_they_may(place: Place) {
    let place = Arc::new(place);
    drop(place.office(3, 8).await);
    let stores = [place.open().await, place.open().await];
    let moves = (0..240).map(|n: usize| {
        let store = Arc::clone(&stores[n % 2]);
        let what = by(keep(2), true, &(101 + n % 3).to_string(), &format!("desk{}", 1 + n * 5 % 8));
        tokio::spawn(async move {
            doing(&store, what).await.unwrap();
            let office = all(&store).await;
            for user in office.users.keys() {
                assert!(office.bindings_of(user).count() <= 2, "{:?}", seated(&office));
            }
        })
    });
    for moved in moves.collect::<Vec<_>>() {
        moved.await.unwrap();
    }
    assert!(!all(&stores[0]).await.bindings.is_empty());
}
