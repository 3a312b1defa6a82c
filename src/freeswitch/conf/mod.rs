//! The XML files of a FreeSWITCH that `hotdesk init` reads and changes: those of its directory and its dialplan, with all that they
//! include, from `freeswitch.xml` on. Every byte that is not changed stays.
//!
//! What cannot be read for certain is an error, not a guess: a file that is no XML, an include whose name is a variable, an
//! instruction to FreeSWITCH in a comment.

mod dialplan;
mod directory;
mod event_socket;
pub mod site;
mod tree;

pub use dialplan::Taker;
pub use directory::Phone;
pub use event_socket::{EventSocket, event_socket};
