//! What FastAGI's frames mean, and how its commands are written.

use std::time::Duration;

use hotdesk::asterisk::agi::codec::{Environment, Frame, Reply};
use hotdesk::asterisk::agi::command::{Command, InvalidCommand};

use super::{decode_agi, recorded, show_agi};

/// The frames of a recording, without its environment.
fn replies(name: &str) -> Vec<String> {
    decode_agi([recorded(name)]).unwrap().iter().skip(1).map(show_agi).collect()
}

fn environment(bytes: &[u8]) -> Environment {
    match decode_agi([bytes]).unwrap().into_iter().next() {
        Some(Frame::Environment(environment)) => environment,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_environment_tells_channel_script_and_arguments() {
    let env = environment(&recorded("agi-login-and-basics"));
    assert_eq!(env.var("channel"), Some("PJSIP/desk1-00000001"));
    assert_eq!(env.var("extension"), Some("*901"));
    assert_eq!(env.var("rdnis"), Some("unknown"));
    assert_eq!(env.var("accountcode"), Some(""));
    assert_eq!(env.var("nothing"), None);
    assert_eq!(env.var("network_script"), Some("t01?x=1&y=2"));
    assert_eq!(env.args().collect::<Vec<_>>(), ["arg one", "arg2"]);
}

#[test]
fn digits_come_with_their_leading_zeros_and_their_way_of_ending() {
    let expected = ["\"0\"", "\"12\" value \"timeout\"", "\"\" value \"timeout\"", "\"\"", "\"12*4\""];
    assert_eq!(replies("agi-getdata-timeout"), expected);
    let mut frames =
        decode_agi(["agi_x: y\n\n", "200 resu", "lt=0042\n", "200 result=0042 (timeout)\n"]).unwrap();
    for (timed_out, frame) in [true, false].into_iter().zip(frames.drain(1..).rev()) {
        let Frame::Reply(Reply::Done(answer)) = frame else { panic!("{frame:?}") };
        assert_eq!((answer.result(), answer.number(), answer.timed_out()), ("0042", Some(42), timed_out));
    }
}

#[test]
fn the_same_login_reads_the_same_on_16_and_22() {
    assert_eq!(replies("agi-login-clean-ast16"), replies("agi-login-clean-ast22"));
    assert_eq!(replies("agi-login-clean-ast22")[2..4], ["\"101\"", "\"1234\""]);
}

#[test]
fn each_kind_of_reply_is_recognised() {
    let seen = replies("agi-login-and-basics");
    for expected in [
        "\"35\" endpos 29440",
        "\"1\" value \"val \\\"ue\\\" x\"",
        "\"1\" value \"hello world-desk1-desk1-127.0.0.1:33882\"",
        "\"1\" value \"bar \\\"quoted\\\" (paren)\"",
        "\"-2\"",
        "\"-1\" endpos 0",
        "Usage",
        "Unknown",
    ] {
        assert!(seen.iter().any(|s| s == expected), "{expected} is not in {seen:#?}");
    }
    // DATABASE DELTREE is the wrong way round: 0 it was deleted, 1 there was nothing. The codec must not "repair" it.
    assert_eq!(seen[14..16], ["\"0\"", "\"1\""]);
    assert_eq!(replies("agi-async-break")[2..3], ["\"-1\""]);
    assert_eq!(replies("agi-async-break")[6], "\"0\" value \"timeout\" endpos 7840");
    assert_eq!(seen.len(), 43);
}

#[test]
fn a_hang_up_is_a_frame_of_its_own_and_a_dead_channel_a_reply() {
    assert_eq!(replies("agi-hangup-while-idle"), ["\"0\"", "hangup", "\"0\"", "\"0\"", "Dead"]);
    assert_eq!(replies("agi-hangup-while-idle-AGIEXITONHANGUP-yes"), ["\"0\"", "hangup", "hangup"]);
    assert!(!replies("agi-hangup-while-idle-AGISIGHUP-no").contains(&"hangup".to_owned()));
    assert_eq!(replies("agi-hangup-in-streamfile")[1..3], ["\"-1\" endpos 8000", "hangup"]);
}

#[test]
fn a_usage_text_may_look_like_replies_and_is_still_one_reply() {
    let usage = "agi_x: y\n\n520-Invalid command syntax.  Proper usage follows:\n200 result=1\nHANGUP\n520 End of proper usage.\n";
    let frames = decode_agi([usage]).unwrap();
    assert_eq!(frames.iter().skip(1).map(show_agi).collect::<Vec<_>>(), ["Usage"]);
}

#[test]
fn commands_are_quoted_as_asterisk_unquotes_them() {
    let line = |command: Result<Command, InvalidCommand>| {
        String::from_utf8(command.unwrap().as_bytes().to_vec()).unwrap()
    };
    assert_eq!(line(Ok(Command::answer())), "ANSWER\n");
    assert_eq!(line(Ok(Command::channel_status())), "CHANNEL STATUS\n");
    assert_eq!(line(Ok(Command::hangup())), "HANGUP\n");
    assert_eq!(
        line(Command::get_data("hotdesk/enter-pin", Duration::from_secs(7), 10)),
        "GET DATA \"hotdesk/enter-pin\" \"7000\" \"10\"\n"
    );
    assert_eq!(line(Command::stream_file("beep", "")), "STREAM FILE \"beep\" \"\"\n");
    assert_eq!(line(Command::say_digits("0042", "#")), "SAY DIGITS \"0042\" \"#\"\n");
    assert_eq!(line(Command::set_variable("X", r#"a "b" \c"#)), "SET VARIABLE \"X\" \"a \\\"b\\\" \\\\c\"\n");
    assert_eq!(
        line(Command::get_full_variable("${CHANNEL(endpoint)}")),
        "GET FULL VARIABLE \"${CHANNEL(endpoint)}\"\n"
    );
    assert_eq!(line(Command::exec("Playback", "a&b,noanswer")), "EXEC \"Playback\" \"a&b,noanswer\"\n");
}

#[test]
fn a_command_that_would_be_two_or_be_cut_is_refused() {
    for c in ['\r', '\n', '\0'] {
        let bad = format!("x{c}HANGUP");
        let refused = Err(InvalidCommand::ControlCharacter("SET VARIABLE"));
        assert_eq!(Command::set_variable("X", &bad).map(drop), refused);
        assert_eq!(Command::set_variable(&bad, "X").map(drop), refused);
        assert!(Command::exec(&bad, "").is_err() && Command::stream_file(&bad, "").is_err());
    }
    let long = Command::set_variable("X", &"\"".repeat(1000)).map(drop);
    assert_eq!(long, Err(InvalidCommand::TooLong("SET VARIABLE")));
    assert!(Command::set_variable("X", &"x".repeat(1900)).is_ok());
}

#[test]
fn debug_shows_nothing_that_was_entered_or_dialled() {
    let frames =
        decode_agi(["agi_extension: *35*101*98765\n\n200 result=98765\n200 result=1 (98765)\n"]).unwrap();
    let shown = format!("{frames:?} {:?}", Command::set_variable("X", "98765"));
    assert!(!shown.contains("98765"), "{shown}");
    let error = decode_agi(["agi_x: y\n\n98765\n"]).map(drop).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("98765"));
}

#[test]
fn an_argument_that_a_phone_smuggled_into_a_number_is_none() {
    let args = |text: &str| environment(text.as_bytes()).args().map(str::to_owned).collect::<Vec<_>>();
    let smuggled = "agi_dnid: *35\nagi_threadid: 1\nagi_arg_1: desk9\nagi_extension: *35\nagi_threadid: 2\nagi_arg_1: desk1\n\n";
    assert_eq!(args(smuggled), ["desk1"]);
    assert!(args("agi_arg_1: desk9\nagi_extension: *35\n\n").is_empty());
}
