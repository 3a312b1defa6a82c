use hotdesk::desk::journal::Event;
use hotdesk::desk::leave::Seen;
use hotdesk::desk::model::Binding;
use hotdesk::store::{Note, Noted};

use super::*;

on_both_stores! {
    what_was_seen_is_kept_with_the_binding_and_goes_with_it
    a_note_of_a_binding_that_is_no_more_changes_nothing
    of_many_who_want_to_ask_one_does
    a_binding_expires_once_however_many_want_it_to
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_microsecond(1_800_000_000_000_000 + 1_000_000 * second + 7).unwrap()
}

fn note(of: &Binding, what: Noted) -> Note {
    Note { device: of.device.clone(), revision: of.revision, what }
}

async fn seen_of(store: &Arc<dyn Store>, device: &str) -> Option<Seen> {
    let all = store.seen(&tenant(), &Scope::All).await.unwrap();
    let one = store.seen(&tenant(), &Scope::device(&name(device))).await.unwrap();
    assert_eq!(all.get(&name(device)), one.get(&name(device)));
    assert!(one.len() <= 1);
    one.get(&name(device)).copied()
}

async fn what_was_seen_is_kept_with_the_binding_and_goes_with_it(place: Place) {
    let store = place.office(2, 2).await;
    let sat = seat(&store, "101", "desk1").await.seated.remove(0);
    seat(&store, "102", "desk2").await;
    assert_eq!(seen_of(&store, "desk1").await, None);
    let notes = [
        (Noted::Gone(None), false),
        (Noted::Quiet(at(20)), true),
        (Noted::Quiet(at(10)), false),
        (Noted::Gone(Some(at(30))), true),
        (Noted::Gone(Some(at(30))), false),
        (Noted::Stays(at(90)), true),
        (Noted::Stays(at(80)), false),
        (Noted::Asked(at(70)), true),
    ];
    let revision = all(&store).await.revision;
    let (what, changes): (Vec<Note>, Vec<bool>) =
        notes.iter().map(|(what, changes)| (note(&sat, *what), *changes)).unzip();
    assert_eq!(store.note(&tenant(), &what).await.unwrap(), changes);
    let seen = Seen { quiet: Some(at(20)), gone: Some(at(30)), stays: Some(at(90)), asked: Some(at(70)) };
    // Also for another controller, and after a restart.
    let other = place.open().await;
    assert_eq!(seen_of(&other, "desk1").await, Some(seen));
    assert_eq!(seen_of(&other, "desk2").await, None);
    assert_eq!(other.note(&tenant(), &[note(&sat, Noted::Gone(None))]).await.unwrap(), [true]);
    assert_eq!(seen_of(&store, "desk1").await, Some(Seen { gone: None, ..seen }));
    assert_eq!(all(&store).await.revision, revision, "nothing is journalled");
    doing(&store, Act::Clear(name("desk1"))).await.unwrap();
    assert_eq!(seen_of(&store, "desk1").await, None);
    seat(&store, "101", "desk1").await;
    assert_eq!(seen_of(&store, "desk1").await, None, "he starts anew");
}

async fn a_note_of_a_binding_that_is_no_more_changes_nothing(place: Place) {
    let store = place.office(2, 1).await;
    let sat = seat(&store, "101", "desk1").await.seated.remove(0);
    let now = seat(&store, "102", "desk1").await.seated.remove(0);
    for what in [Noted::Quiet(at(1)), Noted::Gone(Some(at(1))), Noted::Asked(at(1)), Noted::Stays(at(1))] {
        assert_eq!(store.note(&tenant(), &[note(&sat, what)]).await.unwrap(), [false], "{what:?}");
    }
    assert_eq!(seen_of(&store, "desk1").await, None);
    assert_eq!(store.note(&tenant(), &[note(&now, Noted::Quiet(at(1)))]).await.unwrap(), [true]);
    doing(&store, Act::Expire(now.clone())).await.unwrap();
    assert_eq!(store.note(&tenant(), &[note(&now, Noted::Quiet(at(2)))]).await.unwrap(), [false]);
    assert_eq!(store.note(&tenant(), &[]).await.unwrap(), [] as [bool; 0]);
}

async fn of_many_who_want_to_ask_one_does(place: Place) {
    let store = place.office(1, 1).await;
    let sat = seat(&store, "101", "desk1").await.seated.remove(0);
    for round in 0..5 {
        let mut tasks = vec![];
        for _ in 0..8 {
            let (store, note) = (place.open().await, note(&sat, Noted::Asked(at(round))));
            tasks.push(tokio::spawn(async move { store.note(&tenant(), &[note]).await.unwrap() }));
        }
        let mut asking = 0;
        for task in tasks {
            asking += usize::from(task.await.unwrap() == [true]);
        }
        assert_eq!(asking, 1, "round {round}");
    }
}

async fn a_binding_expires_once_however_many_want_it_to(place: Place) {
    let store = place.office(2, 2).await;
    let sat = seat(&store, "101", "desk1").await.seated.remove(0);
    let before = all(&store).await.revision;
    let mut tasks = vec![];
    for _ in 0..16 {
        let (store, expire) = (place.open().await, act(Act::Expire(sat.clone())));
        tasks.push(tokio::spawn(async move { store.move_people(&expire).await.unwrap() }));
    }
    let mut done = vec![];
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done.retain(|transition| !transition.is_empty());
    assert_eq!(done.len(), 1);
    let entries = store.journal(&tenant(), before, 9).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].event, Event::Moved { removed: vec![sat.clone()], seated: vec![], undo: false });
    // Nor does it end a later one of the same two.
    seat(&store, "101", "desk1").await;
    assert!(doing(&store, Act::Expire(sat)).await.unwrap().is_empty());
    assert_eq!(seated(&all(&store).await), ["101@desk1"]);
}
