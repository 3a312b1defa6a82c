//! Feature codes: which dialled strings are codes, and what each asks for.
//!
//! `{ext}` stands for the extensions that users may have (`[dialplan] users`), and the other parts are bounded too. So a set
//! of codes is a set of strings that can be searched whole: no string is read in two ways, and none is an emergency number
//! or an extension.

mod action;
mod book;
mod code;
mod code_set;
mod configured;
pub mod dial_set;
mod dialled;
mod dialplan_match;
mod listed;
mod operand;
mod pattern;
mod preset;

pub use action::{Action, PinRule, Served};
pub use book::Book;
pub use code::{Code, DEVICE_LAMP, Proof, Request, Source};
pub use code_set::Codes;
pub use configured::{BadCodes, CodeSettings, CustomCode};
pub use dialled::normalised;
pub use dialplan_match::{DialplanMatch, Piece};
pub use listed::Listed;
pub use operand::{Operand, Spelled};
pub use pattern::{BadPattern, Part, Pattern};
pub use preset::Preset;

#[cfg(test)]
mod tests;
