//! `[web]`: where the console is served, and how browsers reach it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;

use super::address::address_or_empty;
use super::error::refuse_if;

/// `[web]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// The address of the console; none: it is off.
    #[serde(deserialize_with = "address_or_empty")]
    pub listen: Option<SocketAddr>,
    /// The address that users type; without it `http://` and [`listen`](Self::listen).
    #[serde(deserialize_with = "url_or_empty")]
    pub url: Option<WebUrl>,
    /// The reverse proxies whose `X-Forwarded-For` is believed. Beside this machine, only they may connect.
    pub trusted_proxies: Vec<IpNet>,
    /// The certificate for TLS, with those between it and the root, in PEM form.
    #[serde(deserialize_with = "path_or_empty")]
    pub certificate: Option<PathBuf>,
    /// Its private key, in PEM form.
    #[serde(deserialize_with = "path_or_empty")]
    pub key: Option<PathBuf>,
    /// Whether the console may be served without TLS at an address that is not a loopback address.
    pub insecure_http: bool,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8035))),
            url: None,
            trusted_proxies: vec![],
            certificate: None,
            key: None,
            insecure_http: false,
        }
    }
}

impl Web {
    pub(super) fn validate(&self) -> Result<(), String> {
        refuse_if(
            self.certificate.is_some() != self.key.is_some(),
            "[web] certificate and key (HOTDESK_WEB_CERTIFICATE, HOTDESK_WEB_KEY) belong together: set both, or none",
        )?;
        refuse_if(
            self.certificate.is_some() && self.url.as_ref().is_some_and(|url| !url.https),
            "[web] url must begin with https://, because the console has a certificate",
        )?;
        let Some(listen) = self.listen.filter(|listen| !listen.ip().is_loopback()) else { return Ok(()) };
        refuse_if(
            self.trusted_proxies.is_empty() && self.certificate.is_none() && !self.insecure_http,
            format!(
                "[web] listen {listen} would send passwords without TLS through the network: set certificate and key, or \
                 listen on 127.0.0.1 behind a reverse proxy, or name its address in trusted_proxies, or set insecure_http = \
                 true"
            ),
        )?;
        refuse_if(
            self.url.is_none() && listen.ip().is_unspecified(),
            format!("[web] listen {listen} is every address: set url to the one that users type"),
        )
    }

    /// The address that users type.
    #[must_use]
    pub fn url(&self, listen: SocketAddr) -> WebUrl {
        let own = || WebUrl { https: self.certificate.is_some(), authority: listen.to_string() };
        self.url.clone().unwrap_or_else(own)
    }

    /// The networks that may connect; none: every address.
    #[must_use]
    pub fn allow(&self) -> Option<Vec<IpNet>> {
        let local = [IpAddr::from([127, 0, 0, 0]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])];
        let [v4, v6] = local.map(|ip| IpNet::new(ip, if ip.is_ipv4() { 8 } else { 128 }));
        let own = [v4, v6].into_iter().flatten();
        (!self.trusted_proxies.is_empty() && !self.insecure_http)
            .then(|| own.chain(self.trusted_proxies.iter().copied()).collect())
    }
}

/// The address that users type: `https://hotdesk.example.org`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct WebUrl {
    /// Whether browsers use TLS.
    pub https: bool,
    /// The host, and the port if it is not the usual one.
    pub authority: String,
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.authority)
    }
}

impl TryFrom<String> for WebUrl {
    type Error = String;
    fn try_from(url: String) -> Result<Self, String> {
        let lower = url.to_ascii_lowercase();
        let (https, rest) = match (lower.strip_prefix("https://"), lower.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(wrong(&url)),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let usual = if https { ":443" } else { ":80" };
        let authority = rest.strip_suffix(usual).unwrap_or(rest);
        let port = authority.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
        let host = port.map_or(authority, |(host, _)| host);
        let good_port = port.is_none_or(|(_, port)| port.parse::<u16>().is_ok_and(|port| port != 0));
        let good_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(number) => number.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c)),
        };
        if !good_port || !good_host {
            return Err(wrong(&url));
        }
        Ok(Self { https, authority: authority.into() })
    }
}

fn path_or_empty<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    parse_optional_path(String::deserialize(from)?).map_err(serde::de::Error::custom)
}

/// A path; none, if it is empty.
pub(super) fn parse_optional_path(path: String) -> Result<Option<PathBuf>, String> {
    Ok((!path.is_empty()).then(|| path.into()))
}

fn wrong(url: &str) -> String {
    let start: String = url.chars().take(80).collect();
    format!(
        "{start:?} is not the address of a web site: use https://HOST or http://HOST:PORT, without a path"
    )
}

fn url_or_empty<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<WebUrl>, D::Error> {
    let url = String::deserialize(from)?;
    let url = (!url.is_empty()).then(|| WebUrl::try_from(url)).transpose();
    url.map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(toml: &str) -> Result<Web, String> {
        let web: Web = toml::from_str(toml).map_err(|error| error.message().to_owned())?;
        web.validate().map(|()| web)
    }

    #[test]
    fn the_address_that_users_type_is_normalized() {
        for (written, is) in [
            ("https://Hotdesk.Example.org/", "https://hotdesk.example.org"),
            ("https://hotdesk.example.org:443", "https://hotdesk.example.org"),
            ("http://10.0.0.1:80", "http://10.0.0.1"),
            ("http://[::1]:8035", "http://[::1]:8035"),
            ("https://[::1]", "https://[::1]"),
        ] {
            assert_eq!(WebUrl::try_from(written.to_owned()).unwrap().to_string(), is);
        }
        let bad = [
            "",
            "hotdesk",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://a b",
            "https://u@a",
            "http://a:0",
            "http://[x]",
        ];
        for bad in bad {
            assert!(WebUrl::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_does_not_go_through_a_network_without_tls_unless_that_is_asked_for() {
        for good in [
            "",
            "listen = ''",
            "listen = '[::1]:80'",
            "listen = '10.0.0.1:80'\ninsecure_http = true",
            "listen = '10.0.0.1:443'\ncertificate = 'a.pem'\nkey = 'a.key'",
            "listen = '10.0.0.1:443'\ncertificate = 'a.pem'\nkey = 'a.key'\nurl = 'https://a'",
            "certificate = ''\nkey = ''",
            "listen = '0.0.0.0:80'\nurl = 'https://a'\ntrusted_proxies = ['10.0.0.2/32']",
        ] {
            assert!(web(good).is_ok(), "{good}: {:?}", web(good));
        }
        for (bad, why) in [
            ("listen = '10.0.0.1:80'", "insecure_http"),
            ("certificate = 'a.pem'", "belong together"),
            ("key = 'a.key'", "belong together"),
            ("certificate = 'a.pem'\nkey = 'a.key'\nurl = 'http://a'", "https://"),
        ] {
            let wrong = web(bad).unwrap_err();
            assert!(wrong.contains(why), "{bad}: {wrong}");
        }
        assert!(web("listen = '0.0.0.0:80'\ninsecure_http = true").unwrap_err().contains("url"));
    }

    #[test]
    fn beside_this_machine_only_trusted_proxies_may_connect() {
        let behind = web("listen = '10.0.0.1:80'\ntrusted_proxies = ['10.0.0.2/32']").unwrap();
        let allowed = behind.allow().unwrap();
        let may = |ip: &str| allowed.iter().any(|net| net.contains(&ip.parse::<IpAddr>().unwrap()));
        assert!(may("10.0.0.2") && may("127.0.0.1") && may("::1") && !may("10.0.0.3"));
        assert_eq!(Web::default().allow(), None);
    }
}
