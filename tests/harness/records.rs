//! A small company in a store: three users with PINs, and three devices.

use std::sync::Arc;

use super::asking::{Ask as _, Change, What};
use hotdesk::model::desired::Scope;
use hotdesk::model::directory::location::{Location, Zone};
use hotdesk::model::directory::{Device, User};
use hotdesk::model::id::Revision;
use hotdesk::model::id::{
    DeviceName, DialTarget, DisplayName, Extension, LocationName, Number, SwitchName, TenantId,
};
use hotdesk::model::journal::{Actor, Entry};
use hotdesk::model::login::pin::{Pepper, Pin, PinRecord};
use hotdesk::store::Store;
use jiff::Timestamp;

/// The users, with their names and PINs.
pub const USERS: [(&str, &str, &str); 3] =
    [("101", "Alice", "729154"), ("102", "Bob", "583617"), ("103", "Carol", "246813")];
/// The devices.
pub const DEVICES: [&str; 3] = ["desk1", "desk2", "desk3"];

pub fn ext(extension: &str) -> Extension {
    Extension::new(extension).unwrap()
}

pub fn name(device: &str) -> DeviceName {
    DeviceName::new(device).unwrap()
}

pub fn switch(name: &str) -> SwitchName {
    SwitchName::new(name).unwrap()
}

/// The PIN of one of [`USERS`].
pub fn pin(user: &str) -> &'static str {
    USERS.iter().find(|(extension, ..)| *extension == user).unwrap().2
}

pub fn pepper() -> Pepper {
    Pepper::new([42; 64])
}

pub fn user(extension: &str, named: &str) -> User {
    let mut user = User::new(TenantId::default(), ext(extension));
    user.name = DisplayName::new(named).ok();
    user
}

pub fn device(desk: &str) -> Device {
    let dial = DialTarget::new(format!("PJSIP/{desk}")).unwrap();
    let device = Device::new(TenantId::default(), name(desk), switch("pbx"), dial);
    Device { location: Some(location().name), ..device }
}

/// The location of the devices.
pub fn location() -> Location {
    let name = LocationName::new("ams").unwrap();
    let mut location = Location::new(TenantId::default(), name, Zone::new("Europe/Amsterdam").unwrap());
    location.emergency.caller_id = Number::new("0205550100").ok();
    location
}

pub async fn change(store: &Arc<dyn Store>, what: What) {
    let change =
        Change { tenant: TenantId::default(), what, by: Actor::Command("test".into()), at: Timestamp::now() };
    store.change(&change).await.unwrap();
}

/// Writes [`USERS`], [`DEVICES`] and their location into `store`.
pub async fn furnish(store: &Arc<dyn Store>) {
    for (extension, named, digits) in USERS {
        change(store, What::User(user(extension, named))).await;
        let pin = Pin::new(digits).unwrap();
        let record = PinRecord::make(&pin, &pepper(), &TenantId::default(), &ext(extension), [9; 16]);
        change(store, What::Pin(ext(extension), record)).await;
    }
    change(store, What::Location(location())).await;
    for desk in DEVICES {
        change(store, What::Device(device(desk))).await;
    }
}

/// The sessions, as `101@desk1`, in the order of the devices.
pub async fn sessions_of(store: &Arc<dyn Store>) -> Vec<String> {
    let snapshot = store.snapshot(&TenantId::default(), &Scope::All).await.unwrap();
    snapshot.sessions.values().map(|session| format!("{}@{}", session.user, session.device)).collect()
}

pub async fn journal(store: &Arc<dyn Store>) -> Vec<Entry> {
    store.journal(&TenantId::default(), Revision(0), 10_000).await.unwrap()
}
