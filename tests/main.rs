//! The suite: one binary, one folder or file a subject.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod asterisk_codecs;
mod asterisk_manager;
mod lab;
mod manager_live;
mod support;
