//! FreeSWITCH 1.10 and 1.11, over its event socket (ESL).
//!
//! | | bytes ↔ frames | what is made of them |
//! |---|---|---|
//! | frames | [`esl`]: what FreeSWITCH says | `session`: one connection; [`client`]: the handle, and staying connected |
//! | events | [`event`]: the headers of a frame, plain or JSON | |
//! | commands | [`command`]: what it is told | |
//!
//! The codec does no I/O: bytes in, frames out, bounded, no panic on any input. It is a [`tokio_util::codec::Decoder`],
//! for which an incomplete frame is `None`, and it remembers how far it has searched, so that a frame arriving byte by
//! byte costs no more than one arriving whole.

pub mod command;
pub mod esl;
pub mod event;
