//! Where a request comes from.

use std::net::IpAddr;

/// A request, for the log and for answers that say which it was.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// Its name in the log.
    pub(super) request: String,
    /// The address that it comes from.
    pub(super) from: IpAddr,
    /// Whether the browser reached the console over TLS.
    pub(super) https: bool,
}
