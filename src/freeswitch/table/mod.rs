//! The switch table in `mod_db`.

pub(crate) mod db;
pub mod mod_db;
pub mod rows;
