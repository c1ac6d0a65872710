//! The OpenAPI document, and the files that our own pages load.

use minijinja::{Value, context};
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::http::{Method, StatusCode};

use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::{cookies, openapi, pages, statics, theme};

pub(super) fn endpoints() -> Vec<Endpoint> {
    [
        public(Method::GET, "/openapi.json", openapi_document)
            .does("This document.")
            .replies_nothing(StatusCode::OK),
        public(Method::GET, "/docs/", docs)
            .does("A page to read this document, and to try what it describes.")
            .replies_nothing(StatusCode::OK),
        statics::endpoint(),
    ]
    .into_iter()
    .chain(theme::endpoints())
    .collect()
}

async fn openapi_document(cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    let document = openapi::document(&cx.app.config.compat).into_owned().into_bytes();
    Ok(Reply::bytes(StatusCode::OK, "application/json", document)
        .header(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")))
}

async fn docs(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let modules = statics::modules("docs/").chain(statics::modules("lib/"));
    let modules: Vec<Value> = modules.map(Value::from_safe_string).collect();
    // Who shows nothing is not asked who they are.
    let has_cookies = cookies::has_tokens(req.headers(), &cx.app.config);
    let facts = context! { modules, has_cookies };
    Ok(pages::render(&cx.app.config, &req, StatusCode::OK, "docs/index.html", facts))
}
