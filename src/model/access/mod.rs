//! Accounts of the console and keys of the API: who may use them, with which role, and how that is proved.

mod account;
mod command;
mod key;
mod password;
mod role;
mod secret;
mod weak_password;

pub use account::{Account, Link, WebSession};
pub use command::AccessCommand;
pub use key::{ApiKey, KeyCommand, KeyText};
pub use password::{InvalidPassword, Password, PasswordRecord};
pub use role::Role;
pub use secret::{Secret, SecretHash};
pub use weak_password::weak_password;

pub(super) use command::decide;
pub(super) use key::decide_key;
