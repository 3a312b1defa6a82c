//! The caller: the commands that Asterisk gets, missing sounds, and a hang-up or a silence at any moment.

use std::net::IpAddr;
use std::time::Duration;

use hotdesk::asterisk::agi::caller::{AgiPhone, NoCall};
use hotdesk::controller::pins::Pins;
use hotdesk::model::id::{Extension, Language, SwitchName, TenantId};
use hotdesk::model::login::prompt::Prompt;
use hotdesk::switch::{Call, Caller, Digits, Gone, Outcome, Utterance};
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::{Asterisk, ENVIRONMENT, token, well};
use crate::harness::records::pepper;

const DIGITS: Digits = Digits { first: Duration::from_secs(7), next: Duration::from_secs(4), most: 40 };

/// How a call ended.
#[derive(Debug, PartialEq)]
enum End {
    Gone,
    NoCall,
    /// With the PIN that was entered.
    Well(String),
}

/// An Asterisk that says `environment` and then, of each command and its number, what `reply` is; `None` closes.
fn asterisk(
    far: DuplexStream,
    environment: String,
    mut reply: impl FnMut(usize, &str) -> Option<String> + Send + 'static,
) -> JoinHandle<Vec<String>> {
    tokio::spawn(async move {
        let (mut asterisk, mut commands) = (Asterisk::new(far), vec![]);
        asterisk.say(&environment).await;
        while let Some(command) = asterisk.command().await {
            let said = reply(commands.len(), &command);
            commands.push(command);
            match said {
                Some(said) => asterisk.say(&said).await,
                None => break,
            };
        }
        commands
    })
}

/// What Asterisk replies to the command of this number, in a call that is hung up at another.
type HangUp = fn(usize, usize, &str) -> Option<String>;

async fn take(near: DuplexStream) -> Result<(AgiPhone<DuplexStream>, Call), NoCall> {
    AgiPhone::take(near, SwitchName::new("pbx").unwrap(), &[TenantId::default()], &Pins::new(pepper())).await
}

/// A login as the conversation has it.
async fn login(phone: &mut AgiPhone<DuplexStream>) -> Result<String, Gone> {
    phone.speak(&Language::new("nl").unwrap()).await?;
    let pin = phone.ask(Prompt::EnterPin, &DIGITS).await?.0.to_string();
    let extension = Utterance::Extension(Extension::new("001").unwrap());
    phone
        .say(&[Utterance::Prompt(Prompt::LoggedIn), extension, Utterance::Prompt(Prompt::MovedFrom)])
        .await?;
    Ok(pin)
}

/// A whole call over a pipe of `width` bytes: how it ended, the commands that Asterisk got, and how long it took.
async fn call(
    width: usize,
    reply: impl FnMut(usize, &str) -> Option<String> + Send + 'static,
) -> (End, Vec<String>, Duration) {
    let (near, far) = tokio::io::duplex(width);
    let commands = asterisk(far, ENVIRONMENT.into(), reply);
    let began = Instant::now();
    let story = async {
        let Ok((mut phone, call)) = take(near).await else { return End::NoCall };
        assert_eq!(*call.dialled.0, "*35*001*0042");
        let done = login(&mut phone).await;
        phone.end(if done.is_ok() { Outcome::LoggedIn } else { Outcome::Refused }).await;
        done.map_or(End::Gone, End::Well)
    };
    let end = timeout(Duration::from_secs(600), story).await.expect("the call hangs");
    let took = began.elapsed();
    let commands = timeout(Duration::from_secs(1), commands).await.expect("it was not let go of").unwrap();
    (end, commands, took)
}

const WELL: [&str; 10] = [
    "SET VARIABLE \"TIMEOUT(absolute)\" \"180\"",
    "GET FULL VARIABLE \"${HINT(token@hotdesk-token)}|${HD_DIALLED}\"",
    "ANSWER",
    "SET VARIABLE \"CHANNEL(language)\" \"nl\"",
    "GET DATA \"hotdesk/enter-pin\" \"4000\" \"40\"",
    "STREAM FILE \"hotdesk/logged-in\" \"\"",
    "SAY DIGITS \"001\" \"\"",
    "STREAM FILE \"hotdesk/moved-from\" \"\"",
    "SET VARIABLE \"HD_DIALLED\" \"\"",
    "SET VARIABLE \"HD_RESULT\" \"logged-in\"",
];
/// Commands until it is a call, and until it is over.
const TAKEN: usize = 3;
const OVER: usize = 8;

