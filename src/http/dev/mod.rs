//! What a service that is thrown away at its end has beside the API, under `/dev/`: a mailbox, ready-made users, a
//! clock, and a way to start again. A service that lasts has none of it, and the OpenAPI document tells of none.
//!
//! Must never: be in reach of another site's page, be it to read or to change something.

mod mail;
mod views;
mod world;

use crate::app::App;
use crate::config::Config;
use crate::domain::{Origin, UserId};
use crate::http::access::Gate;
use crate::http::caller::{Admit, refuse_other_pages};
use crate::http::endpoint::Endpoint;
use crate::http::error::ApiError;
use crate::http::request::Req;

pub(super) fn endpoints(config: &Config) -> Vec<Endpoint> {
    match config.dev {
        Some(_) => mail::endpoints().into_iter().chain(world::endpoints()).collect(),
        None => Vec::new(),
    }
}

/// Whether no page of another origin may read what is answered, whatever `server.cors_origins` says.
pub(super) fn is_private(config: &Config, req: &Req) -> bool {
    config.dev.is_some() && req.head.uri.path().starts_with("/dev")
}

/// Whoever develops: a program on this machine, or a page of ours in their browser.
struct Developer {
    origin: Origin,
}

impl Admit for Developer {
    fn recognize(app: &App, req: &Req) -> Result<Self, ApiError> {
        refuse_other_pages(app, req)?;
        Ok(Self { origin: req.origin() })
    }

    fn pass(&self, _app: &App, _gate: Gate) -> Result<(), ApiError> {
        Ok(())
    }

    fn user(&self) -> Option<UserId> {
        None
    }
}
