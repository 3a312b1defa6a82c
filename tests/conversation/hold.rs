//! A store that does not fit what the switch holds: nothing of the switch is changed, and callers hear "not available".

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hotdesk::controller::clock::Clock;
use hotdesk::model::codes::Preset;
use hotdesk::model::desired::{Records, Scope};
use hotdesk::model::hold::Hold;
use hotdesk::model::id::{StoreId, TenantId};
use hotdesk::model::journal::{Actor, Entry, Event};
use hotdesk::model::mark::Mark;
use hotdesk::store::{self, Memory, Store};
use hotdesk::switch::Outcome;
use jiff::Timestamp;

use super::{Scene, ToySwitch, one_touch};
use crate::harness::asking::What;
use crate::harness::records::{self, device, ext, name, switch, user};

const SOON: Duration = Duration::from_secs(10);

async fn open(folder: &Path) -> Arc<dyn Store> {
    store::open("sqlite:hotdesk.db", folder).await.unwrap()
}

/// With a new controller on this store, beside a switch that another one has written.
fn beside(store: &Arc<dyn Store>, toy: &Arc<ToySwitch>) -> Scene {
    Scene::over(store.clone(), &[Preset::Simmpl], toy.clone(), Clock::machine())
}

fn table(toy: &ToySwitch) -> Records {
    toy.table.lock().unwrap().clone()
}

/// Waits until the switch of the scene is held, or not held.
async fn held(scene: &Scene, is: bool) -> Option<Hold> {
    let mut held = scene.controller.switches[&(switch("pbx"), TenantId::default())].held();
    let wait = held.wait_for(|hold| hold.is_some() == is);
    tokio::time::timeout(SOON, wait).await.expect("it is held in time").unwrap().clone()
}

/// The switch holds the state of the store, and its mark.
async fn reconciled(scene: &Scene) {
    let reconciler = &scene.controller.switches[&(switch("pbx"), TenantId::default())];
    reconciler.reconcile(Scope::All, None).await.unwrap();
    let mark = Mark::read(&scene.toy.mark.lock().unwrap().clone().unwrap()).unwrap();
    assert!(scene.store.mark(&TenantId::default()).await.unwrap().unwrap().may_follow(&mark));
}

/// Nothing of the switch changes, the store stays as it is, and the caller hears it.
async fn is_held(scene: &Scene, before: &Records) -> Hold {
    let hold = held(scene, true).await.unwrap();
    let mark = scene.store.mark(&TenantId::default()).await.unwrap();
    let (heard, outcome) = scene.dial("desk2", &one_touch("102"), &[]).await;
    assert_eq!((heard, outcome), (vec!["not-available".into()], Outcome::Unavailable), "{hold}");
    assert_eq!(table(&scene.toy), *before, "{hold}");
    assert_eq!(scene.store.mark(&TenantId::default()).await.unwrap(), mark, "{hold}");
    hold
}

/// A switch that holds the state of a furnished store where 101 is logged in at desk1.
async fn in_use() -> (Arc<dyn Store>, Arc<ToySwitch>, Records) {
    let memory: Arc<dyn Store> = Arc::new(Memory::default());
    records::furnish(&memory).await;
    let scene = beside(&memory, &Arc::default());
    scene.log_in("101", "desk1").await;
    reconciled(&scene).await;
    let before = table(&scene.toy);
    (memory, scene.toy.clone(), before)
}

#[tokio::test]
async fn another_store_holds_the_switch_until_the_right_one_is_back_or_the_other_is_adopted() {
    let (right, toy, before) = in_use().await;
    let wrong: Arc<dyn Store> = Arc::new(Memory::default());
    let hold = is_held(&beside(&wrong, &toy), &before).await;
    assert!(matches!(hold, Hold::Other { .. }), "empty: {hold}");
    records::furnish(&wrong).await;
    let hold = is_held(&beside(&wrong, &toy), &before).await;
    assert!(matches!(hold, Hold::Other { .. }), "with the same users: {hold}");

    let back = beside(&right, &toy);
    back.log_in("102", "desk2").await;
    assert_eq!(held(&back, false).await, None);
    drop(back);

    let scene = beside(&wrong, &toy);
    held(&scene, true).await;
    // What `hotdesk adopt` writes at last.
    let mark = wrong.mark(&TenantId::default()).await.unwrap().unwrap();
    *toy.mark.lock().unwrap() = Some(mark.text());
    held(&scene, false).await;
    reconciled(&scene).await;
    assert_eq!(scene.row_of("desk1"), None, "no user is logged in by this store");
    scene.log_in("103", "desk3").await;
}

