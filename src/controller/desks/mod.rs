//! The desks of a tenant as they are now: who has each, since when and until when, and what its phone does. One task for each
//! tenant keeps them; any number of readers see each change.

mod desk;
mod view;
mod watching;

pub use desk::{Desk, Occupant};
pub use view::{Desks, Link, News, Position};
pub use watching::Watching;
