//! Which state of an object a request is about: `ETag`, `If-Match` and `If-None-Match` (RFC 9110).

use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base16ct::lower::encode_string as hex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::problem::{Kind, Problem};

/// The strong tag of an object: the hash of its text as it is sent.
fn tag(text: &[u8]) -> String {
    format!("\"{}\"", hex(Sha256::digest(text).split_at(16).0))
}

/// An answer that is one object, with its tag.
pub(super) fn answer(status: StatusCode, object: &Value) -> Response {
    let text = serde_json::to_vec(object).unwrap_or_default();
    let mut answer = (status, text.clone()).into_response();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(tag) = HeaderValue::from_str(&tag(&text)) {
        answer.headers_mut().insert(ETAG, tag);
    }
    answer
}

/// Checks what a change of an object demands of its state `now`: `If-None-Match: *` for a new one, else `If-Match`.
pub(super) fn demanded(headers: &HeaderMap, now: Option<&Value>) -> Result<(), Problem> {
    let stale = |detail: &str| Err(Problem::new(Kind::Stale, detail));
    match (tags(headers, &IF_MATCH), tags(headers, &IF_NONE_MATCH)) {
        (None, None) => Err(Problem::new(
            Kind::PreconditionRequired,
            "Say what is changed: If-Match with the ETag of a GET, so that no other change is lost; or If-None-Match: * for a new one.",
        )),
        (None, Some(none)) if none == ["*"] => match now {
            None => Ok(()),
            Some(_) => stale("It is there already. To replace it, send If-Match with its ETag."),
        },
        (Some(tags), None) => match now {
            Some(now)
                if tags == ["*"] || tags.contains(&tag(&serde_json::to_vec(now).unwrap_or_default())) =>
            {
                Ok(())
            }
            Some(_) => stale("It was changed since that GET. GET it again, and repeat the change."),
            None => stale("It is not there. For a new one, send If-None-Match: *."),
        },
        _ => Err(Problem::new(
            Kind::Unreadable,
            "Send either If-Match with ETags, or If-None-Match: * and nothing else.",
        )),
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    let tags: Vec<String> =
        values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect();
    (!tags.is_empty()).then_some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(headers: &[(HeaderName, &str)], now: Option<&Value>) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        demanded(&map, now).map_or_else(|problem| problem.into_response().status().as_u16(), |()| 200)
    }

    #[test]
    fn a_change_names_the_state_that_it_changes() {
        let object = serde_json::json!({ "extension": "101" });
        let tag = answer(StatusCode::OK, &object).headers()[ETAG].to_str().unwrap().to_owned();
        let (now, both) = (Some(&object), format!("\"x\", {tag}"));
        for (headers, there, absent) in [
            (vec![], 428, 428),
            (vec![(IF_NONE_MATCH, "*")], 412, 200),
            (vec![(IF_MATCH, tag.as_str())], 200, 412),
            (vec![(IF_MATCH, both.as_str())], 200, 412),
            (vec![(IF_MATCH, "*")], 200, 412),
            (vec![(IF_MATCH, "\"x\"")], 412, 412),
            (vec![(IF_MATCH, &format!("W/{tag}"))], 412, 412),
            (vec![(IF_NONE_MATCH, tag.as_str())], 400, 400),
            (vec![(IF_MATCH, tag.as_str()), (IF_NONE_MATCH, "*")], 400, 400),
        ] {
            assert_eq!((status(&headers, now), status(&headers, None)), (there, absent), "{headers:?}");
        }
    }
}
