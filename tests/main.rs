//! The suite: one binary, one folder or file a subject.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod architecture;
mod asterisk_codecs;
mod asterisk_manager;
mod cli;
mod codes;
mod company;
mod conversation;
mod dialplan;
mod everywhere;
mod fastagi;
mod freepbx;
mod freeswitch;
mod freeswitch_client;
mod freeswitch_codec;
mod grid;
mod lab;
mod logs;
mod manager_live;
mod migration;
mod office;
mod store;
mod support;
mod tenants;
mod timers;
mod two_switches;
