//! Who asks: warp lives here and nowhere else.
//!
//! An endpoint is a value. Router, OpenAPI document and access tests are made from the same list. A handler decodes,
//! makes one call, encodes. Must never: touch the store or the crypto, or decide what only a flow may decide.

mod access;
mod account;
mod asked;
mod body;
mod caller;
mod compat;
mod cookies;
mod cors;
mod dev;
mod endpoint;
mod error;
mod export;
mod form;
mod forwarded;
mod gzip;
mod head;
mod headers;
mod limits;
mod next;
mod openapi;
mod pages;
mod paging;
mod parts;
mod reader;
mod reply;
mod request;
mod request_id;
mod router;
mod routes;
mod service_views;
mod staff_views;
mod statics;
mod theme;
mod user_query;
mod views;

pub(crate) use head::Peer;
pub(crate) use openapi::document as openapi_document;
pub(crate) use router::service;
