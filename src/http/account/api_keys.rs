//! One's API keys.

use std::time::Duration;

use minijinja::{Value, context};
use warp::http::{Method, StatusCode};

use crate::domain::{ApiKey, ApiKeyId, Invalid};
use crate::flows::{self, FlowError};
use crate::http::account::{member, own_facts, own_page, see_other};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::form::Form;
use crate::http::pages;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::NewApiKey;

const PATH: &str = "/account/api-keys/";
const TEMPLATE: &str = "account/api_keys.html";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        member(Method::GET, PATH, show),
        member(Method::POST, PATH, create),
        member(Method::POST, "/account/api-keys/revoke/", revoke),
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
    let life = life_of(form)?;
    let end = life.map(|life| cx.app.clock.now().after(life));
    Ok(flows::create_api_key(&cx.app, &cx.caller, name, end).await?)
}

/// How long the key is to live; None: until it is revoked. Only whoever says so gets a key without an end.
fn life_of(form: &Form) -> Result<Option<Duration>, ApiError> {
    let life = match form.text("days") {
        "never" => return Ok(None),
        text => LIVES.into_iter().find(|days| days.to_string() == text),
    };
    let unknown = || Invalid::new("type", "Choose how long the key is to live.");
    let life = life.ok_or_else(|| FlowError::Invalid("days", vec![unknown()]))?;
    Ok(Some(Duration::from_secs(life * 86_400)))
}

/// In days.
const LIVES: [u64; 3] = [30, 90, 365];

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
