//! The desired state of a switch, independent of its kind, and the records that a switch keeps of it.
//!
//! 1. [`Desired::of`] derives the desired state from a snapshot of the store.
//! 2. Each adapter turns that into [`Records`]: its own keys and values, and only what it keeps.
//! 3. Each adapter reads its actual records: a [`Reading`].
//! 4. [`difference`] compares the two.
//!
//! Reconciliation is level-triggered: every login, repair and restart computes the same difference.

mod about;
mod derive;
mod device;
mod records;
mod scope;
mod user;

pub use about::{About, Subjects};
pub use derive::{Desired, joined};
pub use device::DesiredDevice;
pub use records::{Edit, Key, NotReadable, Part, Reading, Records, difference};
pub use scope::Scope;
pub use user::{Blf, DesiredUser, Member};

#[cfg(test)]
mod tests;
