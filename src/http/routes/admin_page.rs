//! The admin page: one shell for all its screens, which the browser fills from the admin API. Serves nothing that is
//! anybody's.

use minijinja::context;
use warp::http::{Method, StatusCode};

use crate::flows;
use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::pages;
use crate::http::reply::Reply;
use crate::http::request::Req;

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
    Ok(pages::application(config, &req, "admin", context! {}))
}

#[cfg(test)]
mod tests {
    use crate::http::statics;

    /// What stands in quotes after each of these.
    fn quoted<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
        text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn the_screen_of_events_filters_by_every_kind() {
        let screen = include_str!("../../../assets/admin/screens/events.js");
        let kinds = quoted(include_str!("../../domain/event.rs"), " => \"");

        assert!(kinds.len() > 30, "{kinds:?}");
        for kind in kinds {
            assert!(screen.contains(&format!("\"{kind}\"")), "assets/admin/screens/events.js lacks {kind:?}");
        }
    }

    /// Beside the words of a language.
    const MOST: usize = 60 * 1024;

    #[test]
    fn the_page_is_small() {
        let files =
            statics::sizes().filter(|(name, _)| name.starts_with("admin/") && name != "admin/es.json");
        assert!(files.map(|(_, size)| size).sum::<usize>() < MOST);
    }
}
