//! The suite: one binary, one folder or file a subject.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod architecture;
mod asterisk_codecs;
mod asterisk_e2e;
mod asterisk_manager;
mod cli;
mod codes;
mod company;
mod conversation;
mod dialplan;
mod each_switch;
mod existing_extensions;
mod fastagi;
mod feature_matrix;
mod freepbx;
mod freeswitch_client;
mod freeswitch_codec;
mod freeswitch_e2e;
mod harness;
mod harness_self_test;
mod init;
mod listeners;
mod logs;
mod manager_live;
mod migration;
mod outages;
mod secrets_in_errors;
mod store;
mod tenants;
mod timers;
mod two_switches;
mod web;
