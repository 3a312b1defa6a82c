use hotdesk::desk::id::Revision;
use hotdesk::desk::journal::Event;
use hotdesk::desk::model::{Device, User};
use hotdesk::store::What;

use super::*;

on_both_stores! {
    one_user_sits_at_one_device
    sitting_down_where_one_sits_changes_nothing
    leaving_takes_the_one_who_was_meant
    who_or_what_is_unknown_is_named
    an_undo_puts_everybody_back
    an_undo_leaves_alone_what_happened_since
    an_undo_seats_nobody_who_may_not_sit_there_any_more
    asking_again_changes_nothing_and_tells_the_same
}

async fn one_user_sits_at_one_device(place: Place) {
    let store = place.office(2, 2).await;
    let first = seat(&store, "101", "desk1").await;
    let second = seat(&store, "102", "desk2").await;
    assert_eq!(second.revision.0, first.revision.0 + 1);
    let moved = seat(&store, "101", "desk2").await;
    assert_eq!(seated(&all(&store).await), ["101@desk2"]);
    assert_eq!(moved.removed, [first.seated[0].clone(), second.seated[0].clone()]);
    assert_eq!(moved.moved_from(), Some(&name("desk1")));
    let binding = &moved.seated[0];
    assert_eq!(
        (&binding.user, &binding.device, binding.revision),
        (&ext("101"), &name("desk2"), moved.revision)
    );
    assert_eq!(all(&store).await.bindings[&name("desk2")], *binding);
    assert_eq!(all(&store).await.revision, moved.revision);
}

async fn sitting_down_where_one_sits_changes_nothing(place: Place) {
    let store = place.office(1, 1).await;
    let first = seat(&store, "101", "desk1").await;
    let again = seat(&store, "101", "desk1").await;
    assert!(again.is_empty());
    assert_eq!(again.revision, first.revision);
    assert_eq!(all(&store).await.bindings[&name("desk1")], first.seated[0]);
    assert_eq!(store.journal(&tenant(), first.revision, 9).await.unwrap(), []);
}

async fn leaving_takes_the_one_who_was_meant(place: Place) {
    let store = place.office(2, 2).await;
    let sat = seat(&store, "101", "desk1").await;
    for nothing in [
        Act::Leave(ext("102"), name("desk1")),
        Act::Leave(ext("101"), name("desk2")),
        Act::LeaveAll(ext("102")),
        Act::Clear(name("desk2")),
    ] {
        let done = doing(&store, nothing.clone()).await.unwrap();
        assert!(done.is_empty() && done.revision == sat.revision, "{nothing:?}");
    }
    for leave in [Act::Leave(ext("101"), name("desk1")), Act::LeaveAll(ext("101")), Act::Clear(name("desk1"))]
    {
        let sat = seat(&store, "101", "desk1").await;
        let sat = if sat.is_empty() {
            all(&store).await.bindings[&name("desk1")].clone()
        } else {
            sat.seated[0].clone()
        };
        let left = doing(&store, leave.clone()).await.unwrap();
        assert_eq!((&left.removed[..], &left.seated[..]), (&[sat][..], &[][..]), "{leave:?}");
        assert!(all(&store).await.bindings.is_empty());
        let entry = store.journal(&tenant(), Revision(left.revision.0 - 1), 9).await.unwrap();
        assert_eq!(entry.len(), 1);
        assert_eq!(entry[0].event, Event::Moved { removed: left.removed, seated: vec![], undo: false });
    }
}

