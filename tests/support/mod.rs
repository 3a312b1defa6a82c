//! What the tests and the demo stand on: real switches, real stores, real phones.
//!
//! The demo takes this folder in by path, so nothing here knows of the test harness.

// The suite and the demo each use their part of it, and both are programs.
#![allow(dead_code, unused_imports, unused_macros, unreachable_pub)]

pub mod ami;
pub mod asterisk;
pub mod check;
pub mod company;
pub mod debian;
pub mod each;
pub mod freeswitch;
pub mod hotdesk;
pub mod office;
pub mod phone;
pub mod redis;
