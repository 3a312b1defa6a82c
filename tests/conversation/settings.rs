//! Settings that a logged-in user changes by a code.

use hotdesk::model::codes::Preset;
use hotdesk::model::desired::Scope;
use hotdesk::model::directory::profile::Membership;
use hotdesk::model::directory::{Device, Kind, User};
use hotdesk::model::id::{GroupName, Number, TenantId};
use hotdesk::model::journal::{Actor, Entry, Event};
use hotdesk::switch::Outcome;

use super::{Mood, Scene};
use crate::harness::asking::What;
use crate::harness::records::{self, device, ext, journal, name, user};

/// 101 has a softphone, two groups and a number. 102 has none of them.
async fn scene() -> Scene {
    let scene = Scene::with(&[Preset::Simmpl, Preset::Personal]).await;
    let mut alice = user("101", "Alice");
    alice.language = "nl".parse().ok();
    alice.profile.numbers = vec![Number::new("0205550101").unwrap()];
    for group in ["sales", "400"] {
        alice.profile.groups.insert(GroupName::new(group).unwrap(), Membership::default());
    }
    records::change(&scene.store, What::User(alice)).await;
    let softphone =
        Device { kind: Kind::Softphone, hotdesk: false, owner: Some(ext("101")), ..device("soft-101") };
    records::change(&scene.store, What::Device(softphone)).await;
    scene
}

