//! The audit log, for administrators.

use warp::http::{Method, StatusCode};

use crate::domain::{EventKind, Timestamp};
use crate::flows::{self, EventFilter};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, staff};
use crate::http::error::ApiError;
use crate::http::paging::{page, parameter};
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::staff_views::{EventListView, EventView};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        staff(Method::GET, "/auth/admin/events/", "audit.view_event", list)
            .does(
                "The audit log, the newest first. A page may have fewer rows than its limit, even none, and still a \
                 `next`; `count` is null where a filter would have to look at more than 10,000 rows to know.",
            )
            .query("kind", "Only this kind: `login.failed`.")
            .query("user", "Only what this user did, or what was done to them: an id.")
            .query("since", "Not before this moment (RFC 3339).")
            .query("until", "Not after this moment (RFC 3339).")
            .query("after", "Only what came after this event (an id), the oldest first: send `next` as `after` to follow the log.")
            .query("cursor", "`next` of the page before.")
            .query("limit", "Rows of a page: 50, at most 500.")
            .replies::<EventListView<'_>>(StatusCode::OK),
    ]
}

async fn list(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    const TIME: &str = "Write a time of RFC 3339: 2030-12-31T23:59:59Z.";
    const AFTER: &str = "Take it from an event or from `next`, and send no cursor with it.";
    let filter = EventFilter {
        kind: parameter(&req, "kind", "There is no such kind of event.", EventKind::parse)?,
        user: parameter(&req, "user", "Write the id of a user.", |text| text.parse().ok())?,
        since: parameter(&req, "since", TIME, Timestamp::parse)?,
        until: parameter(&req, "until", TIME, Timestamp::parse)?,
    };
    let page = page(&req, &["kind", "user", "since", "until", "after"])?;
    let is_alone = page.after.is_none();
    let after = parameter(&req, "after", AFTER, |text| text.parse().ok().filter(|_| is_alone))?;
    let listed = match after {
        Some(after) => flows::follow_events(&cx.app, filter, page, after).await?,
        None => flows::search_events(&cx.app, filter, page).await?,
    };
    Ok(Reply::json(StatusCode::OK, &EventListView::new(&listed, EventView::from)))
}
