use hotdesk::model::directory::Session;
use hotdesk::model::journal::Event;
use hotdesk::model::observation::Observed;

use super::*;

use crate::harness::asking::{Note, Noted};

on_each_store! {
    observations_last_as_long_as_their_session
    an_observation_of_an_ended_session_changes_nothing
    one_of_many_controllers_asks_the_user
    a_session_expires_once_when_many_controllers_end_it
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_microsecond(1_800_000_000_000_000 + 1_000_000 * second + 7).unwrap()
}

fn note(session: &Session, what: Noted) -> Note {
    Note { device: session.device.clone(), revision: session.revision, what }
}

async fn observed_at(store: &Arc<dyn Store>, device: &str) -> Option<Observed> {
    let all = store.observations(&tenant(), &Scope::All).await.unwrap();
    let one = store.observations(&tenant(), &Scope::device(&name(device))).await.unwrap();
    assert_eq!(all.get(&name(device)), one.get(&name(device)));
    assert!(one.len() <= 1);
    one.get(&name(device)).copied()
}

async fn observations_last_as_long_as_their_session(place: Place) {
    let store = place.snapshot(2, 2).await;
    let session = log_in(&store, "101", "desk1").await.begun.remove(0);
    log_in(&store, "102", "desk2").await;
    assert_eq!(observed_at(&store, "desk1").await, None);
    let notes = [
        (Noted::Unregistered(None), false),
        (Noted::LastCall(at(20)), true),
        (Noted::LastCall(at(10)), false),
        (Noted::Unregistered(Some(at(30))), true),
        (Noted::Unregistered(Some(at(30))), false),
        (Noted::Extended(at(90)), true),
        (Noted::Extended(at(80)), false),
        (Noted::Asked(at(70)), true),
    ];
    let revision = all(&store).await.revision;
    let (what, changes): (Vec<Note>, Vec<bool>) =
        notes.iter().map(|(what, changes)| (note(&session, *what), *changes)).unzip();
    assert_eq!(store.note(&tenant(), &what).await.unwrap(), changes);
    let observed = Observed {
        last_call: Some(at(20)),
        unregistered: Some(at(30)),
        extended: Some(at(90)),
        asked: Some(at(70)),
        ..Observed::default()
    };
    // Also for another controller, and after a restart.
    let other = place.open().await;
    assert_eq!(observed_at(&other, "desk1").await, Some(observed));
    assert_eq!(observed_at(&other, "desk2").await, None);
    assert_eq!(other.note(&tenant(), &[note(&session, Noted::Unregistered(None))]).await.unwrap(), [true]);
    assert_eq!(observed_at(&store, "desk1").await, Some(Observed { unregistered: None, ..observed }));
    assert_eq!(all(&store).await.revision, revision, "the journal has no entry");
    execute(&store, SessionCommand::LogOutDevice(name("desk1"))).await.unwrap();
    assert_eq!(observed_at(&store, "desk1").await, None);
    log_in(&store, "101", "desk1").await;
    assert_eq!(observed_at(&store, "desk1").await, None, "a new session has no observations");
}

async fn an_observation_of_an_ended_session_changes_nothing(place: Place) {
    let store = place.snapshot(2, 1).await;
    let session = log_in(&store, "101", "desk1").await.begun.remove(0);
    let now = log_in(&store, "102", "desk1").await.begun.remove(0);
    for what in [
        Noted::LastCall(at(1)),
        Noted::Unregistered(Some(at(1))),
        Noted::Asked(at(1)),
        Noted::Extended(at(1)),
    ] {
        assert_eq!(store.note(&tenant(), &[note(&session, what)]).await.unwrap(), [false], "{what:?}");
    }
    assert_eq!(observed_at(&store, "desk1").await, None);
    assert_eq!(store.note(&tenant(), &[note(&now, Noted::LastCall(at(1)))]).await.unwrap(), [true]);
    execute(&store, SessionCommand::Expire(now.clone())).await.unwrap();
    assert_eq!(store.note(&tenant(), &[note(&now, Noted::LastCall(at(2)))]).await.unwrap(), [false]);
    assert_eq!(store.note(&tenant(), &[]).await.unwrap(), [] as [bool; 0]);
}

async fn one_of_many_controllers_asks_the_user(place: Place) {
    let store = place.snapshot(1, 1).await;
    let session = log_in(&store, "101", "desk1").await.begun.remove(0);
    for round in 0..5 {
        let mut tasks = vec![];
        for _ in 0..8 {
            let (store, note) = (place.open().await, note(&session, Noted::Asked(at(round))));
            tasks.push(tokio::spawn(async move { store.note(&tenant(), &[note]).await.unwrap() }));
        }
        let mut asking = 0;
        for task in tasks {
            asking += usize::from(task.await.unwrap() == [true]);
        }
        assert_eq!(asking, 1, "round {round}");
    }
}

async fn a_session_expires_once_when_many_controllers_end_it(place: Place) {
    let store = place.snapshot(2, 2).await;
    let session = log_in(&store, "101", "desk1").await.begun.remove(0);
    let before = all(&store).await.revision;
    let mut tasks = vec![];
    for _ in 0..16 {
        let (store, expire) = (place.open().await, request_for(SessionCommand::Expire(session.clone())));
        tasks.push(tokio::spawn(async move { store.change_sessions(&expire).await.unwrap() }));
    }
    let mut done = vec![];
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done.retain(|transition| !transition.is_empty());
    assert_eq!(done.len(), 1);
    let entries = store.journal(&tenant(), before, 9).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        entries[0].event,
        Event::SessionsChanged { ended: vec![session.clone()], begun: vec![], undo: false }
    );
    // A later session of the same user and device goes on.
    log_in(&store, "101", "desk1").await;
    assert!(execute(&store, SessionCommand::Expire(session)).await.unwrap().is_empty());
    assert_eq!(sessions_of(&all(&store).await), ["101@desk1"]);
}
