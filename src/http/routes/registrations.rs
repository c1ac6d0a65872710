//! Registrations: asking for an account, another code, and confirming the address.

use minijinja::context;
use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::{Config, LimitKind};
use crate::domain::{
    Avatar, Code, Email, Name, NewPassword, PersonalFacts, PlainToken, RegistrationId, Username,
};
use crate::flows::{self, FlowError, Register, Registered, Whose};
use crate::http::body::{Body, Fields};
use crate::http::caller::Public;
use crate::http::cookies;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::pages::{self, NATIVE_WITH_PAGES};
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::{PendingView, RegisteredView, TokenView, UserView};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::POST, "/auth/register/", register)
            .does("Registers an address. The answer is the same whether or not it has an account already.")
            .limited_by(LimitKind::Register)
            .body::<NewAccount>()
            .replies::<PendingView>(StatusCode::ACCEPTED)
            .replies::<RegisteredView<'_>>(StatusCode::CREATED),
        public(Method::POST, "/auth/register/resend_email_verify/", resend)
            .does("Mails another code to somebody who is not verified yet. The answer is always the same.")
            .limited_by(LimitKind::Verify)
            .body::<Resend>()
            .replies_nothing(StatusCode::ACCEPTED),
        public(Method::POST, "/auth/register/verify/", verify)
            .does("Confirms the address with the mailed code, and logs in.")
            .limited_by(LimitKind::Verify)
            .body::<ConfirmRegistration>()
            .replies::<TokenView<'_>>(StatusCode::OK)
            .of(&NATIVE_WITH_PAGES),
        public(Method::GET, "/auth/register/verify/", verify_page)
            .does(
                "The page that the link in the mail opens. Its button confirms; opening it changes nothing.",
            )
            .query("code", "The long code of the link.")
            .replies_nothing(StatusCode::OK)
            .of(&NATIVE_WITH_PAGES),
    ]
}

async fn register(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let new: NewAccount = req.json(&cx.app.config).await?;
    Ok(match flows::register(&cx.app, &cx.caller.origin, new.into()).await? {
        Registered::VerificationRequired { email, registration } => {
            let view = PendingView {
                status: "verification_required",
                email: email.as_str().to_owned(),
                registration: registration.to_string(),
            };
            Reply::json(StatusCode::ACCEPTED, &view)
        }
        Registered::User(user) => {
            let user = UserView::new(&user, &flows::directory(&cx.app));
            Reply::json(StatusCode::CREATED, &RegisteredView { user })
        }
    })
}

async fn resend(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let Resend { email, registration } = req.json(&cx.app.config).await?;
    let whose = whose(email, registration.as_deref());
    if let Some(whose) = whose {
        flows::resend_verification(&cx.app, &cx.caller.origin, whose).await?;
    }
    Ok(Reply::json(StatusCode::ACCEPTED, &serde_json::json!({})))
}

async fn verify(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    if req.is_form() {
        return verify_by_button(cx, req).await;
    }
    let ConfirmRegistration { code, email, registration, cookies } = req.json(&cx.app.config).await?;
    let code = Code::parse(&code).ok_or(ApiError::InvalidCode)?;
    let whose = whose(email, registration.as_deref());
    let logged_in = flows::verify_email(&cx.app, &cx.caller.origin, code, whose).await?;
    let reply = Reply::json(StatusCode::OK, &TokenView::new(&logged_in, &flows::directory(&cx.app)));
    let are_wanted = cookies::are_wanted(&cx.app.config.cookies, cookies);
    Ok(if are_wanted { cookies::give_tokens(&cx.app, reply, &logged_in) } else { reply })
}

async fn verify_page(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let code = req.query("code").and_then(|code| PlainToken::parse(&code));
    Ok(match code {
        Some(code) => {
            let facts = context! { code => code.expose() };
            pages::render(&cx.app.config, &req, StatusCode::OK, "account/verify.html", facts)
        }
        None => link_is_spent(&cx.app.config, &req),
    })
}

