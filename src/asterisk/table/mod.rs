//! The switch table in AstDB, and the hints for BLF.

pub mod astdb;
pub(in crate::asterisk) mod database;
pub(in crate::asterisk) mod hints;
pub(in crate::asterisk) mod reload_detection;
pub mod rows;
