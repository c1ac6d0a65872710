//! The hosted pages: all that people do with their account, without an application around it. Plain forms; a module
//! makes them nicer where there is JavaScript.
//!
//! Each page does what its endpoint of the API does, by the same flow: a page is never a weaker way in.

mod api_keys;
mod close;
mod email;
mod forgot;
mod form;
mod log_in;
mod password;
mod profile;
mod register;
mod sessions;
mod visitor;

use std::sync::Arc;

use minijinja::{Value, context};
use warp::http::header::{HeaderValue, LOCATION};
use warp::http::{Method, StatusCode};

use crate::app::App;
use crate::config::LimitKind;
use crate::flows::{FlowError, LoggedIn};
use crate::http::account::visitor::Shown;
use crate::http::caller::{Public, User, refuse_other_sites};
use crate::http::cookies;
use crate::http::endpoint::{Cx, Endpoint, Surface, public};
use crate::http::error::ApiError;
use crate::http::next::Next;
use crate::http::pages;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::Present;
use crate::limiter::Subject;

/// Pages are no part of the API: its document does not list them.
static PAGES: Surface = Surface { name: "pages", tell: ApiError::to_reply };

const HOME: &str = "/account/";
const LOG_IN: &str = "/account/login/";
const PASSWORD: &str = "/account/password/";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        log_in::endpoints(),
        register::endpoints(),
        forgot::endpoints(),
        profile::endpoints(),
        password::endpoints(),
        email::endpoints(),
        sessions::endpoints(),
        api_keys::endpoints(),
        close::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A page for everybody. What goes wrong is told by a page too.
fn page<F, A>(method: Method, path: &'static str, limit: Option<LimitKind>, handler: F) -> Endpoint
where
    F: Fn(Cx<Public>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    public(method, path, move |cx: Cx<Public>, req: Req| async move {
        let (app, language, id) = (Arc::clone(&cx.app), pages::language(&req), req.id);
        let outcome = match admit(&app, &req, limit) {
            Ok(()) => handler(cx, req).await,
            Err(refused) => Err(refused),
        };
        Ok(outcome.unwrap_or_else(|error| pages::problem(&app.config, language, &error, &id)))
    })
    .of(&PAGES)
}

/// A page for whoever is signed in; the others are led to the log-in, and back.
fn member<F, A>(method: Method, path: &'static str, limit: Option<LimitKind>, handler: F) -> Endpoint
where
    F: Fn(Cx<User>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    page(method, path, limit, move |cx: Cx<Public>, req: Req| async move {
        let Some(visitor) = Shown::of(&cx.app, &req).visitor(&cx.app).await? else {
            let back = if req.method.is_safe() { path } else { page_of(path) };
            let reply = see_other(&with_next(LOG_IN, Some(back)));
            return Ok(cookies::take_sent_tokens(&cx.app, req.headers(), reply));
        };
        let (app, language, id) = (Arc::clone(&cx.app), pages::language(&req), req.id);
        let (caller, fresh) = visitor.into_parts();
        // As in the API: nothing else is open to somebody who has to choose a password first.
        let reply = if caller.user.password_is_temporary && path != PASSWORD && path != log_in::LOG_OUT {
            see_other(PASSWORD)
        } else {
            let outcome = handler(Cx { app: cx.app, caller }, req).await;
            outcome.unwrap_or_else(|error| pages::problem(&app.config, language, &error, &id))
        };
        Ok(fresh.give(&app, reply))
    })
}

/// The page that a form stands on, which a browser can be led to: `/account/sessions/` for `/account/sessions/end/`.
fn page_of(path: &'static str) -> &'static str {
    let noun = path.strip_prefix(HOME).and_then(|rest| rest.find('/'));
    noun.and_then(|end| path.get(..=HOME.len() + end)).unwrap_or(HOME)
}

/// What holds before anything of a request is read: how often it may come, and where a form may come from.
fn admit(app: &App, req: &Req, limit: Option<LimitKind>) -> Result<(), ApiError> {
    if let Some(kind) = limit {
        app.limiter.take(kind, Subject::Ip(req.ip), app.clock.now()).map_err(FlowError::from)?;
    }
    refuse_other_sites(app, req)
}

/// Leads a browser on, by GET (RFC 9110, section 15.4.4).
fn see_other(location: &str) -> Reply {
    let location = HeaderValue::try_from(location).unwrap_or(HeaderValue::from_static(HOME));
    Reply::nothing(StatusCode::SEE_OTHER).header(LOCATION, location)
}

/// Leads on whoever has just logged in. What the browser was logged in with until now ends (ASVS 7.2.4).
async fn welcome(cx: &Cx<Public>, req: Req, logged_in: &LoggedIn, place: &str) -> Result<Reply, ApiError> {
    Present::of_browser(&cx.app, &req).end(cx).await?;
    Ok(cookies::give_tokens(&cx.app, see_other(place), logged_in))
}

/// A path with `next` in its query.
fn with_next(path: &str, next: Option<&str>) -> String {
    match next {
        Some(next) => {
            let query =
                url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
            format!("{path}?{query}")
        }
        None => path.to_owned(),
    }
}

/// Where the query says to go on to.
fn next_of(app: &App, req: &Req) -> Option<Next> {
    req.query("next").and_then(|text| Next::parse(&app.config, &text))
}

/// A page of somebody who is signed in.
fn own_page(cx: &Cx<User>, req: &Req, template: &str, facts: Value) -> Reply {
    let facts = context! { done => req.query("done"), ..own_facts(&cx.caller, facts) };
    pages::render(&cx.app.config, req, StatusCode::OK, template, facts)
}

/// What every page of somebody who is signed in shows of them.
fn own_facts(caller: &User, facts: Value) -> Value {
    let user = &caller.user;
    let email = user.email.as_ref().map(crate::domain::Email::as_str);
    let username = user.username.as_ref().map(crate::domain::Username::as_str);
    context! {
        me => context! {
            name => user.full_name(),
            email,
            username,
            first_name => user.first_name.as_str(),
            last_name => user.last_name.as_str(),
            avatar => user.avatar.as_ref().map(crate::domain::Avatar::as_str),
            is_staff => user.is_staff,
            must_choose_password => user.password_is_temporary,
        },
        ..facts
    }
}
