//! What Asterisk never sends: refused, with bounded memory, without a panic.

use std::iter::{once, repeat_n};

use hotdesk::asterisk::agi::codec::{AgiError, ENVIRONMENT_LIMIT, LINE_LIMIT, USAGE_LIMIT};
use hotdesk::asterisk::ami::codec::{AmiError, HEADERS_LIMIT, MESSAGE_LIMIT};
use proptest::prelude::*;

use super::{decode_agi, decode_ami};

const CHUNK: usize = 1024;

/// `head`, then a hundred megabytes of `filler`: a decoder must stop long before their end.
fn endless(head: &str, filler: &str) -> impl Iterator<Item = Vec<u8>> {
    let chunk = filler.repeat(CHUNK / filler.len()).into_bytes();
    once(head.as_bytes().to_vec()).chain(repeat_n(chunk, 100_000))
}

#[test]
fn an_endless_environment_line_or_usage_text_is_refused() {
    for (head, filler) in [("", "x"), ("agi_x: ", "y"), ("", "agi_x: y\n"), ("", "\0")] {
        let refused = decode_agi(endless(head, filler)).unwrap_err();
        assert!(matches!(refused, AgiError::TooLong("an environment", ENVIRONMENT_LIMIT)), "{refused}");
    }
    for filler in ["x", "200 result=1 ", "\r"] {
        let refused = decode_agi(endless("agi_x: y\n\n", filler)).unwrap_err();
        assert!(matches!(refused, AgiError::TooLong("a line", LINE_LIMIT)), "{refused}");
    }
    let refused = decode_agi(endless("agi_x: y\n\n520-Usage\n", "usage\n")).unwrap_err();
    assert!(matches!(refused, AgiError::TooLong("a usage text", USAGE_LIMIT)), "{refused}");
}

#[test]
fn other_protocols_than_fastagi_are_refused_and_named() {
    for (bytes, named) in [
        ("GET / HTTP/1.1\nHost: x\n\n", "an environment without 'agi_name: value' in its first line"),
        ("agi_x\n\n", "an environment without 'agi_name: value' in its first line"),
        ("\n\n", "an environment without 'agi_name: value' in its first line"),
        ("agi_x: y\n\n200 OK\n", "a reply without a result"),
        ("agi_x: y\n\n\n", "a line that is neither a reply nor a hang-up"),
        ("agi_x: y\n\n404 result=1\n", "a line that is neither a reply nor a hang-up"),
        ("agi_x: y\n\nHANGUPS\n", "a line that is neither a reply nor a hang-up"),
    ] {
        let refused = decode_agi([bytes]).map(|frames| format!("{frames:?}")).unwrap_err();
        assert_eq!(refused.to_string(), format!("Asterisk sent {named}, which is not FastAGI"), "{bytes:?}");
    }
}

#[test]
fn a_cut_message_is_no_frame() {
    for bytes in ["", "agi_x: y\n", "agi_x: y\n\n200 result=1", "agi_x: y\n\n520-Usage\nmore\n"] {
        let frames = decode_agi([bytes]).unwrap();
        assert_eq!(frames.len(), usize::from(bytes.contains("\n\n")), "{bytes:?}");
    }
    for bytes in ["", "Asterisk Call", "Asterisk Call Manager/11.0.0\r\nEvent: A\r\nB: 1\r\n\r"] {
        assert_eq!(decode_ami([bytes]).unwrap().len(), usize::from(bytes.contains("\r\n")), "{bytes:?}");
    }
}

#[test]
fn an_endless_message_line_or_header_flood_is_refused() {
    let banner = "Asterisk Call Manager/11.0.0\r\n";
    for filler in ["x", "a: b\r\n", "\n", "\r"] {
        let refused = decode_ami(endless(&format!("{banner}Event: "), filler)).unwrap_err();
        assert!(matches!(refused, AmiError::TooLong), "{refused}");
    }
    let headers = |count: usize| format!("{banner}{}\r\n", "a: b\r\n".repeat(count));
    assert_eq!(decode_ami([headers(HEADERS_LIMIT)]).unwrap().len(), 2);
    assert!(matches!(decode_ami([headers(HEADERS_LIMIT + 1)]).unwrap_err(), AmiError::TooLong));
    // Empty lines between messages belong to none, however many.
    assert_eq!(decode_ami(endless(banner, "\r\n").take(1000)).unwrap().len(), 1);
}

