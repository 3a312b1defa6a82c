//! The result of one check: whether it passed, failed, or could not be made, and what to do.

use serde::Serialize;
use utoipa::ToSchema;

/// One check and its result.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct Finding {
    /// What was checked.
    pub check: String,
    /// Whether it passed; none if it could not be made, so that nothing is known.
    pub ok: Option<bool>,
    /// What was found.
    pub found: String,
    /// What to do. A check that passed may suggest an improvement.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    /// It passed.
    pub fn fine(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self { check: check.into(), ok: Some(true), found: found.into(), remedy: None }
    }

    /// It passed, and the administrator should know something.
    pub fn remark(check: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { ok: Some(true), ..Self::wrong(check, found, remedy) }
    }

    /// It could not be made: `found` says why, with the words of the switch or the store.
    pub fn unknown(check: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { ok: None, ..Self::wrong(check, found, remedy) }
    }

    /// It failed.
    pub fn wrong(check: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check: check.into(), ok: Some(false), found: found.into(), remedy: Some(remedy.into()) }
    }
}
