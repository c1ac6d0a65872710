//! The page that everything else of an account is reached from: who one is, and one's names.

use minijinja::context;
use warp::http::Method;

use crate::flows;
use crate::http::account::{HOME, member, own_facts, own_page, page, see_other};
use crate::http::caller::{Public, User};
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::form::Form;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::UpdateProfile;

const TEMPLATE: &str = "account/profile.html";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![page(Method::GET, "/", front), member(Method::GET, HOME, show), member(Method::POST, HOME, update)]
}

/// Where somebody arrives who types the host alone.
async fn front(_cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    Ok(see_other(HOME))
}

async fn show(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    Ok(own_page(&cx, &req, TEMPLATE, context! { here => "profile" }))
}

async fn update(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    match attempt(&cx, &form).await {
        Ok(()) => Ok(see_other("/account/?done=profile")),
        Err(error) => {
            let facts = own_facts(&cx.caller, context! { here => "profile" });
            form.again(&cx.app, &req, TEMPLATE, error, facts)
        }
    }
}

async fn attempt(cx: &Cx<User>, form: &Form) -> Result<(), ApiError> {
    let names = ["username", "first_name", "last_name", "avatar"];
    let change: UpdateProfile = form.parse_change(&cx.app.config, &names)?;
    flows::update_profile(&cx.app, &cx.caller, change.into()).await?;
    Ok(())
}
