//! The switch's table follows: what it does not acknowledge is taken back, what others write into it is put right, what changes
//! elsewhere reaches it.

use std::time::Duration;

use hotdesk::desk::journal::Event;
use hotdesk::desk::table::Key;
use hotdesk::store::What;
use hotdesk::switch::Outcome;

use super::{Mood, Scene, one_touch};
use crate::support::office::{self, journal, name, seats, user};

#[tokio::test]
async fn a_switch_that_does_not_acknowledge_takes_the_login_back() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    scene.log_in("102", "desk2").await;
    for mood in [Mood::Away, Mood::Silent] {
        *scene.toy.mood.lock().unwrap() = mood;
        let (heard, outcome) = scene.dial("desk2", &one_touch("101"), &[]).await;
        assert_eq!((heard, outcome), (vec!["not-available".into()], Outcome::Unavailable));
        assert_eq!(seats(&scene.store).await, ["101@desk1", "102@desk2"]);
    }
    let undone = journal(&scene.store)
        .await
        .iter()
        .filter(|e| matches!(e.event, Event::Moved { undo: true, .. }))
        .count();
    assert_eq!(undone, 2);
}

#[tokio::test]
async fn what_somebody_else_wrote_into_the_switch_is_put_right_and_journalled() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    // The login itself is news for a moment, and what differs then is no repair.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = journal(&scene.store).await.len();
    let key = Key::Device(name("desk1"));
    scene.toy.table.lock().unwrap().remove(&key);
    scene.toy.unsettled.send_modify(|n| *n += 1);
    for _ in 0..100 {
        if scene.row_of("desk1").is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(scene.row_of("desk1").as_deref(), Some("101"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let told: Vec<String> =
        journal(&scene.store).await.iter().skip(before).map(ToString::to_string).collect();
    assert_eq!(told, ["pbx: device desk1 repaired, was missing, is 101, by hotdesk"]);
}

#[tokio::test]
async fn a_change_at_the_command_line_reaches_the_switch_by_itself() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    let mut forbidden = user("101", "Alice");
    forbidden.hotdesk = false;
    office::change(&scene.store, What::User(forbidden)).await;
    for _ in 0..100 {
        if scene.row_of("desk1").is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(scene.row_of("desk1"), None);
}
