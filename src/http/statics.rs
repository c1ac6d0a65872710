//! The files that our pages load: modules, styles, pictures. They are in the program as they go out, compressed, and
//! have a version in their path, so that a browser asks for each of them once.

use std::fmt::Write;

use miniz_oxide::inflate::decompress_to_vec_with_limit;
use rust_embed::{EmbeddedFile, RustEmbed};
use warp::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, VARY,
};
use warp::http::{HeaderMap, Method, StatusCode};

use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;

/// What `assets/build.rs` compressed.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/statics"]
struct Statics;

/// Where the files of this very program are.
pub(crate) const BASE: &str = concat!("/assets/", env!("KEYSTEAD_STATICS"));
const VERSION: &str = env!("KEYSTEAD_STATICS");

/// What stands before the data in a gzip file that has no name in it, and after it (RFC 1952).
const GZIP_HEADER: usize = 10;
const MAX_BYTES: usize = 1 << 20;

const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(crate) fn endpoint() -> Endpoint {
    public(Method::GET, "/assets/{version}/{*file}", serve)
        .does("A file that the pages load.")
        .replies_nothing(StatusCode::OK)
}

/// Every module in a folder, for pages that name them all at once: `/assets/1a2b/admin/app.js`.
pub(crate) fn modules(folder: &str) -> impl Iterator<Item = String> {
    let is_module = move |name: &str| name.starts_with(folder) && content_type(name) == Some(SCRIPT);
    Statics::iter().filter(move |name| is_module(name)).map(|name| format!("{BASE}/{name}"))
}

/// The text of a file.
pub(crate) fn text(name: &str) -> Option<String> {
    Statics::get(name).and_then(|file| unpacked(&file)).and_then(|bytes| String::from_utf8(bytes).ok())
}

async fn serve(_cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let (version, name): (String, String) = (req.param("version")?, req.param("file")?);
    let file = Statics::get(&name).ok_or(ApiError::NotFound)?;
    let content_type = content_type(&name).ok_or(ApiError::NotFound)?;
    // Another version's page may still be open somewhere: it gets what there is now, and asks again next time.
    let lifetime = if version == VERSION { "public, max-age=31536000, immutable" } else { "no-cache" };
    let etag = etag(&file);
    let is_known = req.headers().get(IF_NONE_MATCH).is_some_and(|known| names(known, &etag));
    let reply = if is_known {
        Reply::nothing(StatusCode::NOT_MODIFIED)
    } else if takes_gzip(req.headers()) {
        Reply::bytes(StatusCode::OK, content_type, file.data.into_owned())
            .header(CONTENT_ENCODING, HeaderValue::from_static("gzip"))
    } else {
        let bytes = unpacked(&file).ok_or_else(|| ApiError::Internal(format!("{name} is damaged")))?;
        Reply::bytes(StatusCode::OK, content_type, bytes)
    };
    Ok(with_validators(reply, &etag, lifetime))
}

fn with_validators(reply: Reply, etag: &str, lifetime: &'static str) -> Reply {
    let vary: (HeaderName, HeaderValue) = (VARY, HeaderValue::from_static("accept-encoding"));
    let etag = HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static(""));
    reply.header(ETAG, etag).header(vary.0, vary.1).header(CACHE_CONTROL, HeaderValue::from_static(lifetime))
}

/// Weak, because the compressed and the plain form share it (RFC 9110, section 8.8.3).
fn etag(file: &EmbeddedFile) -> String {
    let mut etag = "W/\"".to_owned();
    for byte in file.metadata.sha256_hash().iter().take(8) {
        // Writing to a string does not fail.
        let _ = write!(etag, "{byte:02x}");
    }
    etag + "\""
}

/// Whether `If-None-Match` names this (RFC 9110, section 13.1.2).
fn names(known: &HeaderValue, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known = known.to_str().unwrap_or_default();
    known.trim() == "*" || known.split(',').any(|one| opaque(one) == opaque(etag))
}

/// Whether the client takes gzip (RFC 9110, section 12.5.3). One that does not say so gets the plain form.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let is_refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0_f32));
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

fn unpacked(file: &EmbeddedFile) -> Option<Vec<u8>> {
    decompress_to_vec_with_limit(file.data.get(GZIP_HEADER..)?, MAX_BYTES).ok()
}

fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "js" => Some(SCRIPT),
        "css" => Some("text/css; charset=utf-8"),
        "json" => Some("application/json"),
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        _ => None,
    }
}

/// Each file with how many bytes it is on its way.
#[cfg(test)]
pub(crate) fn sizes() -> impl Iterator<Item = (String, usize)> {
    Statics::iter().filter_map(|name| Some((name.to_string(), Statics::get(&name)?.data.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the owner of a small device was promised.
    const MOST: usize = 200 * 1024;

    #[test]
    fn all_that_the_pages_load_is_small() {
        assert!(sizes().map(|(_, size)| size).sum::<usize>() < MOST);
    }

    #[test]
    fn each_file_has_a_type_and_unpacks_to_its_source() {
        assert!(Statics::iter().count() > 0);
        for name in Statics::iter() {
            let source = std::fs::read(format!("assets/{name}")).expect("a source");
            assert_eq!(unpacked(&Statics::get(&name).expect("listed")).expect("whole"), source, "{name}");
            assert!(content_type(&name).is_some(), "{name}");
        }
    }

    #[test]
    fn gzip_goes_to_whoever_takes_it() {
        let takes = |line: &'static str| {
            takes_gzip(&[(ACCEPT_ENCODING, HeaderValue::from_static(line))].into_iter().collect())
        };
        for line in ["gzip", "deflate, gzip, br", "br;q=1.0, GZIP;q=0.5", "gzip ; q=1"] {
            assert!(takes(line), "{line}");
        }
        for line in ["", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip2", "*"] {
            assert!(!takes(line), "{line}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_known_file_is_recognized() {
        for known in ["W/\"12\"", "\"12\"", "\"9\", W/\"12\"", "*"] {
            assert!(names(&HeaderValue::from_static(known), "W/\"12\""), "{known}");
        }
        for known in ["", "12", "\"1\"", "W/\"123\""] {
            assert!(!names(&HeaderValue::from_static(known), "W/\"12\""), "{known}");
        }
    }
}
