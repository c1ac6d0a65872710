//! The ways into somebody's account, for staff who may see or change it: sessions, API keys, a link to a new password.
//!
//! Must never: show what opens it.

use warp::http::{Method, StatusCode};

use crate::domain::{ApiKeyId, SessionId, UserId};
use crate::flows;
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, staff};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::{ApiKeyView, ApiKeysView, SessionView, SessionsView};

const VIEW: &str = "users.view_user";
const CHANGE: &str = "users.change_user";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        staff(Method::GET, "/auth/admin/users/{id}/sessions/", VIEW, list_sessions)
            .does("Lists a user's sessions, the newest first.")
            .replies::<SessionsView>(StatusCode::OK),
        staff(Method::DELETE, "/auth/admin/users/{id}/sessions/", CHANGE, end_sessions)
            .does("Ends all sessions of a user.")
            .replies_nothing(StatusCode::NO_CONTENT),
        staff(Method::DELETE, "/auth/admin/users/{id}/sessions/{session}/", CHANGE, end_session)
            .does("Ends one session of a user.")
            .replies_nothing(StatusCode::NO_CONTENT),
        staff(Method::GET, "/auth/admin/users/{id}/api-keys/", VIEW, list_api_keys)
            .does("Lists a user's API keys, the newest first, those that ran out included. Never the keys themselves.")
            .replies::<ApiKeysView<'_>>(StatusCode::OK),
        staff(Method::DELETE, "/auth/admin/users/{id}/api-keys/{key}/", CHANGE, revoke_api_key)
            .does("Revokes one API key of a user.")
            .replies_nothing(StatusCode::NO_CONTENT),
        staff(Method::POST, "/auth/admin/users/{id}/send_reset/", CHANGE, send_reset)
            .does("Mails a user a link to a new password, be it their first; 409 if they are disabled or have no address.")
            .replies_nothing(StatusCode::ACCEPTED),
    ]
}

async fn list_sessions(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let sessions = flows::list_sessions_of(&cx.app, req.param("id")?)?;
    let view = |session| SessionView::new(session, cx.caller.session());
    Ok(Reply::json(StatusCode::OK, &SessionsView { results: sessions.into_iter().map(view).collect() }))
}

async fn end_sessions(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    flows::end_sessions_of(&cx.app, &cx.caller, req.param("id")?).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

async fn end_session(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let (id, session): (UserId, SessionId) = (req.param("id")?, req.param("session")?);
    flows::end_session_of(&cx.app, &cx.caller, id, session).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

async fn list_api_keys(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let keys = flows::list_api_keys_of(&cx.app, req.param("id")?)?;
    let results = keys.iter().map(ApiKeyView::from).collect();
    Ok(Reply::json(StatusCode::OK, &ApiKeysView { results }))
}

async fn revoke_api_key(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let (id, key): (UserId, ApiKeyId) = (req.param("id")?, req.param("key")?);
    flows::revoke_api_key_of(&cx.app, &cx.caller, id, key).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

async fn send_reset(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    flows::send_reset(&cx.app, &cx.caller, req.param("id")?).await?;
    Ok(Reply::nothing(StatusCode::ACCEPTED))
}
