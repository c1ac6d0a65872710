//! Users, for staff who may see or change them.

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::Config;
use crate::domain::{
    Avatar, Change, Email, GroupName, Invalid, Name, Password, PermissionName, UserChange, UserId, Username,
};
use crate::flows::{self, FirstLetter, Term};
use crate::http::body::{Body, Fields};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, staff};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::staff_views::RightsView;
use crate::http::user_query::{MAX_LIMIT, of_users, true_or_false, users};
use crate::http::views::{UserView, UsersView};

const VIEW: &str = "users.view_user";
const ADD: &str = "users.add_user";
const CHANGE: &str = "users.change_user";
const DELETE: &str = "users.delete_user";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let update = |method| {
        staff(method, "/auth/admin/users/{id}/", CHANGE, update)
            .does("Changes a user; what is not sent stays, null takes away. Only superusers change is_staff and is_superuser; disabling takes users.delete_user, too.")
            .body::<ChangeUser>()
            .replies::<UserView<'_>>(StatusCode::OK)
    };
    vec![
        list_endpoint(),
        staff(Method::POST, "/auth/admin/users/", ADD, add)
            .does("Makes a user. Nobody gives what they do not have; only superusers make staff and superusers.")
            .body::<AddUser>()
            .replies::<UserView<'_>>(StatusCode::CREATED),
        staff(Method::GET, "/auth/admin/users/{id}/", VIEW, view)
            .does("One user.")
            .replies::<UserView<'_>>(StatusCode::OK),
        update(Method::PATCH),
        update(Method::PUT),
        staff(Method::DELETE, "/auth/admin/users/{id}/", DELETE, remove)
            .does("Disables a user, whose sessions, API keys and codes end; or removes them for good (superusers only).")
            .query("purge", "`true`: removes the user and everything that is theirs.")
            .replies_nothing(StatusCode::NO_CONTENT),
        staff(Method::PUT, "/auth/admin/users/{id}/password/", CHANGE, assign_password)
            .does("Gives a user another password, which they have to change unless it is said to last. Their sessions and API keys end.")
            .body::<AssignPassword>()
            .replies_nothing(StatusCode::NO_CONTENT),
        staff(Method::PUT, "/auth/admin/users/{id}/groups/", CHANGE, assign_groups)
            .does("Puts a user into these groups and no others; oneself only as a superuser.")
            .body::<AssignGroups>()
            .replies::<UserView<'_>>(StatusCode::OK),
        staff(Method::GET, "/auth/admin/users/{id}/permissions/", VIEW, view_permissions)
            .does("What a user may do, and why: of their own, through which groups, as a superuser. While they are inactive, none of it counts.")
            .replies::<RightsView<'_>>(StatusCode::OK),
        staff(Method::PUT, "/auth/admin/users/{id}/permissions/", CHANGE, assign_permissions)
            .does("Gives a user these permissions of their own and no others; oneself only as a superuser.")
            .body::<AssignPermissions>()
            .replies::<UserView<'_>>(StatusCode::OK),
        staff(Method::POST, "/auth/admin/users/{id}/activate/", CHANGE, activate)
            .does("Lets a user log in who was disabled or never confirmed their address.")
            .replies::<UserView<'_>>(StatusCode::OK),
    ]
}

fn list_endpoint() -> Endpoint {
    of_users(staff(Method::GET, "/auth/admin/users/", VIEW, list))
        .does("Lists users, a page at a time.")
        .query("cursor", "The `next` of the page before, in the same ordering.")
        .query("limit", "Users on a page: 1 to 500, else 50.")
        .replies::<UsersView<'_>>(StatusCode::OK)
}

async fn list(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let ListUsers { wish } = req.parameters(&cx.app.config)?;
    let page = flows::list_users(&cx.app, wish).await?;
    let directory = flows::directory(&cx.app);
    let results = page.users.iter().map(|user| UserView::new(user, &directory)).collect();
    Ok(Reply::json(StatusCode::OK, &UsersView { results, next: page.next, count: page.count }))
}

async fn add(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let body: AddUser = req.json(&cx.app.config).await?;
    let user = flows::add_user(&cx.app, &cx.caller, body.into()).await?;
    Ok(Reply::json(StatusCode::CREATED, &UserView::new(&user, &flows::directory(&cx.app))))
}

async fn view(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let user = flows::view_user(&cx.app, req.param("id")?)?;
    Ok(Reply::json(StatusCode::OK, &UserView::new(&user, &flows::directory(&cx.app))))
}

async fn update(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let body: ChangeUser = req.json(&cx.app.config).await?;
    let id: UserId = req.param("id")?;
    let user = flows::update_user(&cx.app, &cx.caller, id, body.into()).await?;
    Ok(Reply::json(StatusCode::OK, &UserView::new(&user, &flows::directory(&cx.app))))
}

