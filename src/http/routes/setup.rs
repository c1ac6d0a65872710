//! The first administrator: the page that the set-up link opens, and what makes the account.
//!
//! Must never: answer with more than "not here" where somebody could read along, or tell one dead link from another.

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::{Config, LimitKind};
use crate::domain::{Email, Invalid, Name, NewPassword, PasswordPolicy, PersonalFacts, PlainToken, Username};
use crate::flows::{self, Activation, CreateUser, FlowError, Rank};
use crate::http::body::{Body, Fields};
use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::forwarded::is_private;
use crate::http::pages;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::UserView;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::GET, "/account/setup/", page)
            .does("The page of the link that the log of a service without accounts shows. Opening it changes nothing.")
            .limited_by(LimitKind::Verify)
            .query("token", "The token of the link.")
            .replies_nothing(StatusCode::OK),
        public(Method::POST, "/account/setup/", set_up)
            .does("Makes the first superuser, once, over loopback or TLS only. Also what the form of the page sends.")
            .limited_by(LimitKind::Verify)
            .body::<SetUp>()
            .replies::<UserView<'_>>(StatusCode::CREATED),
    ]
}

async fn page(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let config = &cx.app.config;
    if !is_private(&config.server, &req.head) {
        return Ok(pages::setup_is_elsewhere(config, &req));
    }
    let token = req.query("token").and_then(|token| PlainToken::parse(&token));
    let live = token.filter(|token| flows::check_setup(&cx.app, token).is_ok());
    Ok(match live {
        Some(token) => pages::set_up(config, &req, token.expose(), ["", ""], &[]),
        None => pages::setup_is_spent(config, &req),
    })
}

async fn set_up(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    if req.is_form() {
        return set_up_by_form(cx, req).await;
    }
    if !is_private(&cx.app.config.server, &req.head) {
        return Err(ApiError::InsecureConnection);
    }
    let said: SetUp = req.json(&cx.app.config).await?;
    let token = PlainToken::parse(&said.token).ok_or(ApiError::InvalidLink)?;
    let user = flows::set_up(&cx.app, &cx.caller.origin, &token, said.into()).await?;
    Ok(Reply::json(StatusCode::CREATED, &UserView::new(&user, &flows::directory(&cx.app))))
}

async fn set_up_by_form(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let config = &cx.app.config;
    if !is_private(&config.server, &req.head) {
        return Ok(pages::setup_is_elsewhere(config, &req));
    }
    let Ok(form) = req.form::<SetUpForm>(config).await else {
        return Ok(pages::setup_is_spent(config, &req));
    };
    let live = PlainToken::parse(&form.token).filter(|token| flows::check_setup(&cx.app, token).is_ok());
    let Some(token) = live else { return Ok(pages::setup_is_spent(config, &req)) };
    let outcome = match form.parse(&config.passwords.policy) {
        Ok(said) => flows::set_up(&cx.app, &cx.caller.origin, &token, said.into()).await,
        Err(broken) => Err(FlowError::Invalid("form", broken)),
    };
    match outcome {
        Ok(_user) => Ok(pages::administrator_is_made(config, &req)),
        Err(FlowError::InvalidLink) => Ok(pages::setup_is_spent(config, &req)),
        Err(FlowError::Invalid(_, broken)) => {
            let broken: Vec<String> = broken.into_iter().map(|invalid| invalid.message).collect();
            Ok(pages::set_up(config, &req, token.expose(), [&form.email, &form.username], &broken))
        }
        Err(error) => Err(error.into()),
    }
}

/// Who the first superuser is to be. They are active at once, and their address counts as confirmed.
#[derive(ToSchema)]
struct SetUp {
    /// The token of the link.
    token: String,
    #[schema(value_type = String, format = Email)]
    email: Email,
    #[schema(value_type = Option<String>)]
    username: Option<Username>,
    #[schema(value_type = Option<String>)]
    first_name: Name,
    #[schema(value_type = Option<String>)]
    last_name: Name,
    #[schema(value_type = String, format = Password)]
    password: NewPassword,
}

impl Body for SetUp {
    fn decode(fields: &mut Fields, config: &Config) -> Option<Self> {
        let token = fields.required("token", |text| Ok(text.to_owned()));
        let email = fields.required("email", Email::parse);
        let own = email.as_ref();
        let username =
            fields.optional("username", |text| Username::parse(text).and_then(|name| name.for_account(own)));
        let first_name = fields.optional("first_name", Name::parse).unwrap_or_default();
        let last_name = fields.optional("last_name", Name::parse).unwrap_or_default();
        let about = PersonalFacts::new(username.as_ref(), &first_name, &last_name, own);
        let policy = &config.passwords.policy;
        let password = fields.required_by_rules("password", |text| NewPassword::parse(text, policy, &about));
        Some(Self { token: token?, email: email?, username, first_name, last_name, password: password? })
    }
}

impl From<SetUp> for CreateUser {
    fn from(said: SetUp) -> Self {
        Self {
            email: Some(said.email),
            username: said.username,
            first_name: said.first_name,
            last_name: said.last_name,
            password: Some(said.password),
            rank: Rank::Superuser,
            activation: Activation::Now,
        }
    }
}

/// What the form of the page sends, as it was typed: a page that complains shows it again, the passwords aside.
#[derive(ToSchema)]
struct SetUpForm {
    token: String,
    email: String,
    username: String,
    password: String,
    password_again: String,
}

impl Body for SetUpForm {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let mut text = |name| fields.optional(name, |text| Ok(text.to_owned())).unwrap_or_default();
        Some(Self {
            token: text("token"),
            email: text("email"),
            username: text("username"),
            password: text("password"),
            password_again: text("password_again"),
        })
    }
}

impl SetUpForm {
    fn parse(&self, policy: &PasswordPolicy) -> Result<SetUp, Vec<Invalid>> {
        let one = |invalid| vec![invalid];
        let email = Email::parse(&self.email).map_err(one)?;
        let username = match self.username.as_str() {
            "" => None,
            text => Some(Username::parse(text).and_then(|name| name.for_account(Some(&email))).map_err(one)?),
        };
        if self.password != self.password_again {
            return Err(one(Invalid::new("mismatch", "The two passwords are not the same.")));
        }
        let (first_name, last_name) = (Name::default(), Name::default());
        let about = PersonalFacts::new(username.as_ref(), &first_name, &last_name, Some(&email));
        let password = NewPassword::parse(&self.password, policy, &about)?;
        Ok(SetUp { token: self.token.clone(), email, username, first_name, last_name, password })
    }
}
