use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use hotdesk::desk::id::Revision;
use hotdesk::desk::journal::Event;

use super::*;

on_both_stores! {
    many_at_once_never_leave_a_user_at_two_devices_nor_two_users_at_one
    the_same_request_at_once_is_done_once
}

const TASKS: usize = 64;
const MOVES: usize = 12;
const USERS: usize = 6;
const DEVICES: usize = 4;

async fn many_at_once_never_leave_a_user_at_two_devices_nor_two_users_at_one(place: Place) {
    let store = place.office(USERS, DEVICES).await;
    let others = [place.open().await, place.open().await, place.open().await];
    let done = Arc::new(AtomicBool::new(false));
    let watcher = tokio::spawn({
        let (store, done) = (place.open().await, Arc::clone(&done));
        async move {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                check(&all(&store).await);
                looks += 1;
                tokio::task::yield_now().await;
            }
            looks
        }
    });
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = Arc::clone(&others[task % others.len()]);
            tokio::spawn(async move {
                let mut moved = 0;
                for n in 0..MOVES {
                    // Strides that meet: each user is wanted at each device by somebody else at the same time.
                    let (user, device) = (101 + (task + n) % USERS, 1 + (task * 7 + n * 3) % DEVICES);
                    let (user, device) = (ext(&user.to_string()), name(&format!("desk{device}")));
                    let what = match n % 6 {
                        4 => Act::Leave(user, device),
                        5 => Act::Clear(device),
                        _ => sit(user, device),
                    };
                    let transition = doing(&store, what).await.unwrap();
                    moved += usize::from(!transition.is_empty());
                    if n % 6 == 3 {
                        moved += usize::from(!doing(&store, transition.inverse(1)).await.unwrap().is_empty());
                    }
                }
                moved
            })
        })
        .collect();
    let mut moved = 0;
    for task in tasks {
        moved += task.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let looks = watcher.await.unwrap();

    let office = all(&store).await;
    check(&office);
    assert_eq!(
        office.revision.0 as usize,
        USERS + DEVICES + moved,
        "each act that changed something, and no other"
    );
    assert_eq!(replayed(&store).await, seated(&office).into_iter().collect::<BTreeSet<_>>());
    // What is found by a user is what is found by a device.
    for n in 0..USERS {
        let user = ext(&(101 + n).to_string());
        let of_his = store.office(&tenant(), &Scope::user(&user)).await.unwrap();
        assert!(of_his.bindings_of(&user).eq(office.bindings_of(&user)));
    }
    eprintln!("{}: {moved} moves, looked at {looks} times", place.url);
}

fn check(office: &Office) {
    let users: BTreeSet<_> = office.bindings.values().map(|binding| &binding.user).collect();
    assert_eq!(users.len(), office.bindings.len(), "a user at two devices: {:?}", seated(office));
    for (device, binding) in &office.bindings {
        assert_eq!(device, &binding.device);
        assert!(binding.revision <= office.revision, "{binding:?} is newer than the office it is in");
    }
}

/// Who sits where by the journal alone, which is checked on the way: no gap, nobody leaves who is not there, nobody
/// sits down where somebody sits.
pub async fn replayed(store: &Arc<dyn Store>) -> BTreeSet<String> {
    let mut seats = BTreeMap::new();
    let mut last = Revision(0);
    loop {
        let entries = store.journal(&tenant(), last, 100).await.unwrap();
        if entries.is_empty() {
            return seats.iter().map(|(device, user)| format!("{user}@{device}")).collect();
        }
        for entry in entries {
            assert_eq!(entry.revision, Revision(last.0 + 1), "a gap in the journal");
            last = entry.revision;
            if let Event::Moved { removed, seated, .. } = entry.event {
                for was in removed {
                    assert_eq!(seats.remove(&was.device), Some(was.user), "at {last}");
                }
                for is in seated {
                    assert_eq!(is.revision, last);
                    assert!(!seats.values().any(|user| *user == is.user), "at {last}");
                    assert_eq!(seats.insert(is.device, is.user), None, "at {last}");
                }
            }
        }
    }
}

async fn the_same_request_at_once_is_done_once(place: Place) {
    let store = place.office(1, 1).await;
    let before = all(&store).await.revision;
    let asked = act(sit(ext("101"), name("desk1")));
    let mut tasks = vec![];
    for _ in 0..16 {
        let (store, asked) = (place.open().await, asked.clone());
        tasks.push(tokio::spawn(async move { store.move_people(&asked).await.unwrap() }));
    }
    let mut told = vec![];
    for task in tasks {
        told.push(task.await.unwrap());
    }
    assert!(told.iter().all(|transition| *transition == told[0] && !transition.is_empty()));
    assert_eq!(all(&store).await.revision.0, before.0 + 1);
}
