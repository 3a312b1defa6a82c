//! FreeSWITCH 1.10 and 1.11, over its event socket (ESL). Its dialplan works from its own copy of the table, in `mod_db`.
//!
//! | | bytes ↔ frames | what is made of them |
//! |---|---|---|
//! | frames | [`esl`]: what FreeSWITCH says | [`client`]: the handle, and staying connected; `session` and `login`: one connection |
//! | events | [`event`]: the headers of a frame, plain or JSON | [`calls`]: those that wait in a code, or [`outbound`]: those that are brought; [`phone`]: one of them |
//! | commands | [`command`]: what it is told, by the least of [`rights`] | [`moddb`]: the table, its rows as text in [`rows`] and its groups as `members`; [`lamps`], `presence`, `mwi`: what phones are told |
//!
//! The codec does no I/O: bytes in, frames out, bounded, no panic on any input. It is a [`tokio_util::codec::Decoder`],
//! for which an incomplete frame is `None`, and it remembers how far it has searched, so that a frame arriving byte by
//! byte costs no more than one arriving whole.
//!
//! [`endpoints`] are the phones that its directory knows, [`dialplan`] prints what a site puts among its own files, [`sounds`] names what is played when a prompt of ours is
//! missing, and [`tree`] holds all files that a site copies.

mod address;
mod callcenter;
pub mod calls;
pub mod client;
pub mod command;
pub mod dialplan;
pub mod endpoints;
pub mod esl;
pub mod event;
mod groups;
pub mod inspect;
pub mod lamps;
mod login;
mod members;
pub mod moddb;
mod mwi;
pub mod outbound;
pub mod phone;
pub mod phones;
mod presence;
mod queues;
pub mod rights;
pub mod rows;
mod session;
pub mod signs;
pub mod sounds;
pub mod tree;
