//! FreeSWITCH 1.10: its dialplan works from its own copy of the table, in `mod_db`.
//!
//! [`rows`] are the table's rows as text, [`dialplan`] prints what a site puts among its own files, [`sounds`] names what
//! is played when a prompt of ours is missing, and [`tree`] holds all files that a site copies.

pub mod dialplan;
pub mod rows;
pub mod sounds;
pub mod tree;
