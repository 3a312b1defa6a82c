//! The stylesheet and the script of the pages. Their names hold a hash of their content, so a browser keeps each for ever.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base16ct::lower::encode_string as hex;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// A file that pages name.
pub(super) struct Asset {
    /// `/assets/hotdesk-0123456789abcdef.css`
    pub(super) path: String,
    mime: &'static str,
    text: &'static str,
    /// None, if it could not be compressed.
    gzip: Option<Vec<u8>>,
}

pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("css", "text/css; charset=utf-8", include_str!("assets/hotdesk.css")));
pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("js", "text/javascript; charset=utf-8", include_str!("assets/hotdesk.js")));

impl Asset {
    fn new(ending: &str, mime: &'static str, text: &'static str) -> Self {
        let hash = hex(Sha256::digest(text).split_at(8).0);
        Self { path: format!("/assets/hotdesk-{hash}.{ending}"), mime, text, gzip: compressed(text) }
    }
}

fn compressed(text: &str) -> Option<Vec<u8>> {
    let mut gzip = GzEncoder::new(vec![], Compression::best());
    gzip.write_all(text.as_bytes()).ok()?;
    gzip.finish().ok()
}

/// `GET /assets/{file}`
pub(super) async fn get(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let named = |asset: &&Asset| asset.path.strip_prefix("/assets/") == Some(&file);
    let Some(asset) = [&*STYLE, &*SCRIPT].into_iter().find(named) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    let head = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.mime)),
        (CACHE_CONTROL, kept),
        (VARY, HeaderValue::from_static("accept-encoding")),
    ];
    match asset.gzip.clone().filter(|_| takes_gzip(&headers)) {
        Some(gzip) => (head, [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))], gzip).into_response(),
        None => (head, asset.text).into_response(),
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, ""));
        name.trim().eq_ignore_ascii_case("gzip")
            && !["q=0", "q=0.0", "q=0.00", "q=0.000"].contains(&quality.trim())
    })
}
