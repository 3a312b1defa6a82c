//! Digest authentication (RFC 2617, MD5), as Asterisk asks for it.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};

use super::message::Message;

/// The header, name and value, that answers the challenge in `response` for `request`.
pub fn answer(
    user: &str,
    password: &str,
    request: &Message,
    response: &Message,
    cnonce: &str,
) -> Option<(&'static str, String)> {
    let (asked, name) = match response.status()? {
        401 => ("WWW-Authenticate", "Authorization"),
        407 => ("Proxy-Authenticate", "Proxy-Authorization"),
        _ => return None,
    };
    let challenge = response.header(asked);
    let (realm, nonce) = (parameter(challenge, "realm")?, parameter(challenge, "nonce")?);
    let (method, uri) = (request.method(), request.request_address());
    let secret = hash(&format!("{user}:{realm}:{password}"));
    let what = hash(&format!("{method}:{uri}"));
    let mut value =
        format!("Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\"");
    let proof = if parameter(challenge, "qop").is_some() {
        let _ = write!(value, ", qop=auth, nc=00000001, cnonce=\"{cnonce}\"");
        hash(&format!("{secret}:{nonce}:00000001:{cnonce}:auth:{what}"))
    } else {
        hash(&format!("{secret}:{nonce}:{what}"))
    };
    let _ = write!(value, ", response=\"{proof}\", algorithm=MD5");
    if let Some(opaque) = parameter(challenge, "opaque") {
        let _ = write!(value, ", opaque=\"{opaque}\"");
    }
    Some((name, value))
}

/// `realm` of `Digest realm="asterisk",nonce="…"`.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let list = challenge.trim_start().strip_prefix("Digest")?;
    list.split(',').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn hash(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
