//! How many sessions a user may have, and who may take over an occupied device.

use std::num::NonZeroU8;

use hotdesk::model::journal::Event;
use hotdesk::model::login::limits::MultipleLogins;
use hotdesk::model::login::refusal::Refusal;

use super::*;

on_each_store! {
    a_login_without_hotdesking_is_refused_by_the_store
    a_second_login_and_an_occupied_device_are_refused_where_the_rules_say_so
    two_sessions_are_kept_and_a_third_ends_the_oldest
    all_sessions_of_a_user_end_with_a_logout_or_without_hotdesking
    parallel_logins_never_exceed_the_limit_of_sessions
}

fn by(multiple_logins: MultipleLogins, take_over: bool, user: &str, device: &str) -> SessionCommand {
    SessionCommand::LogIn(ext(user), name(device), LoginRules { multiple_logins, take_over })
}

fn keep(most: u8) -> MultipleLogins {
    MultipleLogins::Keep(NonZeroU8::new(most).unwrap())
}

async fn refusal(store: &Arc<dyn Store>, what: SessionCommand) -> Refusal {
    let before = all(store).await;
    let refused = execute(store, what).await.unwrap_err();
    assert_eq!(all(store).await, before);
    match refused {
        StoreError::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn a_login_without_hotdesking_is_refused_by_the_store(place: Place) {
    let store = place.snapshot(2, 2).await;
    apply(&store, What::User(User { hotdesk: false, ..user("101") })).await;
    apply(&store, What::Device(Device { hotdesk: false, ..device("desk1") })).await;
    assert_eq!(refusal(&store, log_in_command(ext("101"), name("desk2"))).await, Refusal::UserForbidden);
    assert_eq!(refusal(&store, log_in_command(ext("102"), name("desk1"))).await, Refusal::DeviceForbidden);
    assert_eq!(refusal(&store, log_in_command(ext("101"), name("desk1"))).await, Refusal::UserForbidden);
    log_in(&store, "102", "desk2").await;
}

async fn a_second_login_and_an_occupied_device_are_refused_where_the_rules_say_so(place: Place) {
    let store = place.snapshot(2, 3).await;
    for (user, device) in [("101", "desk1"), ("102", "desk2")] {
        execute(&store, by(MultipleLogins::Refuse, false, user, device)).await.unwrap();
    }
    assert_eq!(
        refusal(&store, by(MultipleLogins::Refuse, true, "101", "desk3")).await,
        Refusal::UserElsewhere
    );
    assert_eq!(
        refusal(&store, by(MultipleLogins::Move, false, "101", "desk2")).await,
        Refusal::DeviceOccupied
    );
    assert_eq!(refusal(&store, by(keep(9), false, "101", "desk2")).await, Refusal::DeviceOccupied);
    let again = execute(&store, by(MultipleLogins::Refuse, false, "101", "desk1")).await.unwrap();
    assert!(again.is_empty(), "101 is already logged in there");
    execute(&store, by(MultipleLogins::Move, true, "101", "desk2")).await.unwrap();
    assert_eq!(sessions_of(&all(&store).await), ["101@desk2"]);
}

async fn two_sessions_are_kept_and_a_third_ends_the_oldest(place: Place) {
    let store = place.snapshot(2, 4).await;
    for device in ["desk3", "desk1"] {
        execute(&store, by(keep(2), true, "101", device)).await.unwrap();
    }
    execute(&store, by(keep(2), true, "102", "desk2")).await.unwrap();
    assert_eq!(sessions_of(&all(&store).await), ["101@desk1", "102@desk2", "101@desk3"]);
    let moved = execute(&store, by(keep(2), true, "101", "desk2")).await.unwrap();
    assert_eq!(moved.moved_from(), Some(&name("desk3")));
    assert_eq!(sessions_of(&all(&store).await), ["101@desk1", "101@desk2"]);
    // The scope of one device of the user holds all sessions of the user.
    let of_one = store.snapshot(&tenant(), &Scope::device(&name("desk1"))).await.unwrap();
    assert_eq!(sessions_of(&of_one), ["101@desk1", "101@desk2"]);

    execute(&store, moved.inverse(2, false)).await.unwrap();
    assert_eq!(sessions_of(&all(&store).await), ["101@desk1", "102@desk2", "101@desk3"]);
    // The session at desk3 is still the user's oldest.
    execute(&store, by(keep(2), true, "101", "desk4")).await.unwrap();
    assert_eq!(sessions_of(&all(&store).await), ["101@desk1", "102@desk2", "101@desk4"]);
    // The rules are stricter now: one session is done.
    execute(&store, by(MultipleLogins::Move, true, "101", "desk3")).await.unwrap();
    assert_eq!(sessions_of(&all(&store).await), ["102@desk2", "101@desk3"]);
}

async fn all_sessions_of_a_user_end_with_a_logout_or_without_hotdesking(place: Place) {
    let store = place.snapshot(1, 3).await;
    let both = [name("desk1"), name("desk2")];
    for logout in
        [None, Some(What::User(User { hotdesk: false, ..user("101") })), Some(What::RemoveUser(ext("101")))]
    {
        apply(&store, What::User(user("101"))).await;
        for device in &both {
            execute(&store, by(keep(3), true, "101", device.as_str())).await.unwrap();
        }
        match logout {
            None => {
                let done = execute(&store, SessionCommand::LogOutEverywhere(ext("101"))).await.unwrap();
                assert!(done.ended.iter().map(|was| &was.device).eq(&both));
            }
            Some(what) => {
                let revision = apply(&store, what).await;
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
        assert_eq!(sessions_of(&all(&store).await), [""; 0]);
    }
}

async fn parallel_logins_never_exceed_the_limit_of_sessions(place: Place) {
    let place = Arc::new(place);
    drop(place.snapshot(3, 8).await);
    let stores = [place.open().await, place.open().await];
    let moves = (0..240).map(|n: usize| {
        let store = Arc::clone(&stores[n % 2]);
        let what = by(keep(2), true, &(101 + n % 3).to_string(), &format!("desk{}", 1 + n * 5 % 8));
        tokio::spawn(async move {
            execute(&store, what).await.unwrap();
            let snapshot = all(&store).await;
            for user in snapshot.users.keys() {
                assert!(snapshot.sessions_of(user).count() <= 2, "{:?}", sessions_of(&snapshot));
            }
        })
    });
    for moved in moves.collect::<Vec<_>>() {
        moved.await.unwrap();
    }
    assert!(!all(&stores[0]).await.sessions.is_empty());
}
