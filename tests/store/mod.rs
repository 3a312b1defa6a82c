//! What each store must do. Every test runs on SQLite and on a real Redis; most of them also run in memory.

use std::path::PathBuf;
use std::sync::Arc;

use hotdesk::model::desired::Scope;
use hotdesk::model::directory::difference::FieldChange;
use hotdesk::model::directory::location::{Location, Zone};
use hotdesk::model::directory::{Device, Snapshot, User};
use hotdesk::model::id::{
    DeviceName, DialTarget, EmergencyNumber, Extension, LocationName, Number, RequestId, Revision,
    SwitchName, TenantId,
};
use hotdesk::model::journal::Actor;
use hotdesk::model::login::limits::LoginRules;
use hotdesk::model::login::transition::{SessionCommand, Transition};
use hotdesk::store::{Memory, Store, StoreError};
use jiff::Timestamp;

use crate::harness::asking::Ask as _;
use crate::harness::asking::{Change, Guess, Move, What};
use crate::harness::records;
use crate::harness::redis::RedisServer;

/// Runs each test, an `async fn(Place)`, on the stores that outlive a process.
macro_rules! on_each_kept_store {
    ($($test:ident)+) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::store::Place::sqlite()).await;
            }
        )+}
        mod redis {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::store::Place::redis()).await;
            }
        )+}
    };
}

/// Runs each test, an `async fn(Place)`, on each store.
macro_rules! on_each_store {
    ($($test:ident)+) => {
        mod memory {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::store::Place::memory()).await;
            }
        )+}
        on_each_kept_store! { $($test)+ }
    };
}

mod accounts;
mod attempts;
mod crash;
mod directory;
mod feed;
mod files;
mod import;
mod keys;
mod lost;
pub mod model;
mod multiple_logins;
mod observations;
mod sessions;
mod settings;
mod tenants;
mod together;
mod trim;
mod unavailable;
mod version;

/// Where a store keeps its data. A test or another process can open it several times.
pub struct Place {
    pub url: String,
    pub base: PathBuf,
    pub server: Option<RedisServer>,
    memory: Option<Memory>,
    _folder: tempfile::TempDir,
}

impl Place {
    pub fn memory() -> Self {
        Self { memory: Some(Memory::default()), ..Self::sqlite() }
    }

    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().to_path_buf();
        Self { url: "sqlite:hotdesk.db".into(), base, server: None, memory: None, _folder: folder }
    }

    /// A file in memory, for tests of its content only.
    pub fn sqlite_in_memory() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let base = folder.path().to_path_buf();
        Self { url: "sqlite:hotdesk.db".into(), base, server: None, memory: None, _folder: folder }
    }

    pub fn redis() -> Self {
        Self::at(RedisServer::start())
    }

    /// A Redis that writes to no disk.
    pub fn redis_in_memory() -> Self {
        Self::at(RedisServer::in_memory())
    }

    fn at(server: RedisServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().to_path_buf();
        Self { url: server.url(), base, server: Some(server), memory: None, _folder: folder }
    }

    /// A separate handle, as another controller has it.
    pub async fn open(&self) -> Arc<dyn Store> {
        match &self.memory {
            Some(memory) => Arc::new(memory.clone()),
            None => hotdesk::store::open(&self.url, &self.base).await.unwrap(),
        }
    }

    /// A handle on a store with so many users from 101 on, and so many devices from desk1 on.
    pub async fn snapshot(&self, users: usize, devices: usize) -> Arc<dyn Store> {
        let store = self.open().await;
        for n in 1..=users {
            apply(&store, What::User(user(&format!("{}", 100 + n)))).await;
        }
        for n in 1..=devices {
            apply(&store, What::Device(device(&format!("desk{n}")))).await;
        }
        store
    }
}

/// A field that changed, for the journal.
pub fn field(field: &str, from: Option<&str>, to: Option<&str>) -> FieldChange {
    FieldChange { field: field.into(), from: from.map(Into::into), to: to.map(Into::into) }
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

pub async fn apply(store: &Arc<dyn Store>, what: What) -> Revision {
    store.change(&change(what)).await.unwrap()
}

/// A request with an ID that no other request has.
pub fn request_for(command: SessionCommand) -> Move {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let request = RequestId::new(format!("{}-{n}", std::process::id())).unwrap();
    let by = Actor::Controller;
    Move { request, tenant: tenant(), command, by, call: None, code: None, at: Timestamp::now() }
}

pub async fn execute(store: &Arc<dyn Store>, what: SessionCommand) -> Result<Transition, StoreError> {
    store.change_sessions(&request_for(what)).await
}

pub fn log_in_command(user: Extension, device: DeviceName) -> SessionCommand {
    SessionCommand::LogIn(user, device, LoginRules::default())
}

pub async fn log_in(store: &Arc<dyn Store>, user: &str, device: &str) -> Transition {
    execute(store, log_in_command(ext(user), name(device))).await.unwrap()
}

pub async fn all(store: &Arc<dyn Store>) -> Snapshot {
    store.snapshot(&tenant(), &Scope::All).await.unwrap()
}

/// The sessions, as `101@desk1`.
pub fn sessions_of(snapshot: &Snapshot) -> Vec<String> {
    snapshot.sessions.values().map(|session| format!("{}@{}", session.user, session.device)).collect()
}

pub fn guess(user: &str, device: &str, second: i64) -> Guess {
    let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
    Guess { tenant: tenant(), user: records::pepper().alias(&tenant(), &ext(user)), device: name(device), at }
}
