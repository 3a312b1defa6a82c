//! Where something listens, by name or by number.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use serde::Deserialize;

/// A host and a port: `127.0.0.1:5038`, `asterisk:5038`, `[::1]:5038`. Fit to be written into a dialplan.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct HostPort {
    host: String,
    port: u16,
}

/// Not a host and a port.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no address: it takes HOST:PORT, for example 127.0.0.1:5038")]
pub struct BadAddress(String);

impl HostPort {
    /// A name, or a number without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; never zero.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The addresses of the host now; none when its name is not known. Asks the resolver, so it may take seconds.
    #[must_use]
    pub fn resolve(&self) -> Vec<IpAddr> {
        let found = (self.host.as_str(), self.port).to_socket_addrs();
        found.into_iter().flatten().map(|address| address.ip()).collect()
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

impl TryFrom<String> for HostPort {
    type Error = BadAddress;
    fn try_from(value: String) -> Result<Self, BadAddress> {
        let parsed = || {
            let (host, port) = value.rsplit_once(':')?;
            let port = port.parse().ok().filter(|port| *port != 0)?;
            let host = match host.strip_prefix('[') {
                Some(bracketed) => {
                    let number = bracketed.strip_suffix(']')?;
                    number.parse::<std::net::Ipv6Addr>().ok()?;
                    number
                }
                None => host,
            };
            let named = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
            let valid = value.starts_with('[') || (!host.is_empty() && host.chars().all(named));
            valid.then(|| Self { host: host.into(), port })
        };
        parsed().ok_or_else(|| BadAddress(value.chars().take(80).collect()))
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_as_it_was_written() {
        for good in ["127.0.0.1:5038", "asterisk:5038", "pbx-1.example.org:1", "[::1]:5038"] {
            assert_eq!(HostPort::try_from(good.to_owned()).map(|a| a.to_string()), Ok(good.into()));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in
            ["", "5038", "host", "host:", ":5038", "host:0", "host:65536", "a b:1", "a,b:1", "::1:5", "[x]:1"]
        {
            assert!(HostPort::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
