//! FastAGI from a peer that sends anything, in two pieces: no panic, no growth, and where it is split changes nothing.
#![no_main]

use bytes::BytesMut;
use hotdesk::asterisk::agi::codec::{Answer, Decoder, ENVIRONMENT_LIMIT, Frame, Reply};
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
        assert!(buffer.len() <= ENVIRONMENT_LIMIT);
    }
    (frames, None)
}

fn show(frame: &Frame) -> String {
    match frame {
        Frame::Environment(env) => {
            format!("{:?} {:?} {:?}", env.vars().collect::<Vec<_>>(), env.var("network_script"), env.args().count())
        }
        Frame::Reply(Reply::Done(answer)) => done(answer),
        other => format!("{other:?}"),
    }
}

fn done(answer: &Answer) -> String {
    format!("{:?}", (answer.result(), answer.number(), answer.value(), answer.timed_out(), answer.endpos()))
}
