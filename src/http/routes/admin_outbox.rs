//! Mails that are not delivered, for administrators: seen without their content, sent again, dropped; and for superusers,
//! the link in one, to be handed on.

use warp::http::{Method, StatusCode};

use crate::flows;
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, staff, superuser};
use crate::http::error::ApiError;
use crate::http::paging;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::staff_views::{MailLinkView, MailListView, MailView};

const ONE: &str = "/auth/admin/outbox/{id}/";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        staff(Method::GET, "/auth/admin/outbox/", "mail.view_message", list)
            .does("Lists the mails that are not delivered, the newest first.")
            .query("cursor", "`next` of the page before.")
            .query("limit", "Rows of a page: 50, at most 500.")
            .replies::<MailListView<'_>>(StatusCode::OK),
        staff(Method::GET, ONE, "mail.view_message", view)
            .does("One mail that is not delivered.")
            .replies::<MailView<'_>>(StatusCode::OK),
        staff(Method::POST, "/auth/admin/outbox/{id}/resend/", "mail.change_message", resend)
            .does("Tries a mail again, at once; 409 if the code in it is dead.")
            .replies::<MailView<'_>>(StatusCode::ACCEPTED),
        superuser(Method::POST, "/auth/admin/outbox/{id}/link/", copy_link)
            .needs_session()
            .does("The link in a mail, for somebody whom no mail reaches; never one that opens a superuser's account. An event says who took it.")
            .replies::<MailLinkView<'_>>(StatusCode::OK),
        staff(Method::DELETE, ONE, "mail.delete_message", drop_mail)
            .does("Drops a mail: it is not sent.")
            .replies_nothing(StatusCode::NO_CONTENT),
    ]
}

async fn list(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let listed = flows::list_mails(&cx.app, paging::page(&req, &[])?)?;
    Ok(Reply::json(StatusCode::OK, &MailListView::new(&listed, MailView::from)))
}

async fn view(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let mail = flows::view_mail(&cx.app, req.param("id")?)?;
    Ok(Reply::json(StatusCode::OK, &MailView::from(&mail)))
}

async fn resend(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let mail = flows::resend_mail(&cx.app, &cx.caller, req.param("id")?).await?;
    Ok(Reply::json(StatusCode::ACCEPTED, &MailView::from(&mail)))
}

async fn copy_link(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let link = flows::copy_mail_link(&cx.app, &cx.caller, req.param("id")?).await?;
    Ok(Reply::json(StatusCode::OK, &MailLinkView { link: link.expose() }))
}

async fn drop_mail(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    flows::drop_mail(&cx.app, &cx.caller, req.param("id")?).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}
