//! What FreeSWITCH never sends: refused, with bounded memory, without a panic.

use std::iter::{once, repeat_n};

use hotdesk::freeswitch::esl::codec::{BODY_LIMIT, EslError, Frame, HEAD_LIMIT};
use hotdesk::freeswitch::esl::event::HEADERS_LIMIT;
use proptest::prelude::*;

use super::{decode, recorded, show};

/// `head`, then far more than may be buffered of `filler`.
fn endless(head: &str, filler: &str) -> impl Iterator<Item = Vec<u8>> {
    let chunk = filler.repeat(4096 / filler.len()).into_bytes();
    once(head.as_bytes().to_vec()).chain(repeat_n(chunk, 100_000))
}

#[test]
fn headers_without_an_end_are_refused() {
    for (head, filler) in [("", "x"), ("Content-Type: ", "y"), ("", "a: b\n"), ("", "\0"), ("", ":")] {
        let refused = decode(endless(head, filler)).unwrap_err();
        assert!(matches!(refused, EslError::TooLong("headers", HEAD_LIMIT)), "{refused}");
    }
}

#[test]
fn a_length_that_is_none_is_refused_and_one_that_is_huge_as_well() {
    let said = |length: &str| {
        let text = format!("Content-Length: {length}\nContent-Type: text/event-plain\n\n");
        decode([text]).map(|frames| frames.len()).map_err(|e| e.to_string())
    };
    let not_a_number = "what answers there sent a Content-Length that is not a number, which is not FreeSWITCH's event socket";
    for length in ["-1", "+1", "1x", "0x10", "", " ", "1 2", "1.0", "ten", "\u{661}"] {
        assert_eq!(said(length), Err(not_a_number.into()), "{length:?}");
    }
    for length in ["16777217", "4294967296", "18446744073709551616", &"9".repeat(300)] {
        assert_eq!(
            said(length),
            Err("FreeSWITCH sent a body of more than 16777216 bytes".into()),
            "{length:?}"
        );
    }
    assert_eq!(said("16777216"), Ok(0), "the most; nothing of it has come yet");
    assert_eq!(said("0"), Ok(1));
    let two = "Content-Length: 5\nContent-Type: api/response\nContent-Length: 6\n\n12345";
    assert!(decode([two]).unwrap_err().to_string().contains("two different Content-Lengths"));
}

#[test]
fn an_announced_body_takes_no_memory_before_it_arrives() {
    use bytes::BytesMut;
    use tokio_util::codec::Decoder as _;
    let mut buffer =
        BytesMut::from(format!("Content-Length: {BODY_LIMIT}\nContent-Type: api/response\n\n").as_str());
    assert!(hotdesk::freeswitch::esl::codec::Decoder::default().decode(&mut buffer).unwrap().is_none());
    assert!(buffer.capacity() < 1024, "{}", buffer.capacity());
}

#[test]
fn a_header_without_a_colon_or_a_raw_line_break_in_a_value_is_refused() {
    for text in [
        "Content-Type\n\n",
        "\n\n",
        "Content-Type: command/reply\nReply-Text: one\ntwo\n\n",
        "SSH-2.0-OpenSSH_9.2\n\n",
        "HTTP/1.1 400 Bad Request\nConnection: close\n\n",
    ] {
        let refused = decode([text]).map(|f| f.len()).unwrap_err().to_string();
        assert!(refused.contains("a header without a colon"), "{text:?}: {refused}");
    }
    // A value that holds an empty line ends the block early; what follows is no header.
    let refused = decode(["Content-Type: command/reply\nReply-Text: one\n\ntwo\n\n"]);
    assert!(refused.unwrap_err().to_string().contains("a header without a colon"));
    let refused = decode(["Reply-Text: +OK\n\n"]).unwrap_err().to_string();
    assert!(refused.contains("a frame without a Content-Type"), "{refused}");
}

