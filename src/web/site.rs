//! How browsers reach the console: its address, the hosts that it answers to, and where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::HOST;
use ipnet::IpNet;

/// How browsers reach the console.
#[derive(Clone, Debug)]
pub struct Site {
    /// Whether browsers use TLS at [`authority`](Self::authority).
    pub https: bool,
    /// Whether [`listen`](Self::listen) itself takes only TLS.
    pub tls: bool,
    /// The host that users type, and the port if it is not the usual one.
    pub authority: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Site {
    /// The address of a page: `http://127.0.0.1:8035/c`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin(&self.authority))
    }

    /// The host of a request, if it is one of the console. Any other may be a name of a stranger that leads here.
    pub(super) fn host<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next()?.to_str().ok()?;
        let port = self.listen.port();
        let own = |name: &str| host.eq_ignore_ascii_case(&format!("{name}:{port}"));
        let local = self.listen.ip().is_loopback() || self.listen.ip().is_unspecified();
        let is_own = host.eq_ignore_ascii_case(&self.authority)
            || host == self.listen.to_string()
            || local && (own("localhost") || own("127.0.0.1") || own("[::1]"));
        (is_own && hosts.next().is_none()).then_some(host)
    }

    /// Whether the pages at this host come to the browser by TLS.
    pub(super) fn is_https(&self, host: &str) -> bool {
        self.tls || self.https && host.eq_ignore_ascii_case(&self.authority)
    }

    /// The origin of pages at this host.
    pub(super) fn origin(&self, host: &str) -> String {
        format!("{}://{}", if self.is_https(host) { "https" } else { "http" }, host.to_ascii_lowercase())
    }

    /// The address that a request comes from. A trusted proxy has added it at the right of `X-Forwarded-For`; what stands
    /// further left may be invented.
    pub(super) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let trusted = |ip: &IpAddr| self.trusted_proxies.iter().any(|net| net.contains(ip));
        let peer = peer.ip().to_canonical();
        if !trusted(&peer) {
            return peer;
        }
        let forwarded =
            headers.get_all("x-forwarded-for").iter().rev().filter_map(|value| value.to_str().ok());
        let mut nearest = peer;
        for hop in forwarded.flat_map(|value| value.rsplit(',')) {
            let Ok(hop) = hop.trim().parse::<IpAddr>() else { return nearest };
            nearest = hop.to_canonical();
            if !trusted(&nearest) {
                return nearest;
            }
        }
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(listen: &str, trusted: &[&str]) -> Site {
        Site {
            https: true,
            tls: false,
            authority: "hotdesk.example.org".into(),
            listen: listen.parse().unwrap(),
            trusted_proxies: trusted.iter().map(|net| net.parse().unwrap()).collect(),
        }
    }

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let values = values.iter().map(|value| value.parse().unwrap());
        values.fold(HeaderMap::new(), |mut all, value| {
            all.append(name, value);
            all
        })
    }

    #[test]
    fn only_hosts_of_the_console_are_answered() {
        let own = |listen: &str, hosts: &[&str]| site(listen, &[]).host(&headers("host", hosts)).is_some();
        for host in
            ["hotdesk.example.org", "Hotdesk.Example.org", "127.0.0.1:8035", "localhost:8035", "[::1]:8035"]
        {
            assert!(own("127.0.0.1:8035", &[host]), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1",
            "localhost:80",
            "hotdesk.example.org.evil.example",
            "10.0.0.1:8035",
            "",
        ] {
            assert!(!own("127.0.0.1:8035", &[host]), "{host}");
        }
        assert!(!own("127.0.0.1:8035", &["localhost:8035", "evil.example"]), "of two hosts none is believed");
        assert!(own("10.0.0.1:8035", &["10.0.0.1:8035"]) && !own("10.0.0.1:8035", &["localhost:8035"]));
    }

    #[test]
    fn a_request_comes_from_what_the_nearest_trusted_proxy_saw() {
        let from = |peer: &str, forwarded: &[&str]| {
            let site = site("127.0.0.1:8035", &["127.0.0.1/32", "10.0.0.0/8"]);
            let peer = SocketAddr::new(peer.parse().unwrap(), 4000);
            site.client(peer, &headers("x-forwarded-for", forwarded)).to_string()
        };
        assert_eq!(from("192.0.2.1", &["198.51.100.9"]), "192.0.2.1", "a stranger is not believed");
        assert_eq!(from("127.0.0.1", &["198.51.100.9"]), "198.51.100.9");
        assert_eq!(from("127.0.0.1", &["1.2.3.4, 198.51.100.9, 10.1.1.1"]), "198.51.100.9");
        assert_eq!(from("127.0.0.1", &["1.2.3.4", "198.51.100.9"]), "198.51.100.9");
        assert_eq!(from("127.0.0.1", &["x"]), "127.0.0.1");
        assert_eq!(from("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(from("::ffff:127.0.0.1", &["2001:db8::7"]), "2001:db8::7");
    }
}