#[test]
fn another_greeting_is_not_ami() {
    for greeting in ["SSH-2.0-OpenSSH_9.2\r\n", "\r\n", "HTTP/1.1 400 Bad Request\r\n"] {
        assert!(matches!(decode_ami([greeting]).unwrap_err(), AmiError::NotAmi), "{greeting:?}");
    }
    assert!(matches!(decode_ami(endless("", "x")).unwrap_err(), AmiError::NotAmi));
}

/// Bytes that look like the protocols more often than random ones do.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "agi_x: y\n",
        "\n",
        "\n\n",
        "200 result=",
        "1",
        " (",
        ")",
        "timeout",
        " endpos=",
        "520-",
        "520 ",
        "HANGUP",
        "Asterisk Call Manager/",
        "\r\n",
        "\r\n\r\n",
        "\r",
        ": ",
        ":",
        "Event",
        "é",
        "510",
    ]);
    let piece =
        prop_oneof![words.prop_map(|w| w.as_bytes().to_vec()), prop::collection::vec(any::<u8>(), 0..20)];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_input_panics_and_no_split_changes_its_meaning(bytes in likely(), at in any::<prop::sample::Index>()) {
        let at = at.index(bytes.len() + 1);
        let (head, tail) = bytes.split_at(at);
        for opening in ["", "agi_x: y\n\n"] {
            let show = |r: Result<Vec<_>, AgiError>| {
                r.map(|f| f.iter().map(super::show_agi).collect::<Vec<_>>()).map_err(|e| e.to_string())
            };
            let whole = show(decode_agi([opening.as_bytes(), &bytes]));
            prop_assert_eq!(show(decode_agi([opening.as_bytes(), head, tail])), whole);
        }
        for opening in ["", "Asterisk Call Manager/11.0.0\r\n"] {
            let show = |r: Result<Vec<_>, AmiError>| {
                r.map(|f| f.iter().map(super::show_ami).collect::<Vec<_>>()).map_err(|e| e.to_string())
            };
            let whole = show(decode_ami([opening.as_bytes(), &bytes]));
            prop_assert_eq!(show(decode_ami([opening.as_bytes(), head, tail])), whole);
        }
    }

    #[test]
    fn an_argument_of_any_characters_is_one_argument(text in "[^\r\n\0]{0,400}") {
        let command = hotdesk::asterisk::agi::command::Command::set_variable("X", &text).unwrap();
        let line = std::str::from_utf8(command.as_bytes()).unwrap();
        prop_assert_eq!(line.matches('\n').count(), 1);
        prop_assert_eq!(as_asterisk_splits(line.trim_end_matches('\n')), ["SET", "VARIABLE", "X", text.as_str()]);
    }

    #[test]
    fn an_action_that_is_sent_reads_back_as_it_was(name in "[A-Za-z]{1,20}", value in "[^\r\n\0 ][^\r\n\0]{0,200}") {
        let mut out = bytes::BytesMut::from("Asterisk Call Manager/11.0.0\r\n");
        hotdesk::asterisk::ami::codec::Action::new("DBPut").with(name.clone(), value.clone()).encode(1, &mut out).unwrap();
        prop_assert!(out.len() < MESSAGE_LIMIT);
        let frames = decode_ami([out]).unwrap();
        let hotdesk::asterisk::ami::codec::Frame::Message(message) = &frames[1] else { panic!() };
        prop_assert_eq!(message.iter().nth(2), Some((name.as_str(), value.as_str())));
        prop_assert_eq!(message.iter().count(), 3);
    }
}

/// `parse_args` of res_agi.c, as observed: blanks separate outside of quotes, `\` takes the next character as it is.
fn as_asterisk_splits(line: &str) -> Vec<String> {
    let (mut words, mut quoted, mut escaped, mut open) = (Vec::new(), false, false, false);
    for c in line.chars() {
        let blank = matches!(c, ' ' | '\t') && !quoted && !escaped;
        if blank {
            open = false;
            continue;
        }
        if !open {
            words.push(String::new());
            open = true;
        }
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => quoted = !quoted,
            c => {
                words.last_mut().unwrap().push(c);
                escaped = false;
            }
        }
    }
    words
}
