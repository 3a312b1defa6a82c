//! Which of the calls that a scripted FreeSWITCH parks are served.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hotdesk::controller::Controller;
use hotdesk::controller::clock::Clock;
use hotdesk::controller::pins::Pins;
use hotdesk::freeswitch::calls::parked::Calls;
use hotdesk::freeswitch::calls::taker::Taker;
use hotdesk::model::codes::{Codes, Preset};
use hotdesk::model::id::TenantId;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::line::Line;
use crate::harness::records::{furnish, pepper, switch};

/// The first command for a call that is taken.
const TAKEN: &str = "sched_del";
const SOON: Duration = Duration::from_millis(500);
/// Calls are looked for twice, the second time a second later.
const LOOKED: Duration = Duration::from_millis(1500);

/// A switch and a controller that serves its calls, so many at once, for these tenants.
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
        clock: Clock::machine(),
    };
    let taker = Taker {
        switch: switch("fs"),
        tenants: tenants.iter().map(|tenant| TenantId::new(*tenant).unwrap()).collect(),
        controller: Arc::new(controller),
        name: "us".into(),
    };
    let serving = Calls { taker, waiting: line.client.clone(), client: line.client.clone(), calls };
    let stop = CancellationToken::new();
    let running = tokio::spawn(serving.run(line.events.take().unwrap(), stop.clone().into()));
    Served { line, stop, running, _dir: dir }
}

impl Served {
    /// The calls that were taken since this was asked last.
    async fn taken(&self) -> Vec<String> {
        sleep(SOON).await;
        let commands = self.line.commands();
        commands.iter().filter_map(|command| command.strip_prefix(TAKEN)).map(|id| id.trim().into()).collect()
    }
}

/// What asks a caller for the PIN.
const ASKED: [(&str, &str); 1] = [("variable_hd_dialled", "*35*101")];

#[tokio::test]
async fn a_parked_call_is_served_to_the_hang_up_and_only_once() {
    let served = serve(9, &["default"]).await;
    served.line.parks("7", "", &[]);
    served.line.wait_for_command("hangup NORMAL_CLEARING").await;
    let commands = served.line.commands();
    let heard = format!("playback {}", hotdesk::freeswitch::dialplan::sounds::TONE);
    assert!(
        commands.contains(&heard) && commands.contains(&"uuid_setvar 7 hd_result refused".into()),
        "{commands:?}"
    );
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
    served.line.parks("4", "~", &[("Caller-Context", "hotdesk@end"), ASKED[0]]);
    assert_eq!(served.taken().await, ["2", "5"]);
    served.line.reconnects().await;
    sleep(LOOKED).await;
    let commands = served.taken().await;
    assert!(commands.is_empty(), "nor when calls are looked for: {commands:?}");
}

#[tokio::test]
async fn at_the_limit_of_calls_the_dialplan_keeps_a_call_until_one_ends() {
    let served = serve(2, &["default"]).await;
    served.line.parks("1", "~", &ASKED);
    served.line.parks("2", " ~", &ASKED);
    served.line.parks("3", "~", &ASKED);
    assert_eq!(served.taken().await, ["1", "2"]);
    served.line.hangs_up("3");
    served.line.hangs_up("1");
    sleep(SOON).await;
    served.line.parks("4", "~", &ASKED);
    assert_eq!(served.taken().await, ["4"]);
}

#[tokio::test]
async fn after_a_lost_connection_waiting_calls_are_served_and_those_cut_short_released() {
    let served = serve(9, &["default"]).await;
    served.line.parks("1", "~", &ASKED);
    served.line.wait_for_command("sched_del 1").await;
    sleep(SOON).await;
    served.line.commands();
    // Parked while no controller listened; one of them in a context of the site's.
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
    // Its conversation is over, and the switch has yet to end it.
    let over = [
        ("variable_hd_dialled", ""),
        ("variable_hd_controller", "ARRAY::us|:them"),
        ("variable_hd_result", "logged-in"),
    ];
    served.line.dials("6", "~", &over);
    served.line.forgets_what_was_dialled("1");
    served.line.reconnects().await;
    served.line.wait_for_command("sched_del 2").await;
    sleep(LOOKED).await;
    let commands = served.line.commands();
    let released: Vec<_> = commands.iter().filter(|command| command.starts_with("uuid_transfer")).collect();
    for call in ["1", "3"] {
        let release = format!("uuid_transfer {call} hotdesk-away XML hotdesk@code");
        assert!(released.contains(&&release), "{commands:#?}");
    }
    // 5 is another controller's.
    for call in [" 2 ", " 4 ", " 5 ", " 6 "] {
        assert!(!released.iter().any(|command| command.contains(call)), "{commands:#?}");
    }
    assert!(commands.iter().any(|command| command == "hangup NORMAL_CLEARING"), "{commands:#?}");
}

#[tokio::test]
async fn a_stop_takes_no_more_calls_and_waits_for_those_under_way() {
    let served = serve(9, &["default"]).await;
    served.line.parks("1", "~", &ASKED);
    served.line.wait_for_command("sched_del 1").await;
    served.stop.cancel();
    sleep(Duration::from_secs(1)).await;
    assert!(!served.running.is_finished());
    served.line.commands();
    served.line.parks("2", "", &[]);
    served.line.hangs_up("1");
    served.running.await.unwrap();
    assert!(!served.line.commands().contains(&"sched_del 2".into()));
}
