//! The page Now: who is logged in where.

mod acts;
mod filter;
mod live;
mod parts;
mod show;

pub(super) use acts::{ask_log_in, log_in, log_out};
pub(super) use live::live;
pub(super) use show::show;
