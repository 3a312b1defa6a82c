//! What each code does, beside the toggle.

use hotdesk::desk::code::Preset;
use hotdesk::desk::journal::{Actor, Event};
use hotdesk::desk::policy::Prompt;
use hotdesk::store::What;
use hotdesk::switch::Outcome;

use super::{Mood, Scene, one_touch};
use crate::support::office::{self, device, ext, journal, name, pin, seats, user};

async fn scene() -> Scene {
    Scene::with(&[Preset::Simmpl, Preset::ThreeCx, Preset::Xelion, Preset::Freepbx, Preset::Extras]).await
}

fn heard(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_login_asks_for_what_is_missing_and_takes_the_phone_over() {
    let scene = scene().await;
    scene.log_in("102", "desk1").await;
    for code in ["*77*101*", "*11101"] {
        let (said, outcome) = scene.dial("desk1", code, &[pin("101")]).await;
        assert_eq!(
            (said, outcome),
            (heard(&["enter-pin?", "logged-in", "101"]), Outcome::LoggedIn),
            "{code}"
        );
        assert_eq!(seats(&scene.store).await, ["101@desk1"]);
        scene.log_in("102", "desk1").await;
    }
    let (said, _) = scene.dial("desk1", "*11", &["101", pin("101")]).await;
    assert_eq!(said, heard(&["enter-extension?", "enter-pin?", "logged-in", "101"]));
    // It is no toggle: who sits here already stays.
    let (_, outcome) = scene.dial("desk1", "*77*101*", &[pin("101")]).await;
    assert_eq!((outcome, seats(&scene.store).await), (Outcome::LoggedIn, vec!["101@desk1".into()]));
}

#[tokio::test]
async fn a_logout_leaves_the_phone_empty_and_says_so_also_when_it_was() {
    let scene = scene().await;
    for code in ["*77*5*", "*12"] {
        scene.log_in("101", "desk1").await;
        for _ in ["somebody sits here", "nobody does"] {
            let said = scene.dial("desk1", code, &[]).await;
            assert_eq!(said, (heard(&["logged-out"]), Outcome::LoggedOut), "{code}");
            assert!(seats(&scene.store).await.is_empty());
        }
    }
    // Nobody was logged out the second time, so nothing is journalled.
    let left = journal(&scene.store)
        .await
        .iter()
        .filter(|e| matches!(&e.event, Event::Moved { removed, .. } if !removed.is_empty()))
        .count();
    assert_eq!(left, 2);
}

#[tokio::test]
async fn without_a_pin_a_user_comes_and_goes_if_there_is_one_who_may() {
    let scene = scene().await;
    let mut forbidden = user("103", "Carol");
    forbidden.hotdesk = false;
    office::change(&scene.store, What::User(forbidden)).await;
    for nobody in ["8199", "8103"] {
        assert_eq!(
            scene.dial("desk1", nobody, &[]).await,
            (heard(&["not-accepted"]), Outcome::Refused),
            "{nobody}"
        );
    }
    assert_eq!(scene.dial("desk1", "8101", &[]).await, (heard(&["logged-in", "101"]), Outcome::LoggedIn));
    assert_eq!(seats(&scene.store).await, ["101@desk1"]);
    assert_eq!(scene.dial("desk1", "8102", &[]).await.1, Outcome::LoggedIn);
    assert_eq!(scene.dial("desk1", "8102#", &[]).await, (heard(&["logged-out"]), Outcome::LoggedOut));
}

#[tokio::test]
async fn who_sits_here_is_said_guest_owner_or_nobody() {
    let scene = scene().await;
    assert_eq!(scene.dial("desk1", "*34", &[]).await, (heard(&["not-allowed-here"]), Outcome::Told));
    let mut owned = device("desk1");
    owned.owner = Some(ext("103"));
    office::change(&scene.store, What::Device(owned)).await;
    assert_eq!(scene.dial("desk1", "*34", &[]).await, (heard(&["logged-in", "103"]), Outcome::Told));
    scene.log_in("101", "desk1").await;
    assert_eq!(scene.dial("desk1", "*34", &[]).await, (heard(&["logged-in", "101"]), Outcome::Told));
    assert_eq!(seats(&scene.store).await, ["101@desk1"]);
}

#[tokio::test]
async fn with_his_pin_he_is_logged_out_wherever_he_sits() {
    let scene = scene().await;
    scene.log_in("101", "desk1").await;
    scene.log_in("102", "desk2").await;
    let (said, outcome) = scene.dial("desk2", "*350", &["101", "000000", "101", pin("101")]).await;
    let asked =
        ["enter-extension?", "enter-pin?", "not-accepted", "enter-extension?", "enter-pin?", "logged-out"];
    assert_eq!((said, outcome), (heard(&asked), Outcome::LoggedOut));
    assert_eq!(seats(&scene.store).await, ["102@desk2"]);
    assert_eq!(scene.row_of("desk1"), None);
    // Who sits nowhere hears the same.
    let (said, _) = scene.dial("desk2", "*350", &["101", pin("101")]).await;
    assert_eq!(said.last().unwrap(), "logged-out");
    *scene.toy.mood.lock().unwrap() = Mood::Away;
    let (said, _) = scene.dial("desk1", "*350", &["102", pin("102")]).await;
    assert_eq!(said.last().unwrap(), "not-available");
    assert_eq!(seats(&scene.store).await, ["102@desk2"]);
}

#[tokio::test]
async fn who_sits_here_changes_his_pin_with_the_old_one_and_twice_the_new_one() {
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
        .find(|e| e.event == Event::PinChanged { user: ext("101") } && e.by == Actor::Phone(name("desk1")));
    assert!(changed.is_some() && !format!("{entries:?}").contains("864209"), "{entries:?}");
}

#[tokio::test]
async fn a_new_pin_that_is_none_easy_to_guess_the_old_one_or_mistyped_is_not_accepted() {
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
    // Three tries a call; then it is over, and nothing has changed.
    let thrice = [pin("101"), "1234", "1234", "1234", "864209", "864209"];
    let (said, outcome) = scene.dial("desk1", "*3500", &[&["101"], &thrice[..]].concat()).await;
    assert_eq!((said.iter().filter(|said| *said == "new-pin?").count(), outcome), (3, Outcome::Refused));
    assert!(
        !journal(&scene.store)
            .await
            .iter()
            .any(|e| e.by == Actor::Phone(name("desk1")) && matches!(e.event, Event::PinChanged { .. }))
    );
    // A wrong old one gets nowhere, and a hang-up changes nothing.
    let (said, _) = scene.dial("desk1", "*3500", &["101", "000000", "101", "000000", "101", "000000"]).await;
    assert!(!said.contains(&"new-pin?".to_owned()), "{said:?}");
    scene.dial("desk2", "*3500", &["102", pin("102"), "864209"]).await;
    scene
        .dial_until("desk2", "*3500", &["102", pin("102"), "864209", "864209"], Some(Prompt::PinChanged))
        .await;
    assert_eq!(
        scene.dial("desk2", "*35*102*864209", &[]).await.1,
        Outcome::LoggedIn,
        "it stood once it was stored"
    );
}

#[tokio::test]
async fn what_takes_a_pin_is_refused_where_nobody_may_log_in() {
    let scene = scene().await;
    let mut fenced = device("desk2");
    fenced.allow_from = vec!["192.0.2.0/24".parse().unwrap()];
    office::change(&scene.store, What::Device(fenced)).await;
    for code in ["*77*101*", "*11", "8101", "*350", "*3500"] {
        let said = scene.dial("desk2", code, &["101", pin("101")]).await;
        assert_eq!(said, (heard(&["not-accepted"]), Outcome::Refused), "{code}");
    }
}
