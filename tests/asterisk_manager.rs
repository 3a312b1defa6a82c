//! The manager's connection against a scripted Asterisk, on time that does not pass by itself.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hotdesk::asterisk::ami::client::{Manager, Settings, State};
use hotdesk::asterisk::ami::codec::Action;
use hotdesk::asterisk::events::{EVENTS, Events};
use hotdesk::model::id::SwitchName;
use hotdesk::switch::SwitchError;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

const DEADLINE: Duration = Duration::from_secs(3);
const BANNER: &str = "Asterisk Call Manager/11.0.0\r\n";
const BOOTED: &str = "Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n";

/// Asterisk's end of one connection.
struct Pbx {
    stream: DuplexStream,
}

/// An action as it arrived.
struct Asked {
    lines: Vec<String>,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
    }
}

impl Pbx {
    async fn asked(&mut self) -> Asked {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(self.stream.read_u8().await.expect("the connection was closed"));
        }
        Asked { lines: String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect() }
    }

    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    async fn answer(&mut self, asked: &Asked, response: &str) {
        self.say(&format!("Response: {response}\r\nActionID: {}\r\n\r\n", asked.header("ActionID"))).await;
    }

    /// Answers the next action, which must be `name`.
    async fn expect(&mut self, name: &str, response: &str) -> Asked {
        let asked = self.asked().await;
        assert_eq!(asked.header("Action"), name);
        self.answer(&asked, response).await;
        asked
    }

    /// Lets the manager in, with the challenge of a recorded login.
    async fn let_in(&mut self) {
        self.say(BANNER).await;
        self.expect("Challenge", "Success\r\nChallenge: 164212458").await;
        let login = self.expect("Login", "Success\r\nMessage: Authentication accepted").await;
        assert_eq!(login.header("Key"), "bf97e64b380dc761da491083ee0f1e51", "the key that Asterisk accepted");
        assert!(!login.lines.iter().any(|line| line.contains("s3cret")));
        self.say(BOOTED).await;
        self.expect("CoreSettings", "Success\r\nAsteriskVersion: 22.10.1").await;
        let filter = self.expect("Filter", "Success").await;
        let wanted = format!("Event: (FullyBooted|Shutdown|{})", EVENTS.join("|"));
        assert_eq!(filter.header("Filter"), wanted);
    }
}

