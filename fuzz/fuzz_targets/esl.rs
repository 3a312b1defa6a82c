//! ESL from a peer that sends anything, in two pieces: no panic, no growth, and where it is split changes nothing.
#![no_main]

use bytes::BytesMut;
use hotdesk::freeswitch::esl::codec::{BODY_LIMIT, Decoder, Frame, HEAD_LIMIT};
use libfuzzer_sys::fuzz_target;
use tokio_util::codec::Decoder as _;

fuzz_target!(|input: (u16, &[u8])| {
    let (at, bytes) = input;
    let (head, tail) = bytes.split_at(usize::from(at).min(bytes.len()));
    assert_eq!(meaning(&[head, tail]), meaning(&[bytes]));
});

fn meaning(pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
    let (mut decoder, mut buffer, mut frames) = (Decoder::default(), BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(frame)) => frames.push(show(&frame)),
                Ok(None) => break,
                Err(e) => return (frames, Some(e.to_string())),
            }
        }
        assert!(buffer.len() <= HEAD_LIMIT + 2 + BODY_LIMIT);
    }
    (frames, None)
}

fn show(frame: &Frame) -> String {
    match frame {
        Frame::Reply(reply) => reply.text().into_owned(),
        Frame::Response(response) => format!("{:?} {}", response.said(), response.text()),
        Frame::Connected(event) | Frame::Event(event) => {
            format!("{:?} {:?} {:?}", event.name(), event.iter().collect::<Vec<_>>(), event.body())
        }
        Frame::Disconnect(notice) => format!("{} {}", notice.lingers(), notice.text()),
        other => format!("{other:?}"),
    }
}
