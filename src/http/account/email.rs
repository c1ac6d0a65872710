//! Moving to another address: asking, and typing the code that came there.

use minijinja::context;
use warp::http::Method;

use crate::config::LimitKind;
use crate::flows;
use crate::http::account::{member, own_facts, own_page, see_other};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::form::{CodeForm, Form};
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::ChangeEmail;

const PATH: &str = "/account/email/";
const CONFIRM: &str = "/account/email/confirm/";
const TEMPLATE: &str = "account/email.html";
const CODE_TEMPLATE: &str = "account/email_code.html";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        member(Method::GET, PATH, show),
        member(Method::POST, PATH, request).limited_by(LimitKind::Password),
        member(Method::GET, CONFIRM, show_code),
        member(Method::POST, CONFIRM, confirm).limited_by(LimitKind::Verify),
    ]
}

async fn show(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    Ok(own_page(&cx, &req, TEMPLATE, context! { here => "email" }))
}

async fn request(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    match ask(&cx, &form).await {
        Ok(()) => Ok(see_other(CONFIRM)),
        Err(error) => {
            let facts = own_facts(&cx.caller, context! { here => "email" });
            form.again(&cx.app, &req, TEMPLATE, error, facts)
        }
    }
}

async fn ask(cx: &Cx<User>, form: &Form) -> Result<(), ApiError> {
    let ChangeEmail { new_email, password } = form.parse(&cx.app.config, &["new_email", "password"])?;
    flows::request_email_change(&cx.app, &cx.caller, new_email, &password).await?;
    Ok(())
}

async fn show_code(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    Ok(own_page(&cx, &req, CODE_TEMPLATE, context! { here => "email" }))
}

async fn confirm(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    match take(&cx, &form).await {
        Ok(()) => Ok(see_other("/account/?done=email")),
        Err(error) => {
            let facts = own_facts(&cx.caller, context! { here => "email" });
            form.again(&cx.app, &req, CODE_TEMPLATE, error, facts)
        }
    }
}

async fn take(cx: &Cx<User>, form: &Form) -> Result<(), ApiError> {
    let CodeForm { code } = form.parse(&cx.app.config, &["code"])?;
    flows::confirm_email_change(&cx.app, &cx.caller, code).await?;
    Ok(())
}
