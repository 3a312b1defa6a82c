//! Logging in and out: what the caller hears, and what the switch has then.

use hotdesk::model::desired::Scope;
use hotdesk::model::directory::Device;
use hotdesk::model::directory::location::{Location, Zone};
use hotdesk::model::id::{Language, LocationName, TenantId};
use hotdesk::model::journal::Event;
use hotdesk::model::login::prompt::Prompt;
use hotdesk::switch::Outcome;
use jiff::Timestamp;

use super::{Scene, one_touch};
use crate::harness::asking::What;
use crate::harness::records::{self, device, journal, name, pin, sessions_of, user};

#[tokio::test]
async fn pressing_1_in_the_warning_call_extends_the_session_and_no_other_key_does() {
    let scene = Scene::new().await;
    let tenant = TenantId::default();
    let until = Timestamp::from_second(4_000_000_000).unwrap();
    let rung = async |keys: &[&str]| scene.call("desk1", "", Some(until), (keys, None)).await;
    assert_eq!(
        rung(&["1"]).await,
        (vec!["logged-out".into()], Outcome::LoggedOut),
        "no user is logged in there"
    );
    scene.log_in("101", "desk1").await;
    for key in ["2", "", "*"] {
        let (heard, outcome) = rung(&[key]).await;
        assert_eq!((heard.last().unwrap().as_str(), outcome), ("press-one-to-stay?", Outcome::Told));
    }
    rung(&[]).await;
    assert!(
        scene
            .store
            .observations(&tenant, &Scope::All)
            .await
            .unwrap()
            .values()
            .all(|observed| observed.extended.is_none())
    );
    // A second answer extends nothing further.
    for _ in 0..2 {
        let (heard, outcome) = rung(&["1"]).await;
        assert!(
            heard.ends_with(&["press-one-to-stay?".into(), "logged-in".into(), "101".into()]),
            "{heard:?}"
        );
        assert_eq!(outcome, Outcome::Told);
    }
    let observed = scene.store.observations(&tenant, &Scope::All).await.unwrap();
    assert_eq!(observed[&name("desk1")].extended, Some(until));
    let journalled = journal(&scene.store).await;
    assert_eq!(journalled.iter().filter(|entry| matches!(entry.event, Event::Extended { .. })).count(), 1);
}

#[tokio::test]
async fn one_key_logs_in_and_the_same_key_logs_out() {
    let scene = Scene::new().await;
    let code = one_touch("101");
    assert_eq!(
        scene.dial("desk1", &code, &[]).await,
        (vec!["logged-in".into(), "101".into()], Outcome::LoggedIn)
    );
    assert_eq!(sessions_of(&scene.store).await, ["101@desk1"]);
    assert_eq!(scene.row_of("desk1").as_deref(), Some("101"));
    assert_eq!(scene.dial("desk1", &code, &[]).await, (vec!["logged-out".into()], Outcome::LoggedOut));
    assert!(sessions_of(&scene.store).await.is_empty());
    assert_eq!(scene.row_of("desk1"), None);
}

#[tokio::test]
async fn each_length_asks_for_what_is_missing_and_each_logs_out() {
    let scene = Scene::new().await;
    for (code, entries, asked) in [
        ("*35", &["101", pin("101")][..], &["enter-extension?", "enter-pin?"][..]),
        ("*35*101", &[pin("101")], &["enter-pin?"]),
        ("*35*101#", &[pin("101")], &["enter-pin?"]),
    ] {
        let (heard, outcome) = scene.dial("desk1", code, entries).await;
        assert_eq!(outcome, Outcome::LoggedIn, "{code}: {heard:?}");
        assert_eq!(heard[..asked.len()], *asked, "{code}");
        assert_eq!(heard[asked.len()..], ["logged-in", "101"], "{code}");
        let (heard, outcome) = scene.dial("desk1", code, &[]).await;
        assert_eq!((heard, outcome), (vec!["logged-out".into()], Outcome::LoggedOut), "{code}");
    }
}

#[tokio::test]
async fn another_users_code_switches_identity_in_one_go() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    scene.log_in("102", "desk1").await;
    assert_eq!(sessions_of(&scene.store).await, ["102@desk1"]);
    assert_eq!(scene.row_of("desk1").as_deref(), Some("102"));
}

#[tokio::test]
async fn a_guest_stays_logged_in_when_the_owner_logs_in_elsewhere() {
    let scene = Scene::new().await;
    records::change(
        &scene.store,
        What::Device(Device { owner: Some(records::ext("101")), ..device("desk1") }),
    )
    .await;
    scene.log_in("102", "desk1").await;
    scene.log_in("101", "desk2").await;
    let rows = ["desk1", "desk2"].map(|desk| scene.row_of(desk));
    assert_eq!(rows, [Some("102".into()), Some("101".into())]);
}

#[tokio::test]
async fn a_login_elsewhere_moves_the_session_and_a_prompt_says_so() {
    let scene = Scene::new().await;
    scene.log_in("101", "desk1").await;
    let (heard, _) = scene.dial("desk2", &one_touch("101"), &[]).await;
    assert_eq!(heard, ["logged-in", "101", "moved-from"]);
    assert_eq!(sessions_of(&scene.store).await, ["101@desk2"]);
    assert_eq!((scene.row_of("desk1"), scene.row_of("desk2")), (None, Some("101".into())));
}

#[tokio::test]
async fn a_star_starts_the_entry_over() {
    let scene = Scene::new().await;
    let right = format!("99*{}", pin("101"));
    let (_, outcome) = scene.dial("desk1", "*35", &["55*102*101", &right]).await;
    assert_eq!(outcome, Outcome::LoggedIn);
    assert_eq!(sessions_of(&scene.store).await, ["101@desk1"]);
}

