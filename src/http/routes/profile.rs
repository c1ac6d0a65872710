//! One's own profile.

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::{Config, LimitKind};
use crate::domain::{Avatar, Change, Invalid, Name, Password, PermissionName, ProfileChange, Username};
use crate::flows;
use crate::http::body::{Body, Fields};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, user};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::{HasGroupView, HasPermissionView, HasPermissionsView, PermissionsView, UserView};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let update = |method| {
        user(method, "/auth/profile/", update_profile)
            .also_at("/auth/profile/update/")
            .does("Changes the caller's profile; what is not sent stays, null takes away.")
            .body::<UpdateProfile>()
            .replies::<UserView<'_>>(StatusCode::OK)
    };
    vec![
        user(Method::GET, "/auth/profile/", view_profile)
            .also_at("/auth/profile/view/")
            .takes_temporary_password()
            .does("The caller.")
            .replies::<UserView<'_>>(StatusCode::OK),
        user(Method::GET, "/auth/profile/permissions/", view_permissions)
            .does("What the caller may do, through groups included, and their groups.")
            .replies::<PermissionsView<'_>>(StatusCode::OK),
        user(Method::GET, "/auth/profile/has_group/{name}/", has_group)
            .does("Whether the caller is in a group.")
            .replies::<HasGroupView>(StatusCode::OK),
        user(Method::GET, "/auth/profile/has_permission/{name}/", has_permission)
            .does("Whether the caller has a permission, by Django's rules.")
            .replies::<HasPermissionView>(StatusCode::OK),
        user(Method::POST, "/auth/profile/has_permissions/", has_permissions)
            .does("Which of these permissions the caller has, by Django's rules: many in one request.")
            .body::<AskPermissions>()
            .replies::<HasPermissionsView>(StatusCode::OK),
        update(Method::PATCH),
        update(Method::PUT),
        user(Method::DELETE, "/auth/profile/", close_account)
            .also_at("/auth/profile/delete/")
            .does("Closes the caller's account for their password: it is disabled, and its sessions and API keys end.")
            .needs_session()
            .limited_by(LimitKind::Password)
            .body::<CloseAccount>()
            .replies_nothing(StatusCode::NO_CONTENT),
    ]
}

async fn view_profile(cx: Cx<User>, _req: Req) -> Result<Reply, ApiError> {
    Ok(Reply::json(StatusCode::OK, &UserView::new(&cx.caller.user, &flows::directory(&cx.app))))
}

async fn view_permissions(cx: Cx<User>, _req: Req) -> Result<Reply, ApiError> {
    let directory = flows::directory(&cx.app);
    let user = &cx.caller.user;
    let permissions = directory.permissions_of(user).into_iter().map(PermissionName::as_str).collect();
    let groups = directory.group_names(user);
    Ok(Reply::json(StatusCode::OK, &PermissionsView { permissions, groups }))
}

async fn has_group(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let name: String = req.param("name")?;
    let has_group = flows::directory(&cx.app).has_group(&cx.caller.user, &name);
    Ok(Reply::json(StatusCode::OK, &HasGroupView { has_group }))
}

async fn has_permission(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let name: String = req.param("name")?;
    let has_permission = flows::directory(&cx.app).has_permission(&cx.caller.user, &name);
    Ok(Reply::json(StatusCode::OK, &HasPermissionView { has_permission }))
}

async fn has_permissions(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let AskPermissions { permissions } = req.json(&cx.app.config).await?;
    let directory = flows::directory(&cx.app);
    let answered = |name: String| {
        let has = directory.has_permission(&cx.caller.user, &name);
        (name, has)
    };
    let permissions = permissions.into_iter().map(answered).collect();
    Ok(Reply::json(StatusCode::OK, &HasPermissionsView { permissions }))
}

async fn update_profile(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let change: UpdateProfile = req.json(&cx.app.config).await?;
    let user = flows::update_profile(&cx.app, &cx.caller, change.into()).await?;
    Ok(Reply::json(StatusCode::OK, &UserView::new(&user, &flows::directory(&cx.app))))
}

async fn close_account(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let CloseAccount { password } = req.json(&cx.app.config).await?;
    flows::close_account(&cx.app, &cx.caller, &password).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

/// Answered in one request, at most.
const MAX_ASKED: usize = 100;

#[derive(ToSchema)]
struct AskPermissions {
    /// At most 100, each `label.codename`.
    permissions: Vec<String>,
}

impl Body for AskPermissions {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let is_missing = !fields.has("permissions");
        let permissions = fields.list("permissions", |text| Ok(text.to_owned()));
        if is_missing {
            fields.refuse("permissions", Invalid::required());
        }
        let permissions = permissions?;
        if permissions.len() > MAX_ASKED {
            let message = format!("Ask for at most {MAX_ASKED} at a time.");
            fields.refuse("permissions", Invalid::new("max_length", message));
        }
        Some(Self { permissions })
    }
}

#[derive(ToSchema)]
pub(crate) struct UpdateProfile {
    #[schema(value_type = Option<String>)]
    username: Change<Username>,
    #[schema(value_type = Option<String>)]
    first_name: Change<Name>,
    #[schema(value_type = Option<String>)]
    last_name: Change<Name>,
    /// An http or https URL.
    #[schema(value_type = Option<String>)]
    avatar: Change<Avatar>,
}

impl Body for UpdateProfile {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self {
            username: fields.nullable("username", Username::parse),
            first_name: fields.nullable("first_name", Name::parse),
            last_name: fields.nullable("last_name", Name::parse),
            avatar: fields.nullable("avatar", Avatar::parse),
        })
    }
}

impl From<UpdateProfile> for ProfileChange {
    fn from(change: UpdateProfile) -> Self {
        let UpdateProfile { username, first_name, last_name, avatar } = change;
        Self { username, first_name, last_name, avatar }
    }
}

#[derive(ToSchema)]
pub(crate) struct CloseAccount {
    /// The caller's own.
    #[schema(value_type = String, format = Password)]
    pub(crate) password: Password,
}

impl Body for CloseAccount {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { password: fields.required("password", Password::parse)? })
    }
}
