//! Files that are kept compressed, and go out as their reader takes them. Must never: compress anything while it is
//! asked for; what holds a secret beside what a stranger chose would give its length away (BREACH).

use std::borrow::Cow;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use warp::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderValue, IF_NONE_MATCH, VARY,
};
use warp::http::{HeaderMap, StatusCode};

use crate::http::error::ApiError;
use crate::http::reply::Reply;

/// A gzip file (RFC 1952).
pub(crate) struct Packed(Cow<'static, [u8]>);

impl Packed {
    /// What is a gzip file already.
    pub(crate) fn of(gzip: Cow<'static, [u8]>) -> Self {
        Self(gzip)
    }

    pub(crate) fn pack(bytes: &[u8]) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory does not fail.
        let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
        Self(Cow::Owned(packed.unwrap_or_default()))
    }

    pub(crate) fn unpacked(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        GzDecoder::new(&*self.0).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The content, or that the reader has it already. `lifetime` is for how long nobody has to ask again.
    pub(crate) fn reply(
        &self,
        headers: &HeaderMap,
        content_type: &'static str,
        lifetime: &'static str,
    ) -> Result<Reply, ApiError> {
        let etag = self.etag();
        let is_known = headers.get(IF_NONE_MATCH).is_some_and(|known| names(known, &etag));
        let reply = if is_known {
            Reply::nothing(StatusCode::NOT_MODIFIED)
        } else if takes_gzip(headers) {
            Reply::bytes(StatusCode::OK, content_type, self.0.to_vec())
                .header(CONTENT_ENCODING, HeaderValue::from_static("gzip"))
        } else {
            let bytes = self.unpacked().ok_or_else(|| ApiError::Internal("a file is damaged".to_owned()))?;
            Reply::bytes(StatusCode::OK, content_type, bytes)
        };
        let etag = HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static(""));
        Ok(reply
            .header(ETAG, etag)
            .header(VARY, HeaderValue::from_static("accept-encoding"))
            .header(CACHE_CONTROL, HeaderValue::from_static(lifetime)))
    }

    /// The checksum and the length of the content, which end the file. Weak, because the compressed and the plain form
    /// share it (RFC 9110, section 8.8.3).
    fn etag(&self) -> String {
        let trailer = self.0.last_chunk().copied().map_or(0, u64::from_le_bytes);
        format!("W/\"{trailer:016x}\"")
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let bytes = b"one after the other, ".repeat(500);
        let packed = Packed::pack(&bytes);

        assert_eq!(packed.unpacked(), Some(bytes));
        assert!(packed.len() < 200);
        assert_eq!(Packed::of(Cow::Borrowed(b"no gzip file")).unpacked(), None);
    }

    #[test]
    fn the_tag_is_of_the_content() {
        let tag = |bytes: &[u8]| Packed::pack(bytes).etag();

        assert_eq!(tag(b"123456789"), "W/\"00000009cbf43926\"");
        assert_ne!(tag(b"1"), tag(b"2"));
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
