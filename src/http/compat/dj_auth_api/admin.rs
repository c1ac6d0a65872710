//! What this wire has for administrators: users, groups, permissions. Nobody gives what they do not have.

use warp::http::{Method, StatusCode};

use super::bodies::{
    ChangeGroup, ChangeUser, GroupView, GroupsView, NewGroup, NewUser, PermissionView, PermissionsView,
    UserView, UsersView,
};
use super::envelope::{Enveloped, Member, enveloped, member};
use crate::app::App;
use crate::domain::{Change, GroupId, Invalid, Name, PermissionId, PermissionName, User, UserChange, UserId};
use crate::flows::{self, AddUser, Caller, FirstLetter, FlowError, GroupChange, Page, Term};
use crate::http::access::Access;
use crate::http::compat::all_users::{all_users, in_parts, linked};
use crate::http::compat::drf;
use crate::http::compat::serializer::{self, Takes, no_such_key};
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;

const USERS: &str = "/api/auth/admin/users/";
const USER: &str = "/api/auth/admin/users/{id}/";
const GROUPS: &str = "/api/auth/admin/groups/";
const GROUP: &str = "/api/auth/admin/groups/{id}/";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let staff = Access::Staff;
    let mut endpoints = user_endpoints();
    endpoints.extend([
        member(Method::GET, GROUPS, staff("users.view_group"), list_groups)
            .does("All groups by number, `Root` first.")
            .replies::<Enveloped<GroupsView>>(StatusCode::OK),
        member(Method::POST, GROUPS, staff("users.add_group"), add_group)
            .does("Makes a group.")
            .takes::<NewGroup>()
            .replies::<Enveloped<GroupView>>(StatusCode::CREATED),
        member(Method::GET, GROUP, staff("users.view_group"), view_group)
            .does("One group.")
            .replies::<Enveloped<GroupView>>(StatusCode::OK),
        member(Method::PUT, GROUP, staff("users.change_group"), replace_group)
            .does("Describes a group anew.")
            .takes::<NewGroup>()
            .replies::<Enveloped<GroupView>>(StatusCode::OK),
        member(Method::PATCH, GROUP, staff("users.change_group"), change_group)
            .does("Changes a group; what is not sent stays.")
            .takes::<ChangeGroup>()
            .replies::<Enveloped<GroupView>>(StatusCode::OK),
        member(Method::DELETE, GROUP, staff("users.delete_group"), keep_group)
            .does("Is never allowed, as there; the native API deletes groups.")
            .replies_nothing(StatusCode::METHOD_NOT_ALLOWED),
        member(Method::GET, "/api/auth/admin/permissions/", staff("auth.view_permission"), list_permissions)
            .does("All permissions by number.")
            .replies::<Enveloped<PermissionsView>>(StatusCode::OK),
        member(
            Method::GET,
            "/api/auth/admin/permissions/{id}/",
            staff("auth.view_permission"),
            view_permission,
        )
        .does("One permission.")
        .replies::<Enveloped<PermissionView>>(StatusCode::OK),
    ]);
    endpoints
}

fn user_endpoints() -> Vec<Endpoint> {
    let staff = Access::Staff;
    vec![
        in_parts(member(Method::GET, USERS, staff("users.view_user"), list_users))
            .does("All users by number, at most 5000; a `Link` header leads to the rest.")
            .replies::<Enveloped<UsersView>>(StatusCode::OK),
        member(Method::POST, USERS, staff("users.add_user"), add_user)
            .does("Makes a user, who is mailed a code unless they are active at once. Only superusers make staff.")
            .takes::<NewUser>()
            .replies::<Enveloped<UserView>>(StatusCode::CREATED),
        member(Method::GET, USER, staff("users.view_user"), view_user)
            .does("One user.")
            .replies::<Enveloped<UserView>>(StatusCode::OK),
        member(Method::PUT, USER, staff("users.change_user"), replace_user)
            .does("Describes a user anew, with another password: their log-ins end.")
            .takes::<NewUser>()
            .replies::<Enveloped<UserView>>(StatusCode::OK),
        member(Method::PATCH, USER, staff("users.change_user"), change_user)
            .does("Changes a user; what is not sent stays. Another password ends their log-ins.")
            .takes::<ChangeUser>()
            .replies::<Enveloped<UserView>>(StatusCode::OK),
        member(Method::DELETE, USER, staff("users.delete_user"), disable_user)
            .does("Disables a user.")
            .replies_nothing(StatusCode::NO_CONTENT),
    ]
}

