//! Registering, and typing the code that the mail brought.

use minijinja::{Value, context};
use warp::http::{Method, StatusCode};

use crate::config::{Config, LimitKind, RegistrationMode};
use crate::domain::RegistrationId;
use crate::flows::{self, LoggedIn, Registered, Whose};
use crate::http::account::form::{CodeForm, Form};
use crate::http::account::{HOME, next_of, page, see_other, welcome, with_next};
use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint};
use crate::http::error::ApiError;
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
        page(Method::GET, "/account/register/", None, show),
        page(Method::POST, "/account/register/", Some(LimitKind::Register), register),
        page(Method::GET, CODE, None, show_code),
        page(Method::POST, CODE, Some(LimitKind::Verify), confirm),
        page(Method::POST, "/account/verify/resend/", Some(LimitKind::Verify), resend),
    ]
}

async fn show(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    if cx.app.config.registration.mode == RegistrationMode::Closed {
        return Err(ApiError::RegistrationClosed);
    }
    let next = next_of(&cx.app, &req);
    let facts = context! { next => next.as_ref().map(Next::as_str), ..rules(&cx.app.config) };
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
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("registration", &registration.to_string());
            if let Some(next) = next {
                query.append_pair("next", next);
            }
            Ok(see_other(&format!("{CODE}?{}", query.finish())))
        }
        Ok(Registered::User(_)) => {
            let login = with_next("/account/login/", next);
            let glue = if next.is_some() { '&' } else { '?' };
            Ok(see_other(&format!("{login}{glue}done=registered")))
        }
        Err(error) => form.again(&cx.app, &req, TEMPLATE, error, rules(config)),
    }
}

async fn attempt(cx: &Cx<Public>, form: &Form) -> Result<Registered, ApiError> {
    let names = ["email", "username", "first_name", "last_name", "password"];
    let new: NewAccount = form.parse(&cx.app.config, &names)?;
    Ok(flows::register(&cx.app, &cx.caller.origin, new.into()).await?)
}

async fn show_code(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let next = next_of(&cx.app, &req);
    let facts = context! {
        registration => req.query("registration"),
        done => req.query("done"),
        next => next.as_ref().map(Next::as_str),
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
            let facts = context! { registration => form.text("registration") };
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
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("registration", form.text("registration")).append_pair("done", "resent");
    if let Some(next) = form.next(&cx.app.config) {
        query.append_pair("next", next.as_str());
    }
    Ok(see_other(&format!("{CODE}?{}", query.finish())))
}

fn registration(form: &Form) -> Option<RegistrationId> {
    form.text("registration").parse().ok()
}

/// What a new password has to be like.
fn rules(config: &Config) -> Value {
    context! { min_length => config.passwords.policy.min_length }
}
