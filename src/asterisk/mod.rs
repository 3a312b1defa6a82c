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
//! | AMI | [`ami`] |  |

pub mod agi;
pub mod ami;
pub mod command;
//! An Asterisk (16 to 22) as a switch: its dialplan asks its own copy of the table, and we keep that copy true.
//!
//! [`rows`] says how a row is written into AstDB and a lamp into a hint, [`dialplan`] prints what a site includes
//! into its `extensions.conf`, [`sounds`] names what is played when a prompt of ours is missing.

pub mod dialplan;
pub mod rows;
pub mod sounds;
