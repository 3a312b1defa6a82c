//! Asterisk 16 to 22: its dialplan works from its own copy of the table. Calls in which a code is dialled come in
//! over FastAGI, and the copy is kept true over the manager interface (AMI).
//!
//! The codecs do no I/O: bytes in, frames out, bounded, no panic on any input. Each is a
//! [`tokio_util::codec::Decoder`], for which an incomplete frame is `None`, and each remembers how far it has
//! searched, so that a frame arriving byte by byte costs no more than one arriving whole.
//!
//! | | bytes ↔ frames | what is made of them |
//! |---|---|---|
//! | FastAGI | [`agi`], [`command`] | [`fastagi`] serves the calls, each as a [`phone`] |
//! | AMI | [`ami`] | [`manager`] stays connected, `session` is one connection, `doubt` says "look again", [`astdb`] is the table over it, `mwi` the voicemail on its phones' lamps |
//! | AstDB, hints | [`rows`] | `hints`: the lamps |
//! | members of queues | `queues` | `members` |
//! | what a site has already | | [`endpoints`]: PJSIP's; [`freepbx`]: a FreePBX's users and devices |
//! | a FreePBX's own rows | `freepbx::rows` | [`freepbx::table`] is the table over them; [`freepbx::mwi`] its message lamps |
//!
//! [`dialplan`] prints what a site includes into its `extensions.conf`, [`sounds`] names what is played when a prompt of
//! X

pub mod agi;
pub mod ami;
pub mod astdb;
pub mod command;
mod database;
mod devices;
pub mod dialplan;
mod doubt;
pub mod endpoints;
pub mod fastagi;
pub mod freepbx;
mod hints;
pub mod inspect;
mod login;
mod mail;
pub mod manager;
mod members;
mod mwi;
pub mod phone;
mod phones;
mod queues;
pub mod rows;
mod session;
pub mod sounds;
pub mod space;
pub mod tree;
