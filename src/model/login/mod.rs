//! Logging in: policy, transitions, PINs, lockouts, and the token of the calls.

pub mod limits;
pub mod lockout;
pub mod pin;
pub mod policy;
pub mod prompt;
pub mod refusal;
pub mod token;
pub mod transition;
pub mod weak_pin;
