//! Asterisk 16 to 22: the calls in which a code is dialled come in over FastAGI, the table is kept
//! true over the manager interface (AMI).
//!
//! The codecs do no I/O: bytes in, frames out, bounded, no panic on any input. Each is a
//! [`tokio_util::codec::Decoder`], for which an incomplete frame is `None`, and each remembers how far it has
//! searched, so that a frame arriving byte by byte costs no more than one arriving whole.
//!
//! | | bytes ↔ frames | what is made of them |
//! |---|---|---|
//! | FastAGI | [`agi`], [`command`] | |
//! | AMI | [`ami`] | [`manager`]: the handle, and staying connected; `login` and `session`: one connection; `doubt`: "look again" |

pub mod agi;
pub mod ami;
pub mod command;
mod doubt;
mod login;
pub mod manager;
mod session;
