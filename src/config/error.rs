//! What can be wrong with a configuration, in words that say what to do.

use std::io;
use std::path::PathBuf;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A variable of the environment holds something that cannot be.
    #[error("{0} in the environment: {1}")]
    Environment(&'static str, String),
    /// No file was named, and there is none in the current folder.
    #[error(
        "there is no hotdesk.toml in this folder: copy hotdesk.example.toml to hotdesk.toml and adapt it, \
         or name the file, for example: hotdesk -c /etc/hotdesk/hotdesk.toml serve"
    )]
    NoFile,
    /// Its values do not go together.
    #[error("{path}: {1}", path = .0.display())]
    Refused(PathBuf, String),
    /// A secret file cannot be used.
    #[error("{path} {1}", path = .0.display())]
    Secret(PathBuf, String),
    /// It is no TOML, has a key that does not exist, or a value that cannot be one.
    #[error("{path}: {1}", path = .0.display())]
    Syntax(PathBuf, Box<toml::de::Error>),
    /// The file cannot be read.
    #[error("{path} cannot be read: {1}", path = .0.display())]
    Unreadable(PathBuf, io::Error),
}
