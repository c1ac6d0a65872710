//! The admin page: one shell for all its screens, which the browser fills from the admin API. Serves nothing that is
//! anybody's.

use minijinja::context;
use warp::http::{Method, StatusCode};

use crate::flows;
use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::{pages, statics};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::GET, "/admin/", page)
            .also_at("/admin/{*screen}")
            .does("The admin page, if there is one (`admin.enabled`). Whatever it shows, it asks the admin API for.")
            .replies_nothing(StatusCode::OK),
    ]
}

async fn page(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let config = &cx.app.config;
    if !config.admin.enabled {
        return Err(ApiError::NotFound);
    }
    if !flows::has_superuser(&cx.app).await? {
        return Ok(pages::render(config, &req, StatusCode::OK, "admin/nobody.html", context! {}));
    }
    let modules: Vec<String> = statics::modules("admin/").chain(statics::modules("lib/")).collect();
    Ok(pages::render(config, &req, StatusCode::OK, "admin/index.html", context! { modules }))
}
