//! Registrations that wait for their code, for administrators.

use warp::http::{Method, StatusCode};

use crate::flows;
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, staff};
use crate::http::error::ApiError;
use crate::http::paging;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::staff_views::{RegistrationListView, RegistrationView};
use crate::http::views::UserView;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        staff(Method::GET, "/auth/admin/registrations/", "users.view_user", list)
            .does("Lists the registrations that wait for their code, the newest first.")
            .query("cursor", "`next` of the page before.")
            .query("limit", "Rows of a page: 50, at most 500.")
            .replies::<RegistrationListView<'_>>(StatusCode::OK),
        staff(Method::POST, "/auth/admin/registrations/{id}/activate/", "users.add_user", activate)
            .does("Makes a user of a registration, as if its code had been confirmed.")
            .replies::<UserView<'_>>(StatusCode::OK),
        staff(Method::DELETE, "/auth/admin/registrations/{id}/", "users.delete_user", drop_one)
            .does("Drops a registration: its code opens nothing.")
            .replies_nothing(StatusCode::NO_CONTENT),
    ]
}

async fn list(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let listed = flows::list_registrations(&cx.app, paging::page(&req, &[])?)?;
    Ok(Reply::json(StatusCode::OK, &RegistrationListView::new(&listed, RegistrationView::from)))
}

async fn activate(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let user = flows::activate_registration(&cx.app, &cx.caller, req.param("id")?).await?;
    Ok(Reply::json(StatusCode::OK, &UserView::new(&user, &flows::directory(&cx.app))))
}

async fn drop_one(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    flows::drop_registration(&cx.app, &cx.caller, req.param("id")?).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}