#[tokio::test]
async fn a_store_that_went_back_holds_the_switch_also_when_it_has_changed_since() {
    let folder = tempfile::tempdir().unwrap();
    let (now, old) = (folder.path().join("now"), folder.path().join("old"));
    for folder in [&now, &old] {
        std::fs::create_dir(folder).unwrap();
    }
    let store = open(&now).await;
    records::furnish(&store).await;
    let copy = format!("VACUUM INTO '{}'", old.join("hotdesk.db").display());
    rusqlite::Connection::open(now.join("hotdesk.db")).unwrap().execute_batch(&copy).unwrap();
    let scene = beside(&store, &Arc::default());
    scene.log_in("101", "desk1").await;
    reconciled(&scene).await;
    let (toy, before) = (scene.toy.clone(), table(&scene.toy));
    drop(scene);

    let old = open(&old).await;
    let hold = is_held(&beside(&old, &toy), &before).await;
    assert!(matches!(hold, Hold::Older { .. }), "{hold}");
    // By the command line, past the revision that the switch holds.
    for n in 0..10 {
        records::change(&old, What::User(user("103", &format!("Carol {n}")))).await;
    }
    let hold = is_held(&beside(&old, &toy), &before).await;
    assert!(matches!(hold, Hold::Parted(_)), "{hold}");
    assert_eq!(held(&beside(&store, &toy), false).await, None, "the right one fits");
}

#[tokio::test]
async fn a_new_store_holds_a_switch_that_has_rows_without_a_mark_and_takes_an_empty_one() {
    let (right, toy, before) = in_use().await;
    *toy.mark.lock().unwrap() = None;
    let empty: Arc<dyn Store> = Arc::new(Memory::default());
    let hold = is_held(&beside(&empty, &toy), &before).await;
    assert_eq!(hold, Hold::Empty(6));
    // A switch from before there were marks.
    let scene = beside(&right, &toy);
    reconciled(&scene).await;
    assert_eq!(held(&scene, false).await, None);
}

/// A file with 20 users and 20 devices, of which 8 have a user, written to a switch.
async fn with_many(folder: &Path) -> (Arc<dyn Store>, Arc<ToySwitch>, Records) {
    let store = open(folder).await;
    records::furnish(&store).await;
    for n in 4..=20 {
        records::change(&store, What::User(user(&format!("{}", 100 + n), "Many"))).await;
        records::change(&store, What::Device(device(&format!("desk{n}")))).await;
    }
    for n in 1..=8 {
        let command = crate::store::log_in_command(ext(&format!("{}", 100 + n)), name(&format!("desk{n}")));
        crate::store::execute(&store, command).await.unwrap();
    }
    let scene = beside(&store, &Arc::default());
    reconciled(&scene).await;
    let before = table(&scene.toy);
    (store, scene.toy.clone(), before)
}

#[tokio::test]
async fn rows_that_are_missing_without_a_reason_are_not_removed_in_great_number() {
    for (lost, emptied) in [
        ("DELETE FROM record WHERE kind = 'user' AND name > '114'", 6),
        ("DELETE FROM record WHERE kind = 'device'", 20),
        ("DELETE FROM record WHERE kind = 'session'", 8),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (store, toy, before) = with_many(folder.path()).await;
        rusqlite::Connection::open(folder.path().join("hotdesk.db")).unwrap().execute_batch(lost).unwrap();
        let hold = is_held(&beside(&store, &toy), &before).await;
        assert_eq!(hold, Hold::Emptied(emptied, 40), "{lost}");
    }
}

#[tokio::test]
async fn what_commands_removed_or_logged_out_is_removed_whatever_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let (store, toy, _) = with_many(folder.path()).await;
    for n in 1..=8 {
        crate::store::execute(&store, super::logged_out(&format!("desk{n}"))).await.unwrap();
    }
    for n in 9..=20 {
        records::change(&store, What::RemoveUser(ext(&format!("{}", 100 + n)))).await;
        records::change(&store, What::RemoveDevice(name(&format!("desk{n}")))).await;
    }
    let scene = beside(&store, &toy);
    reconciled(&scene).await;
    assert_eq!(held(&scene, false).await, None);
    assert_eq!(table(&toy).len(), 17, "8 users, 8 devices, and what is always on: {:?}", table(&toy));
    assert_eq!(scene.row_of("desk1"), None);
}

#[tokio::test]
async fn two_controllers_on_one_store_do_not_hold_each_other() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    records::furnish(&store).await;
    let toy = Arc::default();
    let (one, two) = (beside(&store, &toy), beside(&store, &toy));
    for _ in 0..20 {
        let login =
            async |scene: &Scene, user: &str, desk: &str| scene.dial(desk, &one_touch(user), &[]).await.1;
        let (first, second) = tokio::join!(login(&one, "101", "desk1"), login(&two, "102", "desk2"));
        assert!([first, second].iter().all(|it| [Outcome::LoggedIn, Outcome::LoggedOut].contains(it)));
        assert_eq!((held(&one, false).await, held(&two, false).await), (None, None));
    }
}

#[test]
fn an_adoption_is_a_journal_entry_that_has_everything_compared() {
    let entry = Entry {
        revision: Default::default(),
        at: Timestamp::UNIX_EPOCH,
        tenant: TenantId::default(),
        by: Actor::Command("anna".into()),
        call: None,
        code: None,
        event: Event::Adopted { switch: switch("pbx"), rows: 7 },
    };
    assert_eq!(entry.to_string(), "pbx takes this store, 7 rows differed, by anna (command line)");
    assert_eq!(entry.touches(), Scope::All);
    let mark = Mark { store: StoreId::from_bits(12), revision: Default::default(), at: entry.at };
    assert_eq!(Mark::read(&mark.text()), Some(mark));
}
