//! The directory: users, devices, locations, and the sessions between users and devices.

mod by_user;
pub mod change;
pub mod columns;
mod device;
pub mod difference;
pub mod doubts;
pub mod form;
pub mod group;
pub mod location;
pub mod profile;
mod session;
mod snapshot;
mod user;

pub use by_user::ByUser;
pub use device::{Device, Kind, ShortList};
pub use session::Session;
pub use snapshot::Snapshot;
pub use user::{Away, CallerId, User};
