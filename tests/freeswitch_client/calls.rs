//! Which of the calls that a scripted FreeSWITCH parks are served.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hotdesk::controller::Controller;
use hotdesk::controller::clock::Clock;
use hotdesk::controller::pins::Pins;
use hotdesk::desk::code::{Codes, Preset};
use hotdesk::desk::id::TenantId;
use hotdesk::freeswitch::calls::Calls;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::line::Line;
use crate::support::office::{furnish, pepper, switch};

/// The first that is told of a call that is taken.
const TAKEN: &str = "sched_del";
const SOON: Duration = Duration::from_millis(500);
/// Calls are looked for twice, the second time a second later.
const LOOKED: Duration = Duration::from_millis(1500);

/// A switch with somebody who serves its calls, so many at once, for these tenants.
struct Served {
    line: Line,
    stop: CancellationToken,
    running: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

async fn serve(calls: usize, tenants: &[&str]) -> Served {
    let mut line = Line::up(&[]).await;
    let dir = tempfile::tempdir().unwrap();
    let store = hotdesk::store::open("sqlite:hotdesk.db", dir.path()).await.unwrap();
    furnish(&store).await;
    let controller = Controller {
        store,
        pins: Pins::new(pepper()),
        codes: watch::channel(Arc::new(Codes::of(&[Preset::Simmpl]).unwrap().into())).1,
        rules: watch::channel(Arc::default()).1,
        switches: BTreeMap::new(),
        clock: Clock::Wall,
    };
    let serving = Calls {
        switch: switch("fs"),
        tenants: tenants.iter().map(|tenant| TenantId::new(*tenant).unwrap()).collect(),
        controller: Arc::new(controller),
        name: "us".into(),
        bell: line.client.clone(),
        client: line.client.clone(),
        calls,
    };
    let stop = CancellationToken::new();
    let running = tokio::spawn(serving.run(line.events.take().unwrap(), stop.clone().into()));
    Served { line, stop, running, _dir: dir }
}

impl Served {
    /// The calls that were taken since this was asked last.
    async fn taken(&self) -> Vec<String> {
        sleep(SOON).await;
        let told = self.line.told();
        told.iter().filter_map(|told| told.strip_prefix(TAKEN)).map(|id| id.trim().into()).collect()
    }
}

/// What asks a caller for his PIN.
const ASKED: [(&str, &str); 1] = [("variable_hd_dialled", "*35*101")];

#[tokio::test]
async fn a_parked_call_is_served_to_the_hang_up_and_only_once() {
    let served = serve(9, &["default"]).await;
    served.line.parks("7", "", &[]);
    served.line.wait_told("hangup NORMAL_CLEARING").await;
    let told = served.line.told();
    let heard = format!("playback {}", hotdesk::freeswitch::sounds::TONE);
    assert!(told.contains(&heard) && told.contains(&"uuid_setvar 7 hd_result refused".into()), "{told:?}");
    served.line.parks("8", "~", &ASKED);
    served.line.parks("8", "~", &ASKED);
    assert_eq!(served.taken().await, ["8"]);
}

#[tokio::test]
async fn with_several_tenants_only_calls_of_their_domains_are_taken() {
    let served = serve(9, &["a.example", "c.example"]).await;
    for (call, domain) in [("1", "b.example"), ("2", "A.example"), ("3", ""), ("5", "c.example")] {
        served.line.parks(call, "~", &[("variable_domain_name", domain), ASKED[0]]);
    }
    served.line.parks("4", "~", &[("Caller-Context", "hotdesk-end"), ASKED[0]]);
    assert_eq!(served.taken().await, ["2", "5"]);
    served.line.reconnects().await;
    sleep(LOOKED).await;
    let told = served.taken().await;
    assert!(told.is_empty(), "nor when calls are looked for: {told:?}");
}

#[tokio::test]
async fn with_a_full_house_a_call_is_left_to_the_dialplan_until_there_is_room() {
    let served = serve(2, &["default"]).await;
    served.line.parks("1", "~", &ASKED);
    served.line.parks("2", " ~", &ASKED);
    served.line.parks("3", "~", &ASKED);
    assert_eq!(served.taken().await, ["1", "2"]);
    served.line.leaves("3");
    served.line.leaves("1");
    sleep(SOON).await;
    served.line.parks("4", "~", &ASKED);
    assert_eq!(served.taken().await, ["4"]);
}

#[tokio::test]
async fn after_a_lost_connection_waiting_calls_are_served_and_those_cut_short_released() {
    let served = serve(9, &["default"]).await;
    served.line.parks("1", "~", &ASKED);
    served.line.wait_told("sched_del 1").await;
    sleep(SOON).await;
    served.line.told();
    // Parked while nobody listened; one of them in a context of the site's.
    served.line.dials("2", "~", &ASKED);
    served.line.dials(
        "3",
        "~",
        &[("variable_hd_dialled", ""), ("variable_hd_controller", "ARRAY::us|:them")],
    );
    served.line.dials(
        "5",
        "~",
        &[("variable_hd_dialled", ""), ("variable_hd_controller", "ARRAY::them|:us")],
    );
    served.line.dials("4", "~", &[("Caller-Context", "default"), ASKED[0]]);
    served.line.forgets_what_was_dialled("1");
    served.line.reconnects().await;
    served.line.wait_told("sched_del 2").await;
    sleep(LOOKED).await;
    let told = served.line.told();
    let released: Vec<_> = told.iter().filter(|told| told.starts_with("uuid_transfer")).collect();
    for call in ["1", "3"] {
        let release = format!("uuid_transfer {call} hotdesk-away XML hotdesk-code");
        assert!(released.contains(&&release), "{told:#?}");
    }
    // 5 is another controller's.
    assert_eq!(
        released.iter().filter(|told| [" 2 ", " 4 ", " 5 "].iter().any(|it| told.contains(it))).count(),
        0
    );
}

#[tokio::test]
async fn a_stop_takes_no_more_calls_and_waits_for_those_under_way() {
    let served = serve(9, &["default"]).await;
    served.line.parks("1", "~", &ASKED);
    served.line.wait_told("sched_del 1").await;
    served.stop.cancel();
    sleep(Duration::from_secs(1)).await;
    assert!(!served.running.is_finished());
    served.line.told();
    served.line.parks("2", "", &[]);
    served.line.leaves("1");
    served.running.await.unwrap();
    assert!(!served.line.told().contains(&"sched_del 2".into()));
}
