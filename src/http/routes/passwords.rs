//! Passwords: the rules, changing one's own, and getting a new one by mail.

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::{Config, LimitKind};
use crate::domain::{Email, Password};
use crate::flows::{self, ResetLink};
use crate::http::body::{Body, Fields};
use crate::http::caller::{Public, User};
use crate::http::endpoint::{Cx, Endpoint, public, user};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::{PasswordPolicyView, ValidView};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let reset = |method| {
        public(method, "/auth/password/reset/", reset)
            .does(
                "Sets a new password with what the link in the mail brought. All sessions and API keys end.",
            )
            .limited_by(LimitKind::Reset)
            .body::<Reset>()
            .replies_nothing(StatusCode::NO_CONTENT)
    };
    vec![
        public(Method::GET, "/auth/password/policy/", view_policy)
            .does("The rules for new passwords, as text and numbers.")
            .replies::<PasswordPolicyView>(StatusCode::OK),
        user(Method::POST, "/auth/password/change/", change)
            .does("Changes the caller's password. All other sessions end.")
            .needs_session()
            .limited_by(LimitKind::Password)
            .takes_temporary_password()
            .body::<ChangePassword>()
            .replies_nothing(StatusCode::NO_CONTENT),
        public(Method::POST, "/auth/password/request_change/", request)
            .does("Mails a link to a new password. The answer is always the same.")
            .limited_by(LimitKind::Reset)
            .body::<RequestReset>()
            .replies_nothing(StatusCode::ACCEPTED),
        public(Method::GET, "/auth/password/verify/{uid}/{token}/", check)
            .does("Whether a link to a new password would do. Changes nothing.")
            .limited_by(LimitKind::Reset)
            .replies::<ValidView>(StatusCode::OK),
        reset(Method::PUT),
        reset(Method::POST),
    ]
}

async fn view_policy(cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    Ok(Reply::json(StatusCode::OK, &PasswordPolicyView::from(&cx.app.config.passwords.policy)))
}

async fn change(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let ChangePassword { old_password, new_password } = req.json(&cx.app.config).await?;
    flows::change_password(&cx.app, &cx.caller, &old_password, new_password).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

async fn request(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let RequestReset { email } = req.json(&cx.app.config).await?;
    flows::request_reset(&cx.app, &cx.caller.origin, &email).await?;
    Ok(Reply::json(StatusCode::ACCEPTED, &serde_json::json!({})))
}

async fn check(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let (uid, token): (String, String) = (req.param("uid")?, req.param("token")?);
    let link = ResetLink::parse(&uid, &token).ok_or(ApiError::InvalidLink)?;
    flows::check_reset(&cx.app, &link)?;
    Ok(Reply::json(StatusCode::OK, &ValidView { valid: true }))
}

async fn reset(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let Reset { uid, token, new_password } = req.json(&cx.app.config).await?;
    let link = ResetLink::parse(&uid, &token).ok_or(ApiError::InvalidLink)?;
    flows::reset_password(&cx.app, &cx.caller.origin, link, new_password).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

#[derive(ToSchema)]
pub(crate) struct ChangePassword {
    #[schema(value_type = String, format = Password)]
    pub(crate) old_password: Password,
    #[schema(value_type = String, format = Password)]
    pub(crate) new_password: Password,
}

impl Body for ChangePassword {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let old_password = fields.required("old_password", Password::parse);
        let new_password = fields.required("new_password", Password::parse);
        Some(Self { old_password: old_password?, new_password: new_password? })
    }
}

#[derive(ToSchema)]
pub(crate) struct RequestReset {
    #[schema(value_type = String, format = Email)]
    pub(crate) email: Email,
}

impl Body for RequestReset {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { email: fields.required("email", Email::parse)? })
    }
}

#[derive(ToSchema)]
struct Reset {
    /// Whose password: from the link in the mail.
    uid: String,
    /// From the link in the mail.
    token: String,
    #[schema(value_type = String, format = Password)]
    new_password: Password,
}

impl Body for Reset {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let text = |text: &str| Ok(text.to_owned());
        let (uid, token) = (fields.required("uid", text), fields.required("token", text));
        let new_password = fields.required("new_password", Password::parse);
        Some(Self { uid: uid?, token: token?, new_password: new_password? })
    }
}
