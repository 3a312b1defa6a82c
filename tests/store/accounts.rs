//! Accounts of the console: links, passwords, sessions, and the last administrator.

use hotdesk::controller::accounts;
use hotdesk::model::access::{
    AccessCommand, Account, Link, Password, PasswordRecord, Role, Secret, WebSession,
};
use hotdesk::model::id::AccountName;
use hotdesk::model::journal::Event;
use hotdesk::model::login::pin::{Cost, Pepper};
use hotdesk::model::login::refusal::Refusal;
use jiff::SignedDuration;

use super::*;

on_each_store! {
    a_link_is_good_once_until_its_time_and_until_there_is_another_one
    a_password_ends_the_sessions_before_it
    a_session_ends_with_its_sign_out_its_time_and_its_account
    a_role_that_changes_ends_the_sessions
    one_administrator_remains
    accounts_of_tenants_are_apart
}

fn eva() -> AccountName {
    AccountName::new("eva").unwrap()
}

fn secret(n: u8) -> Secret {
    Secret::from_random(&[n; 32])
}

fn record(n: u8) -> PasswordRecord {
    let (cost, password) = (Cost { memory_kib: 8, passes: 1 }, Password::new("three tall cranes").unwrap());
    PasswordRecord::make(cost, &password, &Pepper::new([7; 64]), &tenant(), &eva(), [n; 16])
}

fn session(n: u8) -> WebSession {
    let now = Timestamp::now();
    WebSession { hash: secret(n).hash(), since: now, seen: now, from: [192, 0, 2, n].into() }
}

fn by(account: &AccountName) -> Actor {
    Actor::Console { account: account.clone(), from: [192, 0, 2, 1].into() }
}

async fn access(store: &Arc<dyn Store>, command: AccessCommand) -> Result<(), StoreError> {
    let by = by(command.account());
    accounts::change(&**store, &tenant(), by, command).await
}

async fn invite(store: &Arc<dyn Store>, account: &AccountName, role: Role, n: u8, hours: i64) {
    let until = Timestamp::now() + SignedDuration::from_hours(hours);
    let link = Link { hash: secret(n).hash(), until };
    access(store, AccessCommand::Invite(account.clone(), role, link)).await.unwrap();
}

async fn choose(
    store: &Arc<dyn Store>,
    account: &AccountName,
    link: u8,
    begins: u8,
) -> Result<(), StoreError> {
    let command =
        AccessCommand::ChoosePassword(account.clone(), secret(link).hash(), record(begins), session(begins));
    access(store, command).await
}

async fn sign_in(
    store: &Arc<dyn Store>,
    salt: &PasswordRecord,
    begins: u8,
    replaces: Option<u8>,
) -> Result<(), StoreError> {
    let command = AccessCommand::SignIn {
        account: eva(),
        salt: salt.salt().to_owned(),
        rehashed: None,
        session: session(begins),
        replaces: replaces.map(|n| secret(n).hash()),
    };
    access(store, command).await
}

/// The account as a separate handle reads it.
async fn kept(place: &Place) -> Account {
    accounts::find(&*place.open().await, &tenant(), &eva()).await.unwrap().unwrap()
}

#[track_caller]
fn refused(result: Result<(), StoreError>, why: &Refusal) {
    assert!(matches!(&result, Err(StoreError::Refused(is)) if is == why), "{result:?} is not {why:?}");
}

async fn a_link_is_good_once_until_its_time_and_until_there_is_another_one(place: Place) {
    let store = place.open().await;
    refused(choose(&store, &eva(), 1, 1).await, &Refusal::LinkVoid);
    invite(&store, &eva(), Role::Viewer, 1, 72).await;
    refused(choose(&store, &eva(), 2, 1).await, &Refusal::LinkVoid);
    invite(&store, &eva(), Role::Viewer, 3, 72).await;
    refused(choose(&store, &eva(), 1, 1).await, &Refusal::LinkVoid);
    choose(&store, &eva(), 3, 4).await.unwrap();
    refused(choose(&store, &eva(), 3, 5).await, &Refusal::LinkVoid);
    let account = kept(&place).await;
    assert_eq!((account.role, account.password, account.link), (Role::Viewer, Some(record(4)), None));
    assert!(account.sessions.iter().any(|is| is.hash == secret(4).hash()) && account.sessions.len() == 1);
    invite(&store, &eva(), Role::Viewer, 6, -1).await;
    refused(choose(&store, &eva(), 6, 7).await, &Refusal::LinkVoid);
    // What happened is in the journal, with the account and its address, and without anything that opens the console.
    let entries = store.journal(&tenant(), Revision(0), 100).await.unwrap();
    let words: Vec<String> = entries.iter().map(ToString::to_string).collect();
    let by = "by eva (console, from 192.0.2.1)";
    assert_eq!(words.len(), 4);
    assert_eq!(words[0], format!("account eva added and invited as viewer, {by}"));
    assert_eq!(words[2], format!("account eva has a new password, {by}"));
    assert!(entries.iter().all(|entry| entry.touches() == Scope::none()));
    let json = serde_json::to_string(&entries).unwrap();
    assert!(!json.contains(secret(3).reveal()) && !json.contains(record(4).salt()), "{json}");
}