async fn list_users(cx: Cx<Member>, req: Req) -> Result<Reply, ApiError> {
    let (users, link) = all_users(&cx.app, req, USERS).await?;
    Ok(linked(enveloped(StatusCode::OK, &UsersView(users)), link))
}

async fn view_user(cx: Cx<Member>, req: Req) -> Result<Reply, ApiError> {
    let user = flows::view_user(&cx.app, req.param("id")?)?;
    Ok(enveloped(StatusCode::OK, &UserView::from(&*user)))
}

async fn add_user(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let body: NewUser = serializer::read(&mut req, &cx.app.config).await?;
    let wish = AddUser {
        email: Some(body.email),
        username: None,
        first_name: body.first_name,
        last_name: body.last_name,
        avatar: None,
        password: Some(body.password),
        term: Term::Lasting,
        is_active: body.is_active.unwrap_or(false),
        is_staff: body.is_staff.unwrap_or(false),
        is_superuser: false,
        email_verified: None,
        groups: Vec::new(),
        permissions: Vec::new(),
        letter: FirstLetter::Code,
    };
    let user = flows::add_user(&cx.app, &cx.caller.0, wish).await.map_err(refused_user)?;
    Ok(enveloped(StatusCode::CREATED, &UserView::from(&user)))
}

async fn replace_user(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let body: NewUser = serializer::read(&mut req, &cx.app.config).await?;
    update_user(&cx.app, &cx.caller.0, req.param("id")?, body.into()).await
}

async fn change_user(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let body: ChangeUser = serializer::read(&mut req, &cx.app.config).await?;
    update_user(&cx.app, &cx.caller.0, req.param("id")?, body).await
}

/// The password comes last: whatever is more likely to be refused was refused before.
async fn update_user(app: &App, caller: &Caller, id: UserId, body: ChangeUser) -> Result<Reply, ApiError> {
    let ChangeUser { email, first_name, last_name, password, is_active, is_staff } = body;
    // One's own password is changed with the old one.
    if password.is_some() && id == caller.user.id {
        return Err(ApiError::PermissionDenied);
    }
    let name = |name: Option<Name>| name.map_or(Change::Keep, Change::Set);
    let change = UserChange {
        email: email.map_or(Change::Keep, Change::Set),
        username: Change::Keep,
        first_name: name(first_name),
        last_name: name(last_name),
        avatar: Change::Keep,
        is_active,
        is_staff,
        is_superuser: None,
        email_verified: None,
    };
    let user: User = flows::update_user(app, caller, id, change).await.map_err(refused_user)?;
    if let Some(password) = password {
        flows::assign_password(app, caller, id, password, Term::Lasting).await.map_err(refused_user)?;
    }
    Ok(enveloped(StatusCode::OK, &UserView::from(&user)))
}

fn refused_user(error: FlowError) -> ApiError {
    match error {
        FlowError::EmailTaken => drf::field("email", "user with this Email Address already exists."),
        error => drf::refused(error),
    }
}

