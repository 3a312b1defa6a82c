//! How long `hotdesk serve` keeps the journal.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hotdesk::model::id::{DeviceName, Revision, TenantId};
use hotdesk::model::journal::{Actor, Entry, Event};
use hotdesk::store::Store;
use jiff::{SignedDuration, Timestamp};

use crate::harness::asking::Ask as _;

use crate::harness::hotdesk::Hotdesk;
use crate::harness::process::Signal;
use crate::harness::redis::RedisServer;

/// For an Asterisk that cannot be reached: nothing listens on port 1.
fn hotdesk(store: &str) -> Hotdesk {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = [env!("CARGO_BIN_EXE_hotdesk").into()];
    Hotdesk::new(&program, store, SocketAddr::from(([127, 0, 0, 1], 1)), free).unwrap()
}

/// So many refusals of 100 days ago; the day of them.
async fn record(store: &Arc<dyn Store>, times: usize) -> String {
    let at = Timestamp::now().checked_sub(SignedDuration::from_hours(100 * 24)).unwrap();
    let device = DeviceName::new("desk1").unwrap();
    let entry = Entry {
        revision: Revision(0),
        at,
        tenant: TenantId::default(),
        by: Actor::Device(device.clone()),
        call: None,
        code: None,
        event: Event::Refused { device, user: None, reason: "wrong-pin".into() },
    };
    store.record(&vec![entry; times]).await.unwrap();
    at.strftime("%Y-%m-%d").to_string()
}

async fn upto(store: &Arc<dyn Store>) -> Revision {
    store.trimmed(&TenantId::default()).await.unwrap().upto
}

async fn wait_until_dropped(store: &Arc<dyn Store>, last: u64) {
    let until = Instant::now() + Duration::from_secs(20);
    while upto(store).await < Revision(last) {
        assert!(Instant::now() < until, "dropped up to {}", upto(store).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_is_kept_for_ever_until_a_reload_says_for_how_long() {
    let mut hotdesk = hotdesk("sqlite:hotdesk.db");
    hotdesk.configure("[journal]\nkeep_days = 0\n").unwrap();
    let store = hotdesk::store::open("sqlite:hotdesk.db", hotdesk.folder()).await.unwrap();
    let day = record(&store, 7).await;
    hotdesk.run(&["user", "add", "101", "--name", "Ann"]).unwrap();
    hotdesk.spawn().unwrap();
    hotdesk.wait_for_log(0, "event=\"switch.down\"").unwrap();
    assert_eq!(hotdesk.run(&["journal"]).unwrap().lines().count(), 8);

    hotdesk.configure("[journal]\nkeep_days = 99\n").unwrap();
    hotdesk.signal(Signal::HUP).unwrap();
    hotdesk.wait_for_log(0, "event=\"journal.trimmed\" tenant=default entries=7").unwrap();
    let left = hotdesk.run(&["journal"]).unwrap();
    assert!(left.lines().count() == 1 && left.contains("user 101 added"), "{left}");
    let counts = hotdesk.run(&["journal", "--counts"]).unwrap();
    let rows: Vec<Vec<&str>> = counts.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        rows[0],
        "DAY LOGINS LOGOUTS UNDONE REFUSALS REPAIRS SPRAYS OTHER".split(' ').collect::<Vec<_>>()
    );
    assert_eq!(rows[1], [day.as_str(), "0", "0", "0", "7", "0", "0", "0"]);
    assert_eq!(rows[2][1..], ["0", "0", "0", "0", "0", "0", "1"], "of what is kept, too");
    hotdesk.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_controllers_count_what_they_drop_once() {
    let redis = RedisServer::start();
    let (mut one, mut other) = (hotdesk(&redis.url()), hotdesk(&redis.url()));
    let store = hotdesk::store::open(&redis.url(), one.folder()).await.unwrap();
    let day = record(&store, 4000).await;
    one.run(&["user", "add", "101", "--name", "Ann"]).unwrap();
    one.spawn().unwrap();
    other.spawn().unwrap();
    wait_until_dropped(&store, 4000).await;
    let counts = one.run(&["journal", "--counts", "--json"]).unwrap();
    let first: serde_json::Value = serde_json::from_str(counts.lines().next().unwrap()).unwrap();
    assert_eq!((&first["day"], &first["refusal"]), (&day.as_str().into(), &4000.into()));
    for hotdesk in [&mut one, &mut other] {
        hotdesk.stop().unwrap();
    }
}
