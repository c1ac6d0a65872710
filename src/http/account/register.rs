//! Registering, and typing the code that the mail brought.

use minijinja::{Value, context};
use warp::http::{Method, StatusCode};

use crate::config::{Config, LimitKind, RegistrationMode};
use crate::domain::RegistrationId;
use crate::flows::{self, LoggedIn, Registered, Whose};
use crate::http::account::{HOME, next_of, page, see_other, welcome, with_next};
use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
use crate::http::form::{CodeForm, Form, rules};
use crate::http::next::Next;
use crate::http::pages;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::NewAccount;

const TEMPLATE: &str = "account/register.html";
const CODE_TEMPLATE: &str = "account/code.html";
const CODE: &str = "/account/verify/";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        page(Method::GET, "/account/register/", show),
        page(Method::POST, "/account/register/", register).limited_by(LimitKind::Register),
        page(Method::GET, CODE, show_code),
        page(Method::POST, CODE, confirm).limited_by(LimitKind::Verify),
        page(Method::POST, "/account/verify/resend/", resend).limited_by(LimitKind::Verify),
    ]
}

async fn show(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    if cx.app.config.registration.mode == RegistrationMode::Closed {
        return Err(ApiError::RegistrationClosed);
    }
    let facts = context! { next => next_of(&cx.app, &req), ..rules(&cx.app.config) };
    Ok(pages::render(&cx.app.config, &req, StatusCode::OK, TEMPLATE, facts))
}

/// The same for an address that has an account and for one that has none.
async fn register(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    let config = &cx.app.config;
    let next = form.next(config);
    let next = next.as_ref().map(Next::as_str);
    match attempt(&cx, &form).await {
        Ok(Registered::VerificationRequired { registration, .. }) => {
            Ok(see_other(&with_next(&format!("{CODE}?registration={registration}"), next)))
        }
        Ok(Registered::User(_)) => Ok(see_other(&with_next("/account/login/?done=registered", next))),
        Err(error) => form.again(&cx.app, &req, TEMPLATE, error, rules(config)),
    }
}

async fn attempt(cx: &Cx<Public>, form: &Form) -> Result<Registered, ApiError> {
    let names = ["email", "username", "first_name", "last_name", "password"];
    let new: NewAccount = form.parse(&cx.app.config, &names)?;
    Ok(flows::register(&cx.app, &cx.caller.origin, new.into()).await?)
}

async fn show_code(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let facts = context! {
        registration => req.query("registration"),
        done => req.query("done"),
        next => next_of(&cx.app, &req),
        ..wait(&cx.app.config)
    };
    Ok(pages::render(&cx.app.config, &req, StatusCode::OK, CODE_TEMPLATE, facts))
}

/// A right code logs in.
async fn confirm(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    match verify(&cx, &form).await {
        Ok(logged_in) => {
            let next = form.next(&cx.app.config);
            welcome(&cx, req, &logged_in, next.as_ref().map_or(HOME, Next::as_str)).await
        }
        Err(error) => {
            let facts = context! { registration => form.text("registration"), ..wait(&cx.app.config) };
            form.again(&cx.app, &req, CODE_TEMPLATE, error, facts)
        }
    }
}

async fn verify(cx: &Cx<Public>, form: &Form) -> Result<LoggedIn, ApiError> {
    let CodeForm { code } = form.parse(&cx.app.config, &["code"])?;
    let whose = registration(form).map(Whose::Registration);
    Ok(flows::verify_email(&cx.app, &cx.caller.origin, code, whose).await?)
}

async fn resend(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let form = Form::read(&mut req).await?;
    if let Some(registration) = registration(&form) {
        flows::resend_verification(&cx.app, &cx.caller.origin, Whose::Registration(registration)).await?;
    }
    let mut query = url::form_urlencoded::Serializer::new(format!("{CODE}?"));
    query.append_pair("registration", form.text("registration")).append_pair("done", "resent");
    let next = form.next(&cx.app.config);
    Ok(see_other(&with_next(&query.finish(), next.as_ref().map(Next::as_str))))
}

/// For how many seconds no other code is mailed.
fn wait(config: &Config) -> Value {
    context! { wait => config.registration.resend_interval.as_secs() }
}

fn registration(form: &Form) -> Option<RegistrationId> {
    form.text("registration").parse().ok()
}
