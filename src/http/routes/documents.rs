//! The OpenAPI document, and the files that our own pages load.

use minijinja::context;
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
        public(Method::GET, "/assets/{version}/{*file}", asset)
            .does("A file that the pages load.")
            .replies_nothing(StatusCode::OK),
    ]
    .into_iter()
    .chain(theme::endpoints())
    .collect()
}

async fn openapi_document(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    openapi::packed(&cx.app.config.compat).reply(req.headers(), "application/json", "public, max-age=300")
}

async fn asset(_cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let (version, name): (String, String) = (req.param("version")?, req.param("file")?);
    statics::reply(req.headers(), &version, &name)
}

async fn docs(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    // Who shows nothing is not asked who they are.
    let has_cookies = cookies::has_tokens(req.headers(), &cx.app.config);
    Ok(pages::application(&cx.app.config, &req, "docs", context! { has_cookies }))
}
