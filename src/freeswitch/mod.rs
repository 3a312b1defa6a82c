//! FreeSWITCH 1.10 and 1.11, over its event socket (ESL). Its dialplan works from its own copy of the switch table, in `mod_db`.
//!
//! | | |
//! |---|---|
//! | [`esl`] | the codec, and connections that are made again when they are lost; [`events`] passes their events to features |
//! | [`calls`] | the calls in which a feature code is dialled: parked, or brought over an outbound socket |
//! | [`table`] | the switch table in `mod_db` |
//! | [`devices`] | device states, ringing a device, the users of the directory |
//! | `queues`, `mwi`, [`presence`] | members of queues, MWI, BLF |
//! | [`dialplan`] | prints what a site puts among its own files |
//! | [`conf`] | reads and changes the site's own files, for `hotdesk init` |

pub mod calls;
pub mod check;
pub mod conf;
pub mod devices;
pub mod dialplan;
pub mod esl;
pub mod events;
mod mwi;
pub mod presence;
mod queues;
pub mod table;
