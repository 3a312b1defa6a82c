//! Lists in pages: how many, after which, and the link to the next page.

use axum::http::HeaderValue;
use axum::http::header::LINK;
use axum::response::{IntoResponse as _, Response};
use base16ct::lower::{decode_vec, encode_string as hex};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::json::Json;
use super::problem::Problem;
use super::root::ROOT;
use crate::model::id::TenantId;

/// The page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::web) struct Page {
    /// The most objects, 1 to 500; without it, 50.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// Where the page begins: as `Link: rel="next"` of the page before says.
    after: Option<String>,
    /// Only objects with this text, in any case.
    q: Option<String>,
    /// Whether `Total-Count` says how many there are on all pages.
    count: bool,
}

/// How many objects a page has, and at the most.
const USUAL: usize = 50;
pub(super) const MOST: usize = 500;

/// How many objects a page has.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked {
        None => Ok(USUAL),
        Some(limit) if (1..=MOST).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::field("", "limit: 1 to 500 are allowed")),
    }
}

impl Page {
    /// The page of these records, which are in the order of their names. `texts` are what `q` looks for.
    pub(super) fn of<T>(
        &self,
        (tenant, list): (&TenantId, &str),
        all: impl Iterator<Item = T>,
        name: impl Fn(&T) -> &str,
        texts: impl Fn(&T) -> Vec<String>,
        json: impl Fn(&T) -> Value,
    ) -> Result<Response, Problem> {
        let limit = limit(self.limit)?;
        let after = self.after.as_deref().map(position).transpose()?;
        let q = self.q.as_deref().unwrap_or_default().to_lowercase();
        let found =
            all.filter(|one| q.is_empty() || texts(one).iter().any(|text| text.to_lowercase().contains(&q)));
        let found: Vec<T> = found.collect();
        let begins = found.partition_point(|one| after.as_deref().is_some_and(|after| name(one) <= after));
        let here: Vec<&T> = found.iter().skip(begins).take(limit).collect();
        let objects: Vec<Value> = here.iter().map(|one| json(one)).collect();
        let mut answer = Json(objects).into_response();
        if let (Some(last), true) = (here.last(), begins + here.len() < found.len()) {
            let q = if q.is_empty() { String::new() } else { parameter("q", &q) };
            let after = hex(name(last).as_bytes());
            next(&mut answer, (tenant, list), &format!("after={after}&limit={limit}{q}"));
        }
        if self.count {
            answer.headers_mut().insert("total-count", found.len().into());
        }
        Ok(answer)
    }
}

/// A parameter of a query, after others.
pub(super) fn parameter(name: &str, value: &str) -> String {
    format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
}

/// Says where the next page is.
pub(super) fn next(answer: &mut Response, (tenant, list): (&TenantId, &str), query: &str) {
    let link = format!("<{}/tenants/{tenant}/{list}?{query}>; rel=\"next\"", ROOT);
    if let Ok(link) = HeaderValue::from_str(&link) {
        answer.headers_mut().insert(LINK, link);
    }
}

fn position(after: &str) -> Result<String, Problem> {
    let name = decode_vec(after).ok().and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| Problem::field("", "after: follow Link: rel=\"next\" as it is"))
}