#[tokio::test]
async fn unknown_wrong_and_forbidden_sound_the_same_three_times_and_change_nothing() {
    let scene = Scene::new().await;
    let mut forbidden = user("103", "Carol");
    forbidden.hotdesk = false;
    records::change(&scene.store, What::User(forbidden)).await;
    let mut heards = vec![];
    for (code, entry) in [("*35*999", "729154"), ("*35*101", "111222"), ("*35*103", pin("103"))] {
        let (heard, outcome) = scene.dial("desk1", code, &[entry; 4]).await;
        assert_eq!(outcome, Outcome::Refused);
        heards.push(heard);
    }
    let thrice = ["enter-pin?", "not-accepted"].repeat(3);
    assert!(heards.iter().all(|heard| *heard == thrice), "{heards:?}");
    assert!(sessions_of(&scene.store).await.is_empty());
    let (heard, _) = scene.dial("desk2", "*35*101*000000", &[pin("101")]).await;
    assert_eq!(heard, ["not-accepted", "enter-pin?", "logged-in", "101"]);
}

#[tokio::test]
async fn a_device_without_hotdesking_or_from_a_wrong_address_is_refused_at_once() {
    let scene = Scene::new().await;
    let mut lift = device("desk1");
    lift.hotdesk = false;
    let mut fenced = device("desk2");
    fenced.allow_from = vec!["192.0.2.0/24".parse().unwrap()];
    records::change(&scene.store, What::Device(lift)).await;
    records::change(&scene.store, What::Device(fenced)).await;
    for desk in ["desk1", "desk2", "nodesk"] {
        let refused = (vec!["not-accepted".into()], Outcome::Refused);
        assert_eq!(scene.dial(desk, &one_touch("101"), &[]).await, refused, "{desk}");
        assert_eq!(scene.dial(desk, "*35", &["101", pin("101")]).await, refused, "{desk}");
    }
    assert!(sessions_of(&scene.store).await.is_empty());
}

#[tokio::test]
async fn the_sixth_failure_locks_the_user_out_and_a_success_clears_failures() {
    let scene = Scene::new().await;
    for _ in 0..3 {
        scene.dial("desk1", "*35*101", &["000000"]).await;
    }
    scene.log_in("101", "desk2").await;
    for _ in 0..5 {
        scene.dial("desk3", "*35*101", &["000000"]).await;
    }
    let (heard, _) = scene.dial("desk3", &one_touch("101"), &[]).await;
    assert_eq!(heard, ["locked"]);
    assert_eq!(sessions_of(&scene.store).await, ["101@desk2"], "a lockout ends no session");
}

#[tokio::test]
async fn a_hang_up_at_a_question_changes_nothing_and_a_later_one_keeps_the_session() {
    let scene = Scene::new().await;
    for entries in [&[][..], &["101"]] {
        scene.dial("desk1", "*35", entries).await;
        assert!(sessions_of(&scene.store).await.is_empty());
    }
    scene.dial_until("desk1", &one_touch("101"), &[], Some(Prompt::LoggedIn)).await;
    assert_eq!(sessions_of(&scene.store).await, ["101@desk1"]);
    assert_eq!(scene.row_of("desk1").as_deref(), Some("101"));
}

#[tokio::test]
async fn prompts_are_in_the_language_of_the_location_until_the_user_is_known() {
    let scene = Scene::new().await;
    let berlin = LocationName::new("berlin").unwrap();
    let mut location = Location::new(TenantId::default(), berlin.clone(), Zone::default());
    location.language = Language::new("de").ok();
    records::change(&scene.store, What::Location(location)).await;
    let desk1 = Device { location: Some(berlin), ..device("desk1") };
    records::change(&scene.store, What::Device(desk1)).await;
    let mut dutch = user("101", "Alice");
    dutch.language = Language::new("nl").ok();
    records::change(&scene.store, What::User(dutch)).await;
    let one_touch = one_touch("102");
    let heard = async |desk, code, entries: &[&str]| scene.dial(desk, code, entries).await.0.join(" ");

    let known = "(de) enter-extension? enter-pin? (nl) logged-in 101";
    assert_eq!(heard("desk1", "*35", &["101", pin("101")]).await, known);
    assert_eq!(heard("desk1", "*35", &[]).await, "(de) (nl) logged-out");
    // A user without a language and a refused caller hear the language of the location.
    assert_eq!(heard("desk1", &one_touch, &[]).await, "(de) logged-in 102");
    assert_eq!(heard("desk1", "*99", &[]).await, "(de) not-accepted");
    let until = Timestamp::from_second(4_000_000_000).unwrap();
    let (rung, _) = scene.call("desk1", "", Some(until), (&[""], None)).await;
    assert_eq!(rung.join(" "), "(de) press-one-to-stay?");
    assert_eq!(heard("desk2", &one_touch, &[]).await, "logged-in 102 moved-from");
}

#[tokio::test]
async fn prompts_are_in_the_language_of_the_user_and_the_journal_names_no_pin() {
    let scene = Scene::new().await;
    let mut dutch = user("101", "Alice");
    dutch.language = Language::new("nl").ok();
    records::change(&scene.store, What::User(dutch)).await;
    let (heard, _) = scene.dial("desk1", "*35", &["101", pin("101")]).await;
    assert_eq!(heard, ["enter-extension?", "enter-pin?", "(nl)", "logged-in", "101"]);
    // A PIN that is entered as an extension is not kept either.
    scene.dial("desk2", "*35", &["86420975", "86420975"]).await;
    scene.dial("desk2", "*35*86420975*86420975", &[]).await;
    scene.dial("desk2", "*35*101*86420975", &[]).await;
    let written = format!("{:?}", journal(&scene.store).await);
    assert!(!written.contains("86420975") && !written.contains(pin("101")), "{written}");
}
