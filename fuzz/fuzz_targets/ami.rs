//! AMI from a peer that sends anything, in two pieces: no panic, no growth, and where it is split changes nothing.
#![no_main]

use bytes::BytesMut;
use hotdesk::asterisk::ami::codec::{Decoder, Frame, MESSAGE_LIMIT};
use libfuzzer_sys::fuzz_target;
use tokio_util::codec::Decoder as _;

fuzz_target!(|input: (u16, &[u8])| {
    let (at, bytes) = input;
    let (head, tail) = bytes.split_at(usize::from(at).min(bytes.len()));
    assert_eq!(meaning(&[head, tail]), meaning(&[bytes]));
});

fn meaning(pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
    let (mut decoder, mut buffer, mut frames) = (Decoder::default(), BytesMut::new(), Vec::new());
    // Most inputs would never get past the banner.
    buffer.extend_from_slice(b"Asterisk Call Manager/11.0.0\r\n");
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(frame)) => frames.push(show(&frame)),
                Ok(None) => break,
                Err(e) => return (frames, Some(e.to_string())),
            }
        }
        assert!(buffer.len() <= MESSAGE_LIMIT + 3);
    }
    (frames, None)
}

fn show(frame: &Frame) -> String {
    match frame {
        Frame::Banner(version) => version.clone(),
        Frame::Message(m) => {
            format!("{:?} {:?} {:?}", m.event(), m.header("ActionID"), m.iter().collect::<Vec<_>>())
        }
    }
}
