//! What a service that is thrown away at its end has beside the API, under `/dev/`: a mailbox, ready-made users, a
//! clock, and a way to start again. A service that lasts has none of it, and the OpenAPI document tells of none.
//!
//! Must never: be in reach of another site's page, be it to read or to change something.

mod developer;
mod mail;
mod views;
mod world;

use crate::config::Config;
use crate::http::endpoint::Endpoint;
use crate::http::request::Req;

pub(super) fn endpoints(config: &Config) -> Vec<Endpoint> {
    match config.dev {
        Some(_) => mail::endpoints().into_iter().chain(world::endpoints()).collect(),
        None => Vec::new(),
    }
}

/// Whether no page of another origin may read what is answered, whatever `server.cors_origins` says.
pub(super) fn is_private(config: &Config, req: &Req) -> bool {
    config.dev.is_some() && req.head.uri.path().starts_with("/dev/")
}