async fn remove(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let id: UserId = req.param("id")?;
    match req.parameters(&cx.app.config)? {
        Removal::Disable => flows::disable_user(&cx.app, &cx.caller, id).await?,
        Removal::Purge => flows::purge_user(&cx.app, &cx.caller, id).await?,
    }
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

async fn assign_password(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let AssignPassword { password, temporary } = req.json(&cx.app.config).await?;
    let id: UserId = req.param("id")?;
    flows::assign_password(&cx.app, &cx.caller, id, password, temporary).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

async fn assign_groups(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let AssignGroups { groups } = req.json(&cx.app.config).await?;
    let id: UserId = req.param("id")?;
    let user = flows::assign_groups(&cx.app, &cx.caller, id, groups).await?;
    Ok(Reply::json(StatusCode::OK, &UserView::new(&user, &flows::directory(&cx.app))))
}

async fn view_permissions(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let user = flows::view_user(&cx.app, req.param("id")?)?;
    Ok(Reply::json(StatusCode::OK, &RightsView::new(&user, &flows::directory(&cx.app))))
}

async fn assign_permissions(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let AssignPermissions { permissions } = req.json(&cx.app.config).await?;
    let id: UserId = req.param("id")?;
    let user = flows::assign_permissions(&cx.app, &cx.caller, id, permissions).await?;
    Ok(Reply::json(StatusCode::OK, &UserView::new(&user, &flows::directory(&cx.app))))
}

async fn activate(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let user = flows::enable_user(&cx.app, &cx.caller, req.param("id")?).await?;
    Ok(Reply::json(StatusCode::OK, &UserView::new(&user, &flows::directory(&cx.app))))
}

/// What a list is asked for.
#[derive(ToSchema)]
struct ListUsers {
    #[schema(value_type = Object)]
    wish: flows::ListUsers,
}

const LIMIT: usize = 50;

impl Body for ListUsers {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let users = users(fields);
        let cursor = fields.optional("cursor", |text| Ok(text.to_owned()));
        let limit = fields.optional("limit", |text| {
            let refused = || Invalid::new("invalid", format!("A number from 1 to {MAX_LIMIT}."));
            let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
            limit.ok_or_else(refused)
        });
        Some(Self { wish: flows::ListUsers { cursor, limit: limit.unwrap_or(LIMIT), ..users } })
    }
}

/// What becomes of a user.
#[derive(ToSchema)]
enum Removal {
    Disable,
    Purge,
}

impl Body for Removal {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let purges = fields.optional("purge", true_or_false).unwrap_or(false);
        Some(if purges { Self::Purge } else { Self::Disable })
    }
}

/// Needs an email address or a username.
#[derive(ToSchema)]
struct AddUser {
    #[schema(value_type = Option<String>, format = Email)]
    email: Option<Email>,
    #[schema(value_type = Option<String>)]
    username: Option<Username>,
    #[schema(value_type = Option<String>)]
    first_name: Option<Name>,
    #[schema(value_type = Option<String>)]
    last_name: Option<Name>,
    /// An http or https URL.
    #[schema(value_type = Option<String>)]
    avatar: Option<Avatar>,
    /// Missing: no password opens the account.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Password>,
    /// Whether the user has to choose another password before anything else. Missing: false.
    #[schema(value_type = bool, required = false)]
    temporary: Option<bool>,
    /// Missing: true.
    #[schema(value_type = bool, required = false)]
    is_active: Option<bool>,
    #[schema(value_type = bool, required = false)]
    is_staff: Option<bool>,
    /// A superuser is staff.
    #[schema(value_type = bool, required = false)]
    is_superuser: Option<bool>,
    /// Missing: as `is_active`.
    #[schema(value_type = bool, required = false)]
    email_verified: Option<bool>,
    /// By name.
    #[schema(value_type = Vec<String>, required = false)]
    groups: Vec<GroupName>,
    /// `label.codename`
    #[schema(value_type = Vec<String>, required = false)]
    permissions: Vec<PermissionName>,
    /// Mails a code that confirms an address which is not verified, and makes an inactive user active. Missing: false.
    #[schema(value_type = bool, required = false)]
    send_mail: Option<bool>,
}

/// `is_staff` and `is_superuser`. Who is not staff administers nothing, so a superuser is staff.
fn flags(fields: &mut Fields) -> (Option<bool>, Option<bool>) {
    let (is_staff, is_superuser) = (fields.boolean("is_staff"), fields.boolean("is_superuser"));
    if is_superuser != Some(true) {
        return (is_staff, is_superuser);
    }
    if is_staff == Some(false) {
        fields.refuse("is_staff", Invalid::new("invalid", "A superuser is staff."));
    }
    (Some(true), is_superuser)
}

