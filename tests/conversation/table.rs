//! The switch table: hotdesk undoes a change that the switch does not acknowledge, repairs rows that other programs changed,
//! and writes changes from the command line.

use std::time::Duration;

use hotdesk::model::desired::About;
use hotdesk::model::journal::Event;
use hotdesk::switch::Outcome;

use super::{Mood, Scene, one_touch};
use crate::harness::asking::What;
use crate::harness::records::{self, journal, name, sessions_of, user};

#[tokio::test]
async fn a_login_that_the_switch_does_not_acknowledge_is_undone() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    scene.log_in("102", "desk2").await;
    for mood in [Mood::Away, Mood::Silent] {
        *scene.toy.mood.lock().unwrap() = mood;
        let (heard, outcome) = scene.dial("desk2", &one_touch("101"), &[]).await;
        assert_eq!((heard, outcome), (vec!["not-available".into()], Outcome::Unavailable));
        assert_eq!(sessions_of(&scene.store).await, ["101@desk1", "102@desk2"]);
    }
    let undone = journal(&scene.store)
        .await
        .iter()
        .filter(|e| matches!(e.event, Event::SessionsChanged { undo: true, .. }))
        .count();
    assert_eq!(undone, 2);
}

#[tokio::test]
async fn a_login_waits_while_hotdesk_connects_to_the_switch_again() {
    let scene = Scene::new().await;
    *scene.toy.mood.lock().unwrap() = Mood::Away;
    let back = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(scene.row_of("desk1"), None);
        *scene.toy.mood.lock().unwrap() = Mood::Well;
        scene.toy.in_doubt.send_modify(|n| *n += 1);
    };
    let code = one_touch("101");
    let ((_, outcome), ()) = tokio::join!(scene.dial("desk1", &code, &[]), back);
    assert_eq!((outcome, scene.row_of("desk1").as_deref()), (Outcome::LoggedIn, Some("101")));
}

#[tokio::test]
async fn a_row_that_another_program_changed_is_repaired_and_journalled() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    // Right after the login a difference is no drift.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = journal(&scene.store).await.len();
    scene.toy.table.lock().unwrap().retain(|key, _| key.about != About::Device(name("desk1")));
    scene.toy.in_doubt.send_modify(|n| *n += 1);
    for _ in 0..100 {
        if scene.row_of("desk1").is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(scene.row_of("desk1").as_deref(), Some("101"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let entries: Vec<String> =
        journal(&scene.store).await.iter().skip(before).map(ToString::to_string).collect();
    assert_eq!(
        entries,
        ["pbx: device desk1 (AstDB hotdesk/device/desk1) repaired, was missing, is user 101, revision 18, \
         emergency caller ID 0205550100, dial PJSIP/desk1, by hotdesk"]
    );
}

#[tokio::test]
async fn a_change_at_the_command_line_reaches_the_switch() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    let mut forbidden = user("101", "Alice");
    forbidden.hotdesk = false;
    records::change(&scene.store, What::User(forbidden)).await;
    for _ in 0..100 {
        if scene.row_of("desk1").is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(scene.row_of("desk1"), None);
}
