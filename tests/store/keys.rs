//! Keys of the API: their names, their end, their last use, and what the store keeps of them.

use hotdesk::controller::accounts::{Accounts, Denied, keys};
use hotdesk::model::access::{ApiKey, KeyCommand, KeyText, Role, Secret};
use hotdesk::model::id::KeyName;
use hotdesk::model::login::refusal::Refusal;
use jiff::SignedDuration;

use super::*;

on_each_store! {
    a_key_is_good_until_its_end_or_its_removal
    a_name_is_of_one_key
    a_use_is_noted_and_not_each
    keys_of_tenants_are_apart
    wrong_keys_have_a_limit_and_a_good_one_goes_on
}

fn crm() -> KeyName {
    KeyName::new("crm").unwrap()
}

fn by() -> Actor {
    Actor::Command("admin".into())
}

async fn add(store: &Arc<dyn Store>, days: u16) -> KeyText {
    keys::add(&**store, &tenant(), by(), (crm(), Role::Operator, days)).await.unwrap()
}

async fn sent(store: &Arc<dyn Store>, key: &KeyText) -> Result<ApiKey, Denied> {
    Accounts::default().key(&**store, Some(key), [192, 0, 2, 1].into()).await
}

/// A key that ended a second ago.
async fn ended(store: &Arc<dyn Store>) -> KeyText {
    let (secret, now) = (Secret::from_random(&[9; 32]), Timestamp::now());
    let second = SignedDuration::from_secs(1);
    let name = KeyName::new("old").unwrap();
    let (hash, role, used) = (secret.hash(), Role::Viewer, None);
    let key = ApiKey { name, role, hash, since: now - second * 2, until: now - second, used };
    keys::change(&**store, &tenant(), by(), KeyCommand::Add(key)).await.unwrap();
    KeyText { tenant: tenant(), secret }
}

async fn a_key_is_good_until_its_end_or_its_removal(place: Place) {
    let store = place.open().await;
    let text = add(&store, 400).await;
    let key = sent(&place.open().await, &text).await.unwrap();
    let lasts = key.until.duration_since(key.since);
    assert_eq!(
        (key.name, key.role, lasts.as_hours()),
        (crm(), Role::Operator, 365 * 24),
        "a year at the most"
    );
    let old = ended(&store).await;
    assert!(matches!(sent(&store, &old).await, Err(Denied::Wrong)));
    keys::remove(&*store, &tenant(), by(), crm()).await.unwrap();
    assert!(matches!(sent(&place.open().await, &text).await, Err(Denied::Wrong)));
    let entries = store.journal(&tenant(), Revision(0), 9).await.unwrap();
    let words: Vec<String> = entries.iter().map(ToString::to_string).collect();
    assert!(
        words[0].starts_with("key crm added as operator, until ")
            && words[0].ends_with(", by admin (command line)")
    );
    assert_eq!(words[2], "key crm removed, by admin (command line)");
    assert!(entries.iter().all(|entry| entry.touches() == Scope::none()));
    let json = serde_json::to_string(&entries).unwrap();
    for secret in [&text, &old] {
        let (text, hash) = (secret.secret.reveal(), secret.secret.hash());
        assert!(!json.contains(text) && !json.contains(hash.as_str()), "{json}");
    }
}

async fn a_name_is_of_one_key(place: Place) {
    let store = place.open().await;
    let first = add(&store, 1).await;
    let again = keys::add(&*store, &tenant(), by(), (crm(), Role::Viewer, 1)).await;
    assert!(matches!(again, Err(StoreError::Refused(Refusal::KeyThere(name))) if name == crm()));
    assert_eq!(sent(&store, &first).await.unwrap().role, Role::Operator);
    keys::remove(&*store, &tenant(), by(), crm()).await.unwrap();
    let gone = keys::remove(&*store, &tenant(), by(), crm()).await;
    assert!(matches!(gone, Err(StoreError::Refused(Refusal::KeyUnknown(name))) if name == crm()));
    let second = add(&store, 1).await;
    assert!(sent(&store, &first).await.is_err() && sent(&store, &second).await.is_ok());
}

async fn a_use_is_noted_and_not_each(place: Place) {
    let store = place.open().await;
    let text = add(&store, 1).await;
    let used = async || keys::all(&*place.open().await, &tenant()).await.unwrap()[0].used;
    assert_eq!(used().await, None);
    let before = store.journal(&tenant(), Revision(0), 9).await.unwrap().len();
    sent(&store, &text).await.unwrap();
    let first = used().await;
    assert!(first.is_some());
    sent(&store, &text).await.unwrap();
    assert_eq!(used().await, first);
    assert_eq!(store.journal(&tenant(), Revision(0), 9).await.unwrap().len(), before);
}

async fn keys_of_tenants_are_apart(place: Place) {
    let (store, other) = (place.open().await, TenantId::new("other").unwrap());
    let text = add(&store, 1).await;
    assert!(keys::all(&*store, &other).await.unwrap().is_empty());
    let turned = KeyText { tenant: other, secret: text.secret.clone() };
    assert!(matches!(sent(&store, &turned).await, Err(Denied::Wrong)));
}

async fn wrong_keys_have_a_limit_and_a_good_one_goes_on(place: Place) {
    let store = place.open().await;
    let good = add(&store, 1).await;
    let wrong = KeyText { tenant: tenant(), secret: Secret::from_random(&[7; 32]) };
    let accounts = Accounts::default();
    let send = async |key: Option<&KeyText>, from: [u8; 4]| accounts.key(&*store, key, from.into()).await;
    for n in 0..20 {
        let key = (n % 2 == 0).then_some(&wrong);
        assert!(matches!(send(key, [192, 0, 2, 1]).await, Err(Denied::Wrong)), "{n}");
    }
    assert!(matches!(send(Some(&wrong), [192, 0, 2, 1]).await, Err(Denied::TooMany(_))));
    assert!(matches!(send(Some(&wrong), [192, 0, 2, 2]).await, Err(Denied::Wrong)), "another address");
    assert!(send(Some(&good), [192, 0, 2, 1]).await.is_ok());
}
