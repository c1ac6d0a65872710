//! Logging in and out.

use minijinja::context;
use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::{Config, LimitKind, RegistrationMode};
use crate::domain::{Invalid, Name, Password, PlainToken};
use crate::flows::{self, Browser, Credentials, LoggedIn};
use crate::http::account::visitor::Shown;
use crate::http::account::{HOME, LOG_IN, PASSWORD, member, next_of, page, see_other, welcome, with_next};
use crate::http::body::{Body, Fields};
use crate::http::caller::{Public, User, refuse_other_sites};
use crate::http::cookies;
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::form::Form;
use crate::http::next::Next;
use crate::http::pages;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::Present;

pub(super) const LOG_OUT: &str = "/account/logout/";
const TEMPLATE: &str = "account/login.html";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        page(Method::GET, LOG_IN, show),
        page(Method::POST, LOG_IN, log_in).limited_by(LimitKind::Login),
        member(Method::GET, LOG_OUT, ask),
        page(Method::POST, LOG_OUT, log_out),
    ]
}

/// Whoever is signed in goes on at once.
async fn show(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let next = next_of(&cx.app, &req);
    if let Some(visitor) = Shown::of(&cx.app, &req).visitor(&cx.app).await? {
        let (caller, fresh) = visitor.into_parts();
        let is_temporary = caller.user.password_is_temporary;
        return Ok(fresh.give(&cx.app, see_other(&place_after(is_temporary, next.as_ref()))));
    }
    let facts = context! {
        next,
        done => req.query("done"),
        is_open => is_open(&cx.app.config),
    };
    Ok(pages::render(&cx.app.config, &req, StatusCode::OK, TEMPLATE, facts))
}

async fn log_in(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    let app = &cx.app;
    let old = cookies::only(req.headers(), &app.config.cookies.device_name).and_then(PlainToken::parse);
    let browser = Browser::renamed(old);
    let name = browser.new.clone();
    match attempt(&cx, &form, browser).await {
        Ok(logged_in) => {
            let next = form.next(&app.config);
            let place = place_after(logged_in.user.password_is_temporary, next.as_ref());
            let reply = welcome(&cx, req, &logged_in, &place).await?;
            Ok(name.iter().fold(reply, |reply, name| cookies::name_browser(app, reply, name)))
        }
        Err(error) => form.again(app, &req, TEMPLATE, error, context! { is_open => is_open(&app.config) }),
    }
}

async fn attempt(cx: &Cx<Public>, form: &Form, browser: Browser) -> Result<LoggedIn, ApiError> {
    let LogInForm { identifier, password } = form.parse(&cx.app.config, &["identifier", "password"])?;
    let credentials = Credentials::new(&identifier, password, Name::default(), browser);
    Ok(flows::log_in(&cx.app, &cx.caller.origin, credentials).await?)
}

/// Where they wanted to go, unless they have to choose a password first.
fn place_after(password_is_temporary: bool, next: Option<&Next>) -> String {
    let next = next.map(Next::as_str);
    if password_is_temporary { with_next(PASSWORD, next) } else { next.unwrap_or(HOME).to_owned() }
}

fn is_open(config: &Config) -> bool {
    config.registration.mode == RegistrationMode::Open
}

/// A link elsewhere may lead here: opening it ends nothing.
async fn ask(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    Ok(super::own_page(&cx, &req, "account/logout.html", context! {}))
}

/// Whatever the cookies are worth: whoever logs out is told that they are logged out.
async fn log_out(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    refuse_other_sites(&cx.app, &req)?;
    Present::of_browser(&cx.app, &req).end(&cx).await?;
    Ok(cookies::take_tokens(&cx.app, see_other("/account/login/?done=logout")))
}

#[derive(ToSchema)]
struct LogInForm {
    identifier: String,
    #[schema(value_type = String, format = Password)]
    password: Password,
}

impl Body for LogInForm {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let text =
            |text: &str| if text.trim().is_empty() { Err(Invalid::blank()) } else { Ok(text.to_owned()) };
        let identifier = fields.required("identifier", text);
        let password = fields.required("password", Password::parse);
        Some(Self { identifier: identifier?, password: password? })
    }
}
