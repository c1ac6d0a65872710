//! API keys: long-lived credentials for programs.

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::Config;
use crate::domain::{ApiKeyId, Invalid, Name, Timestamp};
use crate::flows;
use crate::http::body::{Body, Fields};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, user};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::{ApiKeyView, ApiKeysView};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        user(Method::GET, "/auth/api-keys/", list)
            .does("Lists the caller's API keys, the newest first, those that ran out included.")
            .replies::<ApiKeysView<'_>>(StatusCode::OK),
        user(Method::POST, "/auth/api-keys/", create)
            .needs_session()
            .does("Makes an API key. Its text is in this answer and nowhere else.")
            .body::<NewApiKey>()
            .replies::<ApiKeyView<'_>>(StatusCode::CREATED),
        user(Method::DELETE, "/auth/api-keys/{id}/", revoke)
            .does("Revokes one of the caller's API keys.")
            .replies_nothing(StatusCode::NO_CONTENT),
    ]
}

async fn list(cx: Cx<User>, _req: Req) -> Result<Reply, ApiError> {
    let keys = flows::list_api_keys(&cx.app, &cx.caller)?;
    let results = keys.iter().map(ApiKeyView::from).collect();
    Ok(Reply::json(StatusCode::OK, &ApiKeysView { results }))
}

async fn create(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let NewApiKey { name, expires_at } = req.json(&cx.app.config).await?;
    let made = flows::create_api_key(&cx.app, &cx.caller, name, expires_at).await?;
    Ok(Reply::json(StatusCode::CREATED, &ApiKeyView::from(&made)))
}

async fn revoke(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let id: ApiKeyId = req.param("id")?;
    flows::revoke_api_key(&cx.app, &cx.caller, id).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

#[derive(ToSchema)]
pub(crate) struct NewApiKey {
    /// What its owner knows it by.
    #[schema(value_type = String, example = "Nightly backup")]
    pub(crate) name: Name,
    /// When it stops being accepted (RFC 3339). Missing: when it is revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
}

impl Body for NewApiKey {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let name = fields.required("name", |text| match Name::parse(text)? {
            name if name.as_str().is_empty() => Err(Invalid::blank()),
            name => Ok(name),
        });
        let expires_at = fields.optional("expires_at", |text| {
            let no_time = || Invalid::new("type", "Not a time of RFC 3339: write 2030-12-31T23:59:59Z.");
            Timestamp::parse(text).ok_or_else(no_time)
        });
        Some(Self { name: name?, expires_at })
    }
}
