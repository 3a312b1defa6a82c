//! The rules of hotdesking: pure functions and plain data. No clock, no I/O, no runtime. Time and answers are
//! arguments, so a test can call every rule.

pub mod access;
pub mod auto_logout;
pub mod check;
pub mod codes;
pub mod command;
pub mod contexts;
pub mod desired;
pub mod directory;
pub mod emergency;
pub mod hold;
pub mod id;
pub mod journal;
pub mod label;
pub mod login;
pub mod mark;
pub mod nearest;
pub mod number_pattern;
pub mod observation;
pub mod routes;
pub mod row_codec;
pub mod schedule;
pub mod settings;
