//! Where the API is.

/// The first part of its paths.
pub(super) const ROOT: &str = "/api/v1";

/// Whether a path is one of the API.
pub(in crate::web) fn is_in(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}
