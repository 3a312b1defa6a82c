//! The form in which records of the directory leave, as JSON for programs, and in which they come back. The names of fields are
//! those of `hotdesk … --json`.

mod device;
mod fields;
mod location;
mod settings;
mod user;

pub use device::{DeviceForm, device};
pub use fields::{Fields, Flaw};
pub use location::{LocationForm, location};
pub use settings::{SettingsForm, settings};
pub use user::{UserForm, user};
