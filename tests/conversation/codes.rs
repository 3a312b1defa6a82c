//! The codes other than the toggle.

use hotdesk::model::codes::Preset;
use hotdesk::model::journal::{Actor, Event};
use hotdesk::model::login::prompt::Prompt;
use hotdesk::switch::Outcome;

use super::{Mood, Scene, one_touch};
use crate::harness::asking::What;
use crate::harness::records::{self, device, ext, journal, name, pin, sessions_of, user};

async fn scene() -> Scene {
    Scene::with(&[Preset::Simmpl, Preset::ThreeCx, Preset::Xelion, Preset::Freepbx, Preset::Extras]).await
}

fn heard(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_login_asks_for_missing_entries_and_takes_the_device_over() {
    let scene = scene().await;
    scene.log_in("102", "desk1").await;
    for code in ["*77*101*", "*11101"] {
        let (said, outcome) = scene.dial("desk1", code, &[pin("101")]).await;
        assert_eq!(
            (said, outcome),
            (heard(&["enter-pin?", "logged-in", "101"]), Outcome::LoggedIn),
            "{code}"
        );
        assert_eq!(sessions_of(&scene.store).await, ["101@desk1"]);
        scene.log_in("102", "desk1").await;
    }
    let (said, _) = scene.dial("desk1", "*11", &["101", pin("101")]).await;
    assert_eq!(said, heard(&["enter-extension?", "enter-pin?", "logged-in", "101"]));
    // The code is no toggle: a user who is logged in here stays logged in.
    let (_, outcome) = scene.dial("desk1", "*77*101*", &[pin("101")]).await;
    assert_eq!((outcome, sessions_of(&scene.store).await), (Outcome::LoggedIn, vec!["101@desk1".into()]));
}

#[tokio::test]
async fn a_logout_ends_the_session_and_says_so_also_without_one() {
    let scene = scene().await;
    for code in ["*77*5*", "*12"] {
        scene.log_in("101", "desk1").await;
        for _ in ["with a session", "without one"] {
            let said = scene.dial("desk1", code, &[]).await;
            assert_eq!(said, (heard(&["logged-out"]), Outcome::LoggedOut), "{code}");
            assert!(sessions_of(&scene.store).await.is_empty());
        }
    }
    // The second code ended no session, so the journal has no entry for it.
    let ended = journal(&scene.store)
        .await
        .iter()
        .filter(|e| matches!(&e.event, Event::SessionsChanged { ended, .. } if !ended.is_empty()))
        .count();
    assert_eq!(ended, 2);
}

#[tokio::test]
async fn a_known_user_with_hotdesking_logs_in_and_out_without_a_pin() {
    let scene = scene().await;
    let mut forbidden = user("103", "Carol");
    forbidden.hotdesk = false;
    records::change(&scene.store, What::User(forbidden)).await;
    for refused in ["8199", "8103"] {
        assert_eq!(
            scene.dial("desk1", refused, &[]).await,
            (heard(&["not-accepted"]), Outcome::Refused),
            "{refused}"
        );
    }
    assert_eq!(scene.dial("desk1", "8101", &[]).await, (heard(&["logged-in", "101"]), Outcome::LoggedIn));
    assert_eq!(sessions_of(&scene.store).await, ["101@desk1"]);
    assert_eq!(scene.dial("desk1", "8102", &[]).await.1, Outcome::LoggedIn);
    assert_eq!(scene.dial("desk1", "8102#", &[]).await, (heard(&["logged-out"]), Outcome::LoggedOut));
}

#[tokio::test]
async fn a_code_says_the_user_of_the_device_guest_or_owner() {
    let scene = scene().await;
    assert_eq!(scene.dial("desk1", "*34", &[]).await, (heard(&["not-allowed-here"]), Outcome::Told));
    let mut owned = device("desk1");
    owned.owner = Some(ext("103"));
    records::change(&scene.store, What::Device(owned)).await;
    assert_eq!(scene.dial("desk1", "*34", &[]).await, (heard(&["logged-in", "103"]), Outcome::Told));
    scene.log_in("101", "desk1").await;
    assert_eq!(scene.dial("desk1", "*34", &[]).await, (heard(&["logged-in", "101"]), Outcome::Told));
    assert_eq!(sessions_of(&scene.store).await, ["101@desk1"]);
}

#[tokio::test]
async fn a_user_logs_out_everywhere_with_their_pin() {
    let scene = scene().await;
    scene.log_in("101", "desk1").await;
    scene.log_in("102", "desk2").await;
    let (said, outcome) = scene.dial("desk2", "*350", &["101", "000000", "101", pin("101")]).await;
    let asked =
        ["enter-extension?", "enter-pin?", "not-accepted", "enter-extension?", "enter-pin?", "logged-out"];
    assert_eq!((said, outcome), (heard(&asked), Outcome::LoggedOut));
    assert_eq!(sessions_of(&scene.store).await, ["102@desk2"]);
    assert_eq!(scene.row_of("desk1"), None);
    // A user without a session hears the same.
    let (said, _) = scene.dial("desk2", "*350", &["101", pin("101")]).await;
    assert_eq!(said.last().unwrap(), "logged-out");
    *scene.toy.mood.lock().unwrap() = Mood::Away;
    let (said, _) = scene.dial("desk1", "*350", &["102", pin("102")]).await;
    assert_eq!(said.last().unwrap(), "not-available");
    assert_eq!(sessions_of(&scene.store).await, ["102@desk2"]);
}

#[tokio::test]
async fn a_user_changes_their_pin_with_the_old_one_and_the_new_one_twice() {
    let scene = scene().await;
    scene.log_in("101", "desk1").await;
    let (said, outcome) = scene.dial("desk1", "*3500", &[pin("101"), "864209", "864209"]).await;
    let asked = ["enter-pin?", "new-pin?", "new-pin-again?", "pin-changed"];
    assert_eq!((said, outcome), (heard(&asked), Outcome::PinChanged));
    assert_eq!(scene.dial("desk2", &one_touch("101"), &[]).await.0[0], "not-accepted");
    assert_eq!(scene.dial("desk2", "*35*101*864209", &[]).await.1, Outcome::LoggedIn);
    let entries = journal(&scene.store).await;
    let changed = entries
        .iter()
        .find(|e| e.event == Event::PinChanged { user: ext("101") } && e.by == Actor::Device(name("desk1")));
    assert!(changed.is_some() && !format!("{entries:?}").contains("864209"), "{entries:?}");
}

#[tokio::test]
async fn a_short_weak_old_or_mistyped_new_pin_is_not_accepted() {
    let scene = scene().await;
    for (new, again) in [
        (&["12"][..], false),
        (&["123456"], false),
        (&["101101"], false),
        (&[pin("101")], false),
        (&["864209", "864208"], true),
        (&["", ""], false),
    ] {
        let entries = [&["101", pin("101")], new].concat();
        let (said, _) = scene.dial("desk1", "*3500", &entries).await;
        let twice = if again { &["new-pin-again?"][..] } else { &[] };
        let asked = [&["enter-extension?", "enter-pin?", "new-pin?"], twice, &["not-accepted"]].concat();
        assert_eq!(said[..asked.len()], asked, "{new:?}");
    }
    // A call has three tries. Then it ends, and nothing has changed.
    let thrice = [pin("101"), "1234", "1234", "1234", "864209", "864209"];
    let (said, outcome) = scene.dial("desk1", "*3500", &[&["101"], &thrice[..]].concat()).await;
    assert_eq!((said.iter().filter(|said| *said == "new-pin?").count(), outcome), (3, Outcome::Refused));
    assert!(
        !journal(&scene.store)
            .await
            .iter()
            .any(|e| e.by == Actor::Device(name("desk1")) && matches!(e.event, Event::PinChanged { .. }))
    );
    // A wrong old PIN does not get to the new one, and a hang-up changes nothing.
    let (said, _) = scene.dial("desk1", "*3500", &["101", "000000", "101", "000000", "101", "000000"]).await;
    assert!(!said.contains(&"new-pin?".to_owned()), "{said:?}");
    scene.dial("desk2", "*3500", &["102", pin("102"), "864209"]).await;
    scene
        .dial_until("desk2", "*3500", &["102", pin("102"), "864209", "864209"], Some(Prompt::PinChanged))
        .await;
    assert_eq!(
        scene.dial("desk2", "*35*102*864209", &[]).await.1,
        Outcome::LoggedIn,
        "a hang-up after the change keeps the new PIN"
    );
}

#[tokio::test]
async fn codes_with_a_pin_are_refused_where_no_user_may_log_in() {
    let scene = scene().await;
    let mut fenced = device("desk2");
    fenced.allow_from = vec!["192.0.2.0/24".parse().unwrap()];
    records::change(&scene.store, What::Device(fenced)).await;
    for code in ["*77*101*", "*11", "8101", "*350", "*3500"] {
        let said = scene.dial("desk2", code, &["101", pin("101")]).await;
        assert_eq!(said, (heard(&["not-accepted"]), Outcome::Refused), "{code}");
    }
}
