//! Lists of all users, for front ends that know no pages: whole where that is possible, in parts where it is not.

use std::sync::Arc;

use warp::http::header::{HeaderValue, LINK};

use crate::app::App;
use crate::domain::{User, UserOrdering};
use crate::flows::{self, ListUsers};
use crate::http::compat::drf;
use crate::http::endpoint::Endpoint;
use crate::http::error::ApiError;
use crate::http::paging::parameter;
use crate::http::reply::Reply;
use crate::http::request::Req;

/// No answer holds more users than this.
const MAX_LISTED: usize = 5000;
/// Read from the store at a time.
const PAGE: usize = 500;

/// As many users as an answer holds, by number, as `V`; and what a `Link` header says of where the rest is.
pub(super) async fn all_users<V: for<'a> From<&'a User>>(
    app: &Arc<App>,
    req: Req,
    path: &str,
) -> Result<(Vec<V>, Option<HeaderValue>), ApiError> {
    let limit = parameter(&req, "limit", "Write a number from 1 to 5000.", |text| {
        text.parse().ok().filter(|limit| (1..=MAX_LISTED).contains(limit))
    })?;
    let limit: usize = limit.unwrap_or(MAX_LISTED);
    let mut cursor = req.query("cursor");
    let mut users = Vec::new();
    loop {
        let wish = ListUsers {
            search: None,
            is_active: None,
            is_staff: None,
            is_superuser: None,
            group: None,
            ordering: UserOrdering::DEFAULT,
            cursor: cursor.take(),
            limit: PAGE.min(limit - users.len()),
        };
        let page = flows::list_users(app, wish).await.map_err(drf::refused)?;
        users.extend(page.users.iter().map(V::from));
        cursor = page.next;
        if cursor.is_none() || users.len() >= limit {
            break;
        }
    }
    let link = cursor.map(|cursor| format!("<{path}?limit={limit}&cursor={cursor}>; rel=\"next\""));
    Ok((users, link.and_then(|link| HeaderValue::from_str(&link).ok())))
}

/// Says in the answer where the rest is (RFC 8288).
pub(super) fn linked(reply: Reply, link: Option<HeaderValue>) -> Reply {
    match link {
        Some(link) => reply.header(LINK, link),
        None => reply,
    }
}

/// Says what such a list can be asked.
pub(super) fn in_parts(endpoint: Endpoint) -> Endpoint {
    endpoint
        .query("limit", "Users in one answer: 1 to 5000, else 5000.")
        .query("cursor", "Where the `Link` of the answer before goes on.")
}