async fn disable_user(cx: Cx<Member>, req: Req) -> Result<Reply, ApiError> {
    flows::disable_user(&cx.app, &cx.caller.0, req.param("id")?).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

/// The whole of a list that is in memory.
const ALL: usize = usize::MAX;

async fn list_groups(cx: Cx<Member>, _req: Req) -> Result<Reply, ApiError> {
    let groups = flows::list_groups(&cx.app, Page { after: None, limit: ALL });
    let directory = flows::directory(&cx.app);
    let views = groups.rows.iter().map(|group| GroupView::new(group, &directory)).collect();
    Ok(enveloped(StatusCode::OK, &GroupsView(views)))
}

async fn view_group(cx: Cx<Member>, req: Req) -> Result<Reply, ApiError> {
    let group = flows::view_group(&cx.app, req.param("id")?)?;
    Ok(enveloped(StatusCode::OK, &GroupView::new(&group, &flows::directory(&cx.app))))
}

async fn add_group(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let NewGroup { name, description, permissions } = serializer::read(&mut req, &cx.app.config).await?;
    let permissions = named(&cx.app, &permissions)?;
    let made = flows::create_group(&cx.app, &cx.caller.0, name, description, permissions).await;
    let group = made.map_err(refused_group)?;
    Ok(enveloped(StatusCode::CREATED, &GroupView::new(&group, &flows::directory(&cx.app))))
}

async fn replace_group(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let body: NewGroup = serializer::read(&mut req, &cx.app.config).await?;
    update_group(cx, req.param("id")?, body.into()).await
}

async fn change_group(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let body: ChangeGroup = serializer::read(&mut req, &cx.app.config).await?;
    update_group(cx, req.param("id")?, body).await
}

async fn update_group(cx: Cx<Member>, id: GroupId, body: ChangeGroup) -> Result<Reply, ApiError> {
    let ChangeGroup { name, description, permissions } = body;
    let permissions = permissions.map(|ids| named(&cx.app, &ids)).transpose()?;
    let change = GroupChange { name, description, permissions };
    let changed = flows::update_group(&cx.app, &cx.caller.0, id, change).await;
    let group = changed.map_err(refused_group)?;
    Ok(enveloped(StatusCode::OK, &GroupView::new(&group, &flows::directory(&cx.app))))
}

fn refused_group(error: FlowError) -> ApiError {
    match error {
        FlowError::Invalid("name", broken) if broken.iter().any(is_taken) => {
            drf::field("name", "group with this name already exists.")
        }
        error => drf::refused(error),
    }
}

fn is_taken(invalid: &Invalid) -> bool {
    invalid.code == "taken"
}

async fn keep_group(cx: Cx<Member>, req: Req) -> Result<Reply, ApiError> {
    if !cx.caller.0.user.is_superuser {
        return Err(ApiError::PermissionDenied);
    }
    let allow = "GET, PATCH, PUT, HEAD, OPTIONS".to_owned();
    Err(ApiError::MethodNotAllowed { method: req.method, allow })
}

async fn list_permissions(cx: Cx<Member>, _req: Req) -> Result<Reply, ApiError> {
    let permissions = flows::list_permissions(&cx.app, None, Page { after: None, limit: ALL });
    let views = permissions.rows.iter().map(PermissionView::from).collect();
    Ok(enveloped(StatusCode::OK, &PermissionsView(views)))
}

async fn view_permission(cx: Cx<Member>, req: Req) -> Result<Reply, ApiError> {
    let permission = flows::view_permission(&cx.app, req.param("id")?)?;
    Ok(enveloped(StatusCode::OK, &PermissionView::from(&permission)))
}

/// The names of permissions that were given by number.
fn named(app: &App, ids: &[u64]) -> Result<Vec<PermissionName>, ApiError> {
    let directory = flows::directory(app);
    let name = |id: &u64| {
        let permission = directory.permission(PermissionId(*id));
        permission.map(|permission| permission.name.clone()).ok_or_else(|| no_such_key(id))
    };
    let names: Result<_, String> = ids.iter().map(name).collect();
    names.map_err(|wrong| drf::field("permissions", &wrong))
}
