//! A login costs one read and one write of the switch: counted on the wire before a real Asterisk.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hotdesk::asterisk::ami::client::{Manager, Settings, State};
use hotdesk::asterisk::table::astdb::AsteriskSwitch;
use hotdesk::controller::reconcile::{Kept, PATIENCE, Reconciler};
use hotdesk::model::id::TenantId;
use hotdesk::model::journal::Actor;
use hotdesk::model::login::transition::SessionCommand;
use hotdesk::model::routes::Routes;
use hotdesk::store;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{company, on_both};
use crate::harness::asking::{Ask as _, Move};
use crate::harness::debian::Version;
use crate::harness::hotdesk::SECRET;
use crate::harness::records::{ext, furnish, name, switch};

on_both! {
    a_login_is_read_once_and_written_once_and_the_change_of_another_is_followed
}

/// What went to the switch, as it was sent.
type Sent = Arc<Mutex<String>>;

/// A proxy before a manager interface, and what it passes on to it.
fn proxy(to: SocketAddr) -> (SocketAddr, Sent) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, sent) = (listener.local_addr().unwrap(), Sent::default());
    let kept = sent.clone();
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let far = TcpStream::connect(to).unwrap();
            pass(near.try_clone().unwrap(), far.try_clone().unwrap(), Some(kept.clone()));
            pass(far, near, None);
        }
    });
    (address, sent)
}

fn pass(mut from: TcpStream, mut to: TcpStream, kept: Option<Sent>) {
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            if let Some(kept) = &kept {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
            if to.write_all(&bytes[..read]).is_err() {
                return;
            }
        }
    });
}

/// The actions that were sent since it was asked last, as `DBPut device/desk1`.
fn actions(sent: &Sent) -> Vec<String> {
    let sent = std::mem::take(&mut *sent.lock().unwrap());
    let action = |text: &str| {
        let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        format!("{} {}{}", of("Action: "), of("Key: "), of("Variable: "))
    };
    let actions = sent.split("\r\n\r\n").filter(|text| !text.trim().is_empty()).map(action);
    let mut actions: Vec<String> = actions.filter(|action| !action.starts_with("Ping")).collect();
    actions.sort();
    actions
}

fn a_login_is_read_once_and_written_once_and_the_change_of_another_is_followed(version: Version) {
    let mut company = company(version);
    company.hotdesk.stop().unwrap();
    // The switch holds the state of the store of that hotdesk, and the store below is another one.
    company.pbx.cli("database deltree hotdesk").unwrap();
    let (address, sent) = proxy(company.pbx.ami_address());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let store = store::open("sqlite:hotdesk.db", folder.path()).await.unwrap();
        furnish(&store).await;
        let stop = CancellationToken::new();
        let _guard = stop.clone().drop_guard();
        let settings = Settings {
            name: switch("pbx"),
            address: address.to_string(),
            user: "hotdesk".into(),
            secret: Zeroizing::new(SECRET.into()),
            deadline: Duration::from_secs(10),
            events: vec![],
        };
        let (manager, connection) = Manager::new(settings, stop.clone());
        tokio::spawn(connection);
        manager.state().wait_for(|state| matches!(state, State::Up(_))).await.unwrap();
        let table = Arc::new(AsteriskSwitch::new(manager.clone(), &TenantId::default()));
        let kept = Kept {
            name: switch("pbx"),
            tenant: TenantId::default(),
            routes: Routes::default(),
            patience: PATIENCE,
        };
        let (reconciler, _task) = Reconciler::start(kept, store.clone(), table, stop.clone());
        let quiet = async || {
            loop {
                tokio::time::sleep(Duration::from_millis(700)).await;
                if actions(&sent).is_empty() {
                    return;
                }
            }
        };
        quiet().await;
        let log_in = async |user: &str, desk: &str| {
            let login = Move {
                request: hotdesk::controller::request_id().unwrap(),
                tenant: TenantId::default(),
                command: SessionCommand::LogIn(ext(user), name(desk), Default::default()),
                by: Actor::Controller,
                call: None,
                code: None,
                at: Timestamp::now(),
            };
            store.change_sessions(&login).await.unwrap()
        };
        let costs: Vec<String> = [
            "DBGet device/desk1",
            "DBGet profile/101",
            "DBGet store",
            "DBGet user/101",
            "DBPut device/desk1",
            "DBPut store",
            "DBPut user/101",
            "Getvar HINT(101@hotdesk-hints)",
            "Getvar HINT(DEVICE@hotdesk-hints)",
        ]
        .map(|it| it.replace("DEVICE", &format!("{}desk1", hotdesk::model::codes::DEVICE_LAMP)))
        .into();
        let done = log_in("101", "desk1").await;
        reconciler.reconcile(done.touches(), Some(done.revision)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(actions(&sent), costs);

        // The feed is faster than the request: no second read.
        let done = log_in("102", "desk2").await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(actions(&sent).len(), costs.len(), "followed");
        reconciler.reconcile(done.touches(), Some(done.revision)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(actions(&sent), <[String; 0]>::default());
    });
}
