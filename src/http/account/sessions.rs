//! Where one is logged in, and ending it there.

use minijinja::{Value, context};
use warp::http::Method;

use crate::domain::{Session, SessionId};
use crate::flows::{self, FlowError};
use crate::http::account::{member, own_page, see_other};
use crate::http::caller::User;
use crate::http::cookies;
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::form::Form;
use crate::http::reply::Reply;
use crate::http::request::Req;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        member(Method::GET, "/account/sessions/", show),
        member(Method::POST, "/account/sessions/end/", end),
        member(Method::POST, "/account/sessions/end-others/", end_others),
        member(Method::POST, "/account/sessions/end-all/", end_all),
    ]
}

async fn show(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let present = cx.caller.session();
    let sessions: Vec<Value> =
        flows::list_sessions(&cx.app, &cx.caller)?.iter().map(|session| row(session, present)).collect();
    Ok(own_page(&cx, &req, "account/sessions.html", context! { here => "sessions", sessions }))
}

fn row(session: &Session, present: Option<SessionId>) -> Value {
    context! {
        id => session.id.to_string(),
        label => session.label.as_str(),
        user_agent => session.user_agent.as_deref(),
        ip => session.ip.map(|ip| ip.to_string()),
        created_at => session.created_at.to_string(),
        last_refreshed_at => session.last_refreshed_at.to_string(),
        is_present => present == Some(session.id),
    }
}

async fn end(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    let id: SessionId = form.text("id").parse().map_err(|_| ApiError::NotFound)?;
    flows::end_session(&cx.app, &cx.caller, id).await?;
    if cx.caller.session() == Some(id) {
        return Ok(cookies::take_tokens(&cx.app, see_other("/account/login/?done=logout")));
    }
    Ok(see_other("/account/sessions/?done=ended"))
}

/// All but the one that asks.
async fn end_others(cx: Cx<User>, _req: Req) -> Result<Reply, ApiError> {
    for session in flows::list_sessions(&cx.app, &cx.caller)? {
        if cx.caller.session() == Some(session.id) {
            continue;
        }
        match flows::end_session(&cx.app, &cx.caller, session.id).await {
            // It ended by itself meanwhile.
            Ok(()) | Err(FlowError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(see_other("/account/sessions/?done=ended"))
}

async fn end_all(cx: Cx<User>, _req: Req) -> Result<Reply, ApiError> {
    flows::log_out_everywhere(&cx.app, &cx.caller).await?;
    Ok(cookies::take_tokens(&cx.app, see_other("/account/login/?done=logout")))
}
