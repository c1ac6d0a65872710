//! Closing one's account.

use minijinja::context;
use warp::http::Method;

use crate::config::LimitKind;
use crate::flows;
use crate::http::account::{member, own_facts, own_page, see_other};
use crate::http::caller::User;
use crate::http::cookies;
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::form::Form;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::CloseAccount;

const TEMPLATE: &str = "account/delete.html";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        member(Method::GET, "/account/delete/", show),
        member(Method::POST, "/account/delete/", close).limited_by(LimitKind::Password),
    ]
}

async fn show(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    Ok(own_page(&cx, &req, TEMPLATE, context! { here => "delete" }))
}

async fn close(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    match attempt(&cx, &form).await {
        Ok(()) => Ok(cookies::take_tokens(&cx.app, see_other("/account/login/?done=closed"))),
        Err(error) => {
            let facts = own_facts(&cx.caller, context! { here => "delete" });
            form.again(&cx.app, &req, TEMPLATE, error, facts)
        }
    }
}

async fn attempt(cx: &Cx<User>, form: &Form) -> Result<(), ApiError> {
    let CloseAccount { password } = form.parse(&cx.app.config, &["password"])?;
    flows::close_account(&cx.app, &cx.caller, &password).await?;
    Ok(())
}
