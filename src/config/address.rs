//! A host and a port in the configuration.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

/// A host and a port: `127.0.0.1:5038`, `asterisk:5038`, `[::1]:5038`. Its characters are safe in a dialplan.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// A host name, or an IP address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; never zero.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The addresses of the host; none if its name is unknown. Asks the resolver, which may take seconds.
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
    type Error = String;
    fn try_from(value: String) -> Result<Self, String> {
        let parsed = || {
            let (host, port) = value.rsplit_once(':')?;
            let port = port.parse().ok().filter(|port| *port != 0)?;
            let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            let named = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
            let valid = match bracketed {
                Some(number) => number.parse::<Ipv6Addr>().is_ok(),
                None => !host.is_empty() && host.chars().all(named),
            };
            valid.then(|| Self { host: bracketed.unwrap_or(host).into(), port })
        };
        parsed().ok_or_else(|| {
            let start: String = value.chars().take(80).collect();
            format!("{start:?} is not an address: use HOST:PORT, for example 127.0.0.1:5038")
        })
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

pub(super) fn address_or_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    parse_optional_address(String::deserialize(from)?).map_err(D::Error::custom)
}

pub(super) fn parse_optional_address(address: String) -> Result<Option<SocketAddr>, String> {
    if address.is_empty() {
        return Ok(None);
    }
    let parsed = address.parse().map_err(|_| {
        format!("{address:?} is not an address to listen on: use IP:PORT, for example 127.0.0.1:9464")
    });
    parsed.map(Some)
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
    fn a_wrong_address_is_refused() {
        for bad in
            ["", "5038", "host", "host:", ":5038", "host:0", "host:65536", "a b:1", "a,b:1", "::1:5", "[x]:1"]
        {
            assert!(HostPort::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
