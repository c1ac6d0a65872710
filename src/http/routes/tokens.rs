//! Tokens: refreshing, asking what one is worth, and the keys to verify them with.

use utoipa::ToSchema;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::http::{Method, StatusCode};

use crate::config::Config;
use crate::domain::Invalid;
use crate::flows::{self, FlowError};
use crate::http::body::{Body, Fields};
use crate::http::caller::{Public, User, refuse_other_sites};
use crate::http::cookies;
use crate::http::endpoint::{Cx, Endpoint, any_staff, public};
use crate::http::error::{ApiError, INVALID_FIELDS};
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::staff_views::IntrospectionView;
use crate::http::views::{JwksView, TokenFactsView, TokenView};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::POST, "/auth/token/refresh/", refresh)
            .does("Uses up a refresh token, of the body or else of the cookie, for a new pair of tokens.")
            .body::<Refresh>()
            .replies::<TokenView<'_>>(StatusCode::OK),
        public(Method::POST, "/auth/token/verify/", verify)
            .does("Says what a token is worth now.")
            .body::<Verify>()
            .replies::<TokenFactsView>(StatusCode::OK),
        any_staff(Method::POST, "/auth/token/introspect/", introspect)
            .does("Says for whom a token of any kind, or an API key, is good now (RFC 7662).")
            .form::<TokenForm>()
            .replies::<IntrospectionView<'_>>(StatusCode::OK),
        public(Method::POST, "/auth/token/revoke/", revoke)
            .does("Ends the session of a token, or an API key (RFC 7009). The answer is always the same.")
            .form::<TokenForm>()
            .replies_nothing(StatusCode::OK),
        public(Method::GET, "/.well-known/jwks.json", jwks)
            .does("The public keys that access tokens can be verified with (RFC 7517).")
            .replies::<JwksView>(StatusCode::OK),
    ]
}

async fn refresh(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let Refresh { refresh, cookies } = req.json(&cx.app.config).await?;
    let Some(refresh) = refresh else { return refresh_cookie(cx, req).await };
    let logged_in = flows::refresh(&cx.app, &cx.caller.origin, &refresh).await?;
    let reply = Reply::json(StatusCode::OK, &TokenView::new(&logged_in, &flows::directory(&cx.app)));
    let are_wanted = cookies::are_wanted(&cx.app.config.cookies, cookies);
    Ok(if are_wanted { cookies::give_tokens(&cx.app, reply, &logged_in) } else { reply })
}

/// A cookie that was used up is replaced whatever the request asks: sent once more, it would end the session. One that
/// is refused is taken away.
async fn refresh_cookie(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let refresh = cookies::only(req.headers(), &cx.app.config.cookies.refresh_name);
    let missing =
        || ApiError::Invalid(vec![("refresh".to_owned(), vec![Invalid::required()])], INVALID_FIELDS);
    let refresh = refresh.ok_or_else(missing)?;
    refuse_other_sites(&cx.app, &req)?;
    match flows::refresh(&cx.app, &cx.caller.origin, refresh).await.map_err(ApiError::from) {
        Ok(logged_in) => {
            let reply = Reply::json(StatusCode::OK, &TokenView::new(&logged_in, &flows::directory(&cx.app)));
            Ok(cookies::give_tokens(&cx.app, reply, &logged_in))
        }
        Err(error @ ApiError::InvalidToken) => Ok(cookies::take_tokens(&cx.app, error.to_reply(&req.id))),
        Err(error) => Err(error),
    }
}

async fn verify(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let Verify { token } = req.json(&cx.app.config).await?;
    let facts = flows::inspect_token(&cx.app, &token)?;
    Ok(Reply::json(StatusCode::OK, &TokenFactsView::from(facts)))
}

async fn introspect(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let TokenForm { token, .. } = token_form(&cx.app.config, req).await?;
    let found = match flows::introspect(&cx.app, &token) {
        Ok(found) => Some(found),
        Err(FlowError::InvalidToken) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Reply::json(StatusCode::OK, &IntrospectionView::from(found.as_ref())))
}

async fn revoke(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let TokenForm { token, .. } = token_form(&cx.app.config, req).await?;
    flows::revoke_token(&cx.app, &cx.caller.origin, &token).await?;
    Ok(Reply::nothing(StatusCode::OK))
}

async fn token_form(config: &Config, mut req: Req) -> Result<TokenForm, ApiError> {
    if req.is_form() { req.form(config).await } else { Err(ApiError::UnsupportedMediaType) }
}

async fn jwks(cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    let view = JwksView::new(flows::public_keys(&cx.app));
    // A verifier that meets a key it does not know asks again, as RFC 7517 has it; this bounds the rest.
    let cacheable = HeaderValue::from_static("public, max-age=300");
    Ok(Reply::json(StatusCode::OK, &view).header(CACHE_CONTROL, cacheable))
}

#[derive(ToSchema)]
struct Refresh {
    /// Missing: the one of the cookie.
    #[schema(value_type = String, required = false)]
    refresh: Option<String>,
    /// Whether the tokens are set as cookies too. Missing: as it is configured.
    #[schema(value_type = bool, required = false)]
    cookies: Option<bool>,
}

impl Body for Refresh {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let cookies = fields.boolean("cookies");
        // Null is not missing: whoever names a token means no other.
        let text = |text: &str| Ok(text.to_owned());
        let refresh = if fields.has("refresh") {
            Some(fields.required("refresh", text)?)
        } else {
            fields.optional("refresh", text)
        };
        Some(Self { refresh, cookies })
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

/// What RFC 7662 and RFC 7009 send. Other members are ignored, as OAuth has it (RFC 6749, section 3.2).
#[derive(ToSchema)]
struct TokenForm {
    token: String,
    /// Not needed: a token says itself what it is.
    #[expect(dead_code, reason = "nobody has to look at it")]
    token_type_hint: Option<String>,
}

impl Body for TokenForm {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let token = fields.required("token", |text| Ok(text.to_owned()));
        let token_type_hint = fields.optional("token_type_hint", |text| Ok(text.to_owned()));
        fields.ignore_others();
        Some(Self { token: token?, token_type_hint })
    }
}
