//! Real switches, stores and phones for the tests and the demo.
//!
//! The demo includes this folder by path, so nothing here depends on the suite.

// The suite and the demo are programs that each use a part of it.
#![allow(dead_code, unused_imports, unused_macros, unreachable_pub)]

pub mod ami;
pub mod asking;
pub mod asterisk;
pub mod axe;
pub mod browser;
pub mod check;
pub mod chromium;
pub mod company;
pub mod debian;
pub mod dialled;
pub mod each;
pub mod failures;
pub mod freeswitch;
pub mod hotdesk;
pub mod phone;
pub mod process;
pub mod proxy;
pub mod records;
pub mod redis;
pub mod wait;
