//! Passwords: the rules for a new one.

use warp::http::{Method, StatusCode};

use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::PasswordPolicyView;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::GET, "/auth/password/policy/", view_policy)
            .does("The rules for new passwords, as text and numbers.")
            .replies::<PasswordPolicyView>(StatusCode::OK),
    ]
}

async fn view_policy(cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    Ok(Reply::json(StatusCode::OK, &PasswordPolicyView::from(&cx.app.config.passwords.policy)))
}
