//! The console over TLS with a certificate of its own.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{PASSWORD, hotdesk};
use crate::harness::browser::Browser;

const ON: &str = "[web]\nlisten = \"127.0.0.1:0\"\ncertificate = \"console.pem\"\nkey = \"console.key\"\n";

/// Sends a request, and returns all of its answer.
fn ask(at: SocketAddr, certificate: &str, request: &str) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.unwrap().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut stream = StreamOwned::new(client, stream);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = vec![];
    // What is cut off is compared, too.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn it_is_served_by_tls_once_the_certificate_is_there() {
    let mut hotdesk = hotdesk(ON);
    hotdesk.wait_for_log(0, "event=\"web.not_open\"").unwrap();
    assert!(hotdesk.log().contains("console.pem cannot be read"), "{}", hotdesk.log());
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).unwrap();
    fs::write(hotdesk.path("console.key"), made.signing_key.serialize_pem()).unwrap();
    fs::write(hotdesk.path("console.pem"), made.cert.pem()).unwrap();
    let at = Browser::of(&hotdesk).at;

    let page = ask(
        at,
        &made.cert.pem(),
        &format!("GET /sign-in HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n"),
    );
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("strict-transport-security"), "{page}");

    // The link that is printed is one of TLS, and the cookie goes through nothing else.
    let printed = hotdesk.run(&["web", "admin", "eva"]).unwrap();
    assert!(printed.starts_with("https://"), "{printed}");
    let path = &printed.trim()[printed.find("/link/").unwrap()..];
    let body = format!("password={}", PASSWORD.replace(' ', "+"));
    let post = |origin: &str| {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {at}\r\norigin: {origin}\r\nconnection: close\r\ncontent-length: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\n\r\n{body}",
            body.len()
        );
        ask(at, &made.cert.pem(), &request)
    };
    let plain = post(&format!("http://{at}"));
    assert!(plain.starts_with("HTTP/1.1 403"), "a form from a page without TLS: {plain}");
    let chosen = post(&format!("https://{at}"));
    assert!(chosen.starts_with("HTTP/1.1 303") && chosen.contains("__Host-hotdesk="), "{chosen}");
    assert!(chosen.contains("; Secure"), "{chosen}");

    // Without TLS there is no answer.
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(format!("GET /sign-in HTTP/1.1\r\nhost: {at}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
}
