//! The parameters of lists: which page, and which rows. Whatever is not understood is refused, never ignored.

use std::str::FromStr;

use crate::domain::Invalid;
use crate::flows::Page;
use crate::http::error::{ApiError, INVALID_PARAMETERS};
use crate::http::request::Req;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 500;
/// More are not even looked at.
const MAX_PARAMETERS: usize = 64;

/// Reads `cursor` and `limit`. What the query has beside them and these `others` is refused.
pub(crate) fn page<C: FromStr>(req: &Req, others: &[&str]) -> Result<Page<C>, ApiError> {
    refuse_unknown(req, others)?;
    let after = parameter(req, "cursor", "Take the cursor from `next`, as it is.", |text| text.parse().ok())?;
    let limit = parameter(req, "limit", "Write a number from 1 to 500.", |text| {
        text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
    })?;
    Ok(Page { after, limit: limit.unwrap_or(DEFAULT_LIMIT) })
}

/// A filter that is not understood would show more than was asked for.
fn refuse_unknown(req: &Req, others: &[&str]) -> Result<(), ApiError> {
    let query = req.head.uri.query().unwrap_or_default();
    let mut errors: Vec<(String, Vec<Invalid>)> = Vec::new();
    for (name, _) in url::form_urlencoded::parse(query.as_bytes()).take(MAX_PARAMETERS) {
        let is_known = matches!(&*name, "cursor" | "limit") || others.contains(&&*name);
        if !is_known && errors.iter().all(|(other, _)| *other != name) {
            let unknown = Invalid::new("unknown_field", "This parameter is not known here.");
            errors.push((name.into_owned(), vec![unknown]));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(ApiError::Invalid(errors, INVALID_PARAMETERS)) }
}

/// Reads a parameter that may be missing.
pub(crate) fn parameter<T>(
    req: &Req,
    name: &'static str,
    advice: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let query = req.head.uri.query().unwrap_or_default();
    let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(param, _)| param == name);
    let Some((_, value)) = values.next() else { return Ok(None) };
    let once = if values.next().is_none() { parse(&value) } else { None };
    let refused = || {
        let invalid = Invalid::new("type", advice);
        ApiError::Invalid(vec![(name.to_owned(), vec![invalid])], INVALID_PARAMETERS)
    };
    once.map(Some).ok_or_else(refused)
}
