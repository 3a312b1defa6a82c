//! Calls in which a code was dialled: parked, or brought over an outbound socket.

pub mod caller;
pub mod outbound;
pub mod parked;
pub mod taker;