fn heard(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

impl Scene {
    async fn user(&self, user: &str) -> User {
        let snapshot = self.store.snapshot(&TenantId::default(), &Scope::All).await.unwrap();
        snapshot.users[&ext(user)].clone()
    }
}

fn refusals(journal: &[Entry]) -> Vec<String> {
    let refused = journal.iter().filter_map(|entry| match &entry.event {
        Event::Refused { user, reason, .. } => {
            Some(format!("{}: {reason}", user.as_ref().map_or("nobody", |user| user.as_str())))
        }
        _ => None,
    });
    refused.collect()
}

#[tokio::test]
async fn a_changed_setting_is_confirmed_once_the_switch_has_it_and_journalled_without_numbers() {
    let scene = scene().await;
    scene.log_in("101", "desk1").await;
    for (code, words, rings) in [
        ("*78", &["(nl)", "switched-on"][..], None),
        ("*78", &["(nl)", "switched-on"], None),
        ("*79", &["(nl)", "switched-off"], Some("PJSIP/desk1&PJSIP/soft-101")),
        ("*76", &["(nl)", "switched-on"], None),
        ("*76", &["(nl)", "switched-off"], Some("PJSIP/desk1&PJSIP/soft-101")),
        ("*373", &["(nl)", "switched-off"], Some("PJSIP/desk1")),
        ("*371", &["(nl)", "switched-off"], None),
        ("*373", &["(nl)", "switched-on"], Some("PJSIP/soft-101")),
        ("*371", &["(nl)", "switched-on"], Some("PJSIP/desk1&PJSIP/soft-101")),
        ("*375", &["(nl)", "switched-on"], Some("PJSIP/desk1")),
        ("*72061999#", &["(nl)", "switched-on", "061999"], None),
        ("*73", &["(nl)", "switched-off"], Some("PJSIP/desk1")),
        ("*381", &["(nl)", "shows-number", "0205550101"], Some("PJSIP/desk1")),
        ("*380", &["(nl)", "shows-no-number"], Some("PJSIP/desk1")),
        ("*38", &["(nl)", "shows-number", "101"], Some("PJSIP/desk1")),
        ("*4572537", &["(nl)", "signed-in"], Some("PJSIP/desk1")),
        ("*46", &["(nl)", "switched-on"], Some("PJSIP/desk1")),
        ("*4572537", &["(nl)", "signed-out"], Some("PJSIP/desk1")),
    ] {
        let said = scene.dial("desk1", code, &[]).await;
        assert_eq!(said, (heard(words), Outcome::Set), "{code}");
        assert_eq!(scene.rings("101").as_deref(), rings, "{code}");
    }
    let entries = journal(&scene.store).await;
    let set: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.by == Actor::Device(name("desk1")))
        .filter_map(|entry| match &entry.event {
            Event::SettingChanged { setting, .. } => Some(setting.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(set.len(), 17, "a setting that does not change has no second entry: {set:?}");
    assert_eq!(&set[..2], ["do not disturb on", "do not disturb off"]);
    assert!(!format!("{entries:?}").contains("061999"), "{entries:?}");
}

#[tokio::test]
async fn an_impossible_setting_is_refused_with_its_reason_and_changes_nothing() {
    let scene = scene().await;
    scene.log_in("101", "desk1").await;
    scene.log_in("102", "desk2").await;
    let (alice, bob) = (scene.user("101").await, scene.user("102").await);
    let before = journal(&scene.store).await.len();
    for (desk, code) in [
        ("desk1", "*72101"),
        ("desk1", "*45401"),
        ("desk1", "*46"),
        ("desk1", "*382"),
        ("desk1", "*374"),
        ("desk2", "*373"),
        ("desk2", "*4572537"),
        ("desk1", "*72"),
        // The dialplan handles these codes without hotdesk.
        ("desk1", "*8"),
        ("desk1", "*97"),
    ] {
        let (said, outcome) = scene.dial(desk, code, &[]).await;
        assert_eq!((said.last().unwrap().as_str(), outcome), ("not-accepted", Outcome::Refused), "{code}");
    }
    let said = scene.dial("desk3", "*78", &[]).await;
    assert_eq!(said, (heard(&["not-allowed-here"]), Outcome::Refused), "no user is logged in there");
    assert_eq!((scene.user("101").await, scene.user("102").await), (alice, bob));
    assert_eq!(
        refusals(&journal(&scene.store).await[before..]),
        [
            "101: number-forbidden",
            "101: group-unknown",
            "101: group-unknown",
            "101: choice-unknown",
            "101: nothing-to-ring",
            "102: nothing-to-ring",
            "102: group-unknown",
            "nobody: code-unknown",
            "nobody: code-unknown",
            "nobody: code-unknown",
            "nobody: no-user-here",
        ]
    );
}

#[tokio::test]
async fn the_settings_are_those_of_the_guest_or_of_an_owner_without_another_session() {
    let scene = scene().await;
    records::change(&scene.store, What::Device(Device { owner: Some(ext("102")), ..device("desk2") })).await;
    let dnd = async |user: &str| scene.user(user).await.profile.do_not_disturb;
    assert_eq!(scene.dial("desk2", "*78", &[]).await.1, Outcome::Set);
    assert!(dnd("102").await, "the owner");
    scene.log_in("101", "desk2").await;
    assert_eq!(scene.dial("desk2", "*78", &[]).await.1, Outcome::Set);
    assert!(dnd("101").await, "the guest");
    assert_eq!(scene.dial("soft-101", "*79", &[]).await.1, Outcome::Set);
    assert!(!dnd("101").await, "the softphone is the user's, although no user can log in there");
    scene.log_in("102", "desk3").await;
    scene.dial("desk2", "*35*101", &[]).await;
    let (said, _) = scene.dial("desk2", "*79", &[]).await;
    assert_eq!(said, heard(&["not-allowed-here"]), "the owner is logged in elsewhere");
    assert!(dnd("102").await);
}

#[tokio::test]
async fn no_setting_is_confirmed_while_the_switch_is_unreachable() {
    let scene = scene().await;
    scene.log_in("101", "desk1").await;
    *scene.toy.mood.lock().unwrap() = Mood::Away;
    let (said, outcome) = scene.dial("desk1", "*78", &[]).await;
    assert_eq!((said, outcome), (heard(&["(nl)", "not-available"]), Outcome::Unavailable));
    // The change is kept, and confirmed when the switch has it.
    *scene.toy.mood.lock().unwrap() = Mood::Well;
    let (said, outcome) = scene.dial("desk1", "*78", &[]).await;
    assert_eq!((said, outcome), (heard(&["(nl)", "switched-on"]), Outcome::Set));
    assert_eq!(scene.rings("101"), None);
}
