//! Roles: what an account may do.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::{Deserialize, Serialize};

/// What an account may do. Each may do what the one before it may.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// See who is logged in where.
    Viewer,
    /// Log users in and out, too.
    Operator,
    /// Change everything, too.
    Administrator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Administrator];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(value: &str) -> Result<Self, String> {
        let role = Self::deserialize(StrDeserializer::<serde::de::value::Error>::new(value));
        role.map_err(|_| format!("{value:?} is no role: viewer, operator or administrator"))
    }
}
