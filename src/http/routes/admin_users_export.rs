//! The list of users as a file, for staff who may see it.

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::Config;
use crate::domain::Changes;
use crate::flows;
use crate::http::body::{Body, Fields};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, staff};
use crate::http::error::ApiError;
use crate::http::export::{Format, file_of_users};
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::user_query::{FILTERS, of_users, users};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        of_users(staff(Method::GET, "/auth/admin/users/export/", "users.view_user", export))
            .does(
                "All users that a list would have on its pages, as a file. In CSV a `'` stands before whatever a \
                 spreadsheet would take for a formula, and `;` between groups; JSON has each value as it is.",
            )
            .query("format", "`csv` or `json`.")
            .replies_nothing(StatusCode::OK),
    ]
}

async fn export(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let Export { format, users } = req.parameters(&cx.app.config)?;
    // Before anything leaves: what is wrong is said with a status.
    let first = flows::list_users(&cx.app, users.clone()).await?;
    if req.method != Method::HEAD {
        // It only reads, and leaves a trace all the same.
        let caller = flows::Caller { origin: req.whole_origin(), ..cx.caller };
        flows::note_export(&cx.app, &caller, &asked(&req)).await?;
    }
    Ok(file_of_users(&cx.app, users, first, format, req.id))
}

/// What was asked for, for the audit log.
fn asked(req: &Req) -> Changes {
    let names = ["format"].into_iter().chain(FILTERS);
    let given = names.filter_map(|name| Some((name, req.query(name)?)));
    given.fold(Changes::default(), |facts, (name, value)| facts.fact(name, value.as_str()))
}

#[derive(ToSchema)]
struct Export {
    #[schema(value_type = String)]
    format: Format,
    #[schema(value_type = Object)]
    users: flows::ListUsers,
}

impl Body for Export {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let users = users(fields);
        let format = fields.required("format", Format::parse)?;
        Some(Self { format, users })
    }
}
