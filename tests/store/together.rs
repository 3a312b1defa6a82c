use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use hotdesk::model::id::Revision;
use hotdesk::model::journal::Event;

use super::*;

on_each_store! {
    parallel_logins_never_give_a_user_two_devices_or_a_device_two_users
    a_parallel_repetition_of_a_request_is_done_once
    a_controller_decides_nothing_on_what_another_has_changed_since
}

async fn a_controller_decides_nothing_on_what_another_has_changed_since(place: Place) {
    let one = place.snapshot(2, 1).await;
    let other = place.open().await;
    log_in(&one, "101", "desk1").await;
    log_in(&other, "102", "desk1").await;
    // By what it knows, 101 is logged in there.
    assert_eq!(log_in(&one, "101", "desk1").await.ended.len(), 1);
    assert_eq!(sessions_of(&all(&other).await), ["101@desk1"]);
    // By what it knows, 102 may log in, and is not locked out.
    apply(&other, What::RemoveUser(ext("102"))).await;
    assert!(execute(&one, log_in_command(ext("102"), name("desk1"))).await.is_err());
    one.attempt(&guess("101", "desk1", 0)).await.unwrap();
    for second in 1..=4 {
        assert_eq!(other.attempt(&guess("101", "desk1", second)).await.unwrap().allowed, Ok(()));
    }
    assert!(one.attempt(&guess("101", "desk1", 5)).await.unwrap().allowed.is_err());
    // By what it knows, it is locked out.
    other.forgive(&guess("101", "desk1", 4)).await.unwrap();
    assert_eq!(one.attempt(&guess("101", "desk1", 6)).await.unwrap().allowed, Ok(()));
}

const TASKS: usize = 64;
const MOVES: usize = 12;
const USERS: usize = 6;
const DEVICES: usize = 4;

async fn parallel_logins_never_give_a_user_two_devices_or_a_device_two_users(place: Place) {
    let store = place.snapshot(USERS, DEVICES).await;
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
                    // The steps are chosen so that several tasks log the same user in at the same device at the same time.
                    let (user, device) = (101 + (task + n) % USERS, 1 + (task * 7 + n * 3) % DEVICES);
                    let (user, device) = (ext(&user.to_string()), name(&format!("desk{device}")));
                    let what = match n % 6 {
                        4 => SessionCommand::LogOut(user, device),
                        5 => SessionCommand::LogOutDevice(device),
                        _ => log_in_command(user, device),
                    };
                    let transition = execute(&store, what).await.unwrap();
                    moved += usize::from(!transition.is_empty());
                    if n % 6 == 3 {
                        moved += usize::from(
                            !execute(&store, transition.inverse(1, false)).await.unwrap().is_empty(),
                        );
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

    let snapshot = all(&store).await;
    check(&snapshot);
    assert_eq!(
        snapshot.revision.0 as usize,
        USERS + DEVICES + moved,
        "each command that changed something, and no other"
    );
    assert_eq!(replayed(&store).await, sessions_of(&snapshot).into_iter().collect::<BTreeSet<_>>());
    // A scope of a user and a scope of a device find the same sessions.
    for n in 0..USERS {
        let user = ext(&(101 + n).to_string());
        let of_user = store.snapshot(&tenant(), &Scope::user(&user)).await.unwrap();
        assert!(of_user.sessions_of(&user).eq(snapshot.sessions_of(&user)));
    }
    eprintln!("{}: {moved} moves, looked at {looks} times", place.url);
}

fn check(snapshot: &Snapshot) {
    let users: BTreeSet<_> = snapshot.sessions.values().map(|session| &session.user).collect();
    assert_eq!(users.len(), snapshot.sessions.len(), "a user at two devices: {:?}", sessions_of(snapshot));
    for (device, session) in &snapshot.sessions {
        assert_eq!(device, &session.device);
        assert!(session.revision <= snapshot.revision, "{session:?} is newer than the snapshot it is in");
    }
}

/// The sessions by the journal alone. Checks it also: it has no gap, only current sessions end, and no session begins at an
/// occupied device.
pub async fn replayed(store: &Arc<dyn Store>) -> BTreeSet<String> {
    let mut sessions = BTreeMap::new();
    let mut last = Revision(0);
    loop {
        let entries = store.journal(&tenant(), last, 100).await.unwrap();
        if entries.is_empty() {
            return sessions.iter().map(|(device, user)| format!("{user}@{device}")).collect();
        }
        for entry in entries {
            assert_eq!(entry.revision, Revision(last.0 + 1), "a gap in the journal");
            last = entry.revision;
            if let Event::SessionsChanged { ended, begun, .. } = entry.event {
                for was in ended {
                    assert_eq!(sessions.remove(&was.device), Some(was.user), "at {last}");
                }
                for is in begun {
                    assert_eq!(is.revision, last);
                    assert!(!sessions.values().any(|user| *user == is.user), "at {last}");
                    assert_eq!(sessions.insert(is.device, is.user), None, "at {last}");
                }
            }
        }
    }
}

async fn a_parallel_repetition_of_a_request_is_done_once(place: Place) {
    let store = place.snapshot(1, 1).await;
    let before = all(&store).await.revision;
    let asked = request_for(log_in_command(ext("101"), name("desk1")));
    let mut tasks = vec![];
    for _ in 0..16 {
        let (store, asked) = (place.open().await, asked.clone());
        tasks.push(tokio::spawn(async move { store.change_sessions(&asked).await.unwrap() }));
    }
    let mut answers = vec![];
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert!(answers.iter().all(|transition| *transition == answers[0] && !transition.is_empty()));
    assert_eq!(all(&store).await.revision.0, before.0 + 1);
}
