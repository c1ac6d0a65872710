//! One's API keys.

use std::time::Duration;

use minijinja::{Value, context};
use warp::http::{Method, StatusCode};

use crate::domain::{ApiKey, ApiKeyId};
use crate::flows;
use crate::http::account::form::Form;
use crate::http::account::{member, own_facts, own_page, see_other};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::pages;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::NewApiKey;

const PATH: &str = "/account/api-keys/";
const TEMPLATE: &str = "account/api_keys.html";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        member(Method::GET, PATH, None, show),
        member(Method::POST, PATH, None, create),
        member(Method::POST, "/account/api-keys/revoke/", None, revoke),
    ]
}

async fn show(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    Ok(own_page(&cx, &req, TEMPLATE, facts(&cx)?))
}

/// The text of the key is on this page and nowhere else, so there is no going on from here by GET.
async fn create(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    match attempt(&cx, &form).await {
        Ok(made) => {
            let made = context! { name => made.key.name.as_str(), text => made.text.expose() };
            let facts = own_facts(&cx.caller, context! { made, ..facts(&cx)? });
            Ok(pages::render(&cx.app.config, &req, StatusCode::OK, TEMPLATE, facts))
        }
        Err(error) => form.again(&cx.app, &req, TEMPLATE, error, own_facts(&cx.caller, facts(&cx)?)),
    }
}

async fn attempt(cx: &Cx<User>, form: &Form) -> Result<flows::NewApiKey, ApiError> {
    let NewApiKey { name, .. } = form.parse(&cx.app.config, &["name"])?;
    let days = form.text("days").parse::<u64>().ok().filter(|days| (1..=MAX_DAYS).contains(days));
    let end = days.map(|days| cx.app.clock.now().after(Duration::from_secs(days * 86_400)));
    Ok(flows::create_api_key(&cx.app, &cx.caller, name, end).await?)
}

const MAX_DAYS: u64 = 3650;

async fn revoke(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    let id: ApiKeyId = form.text("id").parse().map_err(|_| ApiError::NotFound)?;
    flows::revoke_api_key(&cx.app, &cx.caller, id).await?;
    Ok(see_other("/account/api-keys/?done=revoked"))
}

fn facts(cx: &Cx<User>) -> Result<Value, ApiError> {
    let now = cx.app.clock.now();
    let row = |key: &ApiKey| {
        context! {
            id => key.id.to_string(),
            name => key.name.as_str(),
            prefix => key.prefix.as_str(),
            created_at => key.created_at.to_string(),
            expires_at => key.expires_at.map(|end| end.to_string()),
            last_used_at => key.last_used_at.map(|at| at.to_string()),
            is_expired => key.is_expired(now),
        }
    };
    let keys: Vec<Value> = flows::list_api_keys(&cx.app, &cx.caller)?.iter().map(row).collect();
    Ok(context! { here => "api-keys", keys })
}
