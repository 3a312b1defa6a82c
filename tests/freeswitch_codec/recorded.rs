//! Every recorded session, however its bytes arrive, means the same.

use std::collections::HashSet;

use hotdesk::freeswitch::esl::codec::Frame;

use super::{decode, events, recorded, show, value};

fn names() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/freeswitch");
    let names =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.filter_map(|n| n.strip_suffix(".recv.raw").map(str::to_owned)).collect();
    assert_eq!(names.len(), 39, "recordings are missing");
    names
}

fn meaning(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<String> {
    decode(pieces).unwrap().iter().map(show).collect()
}

#[test]
fn every_session_is_read_to_its_last_byte_and_byte_by_byte_it_is_the_same() {
    let mut total = 0;
    for name in names() {
        let bytes = recorded(&name);
        let whole = meaning([&bytes]);
        assert!(!whole.iter().any(|f| f == "Other" || f.starts_with("Unreadable")), "{name}");
        assert_eq!(meaning(bytes.chunks(1)), whole, "{name} byte by byte");
        // One more whole frame behind it is read as one: nothing was left over, no frame took too much.
        let more = meaning([bytes.as_slice(), b"Content-Type: auth/request\n\n"]);
        assert_eq!(more.len(), whole.len() + 1, "{name}");
        assert_eq!(more.last().unwrap(), "AuthRequest", "{name}");
        total += whole.len();
    }
    assert_eq!(total, TOTAL);
}

/// Frames in all recordings, counted by their `Content-Type` lines that begin one.
const TOTAL: usize = 3486;

#[test]
fn a_frame_split_at_any_of_its_bytes_is_the_same_frame() {
    let mut seen = HashSet::new();
    for name in names() {
        let bytes = recorded(&name);
        let mut start = 0;
        for end in ends(&bytes) {
            let section = &bytes[start..end];
            start = end;
            // Thousands of events have the same shape, and so have the splits of them.
            let whole = meaning([section]);
            let kind: String = whole[0].chars().take(60).filter(|c| !c.is_ascii_digit()).collect();
            if !seen.insert(kind) {
                continue;
            }
            // Of a long one not each: the test above has come past each of them.
            for at in (1..section.len()).step_by(1 + section.len() / 300) {
                let (head, tail) = section.split_at(at);
                assert_eq!(decode([head]).unwrap().len(), 0, "{name}: a frame before its end, at {at}");
                assert_eq!(meaning([head, tail]), whole, "{name} split at {at}");
            }
        }
    }
    assert!(seen.len() > 40, "{}", seen.len());
}

/// Where each frame ends, found without the decoder.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let (mut ends, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let head = bytes[at..].windows(2).position(|w| w == b"\n\n").unwrap() + 2;
        let text = String::from_utf8_lossy(&bytes[at..at + head]);
        let body: usize =
            text.lines().find_map(|l| l.strip_prefix("Content-Length: ")).map_or(0, |n| n.parse().unwrap());
        at += head + body;
        ends.push(at);
    }
    assert_eq!(at, bytes.len());
    ends
}

#[test]
fn what_the_decoder_ends_is_what_the_lengths_say() {
    for name in names() {
        let bytes = recorded(&name);
        assert_eq!(decode([&bytes]).unwrap().len(), ends(&bytes).len(), "{name}");
    }
}

#[test]
fn a_session_in_plain_and_the_same_in_json_have_the_same_events_and_headers() {
    // Two runs of one script: what differs is the run's, such as ports, times, ids and media statistics.
    for (plain, json) in [
        ("b1_events_plain", "d1_events_json"),
        ("c1_outbound_async_full_linger_phone_hangup", "d2_outbound_json"),
    ] {
        let named = |session: &str| -> Vec<_> {
            // Only one of the runs waited for a heartbeat, and saw the call park before it was heard.
            let kept = events(session).into_iter().filter(|e| {
                value(e, "Event-Name") != "HEARTBEAT"
                    && (session.starts_with(['b', 'd']) || value(e, "Event-Name") != "CHANNEL_PARK")
            });
            kept.map(|e| (format!("{} {}", value(&e, "Event-Name"), value(&e, "Application")), e)).collect()
        };
        let (plain, json) = (named(plain), named(json));
        assert_eq!(
            plain.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            json.iter().map(|(name, _)| name).collect::<Vec<_>>()
        );
        let mut equal = 0;
        for ((name, a), (_, b)) in plain.iter().zip(&json) {
            let names = |e: &hotdesk::freeswitch::esl::event::Event| -> Vec<_> {
                e.iter().map(|(n, _)| n.into_owned()).collect()
            };
            assert_eq!(names(a), names(b), "{name}");
            for (header, value) in a.iter() {
                let other = b.get(&header).unwrap();
                if value == other {
                    equal += 1;
                } else {
                    assert!(
                        OF_THE_RUN.iter().any(|part| header.contains(part)),
                        "{header} of {name} differs"
                    );
                }
            }
            assert_eq!(a.body().is_empty(), b.body().is_empty(), "{name}");
        }
        assert!(equal > 2000, "{equal}");
    }
}

/// Parts of the names of headers whose values are the run's own.
const OF_THE_RUN: [&str; 26] = [
    "Application-Data",
    "Content-Length",
    "Date",
    "Sequence",
    "Time",
    "UUID",
    "Unique-ID",
    "_id",
    "application_data",
    "call-id",
    "contact",
    "DATE",
    "duration",
    "epoch",
    "full_",
    "interval",
    "msec",
    "port",
    "rtp_audio",
    "sdp",
    "sec",
    "ssrc",
    "stamp",
    "tag",
    "uuid",
    "via",
];

#[test]
fn an_event_in_json_means_what_it_means_when_it_is_written_plainly() {
    for name in ["d1_events_json", "d2_outbound_json", "e2_sofia_reg"] {
        for json in events(name) {
            let mut text = String::new();
            for (name, value) in json.iter() {
                let value = if value.is_empty() { "_undef_".into() } else { encoded(&value) };
                text += &format!("{name}: {value}\n");
            }
            text += "\n";
            text += std::str::from_utf8(json.body()).unwrap();
            let frame = format!("Content-Length: {}\nContent-Type: text/event-plain\n\n{text}", text.len());
            let plain = decode([frame]).unwrap();
            assert_eq!(plain.iter().map(show).collect::<Vec<_>>(), [show(&Frame::Event(json))], "{name}");
        }
    }
}

/// A value as FreeSWITCH writes it into a plain event.
fn encoded(value: &str) -> String {
    let plain = |b: &u8| (b' '..=b'~').contains(b) && !b"\r\n #%&+:;<=>?@[\\]^`{|}\"".contains(b);
    value.bytes().map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[test]
fn the_reply_to_connect_says_what_the_call_is() {
    for name in ["c1_outbound_async_full_linger_phone_hangup", "c6_outbound_sync_notfull", "d2_outbound_json"]
    {
        let frames = super::frames(name);
        let Frame::Connected(call) = &frames[0] else { panic!("{name}: {:?}", frames[0]) };
        assert_eq!(call.get("Event-Name").as_deref(), Some("CHANNEL_DATA"));
        assert_eq!(
            call.get("reply-text").as_deref(),
            Some("+OK\n"),
            "it is encoded, unlike in other replies"
        );
        assert!(call.iter().count() >= 170, "{}", call.iter().count());
    }
}
