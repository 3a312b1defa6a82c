//! The manager's connection to a real Asterisk, with no more rights than a site gives.

use std::time::{Duration, Instant};

use hotdesk::asterisk::ami::client::{Manager, Settings, State, Up};
use hotdesk::asterisk::ami::codec::Action;
use hotdesk::asterisk::events::{EVENTS, Events};
use hotdesk::model::id::SwitchName;
use hotdesk::switch::SwitchError;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::harness::asterisk::{Asterisk, Site};
use crate::harness::debian::Version;

const RIGHTS: &str = "[hotdesk]\nsecret=s3cret\nread=system,call,user\nwrite=system,call,user\n";
const LAMPS: &str = "[lamps]\nexten => 100,hint,Custom:lamp100\nexten => 101,hint,Custom:lamp101\n";

fn site(version: Version) -> Asterisk {
    Site::new().unwrap().manager(RIGHTS).dialplan(LAMPS).start(version).unwrap()
}

fn connect(pbx: &Asterisk, user: &str, secret: &str) -> (Manager, Events, CancellationToken) {
    let stop = CancellationToken::new();
    let settings = Settings {
        name: SwitchName::new("pbx").unwrap(),
        address: pbx.ami_address().to_string(),
        user: user.into(),
        secret: secret.to_owned().into(),
        deadline: Duration::from_secs(3),
        events: EVENTS.to_vec(),
    };
    let (manager, connection) = Manager::new(settings, stop.clone());
    let (events, follow) = Events::of(&manager);
    tokio::spawn(async { tokio::join!(connection, follow) });
    (manager, events, stop)
}

/// Waits for the first state that `wanted` makes something of.
async fn state<T>(manager: &Manager, wanted: impl Fn(&State) -> Option<T>) -> T {
    let mut states = manager.state();
    let state = timeout(Duration::from_secs(20), states.wait_for(|state| wanted(state).is_some()));
    wanted(&state.await.expect("not within 20 s").unwrap()).unwrap()
}

async fn up(manager: &Manager) -> Up {
    state(manager, |state| if let State::Up(up) = state { Some(up.clone()) } else { None }).await
}

fn put(key: usize, value: &str) -> Action {
    Action::new("DBPut").with("Family", "hotdesk/live").with("Key", key.to_string()).with("Val", value)
}

fn lamp(extension: &str, device: &str) -> Action {
    Action::new("DialplanExtensionAdd")
        .with("Context", "lamps")
        .with("Extension", extension)
        .with("Priority", "hint")
        .with("Application", device)
        .with("Replace", "yes")
}

async fn acts_hears_doubt_and_comes_back(version: Version, major: &str) {
    let mut pbx = site(version);
    let (manager, events, stop) = connect(&pbx, "hotdesk", "s3cret");
    let is = up(&manager).await;
    assert!(is.asterisk.starts_with(major), "{is:?}");

    // What it is asked.
    let awkward = "number=+31201234567;name=Zoë \"Z\" O'Neill <1>: (a & b), 100%";
    let rows = (0..2_000).map(|i| put(i, awkward)).collect();
    assert!(manager.act_all(rows).await.unwrap().iter().all(|response| response.is_success()));
    let rows = manager.list(Action::new("DBGetTree").with("Family", "hotdesk/live")).await.unwrap();
    assert_eq!(rows.len(), 2_000);
    assert!(rows.iter().all(|row| row.header("Val") == Some(awkward)));
    let refused = manager.act(Action::new("Command").with("Command", "core show uptime")).await;
    assert_eq!(refused.map(drop), Err(SwitchError::Refused("Command".into(), "Permission denied".into())));
    let missing = manager.list(Action::new("DBGet").with("Family", "hotdesk/live").with("Key", "none")).await;
    assert_eq!(
        missing.map(drop),
        Err(SwitchError::Refused("DBGet".into(), "Database entry not found".into()))
    );

    // What it hears.
    let reloads = || *events.in_doubt().borrow();
    let settle = || sleep(Duration::from_millis(600));
    settle().await;
    // One for the connect. At the very end of a boot it may hear `FullyBooted` twice: Asterisk answers each login with it once
    // it has booted, and publishes it a moment later (main/asterisk.c of 22).
    let up_already = reloads();
    assert!((1..=2).contains(&up_already), "{up_already} times in doubt after a connect");
    manager.act(lamp("100", "Custom:desk1")).await.unwrap();
    manager.act(lamp("777", "Custom:desk1")).await.unwrap();
    let set = |state: &str| {
        Action::new("Setvar").with("Variable", "DEVICE_STATE(Custom:lamp101)").with("Value", state.to_owned())
    };
    for device_state in ["INUSE", "RINGING", "NOT_INUSE"] {
        manager.act(set(device_state)).await.unwrap();
    }
    settle().await;
    assert_eq!(reloads(), up_already, "logins and calls are no sign that anything was lost");
    for (times, command) in [(1, "dialplan reload"), (2, "core reload"), (3, "module reload pbx_config.so")] {
        pbx.cli(command).unwrap();
        settle().await;
        assert_eq!(reloads(), up_already + times, "{command}");
    }

    // Asterisk restarts, in good order and not.
    for how in [Asterisk::stop, Asterisk::kill] {
        how(&mut pbx).unwrap();
        state(&manager, |state| matches!(state, State::Down(_)).then_some(())).await;
        let began = Instant::now();
        assert!(matches!(manager.act(put(0, "x")).await, Err(SwitchError::Away(_))));
        assert!(began.elapsed() < Duration::from_millis(100));
        let before = reloads();
        pbx.start().unwrap();
        let began = Instant::now();
        up(&manager).await;
        assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
        timeout(Duration::from_secs(1), events.in_doubt().wait_for(|times| *times > before))
            .await
            .expect("no event came")
            .unwrap();
        manager.act(put(0, "x")).await.unwrap();
    }
    stop.cancel();
    state(&manager, |state| matches!(state, State::Down(why) if why == "stopped").then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_acts_hears_doubt_and_comes_back_on_22() {
    acts_hears_doubt_and_comes_back(Version::Current, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_acts_hears_doubt_and_comes_back_on_16() {
    acts_hears_doubt_and_comes_back(Version::V16, "16.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_refused_with_what_to_do() {
    let pbx = site(Version::Current);
    for (user, secret) in [("hotdesk", "wrong"), ("nobody", "s3cret")] {
        let (manager, _events, _stop) = connect(&pbx, user, secret);
        let why =
            state(&manager, |state| if let State::Refused(why) = state { Some(why.clone()) } else { None })
                .await;
        let expected =
            format!("Asterisk refused the login of user {user}: Authentication failed. Check user");
        assert!(why.starts_with(&expected), "{why}");
    }
}
