//! Groups, for administrators. `Root` is the one with the id 0: to be seen, not to be changed.

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::Config;
use crate::domain::{Change, Directory, GroupId, GroupName, Name, PermissionName};
use crate::flows::{self, GroupChange};
use crate::http::body::{Body, Fields};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, staff};
use crate::http::error::ApiError;
use crate::http::paging;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::staff_views::{GroupListView, GroupView};

const LIST: &str = "/auth/admin/groups/";
const ONE: &str = "/auth/admin/groups/{id}/";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let change = |method| {
        staff(method, ONE, "users.change_group", update)
            .does("Changes a group of permissions that the caller has; what is not sent stays. The permissions are replaced as a whole, the name by superusers.")
            .body::<UpdateGroup>()
            .replies::<GroupView<'_>>(StatusCode::OK)
    };
    vec![
        staff(Method::GET, LIST, "users.view_group", list)
            .does("Lists all groups by number. Root is the first: every superuser, with every permission.")
            .query("cursor", "`next` of the page before.")
            .query("limit", "Rows of a page: 50, at most 500.")
            .replies::<GroupListView<'_>>(StatusCode::OK),
        staff(Method::POST, LIST, "users.add_group", create)
            .does("Makes a group, of permissions that the caller has.")
            .body::<NewGroup>()
            .replies::<GroupView<'_>>(StatusCode::CREATED),
        staff(Method::GET, ONE, "users.view_group", view)
            .does("One group.")
            .replies::<GroupView<'_>>(StatusCode::OK),
        change(Method::PATCH),
        change(Method::PUT),
        staff(Method::DELETE, ONE, "users.delete_group", delete)
            .does("Deletes a group of permissions that the caller has: it gives its members nothing from then on.")
            .replies_nothing(StatusCode::NO_CONTENT),
    ]
}

async fn list(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let listed = flows::list_groups(&cx.app, paging::page(&req, &[])?);
    let directory = flows::directory(&cx.app);
    let view = GroupListView::new(&listed, |group| GroupView::new(group, &directory));
    Ok(Reply::json(StatusCode::OK, &view))
}

async fn create(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let NewGroup { name, description, permissions } = req.json(&cx.app.config).await?;
    let group = flows::create_group(&cx.app, &cx.caller, name, description, permissions).await?;
    Ok(Reply::json(StatusCode::CREATED, &GroupView::new(&group, &flows::directory(&cx.app))))
}

async fn view(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let group = flows::view_group(&cx.app, group_id(&req)?)?;
    Ok(Reply::json(StatusCode::OK, &GroupView::new(&group, &flows::directory(&cx.app))))
}

async fn update(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let UpdateGroup { name, description, permissions } = req.json(&cx.app.config).await?;
    let id = group_id(&req)?;
    let change = GroupChange { name, description, permissions };
    let group = flows::update_group(&cx.app, &cx.caller, id, change).await?;
    Ok(Reply::json(StatusCode::OK, &GroupView::new(&group, &flows::directory(&cx.app))))
}

async fn delete(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    flows::delete_group(&cx.app, &cx.caller, group_id(&req)?).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

/// No stored group has the number of `Root`, so that it does not parse as one.
fn group_id(req: &Req) -> Result<GroupId, ApiError> {
    let text: String = req.param("id")?;
    if text == Directory::ROOT.to_string() { Ok(Directory::ROOT) } else { req.param("id") }
}

#[derive(ToSchema)]
struct NewGroup {
    #[schema(value_type = String)]
    name: GroupName,
    #[schema(value_type = Option<String>)]
    description: Name,
    /// Each `label.codename`.
    #[schema(value_type = Vec<String>, required = false)]
    permissions: Vec<PermissionName>,
}

impl Body for NewGroup {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let name = fields.required("name", GroupName::parse);
        let description = fields.optional("description", Name::parse).unwrap_or_default();
        let permissions = fields.list("permissions", PermissionName::parse).unwrap_or_default();
        Some(Self { name: name?, description, permissions })
    }
}

#[derive(ToSchema)]
struct UpdateGroup {
    #[schema(value_type = String, required = false)]
    name: Option<GroupName>,
    /// Null takes it away.
    #[schema(value_type = Option<String>)]
    description: Option<Name>,
    /// The whole set, each `label.codename`.
    #[schema(value_type = Vec<String>, required = false)]
    permissions: Option<Vec<PermissionName>>,
}

impl Body for UpdateGroup {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let description = match fields.nullable("description", Name::parse) {
            Change::Set(description) => Some(description),
            Change::Clear => Some(Name::default()),
            Change::Keep => None,
        };
        Some(Self {
            name: fields.not_null("name", GroupName::parse),
            description,
            permissions: fields.list("permissions", PermissionName::parse),
        })
    }
}
