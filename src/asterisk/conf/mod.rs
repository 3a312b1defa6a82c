//! The configuration files of an Asterisk that `hotdesk init` reads and changes: `extensions.conf`, `pjsip.conf` and
//! `manager.conf` with all that they include. Every line that is not changed stays as it is, byte for byte.
//!
//! What cannot be read for certain is an error ([`NotReadable`](crate::switch::config_file::NotReadable)), not a guess: a program that prints lines (`#exec`), a template
//! that is not there, a file outside the folder.

mod contexts;
pub mod custom;
mod line;
mod manager;
mod phones;
mod rings;
pub mod site;
mod tree;

pub use manager::ManagerAddress;
pub use phones::Phone;
pub use rings::names_phones;
pub use tree::Tree;