impl Body for AddUser {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let (is_staff, is_superuser) = flags(fields);
        Some(Self {
            email: fields.optional("email", Email::parse),
            username: fields.optional("username", Username::parse),
            first_name: fields.optional("first_name", Name::parse),
            last_name: fields.optional("last_name", Name::parse),
            avatar: fields.optional("avatar", Avatar::parse),
            password: fields.optional("password", Password::parse),
            temporary: fields.boolean("temporary"),
            is_active: fields.boolean("is_active"),
            is_staff,
            is_superuser,
            email_verified: fields.boolean("email_verified"),
            groups: fields.list("groups", GroupName::parse).unwrap_or_default(),
            permissions: fields.list("permissions", PermissionName::parse).unwrap_or_default(),
            send_mail: fields.boolean("send_mail"),
        })
    }
}

impl From<AddUser> for flows::AddUser {
    fn from(body: AddUser) -> Self {
        let wants_mail = body.send_mail.unwrap_or(false);
        Self {
            email: body.email,
            username: body.username,
            first_name: body.first_name.unwrap_or_default(),
            last_name: body.last_name.unwrap_or_default(),
            avatar: body.avatar,
            password: body.password,
            term: if body.temporary.unwrap_or(false) { Term::Temporary } else { Term::Lasting },
            is_active: body.is_active.unwrap_or(true),
            is_staff: body.is_staff.unwrap_or(false),
            is_superuser: body.is_superuser.unwrap_or(false),
            email_verified: body.email_verified,
            groups: body.groups,
            permissions: body.permissions,
            letter: if wants_mail { FirstLetter::Code } else { FirstLetter::None },
        }
    }
}

#[derive(ToSchema)]
struct ChangeUser {
    /// A new one is not verified, unless `email_verified` says so. One's own is changed at `/auth/email/change/`.
    #[schema(value_type = Option<String>, format = Email)]
    email: Change<Email>,
    #[schema(value_type = Option<String>)]
    username: Change<Username>,
    #[schema(value_type = Option<String>)]
    first_name: Change<Name>,
    #[schema(value_type = Option<String>)]
    last_name: Change<Name>,
    /// An http or https URL.
    #[schema(value_type = Option<String>)]
    avatar: Change<Avatar>,
    #[schema(value_type = bool, required = false)]
    is_active: Option<bool>,
    #[schema(value_type = bool, required = false)]
    is_staff: Option<bool>,
    /// Who is made a superuser is staff from then on.
    #[schema(value_type = bool, required = false)]
    is_superuser: Option<bool>,
    #[schema(value_type = bool, required = false)]
    email_verified: Option<bool>,
}

impl Body for ChangeUser {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let (is_staff, is_superuser) = flags(fields);
        Some(Self {
            email: fields.nullable("email", Email::parse),
            username: fields.nullable("username", Username::parse),
            first_name: fields.nullable("first_name", Name::parse),
            last_name: fields.nullable("last_name", Name::parse),
            avatar: fields.nullable("avatar", Avatar::parse),
            is_active: fields.boolean("is_active"),
            is_staff,
            is_superuser,
            email_verified: fields.boolean("email_verified"),
        })
    }
}

impl From<ChangeUser> for UserChange {
    fn from(body: ChangeUser) -> Self {
        Self {
            email: body.email,
            username: body.username,
            first_name: body.first_name,
            last_name: body.last_name,
            avatar: body.avatar,
            is_active: body.is_active,
            is_staff: body.is_staff,
            is_superuser: body.is_superuser,
            email_verified: body.email_verified,
        }
    }
}

#[derive(ToSchema)]
struct AssignPassword {
    #[schema(value_type = String, format = Password)]
    password: Password,
    /// Whether the user has to choose another before anything else. Missing: true.
    #[schema(value_type = bool, required = false)]
    temporary: Term,
}

impl Body for AssignPassword {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let password = fields.required("password", Password::parse);
        let is_temporary = fields.boolean("temporary").unwrap_or(true);
        let temporary = if is_temporary { Term::Temporary } else { Term::Lasting };
        Some(Self { password: password?, temporary })
    }
}

#[derive(ToSchema)]
struct AssignGroups {
    /// By name; all that the user is to be in.
    #[schema(value_type = Vec<String>)]
    groups: Vec<GroupName>,
}

impl Body for AssignGroups {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { groups: required_list(fields, "groups", GroupName::parse)? })
    }
}

#[derive(ToSchema)]
struct AssignPermissions {
    /// `label.codename`; all that the user is to have beside those of their groups.
    #[schema(value_type = Vec<String>)]
    permissions: Vec<PermissionName>,
}

impl Body for AssignPermissions {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { permissions: required_list(fields, "permissions", PermissionName::parse)? })
    }
}

fn required_list<T>(
    fields: &mut Fields,
    name: &'static str,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> Option<Vec<T>> {
    if !fields.has(name) {
        fields.refuse(name, Invalid::required());
    }
    fields.list(name, parse)
}
