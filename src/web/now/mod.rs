//! The page Now: who is logged in where.

mod filter;
mod live;
mod log_in;
mod parts;
mod said;
mod session;
mod show;

pub(super) use live::live;
pub(super) use log_in::{ask_log_in, ask_move, log_in, move_to};
pub(super) use session::{extend, log_out, undo};
pub(super) use show::show;
