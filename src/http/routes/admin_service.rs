//! The service as a whole, for administrators: how it is doing, its keys, its configuration.

use warp::http::{Method, StatusCode};

use crate::flows;
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, staff, staff_with_one_of, superuser};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::service_views::{KeysView, OverviewView, SettingsView};

/// Whoever may view none of it has nothing to look at.
const OVERVIEW: &[&str] = &["users.view_user", "users.view_group", "audit.view_event", "mail.view_message"];

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        staff_with_one_of(Method::GET, "/auth/admin/overview/", OVERVIEW, overview)
            .does("How the service is doing: users, log-ins over time, mails that wait, the last backup. What the caller may not view is null.")
            .replies::<OverviewView>(StatusCode::OK),
        staff(Method::GET, "/auth/admin/keys/", "keys.view_signingkey", keys)
            .does("The keys that sign tokens or still verify them, the oldest first, with their public parts.")
            .replies::<KeysView>(StatusCode::OK),
        staff(Method::POST, "/auth/admin/keys/rotate/", "keys.add_signingkey", rotate_keys)
            .does("Lets new keys sign from now on. Tokens of the old ones count until they expire; 409 if many such keys are left.")
            .replies::<KeysView>(StatusCode::OK),
        superuser(Method::GET, "/auth/admin/config/", config)
            .does("The effective configuration with the source of each value, secrets masked. For superusers.")
            .replies::<SettingsView>(StatusCode::OK),
    ]
}

async fn overview(cx: Cx<User>, _req: Req) -> Result<Reply, ApiError> {
    let seen = flows::overview(&cx.app, &cx.caller.user).await?;
    Ok(Reply::json(StatusCode::OK, &OverviewView::from(seen)))
}

async fn keys(cx: Cx<User>, _req: Req) -> Result<Reply, ApiError> {
    let view = KeysView::new(&flows::list_keys(&cx.app)?, &flows::public_keys(&cx.app));
    Ok(Reply::json(StatusCode::OK, &view))
}

async fn rotate_keys(cx: Cx<User>, _req: Req) -> Result<Reply, ApiError> {
    flows::rotate_keys_as(&cx.app, &cx.caller).await?;
    let view = KeysView::new(&flows::list_keys(&cx.app)?, &flows::public_keys(&cx.app));
    Ok(Reply::json(StatusCode::OK, &view))
}

async fn config(cx: Cx<User>, _req: Req) -> Result<Reply, ApiError> {
    Ok(Reply::json(StatusCode::OK, &SettingsView::from(cx.app.config.shown_settings())))
}