/// The network: hands over Asterisk's ends, and can be down.
struct Network {
    ends: mpsc::UnboundedReceiver<DuplexStream>,
    down: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Network {
    async fn pbx(&mut self) -> Pbx {
        Pbx { stream: timeout(Duration::from_secs(60), self.ends.recv()).await.unwrap().unwrap() }
    }
}

fn start() -> (Manager, Network) {
    let (tell, ends) = mpsc::unbounded_channel();
    let down = Arc::new(AtomicBool::new(false));
    let stop = CancellationToken::new();
    let settings = Settings {
        name: SwitchName::new("pbx").unwrap(),
        address: "pbx:5038".into(),
        user: "hotdesk".into(),
        secret: Zeroizing::new("s3cret".into()),
        deadline: DEADLINE,
        events: EVENTS.to_vec(),
    };
    let is_down = down.clone();
    let (manager, connection) = Manager::over(settings, stop.clone(), move || {
        let (near, far) = duplex(4096);
        let answer = if is_down.load(Ordering::SeqCst) {
            Err(io::Error::from(io::ErrorKind::ConnectionRefused))
        } else {
            tell.send(far).unwrap();
            Ok(near)
        };
        std::future::ready(answer)
    });
    tokio::spawn(connection);
    (manager, Network { ends, down, stop })
}

async fn up() -> (Manager, Network, Pbx) {
    let (manager, mut network) = start();
    let mut pbx = network.pbx().await;
    pbx.let_in().await;
    is_up(&manager).await;
    (manager, network, pbx)
}

async fn is_up(manager: &Manager) {
    timeout(Duration::from_secs(60), manager.state().wait_for(|s| matches!(s, State::Up(_))))
        .await
        .unwrap()
        .unwrap();
}

/// Why it is down; waits until it is.
async fn why_down(manager: &Manager) -> String {
    let mut state = manager.state();
    let state = timeout(Duration::from_secs(60), state.wait_for(|s| !matches!(s, State::Up(_)))).await;
    match &*state.unwrap().unwrap() {
        State::Down(why) | State::Refused(why) => why.clone(),
        State::Up(_) => unreachable!(),
    }
}

fn put(key: &str) -> Action {
    Action::new("DBPut").with("Family", "hotdesk").with("Key", key).with("Val", "1")
}

#[tokio::test(start_paused = true)]
async fn it_logs_in_by_challenge_and_is_up_once_asterisk_is_fully_booted() {
    let (manager, mut network) = start();
    assert!(matches!(manager.act(put("a")).await, Err(SwitchError::Away(_))));
    let mut pbx = network.pbx().await;
    pbx.say(BANNER).await;
    pbx.expect("Challenge", "Success\r\nChallenge: 164212458").await;
    pbx.expect("Login", "Success").await;
    sleep(Duration::from_secs(20)).await;
    assert!(matches!(&*manager.state().borrow(), State::Down(_)), "it is still booting");
    pbx.say(BOOTED).await;
    pbx.expect("CoreSettings", "Success\r\nAsteriskVersion: 22.10.1").await;
    pbx.expect("Filter", "Success").await;
    is_up(&manager).await;
    let State::Up(up) = manager.state().borrow().clone() else { panic!() };
    assert_eq!((up.asterisk.as_str(), up.interface.as_str()), ("22.10.1", "11.0.0"));
    network.stop.cancel();
    assert_eq!(why_down(&manager).await, "stopped");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_an_error_and_tried_again_slowly() {
    let (manager, mut network) = start();
    let mut pbx = network.pbx().await;
    pbx.say(BANNER).await;
    pbx.expect("Challenge", "Success\r\nChallenge: 1").await;
    let login = pbx.asked().await;
    sleep(Duration::from_secs(1)).await;
    pbx.answer(&login, "Error\r\nMessage: Authentication failed").await;
    drop(pbx);
    let refused_at = Instant::now();
    let mut state = manager.state();
    let state = state.wait_for(|s| matches!(s, State::Refused(_))).await.unwrap().clone();
    let State::Refused(why) = state else { panic!() };
    assert!(
        why.starts_with("Asterisk refused the login of user hotdesk: Authentication failed. Check"),
        "{why}"
    );
    assert!(!format!("{why} {manager:?}").contains("s3cret"));
    assert_eq!(manager.act(put("a")).await.map(drop), Err(SwitchError::Away(why)));
    network.pbx().await.let_in().await;
    assert!(refused_at.elapsed() >= Duration::from_secs(15), "{:?}", refused_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_error_names_the_right_that_an_ami_user_lacks() {
    let (manager, mut network) = start();
    let mut pbx = network.pbx().await;
    pbx.say(BANNER).await;
    pbx.expect("Challenge", "Success\r\nChallenge: 1").await;
    pbx.expect("Login", "Success").await;
    let mut state = manager.state();
    let state = state.wait_for(|s| matches!(s, State::Refused(_))).await.unwrap().clone();
    assert!(format!("{state:?}").contains("lacks 'read = system,call,user' in manager.conf"), "{state:?}");
}

#[tokio::test(start_paused = true)]
async fn another_program_than_asterisk_is_refused() {
    let (manager, mut network) = start();
    network.pbx().await.say("SSH-2.0-OpenSSH_9.2\r\n").await;
    let mut state = manager.state();
    let state = state.wait_for(|s| matches!(s, State::Refused(_))).await.unwrap().clone();
    assert!(
        format!("{state:?}").contains("not Asterisk's manager interface; check the address"),
        "{state:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn actions_are_on_the_wire_together_and_answered_in_any_order() {
    let (manager, _network, mut pbx) = up().await;
    let both = tokio::spawn(async move { tokio::join!(manager.act(put("a")), manager.act(put("b"))) });
    let (first, second) = (pbx.asked().await, pbx.asked().await);
    pbx.answer(&second, "Success\r\nMessage: second").await;
    pbx.answer(&first, "Error\r\nMessage: first").await;
    let (a, b) = both.await.unwrap();
    assert_eq!(first.header("Key"), "a");
    assert_eq!(a.map(drop), Err(SwitchError::Refused("DBPut".into(), "first".into())));
    assert_eq!(b.unwrap().header("Message"), Some("second"));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_dropped_and_the_next_action_gets_its_own() {
    let (manager, _network, mut pbx) = up().await;
    let began = Instant::now();
    let late = tokio::spawn({
        let manager = manager.clone();
        async move { manager.act(put("late")).await }
    });
    let asked = pbx.asked().await;
    assert_eq!(late.await.unwrap().map(drop), Err(SwitchError::Late("DBPut".into(), DEADLINE)));
    assert_eq!(began.elapsed(), DEADLINE);
    let cancelled = tokio::spawn({
        let manager = manager.clone();
        async move { manager.list(Action::new("DBGetTree")).await }
    });
    let listing = pbx.asked().await;
    cancelled.abort();
    let next = tokio::spawn(async move { manager.act(put("next")).await });
    let asked_next = pbx.asked().await;
    pbx.answer(&asked, "Success\r\nMessage: late").await;
    pbx.answer(&listing, "Success\r\nEventList: start").await;
    pbx.answer(&asked_next, "Success\r\nMessage: next").await;
    assert_eq!(next.await.unwrap().unwrap().header("Message"), Some("next"));
}

#[tokio::test(start_paused = true)]
async fn a_list_is_collected_from_segments_of_any_size() {
    let (manager, _network, mut pbx) = up().await;
    let list = tokio::spawn({
        let manager = manager.clone();
        async move { manager.list(Action::new("DBGetTree").with("Family", "hotdesk")).await }
    });
    let id = pbx.asked().await.header("ActionID").to_owned();
    let text = format!(
        "Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n\
         Event: DBGetTreeResponse\r\nKey: /hotdesk/a\r\nVal: 1\r\nActionID: {id}\r\n\r\n\
         Event: Reload\r\nModule: All\r\n\r\n\
         Event: DBGetTreeResponse\r\nKey: /hotdesk/b\r\nVal: \r\nActionID: {id}\r\n\r\n\
         Event: DBGetTreeComplete\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: 2\r\n\r\n"
    );
    for byte in text.as_bytes().chunks(1) {
        pbx.stream.write_all(byte).await.unwrap();
        tokio::task::yield_now().await;
    }
    let list = list.await.unwrap().unwrap();
    let keys: Vec<_> = list.iter().map(|row| row.header("Key").unwrap()).collect();
    assert_eq!(keys, ["/hotdesk/a", "/hotdesk/b"]);

    let nothing = tokio::spawn(async move { manager.list(Action::new("PJSIPShowContacts")).await });
    pbx.expect("PJSIPShowContacts", "Error\r\nMessage: No Contacts found").await;
    let refused = SwitchError::Refused("PJSIPShowContacts".into(), "No Contacts found".into());
    assert_eq!(nothing.await.unwrap(), Err(refused));
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_actions_are_all_answered_and_one_refusal_does_not_hide_the_others() {
    let (manager, _network, mut pbx) = up().await;
    let all = (0..10_000).map(|i| put(&i.to_string())).collect();
    let done = tokio::spawn(async move { manager.act_all(all).await });
    for i in 0..10_000 {
        let asked = pbx.asked().await;
        assert_eq!(asked.header("Key"), i.to_string());
        pbx.answer(&asked, if i == 5000 { "Error" } else { "Success" }).await;
    }
    let responses = done.await.unwrap().unwrap();
    assert_eq!(responses.len(), 10_000);
    let refused: Vec<_> = (0..10_000).filter(|i| !responses[*i].is_success()).collect();
    assert_eq!(refused, [5000]);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_would_be_another_action_is_not_sent() {
    let (manager, _network, mut pbx) = up().await;
    let bad = put("x\r\n\r\nAction: Originate");
    for refused in
        [manager.act(bad.clone()).await.map(drop), manager.act_all(vec![put("a"), bad]).await.map(drop)]
    {
        assert!(matches!(refused, Err(SwitchError::Refused(_, why)) if why.contains("CR, LF")));
    }
    let good = tokio::spawn(async move { manager.act(put("good")).await });
    assert_eq!(pbx.expect("DBPut", "Success").await.header("Key"), "good", "and nothing before it");
    good.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn pending_commands_fail_at_once_when_the_connection_is_lost_and_it_reconnects() {
    let (manager, mut network, mut pbx) = up().await;
    let lost = tokio::spawn({
        let manager = manager.clone();
        async move { manager.act(put("lost")).await }
    });
    pbx.asked().await;
    network.down.store(true, Ordering::SeqCst);
    let began = Instant::now();
    drop(pbx);
    assert!(matches!(lost.await.unwrap(), Err(SwitchError::Away(_))));
    assert!(began.elapsed() < Duration::from_millis(10));
    let mut state = manager.state();
    state.wait_for(|s| matches!(s, State::Down(why) if why.contains("cannot be reached"))).await.unwrap();
    assert!(matches!(manager.act(put("a")).await, Err(SwitchError::Away(why)) if why.contains("pbx:5038")));
    sleep(Duration::from_secs(600)).await;
    network.down.store(false, Ordering::SeqCst);
    let began = Instant::now();
    let mut pbx = network.pbx().await;
    pbx.let_in().await;
    is_up(&manager).await;
    assert!(
        began.elapsed() <= Duration::from_secs(1),
        "never more than a second's pause: {:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_asterisk_is_asked_and_then_given_up() {
    let (manager, mut network, mut pbx) = up().await;
    let began = Instant::now();
    pbx.expect("Ping", "Success\r\nPing: Pong").await;
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    assert_eq!(pbx.asked().await.header("Action"), "Ping");
    assert_eq!(why_down(&manager).await, "Asterisk did not answer a ping within 13s");
    assert_eq!(began.elapsed(), Duration::from_secs(23));
    let mut pbx = network.pbx().await;
    pbx.let_in().await;
    is_up(&manager).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_cannot_hold_more_than_the_deadline() {
    let (manager, _network, pbx) = up().await;
    // More than the pipe takes: the rest waits in the session, which must go on reading and pinging.
    let all = (0..2_000).map(|i| put(&i.to_string())).collect();
    assert!(matches!(manager.act_all(all).await, Err(SwitchError::Late(..))));
    assert!(why_down(&manager).await.contains("ping"));
    drop(pbx);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_is_down_at_once_and_connects_again_only_when_asterisk_is_gone() {
    let (manager, mut network, mut pbx) = up().await;
    let began = Instant::now();
    pbx.say("Event: Shutdown\r\nShutdown: Cleanly\r\nRestart: True\r\n\r\n").await;
    assert_eq!(why_down(&manager).await, "Asterisk is shutting down");
    assert!(began.elapsed() < Duration::from_millis(10));
    sleep(Duration::from_millis(1600)).await;
    assert!(network.ends.try_recv().is_err(), "the dying one would let us in again");
    drop(pbx);
    let mut pbx = network.pbx().await;
    pbx.let_in().await;
    is_up(&manager).await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_and_repeated_lamps_cast_doubt_once_and_calls_do_not() {
    let (manager, mut network) = start();
    let (events, follow) = Events::of(&manager);
    tokio::spawn(follow);
    let mut pbx = network.pbx().await;
    pbx.let_in().await;
    let reloads = || *events.in_doubt().borrow();
    let lamp = |exten: u32, status: u32| {
        format!(
            "Event: ExtensionStatus\r\nExten: {exten}\r\nContext: hotdesk-hints\r\nHint: PJSIP/desk{exten}\r\n\
             Status: {status}\r\nStatusText: {}\r\n\r\n",
            if status == 8 { "Ringing" } else { "Idle" }
        )
    };
    let pause = || sleep(Duration::from_secs(1));
    let listed = pbx.expect("ExtensionStateList", "Success\r\nEventList: start").await;
    let id = format!("ActionID: {}", listed.header("ActionID"));
    pbx.say(&format!("{}{id}\r\n\r\n", lamp(100, 0).trim_end_matches("\r\n").to_owned() + "\r\n")).await;
    pbx.say(&format!("Event: ExtensionStateListComplete\r\nEventList: Complete\r\n{id}\r\n\r\n")).await;
    pause().await;
    assert_eq!(reloads(), 1, "it was connected to");
    let burst: String = (101..110).map(|exten| lamp(exten, 0)).collect();
    pbx.say(&burst).await;
    pause().await;
    assert_eq!(reloads(), 1, "hints that are new");
    for (times, burst) in [(2, &burst), (3, &lamp(100, 0))] {
        pbx.say(burst).await;
        pause().await;
        assert_eq!(reloads(), times, "one for each burst of repetitions");
    }
    for status in [8, 8, 0, 8, 1, 0] {
        pbx.say(&lamp(101, status)).await;
        pause().await;
    }
    assert_eq!(reloads(), 3, "a call changes what its lamp shows");
    pbx.say("Event: Reload\r\nModule: pbx_config\r\nStatus: 0\r\n\r\n").await;
    pause().await;
    assert_eq!(reloads(), 4);
    pbx.say("Event: Newchannel\r\nExten: 101\r\n\r\n").await;
    pause().await;
    assert_eq!(reloads(), 4);
}

#[tokio::test(start_paused = true)]
async fn more_than_any_asterisk_sends_ends_the_connection() {
    let (manager, mut network, mut pbx) = up().await;
    let flood = tokio::spawn(async move {
        let line = "X: y\r\n".repeat(1000);
        while pbx.stream.write_all(line.as_bytes()).await.is_ok() {}
    });
    assert!(why_down(&manager).await.contains("more than 262144 bytes"));
    flood.await.unwrap();
    let mut pbx = network.pbx().await;
    pbx.let_in().await;
    is_up(&manager).await;
}
