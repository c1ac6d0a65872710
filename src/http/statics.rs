//! The files that our pages load: modules, styles, pictures. They are in the program as they go out, compressed, and
//! have a version in their path, so that a browser asks for each of them once.

use rust_embed::RustEmbed;
use warp::http::HeaderMap;

use crate::http::error::ApiError;
use crate::http::gzip::Packed;
use crate::http::reply::Reply;

/// What `assets/build.rs` compressed.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/statics"]
struct Statics;

/// Where the files of this very program are.
pub(crate) const BASE: &str = concat!("/assets/", env!("KEYSTEAD_STATICS"));
const VERSION: &str = env!("KEYSTEAD_STATICS");

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Every module in a folder, for pages that name them all at once: `/assets/1a2b/admin/app.js`.
pub(crate) fn modules(folder: &str) -> Vec<String> {
    let is_module = |name: &str| name.starts_with(folder) && content_type(name) == Some(SCRIPT);
    Statics::iter().filter(|name| is_module(name)).map(|name| format!("{BASE}/{name}")).collect()
}

/// The text of a file.
pub(crate) fn text(name: &str) -> Option<String> {
    file(name).and_then(|file| file.unpacked()).and_then(|bytes| String::from_utf8(bytes).ok())
}

/// The reply with a file, as the page of this version, or of another, asks for it.
pub(crate) fn reply(headers: &HeaderMap, version: &str, name: &str) -> Result<Reply, ApiError> {
    let (file, content_type) = file(name).zip(content_type(name)).ok_or(ApiError::NotFound)?;
    // Another version's page may still be open somewhere: it gets what there is now, and asks again next time.
    let lifetime = if version == VERSION { "public, max-age=31536000, immutable" } else { "no-cache" };
    file.reply(headers, content_type, lifetime)
}

fn file(name: &str) -> Option<Packed> {
    Statics::get(name).map(|file| Packed::of(file.data))
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
    Statics::iter().filter_map(|name| Some((name.to_string(), file(&name)?.len())))
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
            assert_eq!(file(&name).and_then(|file| file.unpacked()).expect("whole"), source, "{name}");
            assert!(content_type(&name).is_some(), "{name}");
        }
    }
}