#[test]
fn an_event_that_cannot_be_read_is_skipped_and_the_next_one_is_read() {
    let next = "Content-Type: auth/request\n\n";
    let flood = format!("{}\n", "a: b\n".repeat(HEADERS_LIMIT + 1));
    for (kind, body) in [
        ("plain", ""),
        ("plain", "Event-Name: DTMF\n"),
        ("plain", "Event-Name: DTMF\nno colon\n\n"),
        ("plain", flood.as_str()),
        ("json", ""),
        ("json", "{"),
        ("json", "[]"),
        ("json", "{\"a\":1}"),
        ("json", "{\"a\":{}}"),
        ("json", "{\"a\":\"b\"}{}"),
    ] {
        let text = format!("Content-Length: {}\nContent-Type: text/event-{kind}\n\n{body}{next}", body.len());
        let frames = decode([text]).unwrap();
        assert!(
            matches!(frames[..], [Frame::Unreadable(_), Frame::AuthRequest]),
            "{kind} {body:?}: {frames:?}"
        );
    }
    let deep = "[".repeat(100_000);
    let text = format!("Content-Length: {}\nContent-Type: text/event-json\n\n{{\"a\":{deep}", deep.len() + 5);
    assert!(matches!(decode([text]).unwrap()[..], [Frame::Unreadable(_)]));
}

#[test]
fn half_a_frame_is_none() {
    let bytes = recorded("a1_auth_ok");
    for end in 0..27 {
        assert_eq!(decode([&bytes[..end]]).unwrap().len(), 0);
    }
    assert_eq!(
        decode(["Content-Length: 9\nContent-Type: text/event-plain\n\nEvent-Nam"[..]
            .as_bytes()
            .split_last()
            .unwrap()
            .1])
        .unwrap()
        .len(),
        0
    );
}

#[test]
fn another_protocol_is_recognised() {
    let frames = decode([
        "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\nContent-Type: log/data\nContent-Length: 1\n\nxContent-Type: text/event-xml\nContent-Length: 1\n\n<",
    ]);
    assert!(matches!(frames.unwrap()[..], [Frame::Rejected, Frame::Other, Frame::Other]));
}

#[test]
fn debug_shows_no_value() {
    let text = "Content-Type: command/reply\nReply-Text: 4711\nJob-UUID: 4711\n\n\
                Content-Type: api/response\nContent-Length: 4\n\n4711\
                Content-Length: 35\nContent-Type: text/event-plain\n\nEvent-Name: DTMF\nDTMF-Digit: 4711\n\n";
    let frames = decode([text]).unwrap();
    assert_eq!(frames.len(), 3);
    let shown = format!("{frames:?}");
    assert!(!shown.contains("4711"), "{shown}");
    assert!(shown.contains("Event(DTMF, 2 headers)"), "{shown}");
}

/// Bytes that look like the protocol more often than random ones do.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "Content-Length: ",
        "Content-Type: ",
        "text/event-plain",
        "text/event-json",
        "command/reply",
        "api/response",
        "text/disconnect-notice",
        "auth/request",
        "\n",
        "\n\n",
        ": ",
        ":",
        "0",
        "7",
        "30",
        "-1",
        "Event-Name: ",
        "%2",
        "%0A",
        "{\"a\":\"b\"}",
        "{\"a\":[\"b\"]}",
        "Reply-Text: +OK\n",
        "_undef_",
        "é",
        "\r",
    ]);
    let piece = prop_oneof![4 => words.prop_map(|w| w.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 0..20)];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// A frame with a body as long as it says.
fn framed() -> impl Strategy<Value = Vec<u8>> {
    (prop::sample::select(vec!["text/event-plain", "text/event-json", "api/response"]), likely()).prop_map(
        |(kind, body)| {
            [format!("Content-Length: {}\nContent-Type: {kind}\n\n", body.len()).into_bytes(), body].concat()
        },
    )
}

proptest! {
    #[test]
    fn no_input_panics_and_no_split_changes_its_meaning(
        bytes in prop_oneof![likely(), prop::collection::vec(framed(), 0..5).prop_map(|f| f.concat())],
        at in any::<prop::sample::Index>(),
    ) {
        let at = at.index(bytes.len() + 1);
        let (head, tail) = bytes.split_at(at);
        let show = |r: Result<Vec<Frame>, EslError>| {
            r.map(|f| f.iter().map(show).collect::<Vec<_>>()).map_err(|e| e.to_string())
        };
        prop_assert_eq!(show(decode([head, tail])), show(decode([&bytes])));
    }

    #[test]
    fn a_recording_with_a_byte_changed_does_no_harm(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = recorded("e1_hash_db_sofia");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode([&bytes]).map(|frames| frames.iter().map(show).count());
    }
}
