//! The rules of hotdesking: pure functions and plain data. No clock, no I/O, no runtime; time and
//! answers come in as arguments, so that every rule can be tested by calling it.

pub mod code;
pub mod count;
pub mod emergency;
pub mod finding;
pub mod group;
pub mod guessable;
pub mod id;
pub mod journal;
pub mod leave;
pub mod location;
pub mod lock;
pub mod model;
pub mod pattern;
pub mod pin;
pub mod policy;
pub mod profile;
pub mod reach;
pub mod rules;
pub mod schedule;
pub mod seat;
pub mod setting;
pub mod table;
pub mod text;
pub mod wish;
