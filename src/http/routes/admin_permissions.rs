//! Permissions, for administrators: Keystead's own, and those of the applications behind it.

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::Config;
use crate::domain::{Name, PermissionId, PermissionName, parse_codename, parse_label};
use crate::flows::{self, PermissionChange};
use crate::http::body::{Body, Fields};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, staff};
use crate::http::error::ApiError;
use crate::http::paging;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::staff_views::{HolderListView, PermissionListView, PermissionView};
use crate::http::views::UserView;

const LIST: &str = "/auth/admin/permissions/";
const ONE: &str = "/auth/admin/permissions/{id}/";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let change = |method| {
        staff(method, ONE, "auth.change_permission", update)
            .does("Changes a permission that the caller has and that is not Keystead's own; a superuser may give it another label or codename.")
            .body::<UpdatePermission>()
            .replies::<PermissionView<'_>>(StatusCode::OK)
    };
    vec![
        staff(Method::GET, LIST, "auth.view_permission", list)
            .does("Lists all permissions by number.")
            .query("label", "Only those of this label.")
            .query("cursor", "`next` of the page before.")
            .query("limit", "Rows of a page: 50, at most 500.")
            .replies::<PermissionListView<'_>>(StatusCode::OK),
        staff(Method::POST, LIST, "auth.add_permission", create)
            .does("Makes a permission, which nobody has yet.")
            .body::<NewPermission>()
            .replies::<PermissionView<'_>>(StatusCode::CREATED),
        staff(Method::GET, ONE, "auth.view_permission", view)
            .does("One permission.")
            .replies::<PermissionView<'_>>(StatusCode::OK),
        change(Method::PATCH),
        change(Method::PUT),
        staff(Method::DELETE, ONE, "auth.delete_permission", delete)
            .does("Deletes a permission that the caller has and that is not Keystead's own: nobody has it from then on.")
            .replies_nothing(StatusCode::NO_CONTENT),
        staff(Method::GET, "/auth/admin/permissions/{id}/users/", "auth.view_permission", holders)
            // What it answers are users: whoever may not see those does not see them here.
            .also_needs("users.view_user")
            .does("Everybody who has a permission: of their own, through a group, or as a superuser. Needs users.view_user, too.")
            .query("cursor", "`next` of the page before.")
            .query("limit", "Rows of a page: 50, at most 500.")
            .replies::<HolderListView<'_>>(StatusCode::OK),
    ]
}

async fn list(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let label = paging::parameter(&req, "label", "Write it once.", |text| Some(text.to_owned()))?;
    let listed = flows::list_permissions(&cx.app, label.as_deref(), paging::page(&req, &["label"])?);
    Ok(Reply::json(StatusCode::OK, &PermissionListView::new(&listed, PermissionView::from)))
}

async fn create(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let NewPermission { label, codename, name } = req.json(&cx.app.config).await?;
    let full = PermissionName::of(&label, &codename);
    let made = flows::create_permission(&cx.app, &cx.caller, full, name).await?;
    Ok(Reply::json(StatusCode::CREATED, &PermissionView::from(&made)))
}

async fn view(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let id: PermissionId = req.param("id")?;
    let permission = flows::view_permission(&cx.app, id)?;
    Ok(Reply::json(StatusCode::OK, &PermissionView::from(&permission)))
}

async fn update(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let UpdatePermission { label, codename, name } = req.json(&cx.app.config).await?;
    let id: PermissionId = req.param("id")?;
    let change = PermissionChange { label, codename, title: name };
    let permission = flows::update_permission(&cx.app, &cx.caller, id, change).await?;
    Ok(Reply::json(StatusCode::OK, &PermissionView::from(&permission)))
}

async fn delete(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    flows::delete_permission(&cx.app, &cx.caller, req.param("id")?).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

async fn holders(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let id: PermissionId = req.param("id")?;
    let listed = flows::list_holders(&cx.app, id, paging::page(&req, &[])?).await?;
    let directory = flows::directory(&cx.app);
    let view = HolderListView::new(&listed, |user| UserView::new(user, &directory));
    Ok(Reply::json(StatusCode::OK, &view))
}

#[derive(ToSchema)]
struct NewPermission {
    /// What it is about, often the name of an application.
    label: String,
    codename: String,
    /// For people.
    #[schema(value_type = Option<String>)]
    name: Name,
}

impl Body for NewPermission {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let label = fields.required("label", parse_label);
        let codename = fields.required("codename", parse_codename);
        let name = fields.optional("name", Name::parse).unwrap_or_default();
        Some(Self { label: label?, codename: codename?, name })
    }
}

#[derive(ToSchema)]
struct UpdatePermission {
    #[schema(value_type = String, required = false)]
    label: Option<String>,
    #[schema(value_type = String, required = false)]
    codename: Option<String>,
    /// For people.
    #[schema(value_type = String, required = false)]
    name: Option<Name>,
}

impl Body for UpdatePermission {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self {
            label: fields.not_null("label", parse_label),
            codename: fields.not_null("codename", parse_codename),
            name: fields.not_null("name", Name::parse),
        })
    }
}
