//! A code as lists for programs have it.

use serde::Serialize;
use utoipa::ToSchema;

use super::action::{Action, PinRule};
use super::code::Code;

/// A code of a list.
#[derive(Serialize, ToSchema)]
#[schema(as = Code)]
pub struct Listed {
    /// How it is dialled.
    pub code: String,
    /// What it does.
    #[schema(value_type = String)]
    pub action: Action,
    /// How the user proves who they are; also `none` if the action needs no PIN.
    #[schema(value_type = String)]
    pub pin: PinRule,
    /// Where it comes from: a preset, or the configuration.
    pub source: String,
}

impl Listed {
    /// This code.
    pub fn of(code: &Code) -> Self {
        Self {
            code: code.pattern.to_string(),
            action: code.action,
            pin: code.pin,
            source: code.source.to_string(),
        }
    }
}
