//! What this wire has for whoever logged in: logging out, one's own account.

use warp::http::{Method, StatusCode};

use super::bodies::{CloseAccount, HasGroupView, HasPermissionView, ProfileView, RefreshOnly, UpdateProfile};
use super::envelope::{Enveloped, Member, Said, bad_credentials, enveloped, member, says};
use crate::domain::{Change, Email, Name, ProfileChange};
use crate::flows::{self, FlowError};
use crate::http::access::Access;
use crate::http::compat::drf;
use crate::http::compat::serializer::{self, Takes};
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        member(Method::POST, "/api/auth/logout/", Access::User, log_out)
            .does("Ends the log-in that the caller's refresh token belongs to.")
            .takes_temporary_password()
            .takes::<RefreshOnly>()
            .replies_nothing(StatusCode::NO_CONTENT),
        member(Method::DELETE, "/api/auth/logout/", Access::User, log_out_everywhere)
            .does("Ends all log-ins of the caller, whatever the refresh token.")
            .takes_temporary_password()
            .takes::<RefreshOnly>()
            .replies_nothing(StatusCode::NO_CONTENT),
        member(Method::GET, "/api/auth/profile/view/", Access::User, view_profile)
            .does("The caller.")
            .takes_temporary_password()
            .replies::<Enveloped<ProfileView>>(StatusCode::OK),
        member(Method::GET, "/api/auth/profile/has_group/{name}/", Access::User, has_group)
            .does("Whether the caller is in a group.")
            .replies::<Enveloped<HasGroupView>>(StatusCode::OK),
        member(Method::GET, "/api/auth/profile/has_permission/{name}", Access::User, has_permission)
            .does("Whether the caller has a permission: `label.codename`.")
            .replies::<Enveloped<HasPermissionView>>(StatusCode::OK),
        member(Method::PUT, "/api/auth/profile/update/", Access::User, update_profile)
            .does("Changes the caller's names. An address is changed at `/auth/email/change/`.")
            .takes::<UpdateProfile>()
            .replies::<Said>(StatusCode::OK),
        member(Method::DELETE, "/api/auth/profile/delete/", Access::User, close_account)
            .does("Disables the caller's account, for their own address and password.")
            .needs_session()
            .takes::<CloseAccount>()
            .replies_nothing(StatusCode::NO_CONTENT),
    ]
}

async fn log_out(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let RefreshOnly { refresh_token } = serializer::read(&mut req, &cx.app.config).await?;
    let caller = &cx.caller.0;
    let owner = flows::owner_of_refresh_token(&cx.app, &refresh_token);
    let is_own = owner.is_ok_and(|owner| owner == caller.user.id);
    let wrong = || drf::detail(StatusCode::UNAUTHORIZED, "Invalid refresh token!");
    if !is_own {
        return Err(wrong());
    }
    match flows::log_out_by_refresh_token(&cx.app, &caller.origin, &refresh_token).await {
        Ok(()) => Ok(Reply::nothing(StatusCode::NO_CONTENT)),
        Err(FlowError::InvalidToken) => Err(wrong()),
        Err(error) => Err(error.into()),
    }
}

async fn log_out_everywhere(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let _asked_for_and_not_used: RefreshOnly = serializer::read(&mut req, &cx.app.config).await?;
    flows::log_out_everywhere(&cx.app, &cx.caller.0).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

async fn view_profile(cx: Cx<Member>, _req: Req) -> Result<Reply, ApiError> {
    Ok(enveloped(StatusCode::OK, &ProfileView::from(&*cx.caller.0.user)))
}

async fn has_group(cx: Cx<Member>, req: Req) -> Result<Reply, ApiError> {
    let name: String = req.param("name")?;
    let has_group = flows::directory(&cx.app).has_group(&cx.caller.0.user, &name);
    Ok(enveloped(StatusCode::OK, &HasGroupView { has_group }))
}

async fn has_permission(cx: Cx<Member>, req: Req) -> Result<Reply, ApiError> {
    let name: String = req.param("name")?;
    let has_permission = flows::directory(&cx.app).has_permission(&cx.caller.0.user, &name);
    Ok(enveloped(StatusCode::OK, &HasPermissionView { has_permission }))
}

async fn update_profile(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let UpdateProfile { email, first_name, last_name } = serializer::read(&mut req, &cx.app.config).await?;
    let caller = &cx.caller.0;
    // Front ends send it along as it is; a found token is not enough to move it.
    let own = caller.user.email.as_ref().map(Email::key);
    if email.is_some_and(|email| Some(email.key()) != own) {
        let where_else = "An address is changed with your password: /auth/email/change/.";
        return Err(drf::field("email", where_else));
    }
    let set = |name: Option<Name>| name.map_or(Change::Keep, Change::Set);
    let (username, avatar) = (Change::Keep, Change::Keep);
    let change = ProfileChange { username, first_name: set(first_name), last_name: set(last_name), avatar };
    flows::update_profile(&cx.app, caller, change).await?;
    Ok(says(StatusCode::OK, "User data modified successfully"))
}

async fn close_account(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let CloseAccount { email, password } = serializer::read(&mut req, &cx.app.config).await?;
    let caller = &cx.caller.0;
    if caller.user.email.as_ref().map(Email::key) != Some(email.key()) {
        return Err(bad_credentials());
    }
    match flows::close_account(&cx.app, caller, &password).await {
        Ok(()) => Ok(Reply::nothing(StatusCode::NO_CONTENT)),
        Err(FlowError::Invalid(..)) => Err(bad_credentials()),
        Err(error) => Err(error.into()),
    }
}
