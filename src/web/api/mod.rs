//! The API for programs: JSON under `/api/v1`. Its changes are the commands of the console and of the command line.

mod client;
mod context;
pub(super) mod devices;
mod document;
mod etag;
pub(super) mod explain;
pub(super) mod journal;
mod json;
pub(super) mod locations;
pub(super) mod lockouts;
mod merge;
mod page;
pub(super) mod pins;
mod problem;
mod record;
mod root;
mod sent;
pub(super) mod sessions;
pub(super) mod settings;
pub(super) mod site;
pub(super) mod users;

pub(super) use client::{has_key, require};
pub(super) use document::{document, openapi};
pub(super) use problem::{Kind, Problem, finish};
pub(super) use root::is_in;
