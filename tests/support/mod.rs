//! What the tests stand on: real switches, real stores, real phones.

pub mod office;
pub mod redis;
