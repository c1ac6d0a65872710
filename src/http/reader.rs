//! Who is told what went wrong: what is left of a request when its handler has taken it.

use std::sync::Arc;

use warp::http::Method;

use crate::app::App;
use crate::http::head::Head;
use crate::http::request::{Req, is_form};
use crate::http::request_id::RequestId;

/// Whoever sent a request.
pub(crate) struct Reader {
    pub(crate) app: Arc<App>,
    pub(crate) head: Arc<Head>,
    pub(crate) id: RequestId,
    opened_it: bool,
}

impl Reader {
    pub(crate) fn of(app: &Arc<App>, req: &Req) -> Self {
        let (app, head) = (Arc::clone(app), Arc::clone(&req.head));
        Self { app, head, id: req.id, opened_it: matches!(req.method, Method::GET | Method::HEAD) }
    }

    /// Whether they opened a page, or sent the form of one, where programs send JSON.
    pub(crate) fn has_page(&self) -> bool {
        self.opened_it || is_form(&self.head.headers)
    }
}
