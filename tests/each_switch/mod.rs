//! Tests that are the same on each switch: two versions of Asterisk, and FreeSWITCH where one is installed.

mod auto_logout;
mod blf;
pub mod crash;
mod emergency;
mod groups;
mod install;
mod labels;
mod login;
mod lost_store;
mod mwi;
mod names;
pub mod pin_secrecy;
mod round_trips;
mod several_phones;
