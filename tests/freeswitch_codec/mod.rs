//! The codec of FreeSWITCH's event socket against what a FreeSWITCH really sent, and against what none would.

mod commands;
mod facts;
mod hostile;
mod peer;
mod recorded;

use bytes::BytesMut;
use hotdesk::freeswitch::esl::codec::{BODY_LIMIT, Decoder, EslError, Frame, HEAD_LIMIT};
use hotdesk::freeswitch::esl::event::Event;
use tokio_util::codec::Decoder as _;

/// The bytes that FreeSWITCH sent in a recorded session; see `tests/fixtures/freeswitch/README.md`.
pub fn recorded(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/freeswitch/{name}.recv.raw", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// What the decoder makes of `pieces` that arrive one after the other. Also checks that it keeps no more than it may.
pub fn decode(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Vec<Frame>, EslError> {
    let (mut decoder, mut buffer, mut frames) = (Decoder::default(), BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece.as_ref());
        while let Some(frame) = decoder.decode(&mut buffer)? {
            frames.push(frame);
        }
        assert!(buffer.len() <= HEAD_LIMIT + 2 + BODY_LIMIT, "{} bytes are kept", buffer.len());
    }
    Ok(frames)
}

pub fn frames(name: &str) -> Vec<Frame> {
    decode([recorded(name)]).unwrap_or_else(|e| panic!("{name}: {e}"))
}

pub fn events(name: &str) -> Vec<Event> {
    frames(name)
        .into_iter()
        .filter_map(|frame| if let Frame::Event(e) = frame { Some(e) } else { None })
        .collect()
}

pub fn replies(name: &str) -> Vec<String> {
    let reply = |frame| if let Frame::Reply(reply) = frame { Some(reply.text().into_owned()) } else { None };
    frames(name).into_iter().filter_map(reply).collect()
}

/// An event's value, owned; empty when there is none.
pub fn value(event: &Event, name: &str) -> String {
    event.get(name).unwrap_or_default().into_owned()
}

/// All of a frame, in one line: its own `Debug` hides what may be a PIN.
pub fn show(frame: &Frame) -> String {
    let headers = |e: &Event| format!("{:?} {:?}", e.iter().collect::<Vec<_>>(), e.body());
    match frame {
        Frame::Reply(reply) => format!("reply {:?}", reply.text()),
        Frame::Response(response) => format!("response {:?}", response.text()),
        Frame::Connected(event) => format!("connected {}", headers(event)),
        Frame::Event(event) => format!("event {}", headers(event)),
        Frame::Disconnect(notice) => format!("{} {:?}", notice.lingers(), notice.text()),
        Frame::AuthRequest | Frame::Rejected | Frame::Other | Frame::Unreadable(_) => format!("{frame:?}"),
    }
}
