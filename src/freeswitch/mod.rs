//! FreeSWITCH 1.10 and 1.11, over its event socket (ESL).
//!
//! | | bytes ↔ frames | what is made of them |
//! |---|---|---|
//! | frames | [`esl`]: what FreeSWITCH says | [`client`]: the handle, and staying connected; `login` and `session`: one connection |
//! | events | [`event`]: the headers of a frame, plain or JSON | |
//! | commands | [`command`]: what it is told | |
//!
//! The codec does no I/O: bytes in, frames out, bounded, no panic on any input. It is a [`tokio_util::codec::Decoder`],
//! for which an incomplete frame is `None`, and it remembers how far it has searched, so that a frame arriving byte by
//! byte costs no more than one arriving whole.

pub mod client;
pub mod command;
pub mod esl;
pub mod event;
mod login;
mod session;
