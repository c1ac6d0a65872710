//! Everything there is: its people, its clock, and its beginning.

use std::time::Duration;

use utoipa::ToSchema;
use warp::http::header::{HeaderValue, LOCATION};
use warp::http::{Method, StatusCode};

use crate::config::Config;
use crate::domain::Invalid;
use crate::flows::{self, Identifier};
use crate::http::access::Access;
use crate::http::body::{Body, Fields};
use crate::http::caller::Public;
use crate::http::dev::developer::Developer;
use crate::http::dev::views::{ClockView, PersonasView};
use crate::http::endpoint::{Cx, Endpoint, endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::TokenView;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::GET, "/dev/", home)
            .does("Leads to the mailbox.")
            .replies_nothing(StatusCode::SEE_OTHER),
        endpoint(Method::GET, "/dev/personas/", Access::Public, personas)
            .does("Who is there from the start, with their passwords and tokens.")
            .replies::<PersonasView<'_>>(StatusCode::OK),
        endpoint(Method::POST, "/dev/token/", Access::Public, log_in_as)
            .does("Logs in as anybody, without a password.")
            .body::<LogInAs>()
            .replies::<TokenView<'_>>(StatusCode::OK),
        endpoint(Method::POST, "/dev/clock/", Access::Public, advance_clock)
            .does("Lets time go by.")
            .body::<Advance>()
            .replies::<ClockView>(StatusCode::OK),
        endpoint(Method::POST, "/dev/reset/", Access::Public, reset)
            .does("Brings back the start: users, mails, clock. Tokens from before are worth nothing.")
            .replies_nothing(StatusCode::NO_CONTENT),
    ]
}

async fn home(_cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    Ok(Reply::nothing(StatusCode::SEE_OTHER).header(LOCATION, HeaderValue::from_static("/dev/mail/")))
}

async fn personas(cx: Cx<Developer>, _req: Req) -> Result<Reply, ApiError> {
    let personas = flows::personas(&cx.app)?;
    Ok(Reply::json(StatusCode::OK, &PersonasView::new(personas, &flows::directory(&cx.app))))
}

async fn log_in_as(cx: Cx<Developer>, mut req: Req) -> Result<Reply, ApiError> {
    let LogInAs { user } = req.json(&cx.app.config).await?;
    let logged_in = flows::log_in_as(&cx.app, &cx.caller.origin, &user).await?;
    Ok(Reply::json(StatusCode::OK, &TokenView::new(&logged_in, &flows::directory(&cx.app))))
}

async fn advance_clock(cx: Cx<Developer>, mut req: Req) -> Result<Reply, ApiError> {
    let Advance { advance } = req.json(&cx.app.config).await?;
    let now = flows::advance_clock(&cx.app, advance).await?;
    Ok(Reply::json(StatusCode::OK, &ClockView::new(now)))
}

async fn reset(cx: Cx<Developer>, _req: Req) -> Result<Reply, ApiError> {
    flows::start_again(&cx.app).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

/// An address or a username.
#[derive(ToSchema)]
struct LogInAs {
    #[schema(value_type = String)]
    user: Identifier,
}

impl Body for LogInAs {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { user: fields.required("user", |text| Ok(Identifier::parse(text)))? })
    }
}

/// How much time goes by: `31d`, `2h 30m`.
#[derive(ToSchema)]
struct Advance {
    #[schema(value_type = String)]
    advance: Duration,
}

impl Body for Advance {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { advance: fields.required("advance", span)? })
    }
}

pub(super) fn span(text: &str) -> Result<Duration, Invalid> {
    let wrong = |_| Invalid::new("type", "Not a span of time: write 90s, 15m, 2h or 31d.");
    humantime::parse_duration(text).map_err(wrong)
}
