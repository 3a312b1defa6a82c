//! The conformance story of a store: every chapter is told on SQLite and on a real Redis.

use std::path::PathBuf;
use std::sync::Arc;

use hotdesk::desk::id::{
    DeviceName, DialTarget, EmergencyNumber, Extension, LocationName, Number, RequestId, Revision,
    SwitchName, TenantId,
};
use hotdesk::desk::journal::Actor;
use hotdesk::desk::location::{Location, Zone};
use hotdesk::desk::model::{Device, Office, User};
use hotdesk::desk::rules::Seating;
use hotdesk::desk::seat::{Act, Move, Transition};
use hotdesk::desk::table::Scope;
use hotdesk::store::{Change, Guess, Store, StoreError, What};
use jiff::Timestamp;

use crate::support::office;
use crate::support::redis::RedisServer;

/// Tells each chapter, an `async fn(Place)`, on both stores.
macro_rules! on_both_stores {
    ($($chapter:ident)+) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $chapter() {
                super::$chapter(crate::store::Place::sqlite()).await;
            }
        )+}
        mod redis {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $chapter() {
                super::$chapter(crate::store::Place::redis()).await;
            }
        )+}
    };
}

mod attempts;
mod away;
mod crash;
mod directory;
mod feed;
mod files;
mod import;
mod keep;
pub mod model;
mod moves;
mod seen;
mod settings;
mod tenants;
mod together;
mod trim;
mod version;

/// Where a store's truth lies: it can be opened as often as one likes, also by another process.
pub struct Place {
    pub url: String,
    pub base: PathBuf,
    pub server: Option<RedisServer>,
    _folder: tempfile::TempDir,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().to_path_buf();
        Self { url: "sqlite:hotdesk.db".into(), base, server: None, _folder: folder }
    }

    /// A file that no disk slows down, for what is about what is in it only.
    pub fn sqlite_in_memory() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let base = folder.path().to_path_buf();
        Self { url: "sqlite:hotdesk.db".into(), base, server: None, _folder: folder }
    }

    pub fn redis() -> Self {
        Self::at(RedisServer::start())
    }

    /// One that no disk slows down, either.
    pub fn redis_in_memory() -> Self {
        Self::at(RedisServer::in_memory())
    }

    fn at(server: RedisServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().to_path_buf();
        Self { url: server.url(), base, server: Some(server), _folder: folder }
    }

    /// A handle of its own, as another controller would have it.
    pub async fn open(&self) -> Arc<dyn Store> {
        hotdesk::store::open(&self.url, &self.base).await.unwrap()
    }

    /// A handle on an office with these users, 101 and on, and these devices, desk1 and on.
    pub async fn office(&self, users: usize, devices: usize) -> Arc<dyn Store> {
        let store = self.open().await;
        for n in 1..=users {
            put(&store, What::User(user(&format!("{}", 100 + n)))).await;
        }
        for n in 1..=devices {
            put(&store, What::Device(device(&format!("desk{n}")))).await;
        }
        store
    }
}

pub fn tenant() -> TenantId {
    TenantId::default()
}

pub fn ext(extension: &str) -> Extension {
    Extension::new(extension).unwrap()
}

pub fn name(device: &str) -> DeviceName {
    DeviceName::new(device).unwrap()
}

pub fn user(extension: &str) -> User {
    User::new(tenant(), ext(extension))
}

pub fn device(device: &str) -> Device {
    let dial = DialTarget::new(format!("PJSIP/{device}")).unwrap();
    Device::new(tenant(), name(device), SwitchName::default(), dial)
}

pub fn at(location: &str) -> LocationName {
    LocationName::new(location).unwrap()
}

pub fn location(name: &str, numbers: &[&str]) -> Location {
    let mut location = Location::new(tenant(), at(name), Zone::new("Europe/Amsterdam").unwrap());
    location.emergency.caller_id = Number::new("0201112222").ok();
    location.emergency.numbers =
        numbers.iter().map(|number| EmergencyNumber::new(*number).unwrap()).collect();
    location
}

pub fn owned(by: &str, of: &str) -> Device {
    Device { owner: Some(ext(by)), ..device(of) }
}

pub fn change(what: What) -> Change {
    Change { tenant: tenant(), what, by: Actor::Command("anna".into()), at: Timestamp::now() }
}

pub async fn put(store: &Arc<dyn Store>, what: What) -> Revision {
    store.change(&change(what)).await.unwrap()
}

/// An act nobody asked for before.
pub fn act(act: Act) -> Move {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let request = RequestId::new(format!("{}-{n}", std::process::id())).unwrap();
    let by = Actor::Controller;
    Move { request, tenant: tenant(), act, by, call: None, code: None, at: Timestamp::now() }
}

pub async fn doing(store: &Arc<dyn Store>, what: Act) -> Result<Transition, StoreError> {
    store.move_people(&act(what)).await
}

pub fn sit(user: Extension, device: DeviceName) -> Act {
    Act::Seat(user, device, Seating::default())
}

pub async fn seat(store: &Arc<dyn Store>, user: &str, device: &str) -> Transition {
    doing(store, sit(ext(user), name(device))).await.unwrap()
}

pub async fn all(store: &Arc<dyn Store>) -> Office {
    store.office(&tenant(), &Scope::All).await.unwrap()
}

/// Who sits where, as `101@desk1`.
pub fn seated(office: &Office) -> Vec<String> {
    office.bindings.values().map(|binding| format!("{}@{}", binding.user, binding.device)).collect()
}

pub fn guess(user: &str, device: &str, second: i64) -> Guess {
    let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
    Guess { tenant: tenant(), user: office::pepper().alias(&tenant(), &ext(user)), device: name(device), at }
}
