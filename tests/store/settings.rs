//! User settings: each is changed on its own, and parallel changes of other settings are kept.

use hotdesk::model::directory::CallerId;
use hotdesk::model::directory::profile::{Membership, When};
use hotdesk::model::id::{GroupName, Number, Revision};
use hotdesk::model::journal::Event;
use hotdesk::model::settings::Setting;
use hotdesk::store::StoreError;

use super::*;

use crate::harness::asking::What;
use hotdesk::model::login::refusal::Refusal;

on_each_store! {
    a_setting_is_changed_and_journalled_without_its_number
    settings_that_are_changed_at_the_same_time_are_all_kept
    a_setting_of_an_unknown_user_is_refused
    an_edited_user_keeps_settings_that_they_switched_meanwhile
}

async fn a_setting_is_changed_and_journalled_without_its_number(place: Place) {
    let store = place.open().await;
    let before = apply(&store, What::User(user("101"))).await;
    let number = Number::new("+31612345678").unwrap();
    let group = GroupName::new("sales").unwrap();
    let settings = [
        Setting::DoNotDisturb(true),
        Setting::Forward(When::Busy, Some(number.clone())),
        Setting::CallerId(CallerId::Number(number.clone())),
        Setting::Group(group.clone(), Membership { signed_in: true, paused: true }),
        Setting::Pause(group.clone(), false),
        Setting::Pause(GroupName::new("support").unwrap(), true),
        Setting::Ring(name("soft-101"), false),
        Setting::RingHotdesk(Revision(7), false),
        Setting::RingInTurn(true),
    ];
    for setting in &settings {
        apply(&store, What::Setting(ext("101"), setting.clone())).await;
    }
    let user = all(&place.open().await).await.users.remove(&ext("101")).unwrap();
    let mut expected = super::user("101");
    settings.iter().for_each(|setting| setting.apply(&mut expected));
    assert_eq!(user, expected);
    assert_eq!(user.profile.forward.busy, Some(number));
    let membership = Membership { signed_in: true, paused: false };
    assert_eq!(user.profile.groups, [(group, membership)].into(), "a user who is not signed in cannot pause");
    let entries = store.journal(&tenant(), before, 100).await.unwrap();
    let words: Vec<String> = entries.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), settings.len());
    assert!(words[0].starts_with("101: do not disturb on, by "), "{}", words[0]);
    assert!(words.iter().all(|entry| !entry.contains("612345678")), "{words:?}");
    assert!(entries.iter().all(|entry| entry.touches() == Scope::user(&ext("101"))));
    assert!(
        matches!(&entries[3].event, Event::SettingChanged { setting, .. } if setting == "paused in sales")
    );
}

async fn settings_that_are_changed_at_the_same_time_are_all_kept(place: Place) {
    let store = place.open().await;
    apply(&store, What::User(user("101"))).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..24 {
        let store = place.open().await;
        tasks.spawn(async move {
            let group = GroupName::new(format!("group{n}")).unwrap();
            let signed_in = Membership { signed_in: true, paused: false };
            apply(&store, What::Setting(ext("101"), Setting::Group(group, signed_in))).await
        });
    }
    tasks.join_all().await;
    let user = all(&store).await.users.remove(&ext("101")).unwrap();
    assert_eq!(user.profile.groups.len(), 24);
}

async fn a_setting_of_an_unknown_user_is_refused(place: Place) {
    let store = place.open().await;
    let what = What::Setting(ext("101"), Setting::DoNotDisturb(true));
    let change = Change { tenant: tenant(), what, by: Actor::Controller, at: Timestamp::now() };
    assert!(
        matches!(store.change(&change).await, Err(StoreError::Refused(Refusal::Missing(who))) if who.to_string() == "user 101")
    );
}

async fn an_edited_user_keeps_settings_that_they_switched_meanwhile(place: Place) {
    let store = place.open().await;
    let read = user("101");
    apply(&store, What::User(read.clone())).await;
    apply(&store, What::Setting(ext("101"), Setting::DoNotDisturb(true))).await;
    let edited = |was: &User| {
        let is = User { mailbox: "101@default".parse().ok(), ..was.clone() };
        What::Edited { was: Box::new(was.clone()), is: Box::new(is) }
    };
    let change = |what| Change { tenant: tenant(), what, by: Actor::Controller, at: Timestamp::now() };
    let refused = store.change(&change(edited(&read))).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::ChangedMeanwhile(_)))), "{refused:?}");
    let known = all(&store).await.users.remove(&ext("101")).unwrap();
    assert!(known.profile.do_not_disturb && known.mailbox.is_none());
    apply(&store, edited(&known)).await;
    let known = all(&place.open().await).await.users.remove(&ext("101")).unwrap();
    assert!(known.profile.do_not_disturb && known.mailbox.is_some());
    // As with any change, a user who may no longer hotdesk is logged out.
    apply(&store, What::Device(device("desk1"))).await;
    let login = request_for(SessionCommand::LogIn(ext("101"), name("desk1"), LoginRules::default()));
    store.change_sessions(&login).await.unwrap();
    let is = User { hotdesk: false, ..known.clone() };
    apply(&store, What::Edited { was: Box::new(known), is: Box::new(is) }).await;
    assert!(all(&store).await.sessions.is_empty());
    let unknown = store.change(&change(edited(&user("199")))).await;
    assert!(matches!(unknown, Err(StoreError::Refused(Refusal::ChangedMeanwhile(_)))), "{unknown:?}");
}
