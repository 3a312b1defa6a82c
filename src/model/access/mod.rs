//! Accounts of the console: who may open it, with which role, and how an account is proved.

mod account;
mod command;
mod password;
mod role;
mod secret;
mod weak_password;

pub use account::{Account, Link, WebSession};
pub use command::AccessCommand;
pub use password::{InvalidPassword, Password, PasswordRecord};
pub use role::Role;
pub use secret::{Secret, SecretHash};
pub use weak_password::weak_password;

pub(super) use command::decide;