async fn who_or_what_is_unknown_is_named(place: Place) {
    let store = place.office(1, 1).await;
    let before = all(&store).await;
    for (act, missing) in [
        (sit(ext("999"), name("desk1")), "user 999"),
        (sit(ext("101"), name("desk9")), "device desk9"),
        (Act::Leave(ext("999"), name("desk1")), "user 999"),
        (Act::Leave(ext("101"), name("desk9")), "device desk9"),
        (Act::LeaveAll(ext("999")), "user 999"),
        (Act::Clear(name("desk9")), "device desk9"),
    ] {
        match doing(&store, act).await {
            Err(StoreError::Missing(what)) => assert_eq!(what, missing),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(all(&store).await, before);
}

async fn an_undo_puts_everybody_back(place: Place) {
    let store = place.office(2, 2).await;
    seat(&store, "101", "desk1").await;
    seat(&store, "102", "desk2").await;
    let before = all(&store).await;
    let moved = seat(&store, "101", "desk2").await;
    let undone = doing(&store, moved.clone().inverse(1)).await.unwrap();
    assert_eq!(undone.removed, moved.seated);
    assert_eq!(undone.revision.0, moved.revision.0 + 1);
    let after = all(&store).await;
    assert_eq!(seated(&after), seated(&before));
    for (device, binding) in &after.bindings {
        assert_eq!(binding.since, before.bindings[device].since, "they have been there all along");
        assert_eq!(binding.revision, undone.revision, "but the switch must take them for new");
    }
    let entry = store.journal(&tenant(), moved.revision, 9).await.unwrap();
    assert_eq!(entry[0].event, Event::Moved { removed: undone.removed, seated: undone.seated, undo: true });
    let again = doing(&store, moved.inverse(1)).await.unwrap();
    assert!(again.is_empty() && again.revision == undone.revision);
}

async fn an_undo_leaves_alone_what_happened_since(place: Place) {
    let store = place.office(3, 3).await;
    seat(&store, "101", "desk1").await;
    seat(&store, "102", "desk2").await;
    let moved = seat(&store, "101", "desk2").await;

    // 103 took desk1 meanwhile: 101 leaves desk2 and is nowhere, 102 is back.
    seat(&store, "103", "desk1").await;
    doing(&store, moved.clone().inverse(1)).await.unwrap();
    assert_eq!(seated(&all(&store).await), ["103@desk1", "102@desk2"]);

    // 101 left and came back to the same desk: that is another binding, and stays.
    let moved = seat(&store, "101", "desk2").await;
    doing(&store, Act::LeaveAll(ext("101"))).await.unwrap();
    let back = seat(&store, "101", "desk2").await;
    let undone = doing(&store, moved.inverse(1)).await.unwrap();
    assert!(undone.is_empty());
    assert_eq!(all(&store).await.bindings[&name("desk2")], back.seated[0]);

    // 101 moved on: he stays there, and who sat where he was is back.
    let moved = seat(&store, "103", "desk2").await;
    seat(&store, "103", "desk3").await;
    let undone = doing(&store, moved.inverse(1)).await.unwrap();
    assert_eq!(undone.removed, []);
    assert_eq!(seated(&all(&store).await), ["101@desk2", "103@desk3"]);
}

async fn an_undo_seats_nobody_who_may_not_sit_there_any_more(place: Place) {
    for stopped in [
        What::RemoveUser(ext("102")),
        What::RemoveDevice(name("desk1")),
        What::User(User { hotdesk: false, ..user("102") }),
        What::Device(Device { hotdesk: false, ..device("desk1") }),
    ] {
        let store = place.office(2, 2).await;
        seat(&store, "102", "desk1").await;
        let moved = seat(&store, "101", "desk1").await;
        put(&store, stopped).await;
        doing(&store, moved.inverse(1)).await.unwrap();
        assert_eq!(seated(&all(&store).await), [""; 0]);
    }
}

async fn asking_again_changes_nothing_and_tells_the_same(place: Place) {
    let store = place.office(2, 1).await;
    let asked = act(sit(ext("101"), name("desk1")));
    let first = store.move_people(&asked).await.unwrap();
    let idle = act(Act::LeaveAll(ext("102")));
    let nothing = store.move_people(&idle).await.unwrap();
    let then = seat(&store, "102", "desk1").await;
    let other = place.open().await;
    assert_eq!(other.move_people(&asked).await.unwrap(), first);
    assert_eq!(other.move_people(&idle).await.unwrap(), nothing);
    let office = all(&store).await;
    assert_eq!((seated(&office), office.revision), (vec!["102@desk1".to_owned()], then.revision));
}
