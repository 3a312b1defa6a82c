//! The codecs of FastAGI and AMI against what Asterisk really sends, and against what it never would.

mod fastagi;
mod hostile;
mod interface;
mod live;
mod recorded;

use bytes::BytesMut;
use hotdesk::asterisk::agi::codec as agi;
use hotdesk::asterisk::ami::codec as ami;
use tokio_util::codec::Decoder;

/// The bytes that an Asterisk sent in a recorded session; see `tests/fixtures/asterisk/README.md`.
pub fn recorded(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/asterisk/{name}.in", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// What a decoder makes of `pieces` that arrive one after the other. Also checks that it keeps no more than it may.
pub fn decode<D: Decoder>(
    mut decoder: D,
    limit: usize,
    pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> Result<Vec<D::Item>, D::Error> {
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece.as_ref());
        while let Some(frame) = decoder.decode(&mut buffer)? {
            frames.push(frame);
        }
        assert!(buffer.len() <= limit, "{} bytes are kept", buffer.len());
    }
    Ok(frames)
}

pub fn decode_agi(
    pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> Result<Vec<agi::Frame>, agi::AgiError> {
    decode(agi::Decoder::default(), agi::ENVIRONMENT_LIMIT, pieces)
}

pub fn decode_ami(
    pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> Result<Vec<ami::Frame>, ami::AmiError> {
    decode(ami::Decoder::default(), ami::MESSAGE_LIMIT + 3, pieces)
}

/// All of an AGI frame, in one line: its own `Debug` hides what may be a PIN.
pub fn show_agi(frame: &agi::Frame) -> String {
    match frame {
        agi::Frame::Environment(env) => format!("environment {:?}", env.vars().collect::<Vec<_>>()),
        agi::Frame::Hangup => "hangup".into(),
        agi::Frame::Reply(agi::Reply::Done(a)) => {
            let mut shown = format!("{:?}", a.result());
            a.value().iter().for_each(|value| shown += &format!(" value {value:?}"));
            a.endpos().iter().for_each(|endpos| shown += &format!(" endpos {endpos}"));
            shown
        }
        agi::Frame::Reply(other) => format!("{other:?}"),
    }
}

/// All of an AMI frame, in one line.
pub fn show_ami(frame: &ami::Frame) -> String {
    match frame {
        ami::Frame::Banner(version) => format!("banner {version}"),
        ami::Frame::Message(message) => format!("{:?}", message.iter().collect::<Vec<_>>()),
    }
}
