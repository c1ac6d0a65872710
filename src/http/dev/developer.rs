//! Who may use what is under `/dev/`.

use crate::app::App;
use crate::domain::{Origin, UserId};
use crate::http::access::Gate;
use crate::http::caller::{Admit, refuse_other_pages};
use crate::http::error::ApiError;
use crate::http::request::Req;

/// Whoever develops: a program on this machine, or a page of ours in their browser.
pub(super) struct Developer {
    pub(super) origin: Origin,
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
