//! Getting another password by mail: asking for the link, and the page that it opens.

use minijinja::{Value, context};
use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::{Config, LimitKind};
use crate::domain::Password;
use crate::flows::{self, ResetLink};
use crate::http::account::{next_of, page, see_other, with_next};
use crate::http::body::{Body, Fields};
use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::form::{Form, rules};
use crate::http::next::Next;
use crate::http::pages;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::RequestReset;

const FORGOT: &str = "/account/forgot/";
const FORGOT_TEMPLATE: &str = "account/forgot.html";
const RESET: &str = "/account/reset/";
const RESET_TEMPLATE: &str = "account/reset.html";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        page(Method::GET, FORGOT, show),
        page(Method::POST, FORGOT, request).limited_by(LimitKind::Reset),
        page(Method::GET, RESET, show_link),
        page(Method::POST, RESET, reset).limited_by(LimitKind::Reset),
    ]
}

async fn show(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let facts = context! { done => req.query("done"), next => next_of(&cx.app, &req) };
    Ok(pages::render(&cx.app.config, &req, StatusCode::OK, FORGOT_TEMPLATE, facts))
}

/// The same whether or not anybody has the address.
async fn request(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    match form.parse::<RequestReset>(&cx.app.config, &["email"]) {
        Ok(RequestReset { email }) => {
            flows::request_reset(&cx.app, &cx.caller.origin, &email).await?;
            let next = form.next(&cx.app.config);
            Ok(see_other(&with_next("/account/forgot/?done=sent", next.as_ref().map(Next::as_str))))
        }
        Err(error) => form.again(&cx.app, &req, FORGOT_TEMPLATE, error, context! {}),
    }
}

/// Opening the link changes nothing.
async fn show_link(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let (uid, token) = (req.query("uid").unwrap_or_default(), req.query("token").unwrap_or_default());
    let link = ResetLink::parse(&uid, &token).filter(|link| flows::check_reset(&cx.app, link).is_ok());
    match link {
        Some(_) => {
            let facts = facts(&cx.app.config, &uid, &token);
            Ok(pages::render(&cx.app.config, &req, StatusCode::OK, RESET_TEMPLATE, facts))
        }
        None => Ok(link_is_spent(&cx.app.config, &req)),
    }
}

async fn reset(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    match attempt(&cx, &form).await {
        Ok(()) => {
            Ok(pages::render(&cx.app.config, &req, StatusCode::OK, "account/reset_done.html", context! {}))
        }
        Err(ApiError::InvalidLink) => Ok(link_is_spent(&cx.app.config, &req)),
        Err(error) => {
            let facts = facts(&cx.app.config, form.text("uid"), form.text("token"));
            form.again(&cx.app, &req, RESET_TEMPLATE, error, facts)
        }
    }
}

async fn attempt(cx: &Cx<Public>, form: &Form) -> Result<(), ApiError> {
    let link = ResetLink::parse(form.text("uid"), form.text("token")).ok_or(ApiError::InvalidLink)?;
    let ResetForm { new_password } = form.parse(&cx.app.config, &["new_password"])?;
    flows::reset_password(&cx.app, &cx.caller.origin, link, new_password).await?;
    Ok(())
}

fn facts(config: &Config, uid: &str, token: &str) -> Value {
    context! { uid, token, ..rules(config) }
}

fn link_is_spent(config: &Config, req: &Req) -> Reply {
    pages::render(config, req, StatusCode::BAD_REQUEST, "account/reset_spent.html", context! {})
}

#[derive(ToSchema)]
struct ResetForm {
    #[schema(value_type = String, format = Password)]
    new_password: Password,
}

impl Body for ResetForm {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { new_password: fields.required("new_password", Password::parse)? })
    }
}
