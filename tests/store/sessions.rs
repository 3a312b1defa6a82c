use hotdesk::model::directory::{Device, User};
use hotdesk::model::id::Revision;
use hotdesk::model::journal::Event;

use super::*;

use crate::harness::asking::What;
use hotdesk::model::login::refusal::Refusal;

on_each_store! {
    a_user_has_one_session_and_a_device_one_user
    a_login_at_the_current_device_changes_nothing
    a_logout_ends_only_the_named_session
    an_unknown_user_or_device_is_named
    an_undo_restores_all_sessions
    an_undo_keeps_later_changes
    an_undo_restores_no_session_that_is_no_longer_allowed
    a_repeated_request_changes_nothing_and_returns_the_same
}

async fn a_user_has_one_session_and_a_device_one_user(place: Place) {
    let store = place.snapshot(2, 2).await;
    let first = log_in(&store, "101", "desk1").await;
    let second = log_in(&store, "102", "desk2").await;
    assert_eq!(second.revision.0, first.revision.0 + 1);
    let moved = log_in(&store, "101", "desk2").await;
    assert_eq!(sessions_of(&all(&store).await), ["101@desk2"]);
    assert_eq!(moved.ended, [first.begun[0].clone(), second.begun[0].clone()]);
    assert_eq!(moved.moved_from(), Some(&name("desk1")));
    let session = &moved.begun[0];
    assert_eq!(
        (&session.user, &session.device, session.revision),
        (&ext("101"), &name("desk2"), moved.revision)
    );
    assert_eq!(all(&store).await.sessions[&name("desk2")], *session);
    assert_eq!(all(&store).await.revision, moved.revision);
}

async fn a_login_at_the_current_device_changes_nothing(place: Place) {
    let store = place.snapshot(1, 1).await;
    let first = log_in(&store, "101", "desk1").await;
    let again = log_in(&store, "101", "desk1").await;
    assert!(again.is_empty());
    assert_eq!(again.revision, first.revision);
    assert_eq!(all(&store).await.sessions[&name("desk1")], first.begun[0]);
    assert_eq!(store.journal(&tenant(), first.revision, 9).await.unwrap(), []);
}

async fn a_logout_ends_only_the_named_session(place: Place) {
    let store = place.snapshot(2, 2).await;
    let before = log_in(&store, "101", "desk1").await;
    for nothing in [
        SessionCommand::LogOut(ext("102"), name("desk1")),
        SessionCommand::LogOut(ext("101"), name("desk2")),
        SessionCommand::LogOutEverywhere(ext("102")),
        SessionCommand::LogOutDevice(name("desk2")),
    ] {
        let done = execute(&store, nothing.clone()).await.unwrap();
        assert!(done.is_empty() && done.revision == before.revision, "{nothing:?}");
    }
    for logout in [
        SessionCommand::LogOut(ext("101"), name("desk1")),
        SessionCommand::LogOutEverywhere(ext("101")),
        SessionCommand::LogOutDevice(name("desk1")),
    ] {
        let before = log_in(&store, "101", "desk1").await;
        let before = if before.is_empty() {
            all(&store).await.sessions[&name("desk1")].clone()
        } else {
            before.begun[0].clone()
        };
        let done = execute(&store, logout.clone()).await.unwrap();
        assert_eq!((&done.ended[..], &done.begun[..]), (&[before][..], &[][..]), "{logout:?}");
        assert!(all(&store).await.sessions.is_empty());
        let entry = store.journal(&tenant(), Revision(done.revision.0 - 1), 9).await.unwrap();
        assert_eq!(entry.len(), 1);
        assert_eq!(entry[0].event, Event::SessionsChanged { ended: done.ended, begun: vec![], undo: false });
    }
}

