//! What whoever sits at a phone changes of his own by a code.

use hotdesk::desk::code::Preset;
use hotdesk::desk::id::{GroupName, Number, TenantId};
use hotdesk::desk::journal::{Actor, Entry, Event};
use hotdesk::desk::model::{Device, Kind, User};
use hotdesk::desk::profile::Membership;
use hotdesk::desk::table::{Key, Row, Scope, UserRow};
use hotdesk::store::What;
use hotdesk::switch::Outcome;

use super::{Mood, Scene};
use crate::support::office::{self, device, ext, journal, name, user};

/// 101 has a softphone, two groups and a number; 102 nothing.
async fn scene() -> Scene {
    let scene = Scene::with(&[Preset::Simmpl, Preset::Personal]).await;
    let mut alice = user("101", "Alice");
    alice.language = "nl".parse().ok();
    alice.profile.numbers = vec![Number::new("0205550101").unwrap()];
    for group in ["sales", "400"] {
        alice.profile.groups.insert(GroupName::new(group).unwrap(), Membership::default());
    }
    office::change(&scene.store, What::User(alice)).await;
    let softphone =
        Device { kind: Kind::Softphone, hotdesk: false, owner: Some(ext("101")), ..device("soft-101") };
    office::change(&scene.store, What::Device(softphone)).await;
    scene
}

fn heard(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

impl Scene {
    /// What the switch has of a user; what is heard was true before.
    fn user_row(&self, user: &str) -> UserRow {
        match &self.toy.table.lock().unwrap()[&Key::User(ext(user))] {
            Row::User(row) => row.clone(),
            other => panic!("{other:?}"),
        }
    }

    async fn user(&self, user: &str) -> User {
        let office = self.store.office(&TenantId::default(), &Scope::All).await.unwrap();
        office.users[&ext(user)].clone()
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
async fn what_he_switched_is_heard_once_the_switch_has_it_and_journalled_without_numbers() {
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
        assert_eq!(scene.user_row("101").dial.map(String::from).as_deref(), rings, "{code}");
    }
    let entries = journal(&scene.store).await;
    let set: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.by == Actor::Phone(name("desk1")))
        .filter_map(|entry| match &entry.event {
            Event::SettingChanged { setting, .. } => Some(setting.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(set.len(), 17, "what is so already is not journalled again: {set:?}");
    assert_eq!(&set[..2], ["do not disturb on", "do not disturb off"]);
    assert!(!format!("{entries:?}").contains("061999"), "{entries:?}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason_and_changes_nothing() {
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
        // The switch does these itself.
        ("desk1", "*8"),
        ("desk1", "*97"),
    ] {
        let (said, outcome) = scene.dial(desk, code, &[]).await;
        assert_eq!((said.last().unwrap().as_str(), outcome), ("not-accepted", Outcome::Refused), "{code}");
    }
    let said = scene.dial("desk3", "*78", &[]).await;
    assert_eq!(said, (heard(&["not-allowed-here"]), Outcome::Refused), "nobody sits there");
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
            "nobody: nobody-here",
        ]
    );
}

#[tokio::test]
async fn the_settings_are_of_whose_phone_it_is_the_guest_or_the_owner_who_sits_nowhere_else() {
    let scene = scene().await;
    office::change(&scene.store, What::Device(Device { owner: Some(ext("102")), ..device("desk2") })).await;
    let dnd = async |user: &str| scene.user(user).await.profile.do_not_disturb;
    assert_eq!(scene.dial("desk2", "*78", &[]).await.1, Outcome::Set);
    assert!(dnd("102").await, "the owner");
    scene.log_in("101", "desk2").await;
    assert_eq!(scene.dial("desk2", "*78", &[]).await.1, Outcome::Set);
    assert!(dnd("101").await, "the guest");
    assert_eq!(scene.dial("soft-101", "*79", &[]).await.1, Outcome::Set);
    assert!(!dnd("101").await, "he has his softphone with him, though nobody can log in there");
    scene.log_in("102", "desk3").await;
    scene.dial("desk2", "*35*101", &[]).await;
    let (said, _) = scene.dial("desk2", "*79", &[]).await;
    assert_eq!(said, heard(&["not-allowed-here"]), "the owner sits elsewhere");
    assert!(dnd("102").await);
}

#[tokio::test]
async fn while_the_switch_is_away_nobody_hears_that_something_is_switched() {
    let scene = scene().await;
    scene.log_in("101", "desk1").await;
    *scene.toy.mood.lock().unwrap() = Mood::Away;
    let (said, outcome) = scene.dial("desk1", "*78", &[]).await;
    assert_eq!((said, outcome), (heard(&["(nl)", "not-available"]), Outcome::Unavailable));
    // What he wanted stands, and is heard when it is true.
    *scene.toy.mood.lock().unwrap() = Mood::Well;
    let (said, outcome) = scene.dial("desk1", "*78", &[]).await;
    assert_eq!((said, outcome), (heard(&["(nl)", "switched-on"]), Outcome::Set));
    assert_eq!(scene.user_row("101").dial, None);
}