#[tokio::test(start_paused = true)]
async fn a_call_goes_well_also_byte_by_byte_with_its_leading_zeros() {
    for width in [1, 2, 3, 64 * 1024] {
        let (end, commands, _) = call(width, |_, command| Some(well(command))).await;
        assert_eq!((end, commands.as_slice()), (End::Well("0042".into()), &WELL.map(str::to_owned)[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hang_up_at_any_command_is_noticed_there_and_nothing_more_is_played() {
    // The line alone, then commands that need no caller are still carried out.
    let by_line = |n: usize, at: usize, command: &str| {
        Some(match n {
            n if n < at => well(command),
            n if n == at => format!("HANGUP\n{}", well(command)),
            _ if command.starts_with("SET") => well(command),
            _ => "511 Command Not Permitted on a dead channel or intercept routine\n".into(),
        })
    };
    // As with AGISIGHUP=no: no line, only results.
    let by_result = |n: usize, at: usize, command: &str| {
        let needs_none = ["SET", "GET FULL"].iter().any(|name| command.starts_with(name));
        Some(match n {
            n if n < at || needs_none => well(command),
            n if n == at => "200 result=-1\n".into(),
            _ => "511 Command Not Permitted on a dead channel or intercept routine\n".into(),
        })
    };
    let dead = |n: usize, at: usize, command: &str| {
        let dead = n >= at && !command.starts_with("SET VARIABLE \"HD_");
        Some(if dead { "511 dead\n".into() } else { well(command) })
    };
    let closed = |n: usize, at: usize, command: &str| (n < at).then(|| well(command));
    let ways: [HangUp; 4] = [by_line, by_result, dead, closed];
    for (way, hang_up) in ways.into_iter().enumerate() {
        for (at, here) in WELL.into_iter().enumerate().take(OVER) {
            let (end, commands, took) = call(1024, move |n, command| hang_up(n, at, command)).await;
            let case = format!("way {way} at {here}: {commands:#?}");
            // A result says nothing at a command that needs no caller; the next one does.
            let noticed = if way == 1 && matches!(at, 0 | 1) { 2 } else { at };
            let expected = if noticed < TAKEN { End::NoCall } else { End::Gone };
            assert_eq!(end, expected, "{case}");
            assert!(took < Duration::from_secs(1), "{took:?}, {case}");
            let after: Vec<&str> = commands.iter().skip(noticed + 1).map(String::as_str).collect();
            let harmless = |command: &&str| {
                ["SET VARIABLE \"HD_", "CHANNEL STATUS"].iter().any(|allowed| command.starts_with(allowed))
            };
            let next = |command: &&str| way == 1 && WELL.get(at + 1) == Some(command);
            assert!(after.iter().all(|command| harmless(command) || next(command)), "{case}");
            assert!(!after.iter().any(|command| command.contains("logged-in")), "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_asterisk_is_given_up_in_time_and_gets_no_more_commands() {
    for (at, here) in WELL.into_iter().enumerate().take(OVER) {
        let (near, far) = tokio::io::duplex(1024);
        let silent = tokio::spawn(async move {
            let mut asterisk = Asterisk::new(far);
            asterisk.say(ENVIRONMENT).await;
            for _ in 0..at {
                let command = asterisk.command().await.unwrap();
                asterisk.say(&well(&command)).await;
            }
            let last = asterisk.command().await;
            (last, asterisk.command().await)
        });
        let began = Instant::now();
        let story = async {
            let Ok((mut phone, _)) = take(near).await else { return };
            assert_eq!(login(&mut phone).await, Err(Gone));
            phone.end(Outcome::Refused).await;
        };
        timeout(Duration::from_secs(600), story).await.expect("the call hangs");
        let playing = ["GET DATA", "STREAM", "SAY"].iter().any(|name| here.starts_with(name));
        let most = Duration::from_secs(if playing { 185 } else { 5 });
        assert_eq!(began.elapsed().as_secs(), most.as_secs(), "{here}");
        assert_eq!(silent.await.unwrap(), (Some(here.to_owned()), None));
    }
}

#[tokio::test(start_paused = true)]
async fn replies_that_are_none_end_the_call_and_refused_commands_do_not() {
    for at in 0..OVER {
        let (end, commands, _) =
            call(1024, move |n, command| Some(if n == at { "what?\n".into() } else { well(command) })).await;
        assert_eq!(end, if at < TAKEN { End::NoCall } else { End::Gone });
        assert_eq!(commands.len(), at + 1, "after nonsense nothing more is said: {commands:?}");
    }
    let (end, ..) =
        call(1024, |n, command| Some(if n == 3 { "510 no\n".into() } else { well(command) })).await;
    assert_eq!(end, End::Well("0042".into()), "a language that cannot be set is no reason to end");
}

/// A phone that was taken, on an Asterisk that replies so; `said` are its commands from then on.
async fn taken(
    mut reply: impl FnMut(&str) -> String + Send + 'static,
) -> (AgiPhone<DuplexStream>, JoinHandle<Vec<String>>) {
    let (near, far) = tokio::io::duplex(1024);
    let commands = asterisk(far, ENVIRONMENT.into(), move |n, command| {
        Some(if n < TAKEN { well(command) } else { reply(command) })
    });
    (take(near).await.unwrap().0, commands)
}

async fn said(phone: AgiPhone<DuplexStream>, commands: JoinHandle<Vec<String>>) -> Vec<String> {
    phone.end(Outcome::LoggedIn).await;
    let commands = commands.await.unwrap();
    commands[TAKEN..commands.len() - 2].to_vec()
}

#[tokio::test(start_paused = true)]
async fn a_sound_that_is_missing_is_replaced_by_a_stock_one() {
    let (mut phone, commands) =
        taken(
            |command| {
                if command.contains("hotdesk/") { "200 result=-1 endpos=0\n".into() } else { well(command) }
            },
        )
        .await;
    assert_eq!(*phone.ask(Prompt::EnterPin, &DIGITS).await.unwrap().0, "0042");
    phone.say(&[Utterance::Prompt(Prompt::LoggedOut)]).await.unwrap();
    let expected = [
        "GET DATA \"hotdesk/enter-pin\" \"4000\" \"40\"",
        "CHANNEL STATUS",
        "GET DATA \"agent-pass\" \"4000\" \"40\"",
        "STREAM FILE \"hotdesk/logged-out\" \"\"",
        "CHANNEL STATUS",
        "STREAM FILE \"agent-loggedoff\" \"\"",
    ];
    assert_eq!(said(phone, commands).await, expected);
}

#[tokio::test(start_paused = true)]
async fn without_any_sound_there_is_a_tone_and_digits_are_taken_one_by_one() {
    let mut pressed = "0042#".bytes();
    let (mut phone, commands) = taken(move |command| match command.split(' ').next() {
        Some("GET" | "STREAM") => "200 result=-1 endpos=0\n".into(),
        Some("WAIT") => format!("200 result={}\n", pressed.next().unwrap_or(0)),
        _ => well(command),
    })
    .await;
    assert_eq!(*phone.ask(Prompt::EnterPin, &DIGITS).await.unwrap().0, "0042");
    // The caller presses nothing any more.
    assert_eq!(*phone.ask(Prompt::EnterPin, &DIGITS).await.unwrap().0, "");
    phone.say(&[Utterance::Prompt(Prompt::Locked)]).await.unwrap();
    let said = said(phone, commands).await;
    let count = |start: &str| said.iter().filter(|command| command.starts_with(start)).count();
    assert_eq!(
        said[4..7],
        ["EXEC \"Playtones\" \"!440/400,!0/200\"", "WAIT FOR DIGIT \"7000\"", "WAIT FOR DIGIT \"4000\""]
    );
    assert_eq!((count("WAIT FOR DIGIT"), count("EXEC \"Playtones\""), count("EXEC \"Wait\"")), (6, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_hangs_up_between_single_digits_is_gone() {
    let mut left = 2;
    let (mut phone, commands) = taken(move |command| match command.split(' ').next() {
        Some("GET" | "STREAM") => "200 result=-1 endpos=0\n".into(),
        Some("WAIT") if left == 0 => "200 result=-1\n".into(),
        Some("WAIT") => {
            left -= 1;
            "200 result=49\n".into()
        }
        Some("CHANNEL") if left == 0 => "511 dead\n".into(),
        _ => well(command),
    })
    .await;
    assert_eq!(phone.ask(Prompt::EnterPin, &DIGITS).await.map(drop), Err(Gone));
    drop(phone);
    commands.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_a_key_press_has_the_time_for_the_first_digit() {
    let (nothing, some) = ("200 result= (timeout)\n", "200 result=0042 (timeout)\n");
    for (replies, entered) in
        [([nothing, nothing], ""), ([nothing, some], "0042"), ([nothing, "200 result=\n"], "")]
    {
        let mut replies = replies.into_iter();
        let (mut phone, commands) =
            taken(
                move |command| {
                    if command.starts_with("GET") { replies.next().unwrap().into() } else { well(command) }
                },
            )
            .await;
        assert_eq!(*phone.ask(Prompt::EnterPin, &DIGITS).await.unwrap().0, entered);
        let expected = ["GET DATA \"hotdesk/enter-pin\" \"4000\" \"40\"", "GET DATA \"\" \"4000\" \"40\""];
        assert_eq!(said(phone, commands).await, expected);
    }
    // `#` alone, and digits that time ended, are an entry.
    for (reply, entered) in [("200 result=\n", ""), (some, "0042")] {
        let (mut phone, commands) = taken(move |_| reply.into()).await;
        assert_eq!(*phone.ask(Prompt::EnterPin, &DIGITS).await.unwrap().0, entered);
        assert_eq!(said(phone, commands).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_phone_is_is_read_of_any_address() {
    for (told, is) in [
        ("192.0.2.7:5060", Some("192.0.2.7")),
        ("[2001:db8::7]:5060", Some("2001:db8::7")),
        ("2001:db8::7", Some("2001:db8::7")),
        ("[::ffff:192.0.2.7]:5060", Some("192.0.2.7")),
        ("", None),
        ("unknown", None),
    ] {
        let (near, far) = tokio::io::duplex(1024);
        let _asterisk =
            asterisk(far, ENVIRONMENT.replace("192.0.2.7:5060", told), |_, command| Some(well(command)));
        let (_, call) = take(near).await.unwrap();
        assert_eq!(call.from, is.map(|is| is.parse::<IpAddr>().unwrap()), "{told}");
        assert_eq!((call.device.as_str(), call.id.to_string().as_str()), ("desk1", "1795283486.1"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_for_what_is_no_call_does_not_repeat_what_was_sent() {
    let without = |line: &str| ENVIRONMENT.replace(line, "");
    let long = "agi_x: y\n".repeat(100_000);
    for (sent, words) in [
        ("EHLO 86420975\n\n".into(), "is not FastAGI"),
        (format!("agi_{long}"), "more than"),
        ("x".repeat(100_000), "more than"),
        (without("agi_arg_1: desk1\nagi_arg_2: 192.0.2.7:5060\n"), "did not send a device"),
        (ENVIRONMENT.replace("desk1\nagi_arg_2", "*35*101*86420975\nagi_arg_2"), "did not send a device"),
        (String::new(), "the connection ended"),
        ("GET / HTTP/1.1\r\n\r\n".into(), "the connection ended"),
    ] {
        let (near, far) = tokio::io::duplex(1024);
        let peer = asterisk(far, sent.clone(), |_, command| Some(well(command)));
        let began = Instant::now();
        let error = take(near).await.map(drop).unwrap_err().to_string();
        let shown: String = sent.chars().take(60).collect();
        assert!(error.contains(words) && !error.contains("86420975"), "{shown:?}: {error}");
        assert!(began.elapsed() <= Duration::from_secs(5), "{shown:?}");
        assert!(!peer.await.unwrap().contains(&"ANSWER".into()), "{shown:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_the_token_is_refused_before_it_is_answered() {
    for shown in [
        "",
        "*35*001*0042",
        "|*35*001*0042",
        "Custom:|*35",
        "Custom:PRINT-YOUR-OWN|*35",
        &format!("{}0|*35", token()),
        &format!("{}|*35", &token()[..20]),
        &format!("{}|*35", token().to_uppercase()),
        &format!("{}|*35", token().replace("Custom:", "")),
    ] {
        let (near, far) = tokio::io::duplex(1024);
        let reply = format!("200 result=1 ({shown})\n");
        let peer = asterisk(far, ENVIRONMENT.into(), move |_, command| {
            Some(if command.starts_with("GET") { reply.clone() } else { well(command) })
        });
        let error = take(near).await.map(drop).unwrap_err();
        assert!(matches!(error, NoCall::Stranger), "{shown}: {error}");
        assert!(!error.to_string().contains(&token()["Custom:".len()..]), "{error}");
        assert_eq!(peer.await.unwrap(), WELL[..2], "{shown}");
    }
}