async fn an_unknown_user_or_device_is_named(place: Place) {
    let store = place.snapshot(1, 1).await;
    let before = all(&store).await;
    for (command, missing) in [
        (log_in_command(ext("999"), name("desk1")), "user 999"),
        (log_in_command(ext("101"), name("desk9")), "device desk9"),
        (SessionCommand::LogOut(ext("999"), name("desk1")), "user 999"),
        (SessionCommand::LogOut(ext("101"), name("desk9")), "device desk9"),
        (SessionCommand::LogOutEverywhere(ext("999")), "user 999"),
        (SessionCommand::LogOutDevice(name("desk9")), "device desk9"),
    ] {
        match execute(&store, command).await {
            Err(StoreError::Refused(Refusal::Missing(what))) => assert_eq!(what.to_string(), missing),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(all(&store).await, before);
}

async fn an_undo_restores_all_sessions(place: Place) {
    let store = place.snapshot(2, 2).await;
    log_in(&store, "101", "desk1").await;
    log_in(&store, "102", "desk2").await;
    let before = all(&store).await;
    let moved = log_in(&store, "101", "desk2").await;
    let undone = execute(&store, moved.clone().inverse(1, false)).await.unwrap();
    assert_eq!(undone.ended, moved.begun);
    assert_eq!(undone.revision.0, moved.revision.0 + 1);
    let after = all(&store).await;
    assert_eq!(sessions_of(&after), sessions_of(&before));
    for (device, session) in &after.sessions {
        assert_eq!(session.since, before.sessions[device].since, "the session keeps its beginning");
        assert_eq!(session.revision, undone.revision, "the switch handles the session as new");
    }
    let entry = store.journal(&tenant(), moved.revision, 9).await.unwrap();
    assert_eq!(
        entry[0].event,
        Event::SessionsChanged { ended: undone.ended, begun: undone.begun, undo: true }
    );
    let again = execute(&store, moved.inverse(1, false)).await.unwrap();
    assert!(again.is_empty() && again.revision == undone.revision);
}

async fn an_undo_keeps_later_changes(place: Place) {
    let store = place.snapshot(3, 3).await;
    log_in(&store, "101", "desk1").await;
    log_in(&store, "102", "desk2").await;
    let moved = log_in(&store, "101", "desk2").await;

    // 103 logged in at desk1 meanwhile: 101 has no session, and 102 is logged in again.
    log_in(&store, "103", "desk1").await;
    execute(&store, moved.clone().inverse(1, false)).await.unwrap();
    assert_eq!(sessions_of(&all(&store).await), ["103@desk1", "102@desk2"]);

    // 101 logged out and in again at the same device: that is another session, and it stays.
    let moved = log_in(&store, "101", "desk2").await;
    execute(&store, SessionCommand::LogOutEverywhere(ext("101"))).await.unwrap();
    let back = log_in(&store, "101", "desk2").await;
    let undone = execute(&store, moved.inverse(1, false)).await.unwrap();
    assert!(undone.is_empty());
    assert_eq!(all(&store).await.sessions[&name("desk2")], back.begun[0]);

    // 103 logged in elsewhere: that session stays, and 101 is logged in again.
    let moved = log_in(&store, "103", "desk2").await;
    log_in(&store, "103", "desk3").await;
    let undone = execute(&store, moved.inverse(1, false)).await.unwrap();
    assert_eq!(undone.ended, []);
    assert_eq!(sessions_of(&all(&store).await), ["101@desk2", "103@desk3"]);
}

async fn an_undo_restores_no_session_that_is_no_longer_allowed(place: Place) {
    for stopped in [
        What::RemoveUser(ext("102")),
        What::RemoveDevice(name("desk1")),
        What::User(User { hotdesk: false, ..user("102") }),
        What::Device(Device { hotdesk: false, ..device("desk1") }),
    ] {
        let store = place.snapshot(2, 2).await;
        log_in(&store, "102", "desk1").await;
        let moved = log_in(&store, "101", "desk1").await;
        apply(&store, stopped).await;
        execute(&store, moved.inverse(1, false)).await.unwrap();
        assert_eq!(sessions_of(&all(&store).await), [""; 0]);
    }
}

async fn a_repeated_request_changes_nothing_and_returns_the_same(place: Place) {
    let store = place.snapshot(2, 1).await;
    let asked = request_for(log_in_command(ext("101"), name("desk1")));
    let first = store.change_sessions(&asked).await.unwrap();
    let idle = request_for(SessionCommand::LogOutEverywhere(ext("102")));
    let nothing = store.change_sessions(&idle).await.unwrap();
    let then = log_in(&store, "102", "desk1").await;
    let other = place.open().await;
    assert_eq!(other.change_sessions(&asked).await.unwrap(), first);
    assert_eq!(other.change_sessions(&idle).await.unwrap(), nothing);
    let snapshot = all(&store).await;
    assert_eq!((sessions_of(&snapshot), snapshot.revision), (vec!["102@desk1".to_owned()], then.revision));
}
