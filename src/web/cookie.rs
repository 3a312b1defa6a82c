//! The cookie of a session: whose it is, and its secret.

use axum::http::header::{COOKIE, InvalidHeaderValue};
use axum::http::{HeaderMap, HeaderValue};

use crate::model::access::{Secret, WebSession};
use crate::model::id::{AccountName, TenantId};

/// Whose session a cookie is, and what proves it.
#[derive(Clone, Debug)]
pub(super) struct Cookie {
    pub(super) tenant: TenantId,
    pub(super) account: AccountName,
    pub(super) secret: Secret,
}

/// Over TLS no other host of the same domain can set a cookie of this name.
const fn name(https: bool) -> &'static str {
    if https { "__Host-hotdesk" } else { "hotdesk" }
}

impl Cookie {
    /// The cookie of a request. Of several, none is believed.
    pub(super) fn of(headers: &HeaderMap, https: bool) -> Option<Self> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut own = pairs.filter(|(is, _)| *is == name(https)).map(|(_, value)| value);
        let value = own.next()?;
        let mut parts = value.split('/');
        let tenant = TenantId::new(parts.next()?).ok()?;
        let account = AccountName::new(parts.next()?).ok()?;
        let secret = Secret::read(parts.next()?)?;
        (parts.next().is_none() && own.next().is_none()).then_some(Self { tenant, account, secret })
    }

    /// What makes a browser keep it, for as long as a session lasts at the most.
    pub(super) fn set(&self, https: bool) -> Result<HeaderValue, InvalidHeaderValue> {
        let Self { tenant, account, secret } = self;
        let value = format!("{tenant}/{account}/{}", secret.reveal());
        header(https, &value, WebSession::LASTS.as_secs())
    }

    /// What makes a browser forget it.
    pub(super) fn forget(https: bool) -> Result<HeaderValue, InvalidHeaderValue> {
        header(https, "", 0)
    }
}

fn header(https: bool, value: &str, seconds: i64) -> Result<HeaderValue, InvalidHeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let cookie =
        format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", name(https));
    let mut header = HeaderValue::from_str(&cookie)?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie() -> Cookie {
        let (tenant, account) = (TenantId::default(), AccountName::new("eva@example.org").unwrap());
        Cookie { tenant, account, secret: Secret::from_random(&[5; 32]) }
    }

    fn read(sent: &[&str], https: bool) -> Option<Cookie> {
        let headers = sent.iter().fold(HeaderMap::new(), |mut headers, sent| {
            headers.append(COOKIE, sent.parse().unwrap());
            headers
        });
        Cookie::of(&headers, https)
    }

    #[test]
    fn a_browser_keeps_it_from_scripts_and_other_sites_and_sends_it_back() {
        for https in [true, false] {
            let set = cookie().set(https).unwrap();
            let set = set.to_str().unwrap();
            for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=43200"] {
                assert!(set.contains(part), "{set}");
            }
            assert_eq!(
                (set.contains("; Secure"), set.starts_with("__Host-hotdesk=")),
                (https, https),
                "{set}"
            );
            let sent = set.split(';').next().unwrap();
            let back = read(&["theme=dark; x", sent], https).unwrap();
            assert_eq!(
                (back.tenant, back.account, back.secret),
                (cookie().tenant, cookie().account, cookie().secret)
            );
            assert!(read(&[sent], !https).is_none(), "that of the other way is not taken");
            assert!(read(&[sent, sent], https).is_none());
            let forget = Cookie::forget(https).unwrap();
            assert!(forget.to_str().unwrap().contains("Max-Age=0"));
        }
    }

    #[test]
    fn anything_else_is_no_session() {
        let secret = "05".repeat(32);
        for value in
            ["", "default/eva", &format!("default/eva/{secret}/x"), &format!("default/Eva/{secret}"), "a/b/c"]
        {
            assert!(read(&[&format!("hotdesk={value}")], false).is_none(), "{value}");
        }
    }
}
