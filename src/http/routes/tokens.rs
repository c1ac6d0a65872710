//! Tokens: refreshing, asking what one is worth, and the keys to verify them with.

use utoipa::ToSchema;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::http::{Method, StatusCode};

use crate::config::Config;
use crate::flows;
use crate::http::body::{Body, Fields};
use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::{JwksView, TokenFactsView, TokenView};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::POST, "/auth/token/refresh/", refresh)
            .does("Uses up a refresh token for a new pair of tokens.")
            .body::<Refresh>()
            .replies::<TokenView<'_>>(StatusCode::OK),
        public(Method::POST, "/auth/token/verify/", verify)
            .does("Says what a token is worth now.")
            .body::<Verify>()
            .replies::<TokenFactsView>(StatusCode::OK),
        public(Method::GET, "/.well-known/jwks.json", jwks)
            .does("The public keys that access tokens can be verified with (RFC 7517).")
            .replies::<JwksView>(StatusCode::OK),
    ]
}

async fn refresh(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let Refresh { refresh } = req.json(&cx.app.config).await?;
    let logged_in = flows::refresh(&cx.app, &cx.caller.origin, &refresh).await?;
    Ok(Reply::json(StatusCode::OK, &TokenView::from(&logged_in)))
}

async fn verify(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let Verify { token } = req.json(&cx.app.config).await?;
    let facts = flows::inspect_token(&cx.app, &token)?;
    Ok(Reply::json(StatusCode::OK, &TokenFactsView::from(facts)))
}

async fn jwks(cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    let view = JwksView::new(flows::public_keys(&cx.app));
    // A verifier that meets a key it does not know asks again, as RFC 7517 has it; this bounds the rest.
    let cacheable = HeaderValue::from_static("public, max-age=300");
    Ok(Reply::json(StatusCode::OK, &view).header(CACHE_CONTROL, cacheable))
}

#[derive(ToSchema)]
struct Refresh {
    refresh: String,
}

impl Body for Refresh {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { refresh: fields.required("refresh", |text| Ok(text.to_owned()))? })
    }
}

#[derive(ToSchema)]
struct Verify {
    /// An access token or a refresh token.
    token: String,
}

impl Body for Verify {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { token: fields.required("token", |text| Ok(text.to_owned()))? })
    }
}
