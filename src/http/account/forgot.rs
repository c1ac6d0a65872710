//! Asking for a link to a new password. The page of the link itself is in `routes/passwords.rs`.

use minijinja::context;
use warp::http::{Method, StatusCode};

use crate::config::LimitKind;
use crate::flows;
use crate::http::account::form::Form;
use crate::http::account::{page, see_other};
use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::pages;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::RequestReset;

const TEMPLATE: &str = "account/forgot.html";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        page(Method::GET, "/account/forgot/", None, show),
        page(Method::POST, "/account/forgot/", Some(LimitKind::Reset), request),
    ]
}

async fn show(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let facts = context! { done => req.query("done") };
    Ok(pages::render(&cx.app.config, &req, StatusCode::OK, TEMPLATE, facts))
}

/// The same whether or not anybody has the address.
async fn request(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    match form.parse::<RequestReset>(&cx.app.config, &["email"]) {
        Ok(RequestReset { email }) => {
            flows::request_reset(&cx.app, &cx.caller.origin, &email).await?;
            Ok(see_other("/account/forgot/?done=sent"))
        }
        Err(error) => form.again(&cx.app, &req, TEMPLATE, error, context! {}),
    }
}
