//! One act upon many users, for staff who may do it to each of them.

use std::collections::BTreeSet;

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::Config;
use crate::domain::{GroupName, Invalid, UserId};
use crate::flows::{self, BulkAction};
use crate::http::body::{Body, Fields};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, staff_with_one_of};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::staff_views::{BulkResultView, BulkView};

const PERMISSIONS: &[&str] = &["users.change_user", "users.delete_user"];
const MAX_IDS: usize = 500;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        staff_with_one_of(Method::POST, "/auth/admin/users/bulk/", PERMISSIONS, act)
            .does(
                "Does one thing to up to 500 users, each by itself, and says for each what came of it. `disable` needs \
                 users.delete_user, `purge` a superuser as well; everything else needs users.change_user.",
            )
            .body::<ActOnUsers>()
            .replies::<BulkView>(StatusCode::OK),
    ]
}

async fn act(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let ActOnUsers { action, ids, groups } = req.json(&cx.app.config).await?;
    let results = flows::act_on_users(&cx.app, &cx.caller, action, ids, &groups).await?;
    let view = |(id, outcome)| match outcome {
        Ok(is_change) => BulkResultView::done(id, is_change),
        Err(refused) => BulkResultView::refused(id, ApiError::from(refused).told(&req.id)),
    };
    Ok(Reply::json(StatusCode::OK, &BulkView { results: results.into_iter().map(view).collect() }))
}

#[derive(ToSchema)]
struct ActOnUsers {
    /// `enable`, `disable`, `purge`, `end_sessions`, `add_to_groups` or `remove_from_groups`.
    #[schema(value_type = String)]
    action: BulkAction,
    /// 1 to 500, each once.
    #[schema(value_type = Vec<u64>)]
    ids: Vec<UserId>,
    /// By name, for `add_to_groups` and `remove_from_groups` alone: users stay in whatever else they are in.
    #[schema(value_type = Vec<String>, required = false)]
    groups: Vec<GroupName>,
}

impl Body for ActOnUsers {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let ids = ids(fields);
        let groups = fields.list("groups", GroupName::parse).unwrap_or_default();
        let action = fields.required("action", action)?;
        if action.is_about_groups() && groups.is_empty() {
            fields.refuse("groups", Invalid::required());
        }
        if !action.is_about_groups() && !groups.is_empty() {
            fields.refuse("groups", Invalid::new("invalid", "This action is not about groups."));
        }
        Some(Self { action, ids: ids?, groups })
    }
}

fn action(text: &str) -> Result<BulkAction, Invalid> {
    match text {
        "enable" => Ok(BulkAction::Enable),
        "disable" => Ok(BulkAction::Disable),
        "purge" => Ok(BulkAction::Purge),
        "end_sessions" => Ok(BulkAction::EndSessions),
        "add_to_groups" => Ok(BulkAction::AddToGroups),
        "remove_from_groups" => Ok(BulkAction::RemoveFromGroups),
        _ => {
            let known = "One of enable, disable, purge, end_sessions, add_to_groups and remove_from_groups.";
            Err(Invalid::new("invalid", known))
        }
    }
}

/// A user who is named twice would get two answers: refused.
fn ids(fields: &mut Fields) -> Option<Vec<UserId>> {
    if !fields.has("ids") {
        fields.refuse("ids", Invalid::required());
    }
    let ids = fields.numbers("ids")?;
    if ids.is_empty() {
        fields.refuse("ids", Invalid::blank());
    }
    if ids.len() > MAX_IDS {
        fields.refuse("ids", Invalid::new("too_many", format!("No more than {MAX_IDS} at a time.")));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = ids.iter().find(|id| !seen.insert(**id)) {
        fields.refuse("ids", Invalid::new("duplicate", format!("{twice} is there twice.")));
    }
    Some(ids.into_iter().map(UserId).collect())
}
