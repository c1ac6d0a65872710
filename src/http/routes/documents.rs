//! The OpenAPI document, and the files that our own pages load.

use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::http::{Method, StatusCode};

use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::{openapi, pages};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::GET, "/openapi.json", openapi_document)
            .does("This document.")
            .replies_nothing(StatusCode::OK),
        public(Method::GET, "/account/style.css", style)
            .does("The style of the pages.")
            .replies_nothing(StatusCode::OK),
    ]
}

async fn openapi_document(cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    let document = openapi::document(&cx.app.config.compat).into_owned().into_bytes();
    Ok(cacheable(Reply::bytes(StatusCode::OK, "application/json", document)))
}

async fn style(_cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    let style = pages::asset("style.css").ok_or(ApiError::NotFound)?;
    Ok(cacheable(Reply::bytes(StatusCode::OK, "text/css; charset=utf-8", style)))
}

fn cacheable(reply: Reply) -> Reply {
    reply.header(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))
}
