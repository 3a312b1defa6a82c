//! A route, and who may use it.

use axum::http::Method;

use crate::model::access::Role;

/// Who may use a route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Everyone, signed in or not.
    Everyone,
    /// Accounts and keys with this role at least.
    Role(Role),
}

/// A route.
#[derive(Clone, Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path; parts in braces stand for names.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
}
