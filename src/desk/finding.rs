//! What a look at something found: well or not, and what to do.

use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// Whether it is well.
    pub ok: bool,
    /// How it is.
    pub found: String,
    /// What to do; also where all is well and could be better.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn fine(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self { check: check.into(), ok: true, found: found.into(), remedy: None }
    }

    /// It works, and somebody should know.
    pub fn remark(check: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { ok: true, ..Self::wrong(check, found, remedy) }
    }

    /// It does not work.
    pub fn wrong(check: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check: check.into(), ok: false, found: found.into(), remedy: Some(remedy.into()) }
    }
}