async fn a_password_ends_the_sessions_before_it(place: Place) {
    let store = place.open().await;
    invite(&store, &eva(), Role::Operator, 1, 72).await;
    choose(&store, &eva(), 1, 2).await.unwrap();
    sign_in(&store, &record(2), 3, None).await.unwrap();
    refused(sign_in(&store, &record(9), 4, None).await, &Refusal::PasswordChanged);
    assert_eq!(kept(&place).await.sessions.len(), 2);
    invite(&store, &eva(), Role::Operator, 5, 72).await;
    assert_eq!(kept(&place).await.sessions.len(), 2, "the link alone changes nothing");
    choose(&store, &eva(), 5, 6).await.unwrap();
    let account = kept(&place).await;
    assert!(account.session(&secret(6), Timestamp::now()).is_some() && account.sessions.len() == 1);
    refused(sign_in(&store, &record(2), 7, None).await, &Refusal::PasswordChanged);
}

async fn a_session_ends_with_its_sign_out_its_time_and_its_account(place: Place) {
    let store = place.open().await;
    invite(&store, &eva(), Role::Viewer, 1, 72).await;
    choose(&store, &eva(), 1, 2).await.unwrap();
    sign_in(&store, &record(2), 3, None).await.unwrap();
    // A browser that signs in again has one session.
    sign_in(&store, &record(2), 4, Some(3)).await.unwrap();
    let (now, account) = (Timestamp::now(), kept(&place).await);
    let good = |n: u8, at: Timestamp| account.session(&secret(n), at).is_some();
    assert!(good(2, now) && !good(3, now) && good(4, now));
    assert!(!good(4, now + WebSession::IDLE), "idle for long");
    let before = account.sessions.last().unwrap().seen;
    access(&store, AccessCommand::Seen(eva(), secret(4).hash())).await.unwrap();
    access(&store, AccessCommand::Seen(eva(), secret(9).hash())).await.unwrap();
    let seen = kept(&place).await.sessions.last().unwrap().clone();
    assert!(seen.seen >= before && !seen.is_good(now + WebSession::LASTS));
    let revision = store.changed(&tenant(), Revision(99), std::time::Duration::ZERO).await.unwrap();
    access(&store, AccessCommand::SignOut(eva(), secret(4).hash())).await.unwrap();
    access(&store, AccessCommand::SignOut(eva(), secret(4).hash())).await.unwrap();
    assert!(kept(&place).await.session(&secret(4), now).is_none());
    let last = store.journal(&tenant(), revision, 9).await.unwrap();
    assert!(matches!(&last[..], [one] if one.event == Event::SignedOut { account: eva() }), "{last:?}");
    // As many as there may be; the oldest ends first.
    for n in 10..10 + Account::MOST_SESSIONS as u8 {
        sign_in(&store, &record(2), n, None).await.unwrap();
    }
    let account = kept(&place).await;
    assert_eq!(account.sessions.len(), Account::MOST_SESSIONS);
    assert!(account.session(&secret(2), now).is_none());
    access(&store, AccessCommand::Remove(eva())).await.unwrap();
    assert!(accounts::find(&*store, &tenant(), &eva()).await.unwrap().is_none());
    refused(access(&store, AccessCommand::Remove(eva())).await, &Refusal::AccountUnknown(eva()));
}

async fn a_role_that_changes_ends_the_sessions(place: Place) {
    let store = place.open().await;
    invite(&store, &eva(), Role::Viewer, 1, 72).await;
    choose(&store, &eva(), 1, 2).await.unwrap();
    invite(&store, &eva(), Role::Operator, 3, 72).await;
    let account = kept(&place).await;
    assert_eq!((account.role, account.sessions.len()), (Role::Operator, 0));
    assert!(account.password.is_some());
}

async fn one_administrator_remains(place: Place) {
    let (store, jan) = (place.open().await, AccountName::new("jan").unwrap());
    invite(&store, &eva(), Role::Administrator, 1, 72).await;
    assert!(!accounts::is_administered(&*store, &tenant()).await.unwrap(), "not before there is a password");
    choose(&store, &eva(), 1, 2).await.unwrap();
    assert!(accounts::is_administered(&*store, &tenant()).await.unwrap());
    // One without a password does not count.
    invite(&store, &jan, Role::Administrator, 3, 72).await;
    let last = Refusal::LastAdministrator(eva());
    refused(access(&store, AccessCommand::Remove(eva())).await, &last);
    let link = Link { hash: secret(4).hash(), until: Timestamp::now() };
    refused(access(&store, AccessCommand::Invite(eva(), Role::Operator, link.clone())).await, &last);
    choose(&store, &jan, 3, 5).await.unwrap();
    access(&store, AccessCommand::Invite(eva(), Role::Operator, link)).await.unwrap();
    access(&store, AccessCommand::Remove(eva())).await.unwrap();
    refused(access(&store, AccessCommand::Remove(jan.clone())).await, &Refusal::LastAdministrator(jan));
}

async fn accounts_of_tenants_are_apart(place: Place) {
    let (store, other) = (place.open().await, TenantId::new("other").unwrap());
    invite(&store, &eva(), Role::Viewer, 1, 72).await;
    assert!(accounts::find(&*store, &other, &eva()).await.unwrap().is_none());
    assert!(accounts::all(&*store, &other).await.unwrap().is_empty());
    assert_eq!(accounts::all(&*store, &tenant()).await.unwrap().len(), 1);
}
