//! The first administrator: the page that the set-up link opens, and what makes the account.
//!
//! Must never: answer with more than "not here" where somebody could read along, or tell one dead link from another.

use minijinja::{Value, context};
use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::{Config, LimitKind};
use crate::domain::{Email, Invalid, Name, NewPassword, PersonalFacts, PlainToken, User, Username};
use crate::flows::{self, Activation, CreateUser, FlowError, Rank};
use crate::http::body::{Body, Fields};
use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::form::{Form, rules};
use crate::http::forwarded::is_private;
use crate::http::pages::{self, NATIVE_WITH_PAGES};
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::UserView;

const TEMPLATE: &str = "account/setup.html";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::GET, "/account/setup/", page)
            .does("The page of the link that the log of a service without accounts shows. Opening it changes nothing.")
            .limited_by(LimitKind::Verify)
            .query("token", "The token of the link.")
            .replies_nothing(StatusCode::OK)
            .of(&NATIVE_WITH_PAGES),
        public(Method::POST, "/account/setup/", set_up)
            .does("Makes the first superuser, once, over loopback or TLS only. Also what the form of the page sends.")
            .limited_by(LimitKind::Verify)
            .body::<SetUp>()
            .replies::<UserView<'_>>(StatusCode::CREATED)
            .of(&NATIVE_WITH_PAGES),
    ]
}

async fn page(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let config = &cx.app.config;
    if !is_private(&config.server, &req.head) {
        return Ok(is_elsewhere(config, &req));
    }
    let token = req.query("token").and_then(|token| PlainToken::parse(&token));
    let live = token.filter(|token| flows::check_setup(&cx.app, token).is_ok());
    Ok(match live {
        Some(token) => pages::render(config, &req, StatusCode::OK, TEMPLATE, facts(config, &token)),
        None => is_spent(config, &req),
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
        return Ok(is_elsewhere(config, &req));
    }
    let form = Form::read(&mut req).await?;
    let live =
        PlainToken::parse(form.text("token")).filter(|token| flows::check_setup(&cx.app, token).is_ok());
    let Some(token) = live else { return Ok(is_spent(config, &req)) };
    match attempt(&cx, &form, &token).await {
        Ok(_user) => Ok(pages::render(config, &req, StatusCode::OK, "account/setup_done.html", context! {})),
        Err(ApiError::InvalidLink) => Ok(is_spent(config, &req)),
        Err(error) => form.again(&cx.app, &req, TEMPLATE, error, facts(config, &token)),
    }
}

async fn attempt(cx: &Cx<Public>, form: &Form, token: &PlainToken) -> Result<User, ApiError> {
    let said: SetUp = form.parse(&cx.app.config, &["token", "email", "username", "password"])?;
    if form.text("password") != form.text("password_again") {
        let mismatch = Invalid::new("mismatch", "The two passwords are not the same.");
        return Err(FlowError::Invalid("password_again", vec![mismatch]).into());
    }
    Ok(flows::set_up(&cx.app, &cx.caller.origin, token, said.into()).await?)
}

fn facts(config: &Config, token: &PlainToken) -> Value {
    context! { token => token.expose(), ..rules(config) }
}

/// The same whether there is a link that lives or not.
fn is_spent(config: &Config, req: &Req) -> Reply {
    pages::render(config, req, StatusCode::BAD_REQUEST, "account/setup_spent.html", context! {})
}

fn is_elsewhere(config: &Config, req: &Req) -> Reply {
    pages::render(config, req, StatusCode::FORBIDDEN, "account/setup_elsewhere.html", context! {})
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
