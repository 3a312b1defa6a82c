//! An Asterisk (16 to 22) as a switch: its dialplan asks its own copy of the table, and we keep that copy true.
//!
//! [`rows`] says how a row is written into AstDB and a lamp into a hint, [`dialplan`] prints what a site includes
//! into its `extensions.conf`, [`sounds`] names what is played when a prompt of ours is missing.

pub mod dialplan;
pub mod rows;
pub mod sounds;
