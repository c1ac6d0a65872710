//! Whether the service lives, and whether it can do its work. Nothing else is told.

use warp::http::{Method, StatusCode};

use crate::flows;
use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::GET, "/healthz", healthz)
            .does("200 while the process answers and its store has not failed, else 503.")
            .replies_nothing(StatusCode::OK)
            .replies_nothing(StatusCode::SERVICE_UNAVAILABLE),
        public(Method::GET, "/readyz", readyz)
            .does("200 while requests can be served, writes included, else 503.")
            .replies_nothing(StatusCode::OK)
            .replies_nothing(StatusCode::SERVICE_UNAVAILABLE),
    ]
}

async fn healthz(cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    Ok(answer(flows::is_alive(&cx.app)))
}

async fn readyz(cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    Ok(answer(flows::is_ready(&cx.app)))
}

fn answer(is_well: bool) -> Reply {
    let (status, text) =
        if is_well { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable\n") };
    Reply::bytes(status, "text/plain; charset=utf-8", text.into())
}
