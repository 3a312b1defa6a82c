//! Stories that are the same on each switch: two versions of Asterisk, and FreeSWITCH where one is found.

mod groups;
mod lamps;
mod leaving;
mod login;
mod mwi;
