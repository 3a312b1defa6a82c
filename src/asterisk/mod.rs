//! Asterisk 16 to 22. Its dialplan works from its own copy of the switch table. Calls in which a feature code is dialled come
//! over FastAGI, and the copy is reconciled over the manager interface (AMI).
//!
//! | | |
//! |---|---|
//! | [`agi`] | FastAGI: serves the calls |
//! | [`ami`] | AMI: one connection that is made again when it is lost; [`events`] turns its events into what features hear |
//! | [`table`] | the switch table in AstDB, and the hints |
//! | [`devices`] | device states, ringing a device, the PJSIP endpoints |
//! | `queues`, `mwi` | members of queues, MWI |
//! | [`freepbx`] | the switch table of a FreePBX, in its own rows |
//! | [`dialplan`] | prints what a site includes into its `extensions.conf` |
//! | [`conf`] | reads and changes the configuration files of a site
//!
//! The codecs do no I/O: bytes in, frames out, bounded, no panic on any input. Each is a [`tokio_util::codec::Decoder`], and
//! remembers how far it has searched, so that a frame in single bytes costs no more than a whole one.

pub mod agi;
pub mod ami;
pub mod check;
pub mod conf;
pub mod devices;
pub mod dialplan;
pub mod events;
pub mod freepbx;
mod mwi;
pub mod namespace;
mod queues;
pub mod table;
