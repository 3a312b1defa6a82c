//! Commands, byte for byte as those that a FreeSWITCH took, and none that would be two.

use std::time::Duration;

use hotdesk::freeswitch::esl::command::{COMMAND_LIMIT, Command, InvalidCommand};
use proptest::prelude::*;

fn sent(name: &str) -> String {
    let path = format!("{}/tests/fixtures/freeswitch/{name}.send.raw", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn text(command: Result<Command, InvalidCommand>) -> String {
    String::from_utf8(command.unwrap().as_bytes().to_vec()).unwrap()
}

#[test]
fn a_command_is_what_freeswitch_took() {
    let session = sent("b1_events_plain");
    for command in [
        text(Command::auth("ClueCon")),
        text(Command::events(&[
            "CHANNEL_CREATE",
            "sofia::register",
            "CHANNEL_ANSWER",
            "CHANNEL_PARK",
            "CUSTOM",
            "CHANNEL_EXECUTE_COMPLETE",
            "CHANNEL_HANGUP_COMPLETE",
            "DTMF",
            "sofia::unregister",
            "PRESENCE_IN",
            "MESSAGE_WAITING",
            "HEARTBEAT",
            "sofia::register_failure",
            "BACKGROUND_JOB",
            "sofia::expire",
        ])),
        text(Command::bgapi("status", "job-b-1")),
        text(Command::api("uuid_answer 4a1b3eab-d58f-462c-86b9-15d270122306")),
        text(Command::hangup(Some("4a1b3eab-d58f-462c-86b9-15d270122306"), "NORMAL_CLEARING")),
    ] {
        assert!(session.contains(&command), "{command}");
    }
    let session = sent("c1_outbound_async_full_linger_phone_hangup");
    for command in [text(Command::my_events()), text(Command::linger(Duration::from_secs(5)))] {
        assert!(session.contains(&command), "{command}");
    }
    assert!(sent("g5_filter").contains(&text(Command::filter("Caller-Destination-Number", "*35"))));
}

#[test]
fn an_application_is_queued_behind_those_before_it() {
    assert_eq!(
        text(Command::execute(Some("u-1"), "playback", "tone_stream://%(300,0,440)", "a-1")),
        "sendmsg u-1\ncall-command: execute\nexecute-app-name: playback\n\
         execute-app-arg: tone_stream://%(300,0,440)\nevent-lock: true\nEvent-UUID: a-1\n\n"
    );
    let own = text(Command::execute(None, "answer", "", "a-2"));
    assert_eq!(
        own,
        "sendmsg\ncall-command: execute\nexecute-app-name: answer\nevent-lock: true\nEvent-UUID: a-2\n\n"
    );
    // One that others run inside of does not lock them out.
    assert_eq!(
        text(Command::begin(Some("u-1"), "endless_playback", "silence_stream://-1")),
        "sendmsg u-1\ncall-command: execute\nexecute-app-name: endless_playback\n\
         execute-app-arg: silence_stream://-1\n\n"
    );
}

#[test]
fn a_value_that_would_be_another_command_is_refused_and_not_repeated() {
    for bad in ["4711\n\napi shutdown", "4711\r", "\n", "4711\0"] {
        for refused in [
            Command::auth(bad),
            Command::api(bad),
            Command::bgapi(bad, "j"),
            Command::bgapi("status", bad),
            Command::filter("a", bad),
            Command::events(&["HEARTBEAT", bad]),
            Command::execute(Some(bad), "answer", "", "a"),
            Command::execute(None, bad, "", "a"),
            Command::execute(None, "answer", bad, "a"),
            Command::execute(None, "answer", "", bad),
            Command::begin(Some(bad), "playback", "x"),
            Command::begin(None, "playback", bad),
            Command::hangup(Some(bad), "x"),
            Command::hangup(None, bad),
        ] {
            let refused = refused.unwrap_err().to_string();
            assert!(!refused.contains("4711"), "{refused}");
        }
    }
    let not_a_word = |command: Result<Command, _>| matches!(command, Err(InvalidCommand::NotAWord(_)));
    assert!(not_a_word(Command::events(&[])) && not_a_word(Command::events(&["CUSTOM"])));
    assert!(not_a_word(Command::events(&["A B"])) && not_a_word(Command::events(&[""])));
    assert!(not_a_word(Command::filter("a b", "c")) && not_a_word(Command::hangup(Some("a b"), "c")));
    assert!(not_a_word(Command::api("")) && not_a_word(Command::auth("")));
    assert!(matches!(Command::api(&"x".repeat(COMMAND_LIMIT)), Err(InvalidCommand::TooLong("api"))));
    assert_eq!(format!("{:?}", Command::auth("s3cret").unwrap()), "Command(auth)");
}

proptest! {
    #[test]
    fn a_command_of_any_characters_is_one_command(argument in "[^\r\n\0]{1,200}", call in "[0-9a-f-]{1,36}") {
        for command in [
            Command::api(&argument),
            Command::bgapi(&argument, "j"),
            Command::execute(Some(&call), "set", &argument, "a"),
        ] {
            let text = text(command);
            prop_assert!(text.ends_with("\n\n"));
            prop_assert_eq!(text.matches("\n\n").count(), 1);
            prop_assert!(text.lines().any(|line| line.ends_with(&argument)));
        }
    }
}
