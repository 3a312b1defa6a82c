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
//!
//! Its dialplan works from its own copy of the table, in `mod_db`. [`rows`] are the table's rows as text, [`dialplan`]
//! prints what a site puts among its own files, [`sounds`] names what is played when a prompt of ours is missing, and
//! [`tree`] holds all files that a site copies.

pub mod client;
pub mod command;
pub mod dialplan;
pub mod esl;
pub mod event;
mod login;
pub mod rows;
mod session;
pub mod sounds;
pub mod tree;