/// The button of the page: a browser gets a page, and logs in where it wants to be logged in.
async fn verify_by_button(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let config = &cx.app.config;
    let VerifyForm { code } = req.form(config).await?;
    let Some(link) = PlainToken::parse(&code) else { return Ok(link_is_spent(config, &req)) };
    match flows::confirm_email(&cx.app, &cx.caller.origin, Code::Long(link), None).await {
        Ok(_user) => Ok(pages::render(config, &req, StatusCode::OK, "account/verified.html", context! {})),
        Err(FlowError::InvalidCode) => Ok(link_is_spent(config, &req)),
        Err(error) => Err(error.into()),
    }
}

fn link_is_spent(config: &Config, req: &Req) -> Reply {
    pages::render(config, req, StatusCode::BAD_REQUEST, "account/spent.html", context! {})
}

/// A handle that names nothing is as good as one that was never given out.
fn whose(email: Option<Email>, registration: Option<&str>) -> Option<Whose> {
    let registration = registration.and_then(|id| id.parse::<RegistrationId>().ok());
    registration.map(Whose::Registration).or(email.map(Whose::Email))
}

#[derive(ToSchema)]
pub(crate) struct NewAccount {
    #[schema(value_type = String, format = Email)]
    email: Email,
    #[schema(value_type = String, format = Password)]
    password: NewPassword,
    #[schema(value_type = Option<String>)]
    username: Option<Username>,
    #[schema(value_type = Option<String>)]
    first_name: Name,
    #[schema(value_type = Option<String>)]
    last_name: Name,
    /// An http or https URL.
    #[schema(value_type = Option<String>)]
    avatar: Option<Avatar>,
}

impl Body for NewAccount {
    fn decode(fields: &mut Fields, config: &Config) -> Option<Self> {
        let email = fields.required("email", Email::parse);
        let own = email.as_ref();
        let username =
            fields.optional("username", |text| Username::parse(text).and_then(|name| name.for_account(own)));
        let first_name = fields.optional("first_name", Name::parse).unwrap_or_default();
        let last_name = fields.optional("last_name", Name::parse).unwrap_or_default();
        let avatar = fields.optional("avatar", Avatar::parse);
        // A fact that is refused is left out: what is said about it says enough.
        let about = PersonalFacts::new(username.as_ref(), &first_name, &last_name, email.as_ref());
        let policy = &config.passwords.policy;
        let password = fields.required_by_rules("password", |text| NewPassword::parse(text, policy, &about));
        Some(Self { email: email?, password: password?, username, first_name, last_name, avatar })
    }
}

impl From<NewAccount> for Register {
    fn from(new: NewAccount) -> Self {
        let NewAccount { email, password, username, first_name, last_name, avatar } = new;
        Self { email: Some(email), password, username, first_name, last_name, avatar }
    }
}

/// Give `registration` if you have it, else `email`.
#[derive(ToSchema)]
struct Resend {
    #[schema(value_type = Option<String>, format = Email)]
    email: Option<Email>,
    /// The handle that `register` gave out.
    registration: Option<String>,
}

impl Body for Resend {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let registration = fields.optional("registration", |text| Ok(text.to_owned()));
        let email = match registration {
            Some(_) => fields.optional("email", Email::parse),
            None => Some(fields.required("email", Email::parse)?),
        };
        Some(Self { email, registration })
    }
}

/// The short code needs `email` or `registration` beside it, the long one of the link does not.
#[derive(ToSchema)]
struct ConfirmRegistration {
    code: String,
    #[schema(value_type = Option<String>, format = Email)]
    email: Option<Email>,
    /// The handle that `register` gave out.
    registration: Option<String>,
    /// Whether the tokens are set as cookies too. Missing: as it is configured.
    #[schema(value_type = bool, required = false)]
    cookies: Option<bool>,
}

impl Body for ConfirmRegistration {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let registration = fields.optional("registration", |text| Ok(text.to_owned()));
        let email = fields.optional("email", Email::parse);
        let cookies = fields.boolean("cookies");
        let code = fields.required("code", |text| Ok(text.to_owned()))?;
        Some(Self { code, email, registration, cookies })
    }
}

/// What the button of the page sends.
#[derive(ToSchema)]
struct VerifyForm {
    code: String,
}

impl Body for VerifyForm {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { code: fields.required("code", |text| Ok(text.to_owned()))? })
    }
}
