//! Moving an account to another email address.

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::{Config, LimitKind};
use crate::domain::{Code, Email, Password};
use crate::flows;
use crate::http::body::{Body, Fields};
use crate::http::caller::User;
use crate::http::endpoint::{Cx, Endpoint, user};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::UserView;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        user(Method::POST, "/auth/email/change/", change)
            .does("Mails a code to a new address, and a notice to the present one.")
            .needs_session()
            .limited_by(LimitKind::Password)
            .body::<ChangeEmail>()
            .replies_nothing(StatusCode::ACCEPTED),
        user(Method::POST, "/auth/email/confirm/", confirm)
            .does("Takes the code from the new mailbox: the account has the new address.")
            .needs_session()
            .limited_by(LimitKind::Verify)
            .body::<ConfirmEmail>()
            .replies::<UserView<'_>>(StatusCode::OK),
    ]
}

async fn change(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let ChangeEmail { new_email, password } = req.json(&cx.app.config).await?;
    flows::request_email_change(&cx.app, &cx.caller, new_email, &password).await?;
    Ok(Reply::json(StatusCode::ACCEPTED, &serde_json::json!({})))
}

async fn confirm(cx: Cx<User>, mut req: Req) -> Result<Reply, ApiError> {
    let ConfirmEmail { code } = req.json(&cx.app.config).await?;
    let code = Code::parse(&code).ok_or(ApiError::InvalidCode)?;
    let user = flows::confirm_email_change(&cx.app, &cx.caller, code).await?;
    Ok(Reply::json(StatusCode::OK, &UserView::new(&user, &flows::directory(&cx.app))))
}

#[derive(ToSchema)]
pub(crate) struct ChangeEmail {
    #[schema(value_type = String, format = Email)]
    pub(crate) new_email: Email,
    /// The caller's own.
    #[schema(value_type = String, format = Password)]
    pub(crate) password: Password,
}

impl Body for ChangeEmail {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let new_email = fields.required("new_email", Email::parse);
        let password = fields.required("password", Password::parse);
        Some(Self { new_email: new_email?, password: password? })
    }
}

#[derive(ToSchema)]
struct ConfirmEmail {
    /// The eight digits of the mail.
    code: String,
}

impl Body for ConfirmEmail {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { code: fields.required("code", |text| Ok(text.to_owned()))? })
    }
}
