//! The hosted pages: all that people do with their account, without an application around it. Plain forms; a module
//! makes them nicer where there is JavaScript.
//!
//! Each page does what its endpoint of the API does, by the same flow: a page is never a weaker way in.

mod api_keys;
mod close;
mod email;
mod log_in;
mod password;
mod profile;
mod register;
mod reset;
mod sessions;
mod visitor;

use minijinja::{Value, context};
use warp::http::header::{HeaderValue, LOCATION};
use warp::http::{Method, StatusCode};

use crate::app::App;
use crate::flows::LoggedIn;
use crate::http::account::visitor::Shown;
use crate::http::caller::{Public, User, refuse_other_pages, refuse_other_sites};
use crate::http::cookies;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::next::Next;
use crate::http::pages::{self, PAGES};
use crate::http::reader::Reader;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::routes::Present;

const HOME: &str = "/account/";
const LOG_IN: &str = "/account/login/";
const PASSWORD: &str = "/account/password/";

pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        log_in::endpoints(),
        register::endpoints(),
        reset::endpoints(),
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

/// A page for everybody. Its forms come from our own pages, or from programs: they have no log-in to be misused.
fn page<F, A>(method: Method, path: &'static str, handler: F) -> Endpoint
where
    F: Fn(Cx<Public>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    public(method, path, move |cx: Cx<Public>, req: Req| async move {
        refuse_other_pages(&cx.app, &req)?;
        handler(cx, req).await
    })
    .of(&PAGES)
}

/// A page for whoever is signed in; the others are led to the log-in, and back.
fn member<F, A>(method: Method, path: &'static str, handler: F) -> Endpoint
where
    F: Fn(Cx<User>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    page(method, path, move |cx: Cx<Public>, req: Req| async move {
        refuse_other_sites(&cx.app, &req)?;
        let Some(visitor) = Shown::of(&cx.app, &req).visitor(&cx.app).await? else {
            let (log_in, back) = if req.method.is_safe() {
                (LOG_IN, path)
            } else {
                ("/account/login/?done=lost", page_of(path))
            };
            let reply = see_other(&with_next(log_in, Some(back)));
            return Ok(cookies::take_sent_tokens(&cx.app, req.headers(), reply));
        };
        let reader = Reader::of(&cx.app, &req);
        let (caller, fresh) = visitor.into_parts();
        // As in the API: nothing else is open to somebody who has to choose a password first.
        let reply = if caller.user.password_is_temporary && path != PASSWORD && path != log_in::LOG_OUT {
            see_other(PASSWORD)
        } else {
            let outcome = handler(Cx { app: cx.app, caller }, req).await;
            outcome.unwrap_or_else(|error| pages::problem(&error, &reader))
        };
        Ok(fresh.give(&reader.app, reply))
    })
}

/// The page that a form stands on, which a browser can be led to: `/account/sessions/` for `/account/sessions/end/`.
fn page_of(path: &'static str) -> &'static str {
    let noun = path.strip_prefix(HOME).and_then(|rest| rest.find('/'));
    noun.and_then(|end| path.get(..=HOME.len() + end)).unwrap_or(HOME)
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

/// A path with `next` in its query too.
fn with_next(path: &str, next: Option<&str>) -> String {
    let Some(next) = next else { return path.to_owned() };
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    let glue = if path.contains('?') { '&' } else { '?' };
    format!("{path}{glue}{query}")
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
