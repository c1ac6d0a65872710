//! The mailbox: pages for a browser, JSON for a program that waits for a mail.

use std::sync::Arc;
use std::time::Duration;

use minijinja::{Value, context};
use utoipa::ToSchema;
use warp::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use warp::http::{Method, StatusCode};

use crate::config::Config;
use crate::domain::{Email, EmailKey, Invalid, MailId};
use crate::flows::{self, KeptMail, Wanted};
use crate::http::body::{Body, Fields};
use crate::http::caller::{Admit, Public};
use crate::http::dev::developer::Developer;
use crate::http::dev::views::MailView;
use crate::http::dev::world::span;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::pages;
use crate::http::reply::Reply;
use crate::http::request::Req;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::GET, "/dev/mail/", mailbox)
            .does("The mailbox as a page; with a query, the newest mail that it asks for.")
            .query("to", "Whom the mail is to.")
            .query("after", "The id of a mail that is not meant, nor any before it.")
            .query("wait", "How long the mail may take to come: 5s.")
            .replies::<MailView<'_>>(StatusCode::OK),
        public(Method::GET, "/dev/mail/{id}/", mail)
            .does("One mail as a page.")
            .replies_nothing(StatusCode::OK),
        public(Method::GET, "/dev/mail/{id}/html/", html_of_mail)
            .does("What a mail program shows of a mail.")
            .replies_nothing(StatusCode::OK),
    ]
}

/// A mail is shown in a frame of its own, where it can do nothing.
const PAGE_WITH_FRAME: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
     require-trusted-types-for 'script'";
const FRAMED_MAIL: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox";

const LONGEST_WAIT: Duration = Duration::from_secs(60);

async fn mailbox(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    if req.head.uri.query().is_some_and(|query| !query.is_empty()) {
        return newest_mail(cx, req).await;
    }
    let mails: Vec<Value> = flows::mailbox(&cx.app)?.all().iter().map(|kept| facts(kept)).collect();
    Ok(pages::render(&cx.app.config, &req, StatusCode::OK, "dev/mailbox.html", context! { mails }))
}

async fn newest_mail(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    Developer::recognize(&cx.app, &req)?;
    let Query { to, after, wait } = req.parameters(&cx.app.config)?;
    let wanted = Wanted { to, after, wait };
    let kept = flows::newest_mail(&cx.app, &wanted).await?.ok_or(ApiError::NotFound)?;
    Ok(Reply::json(StatusCode::OK, &MailView::new(&kept)))
}

async fn mail(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let kept = kept(&cx, &req)?;
    let facts = context! { mail => facts(&kept), text => kept.content.text.expose() };
    let page = pages::render(&cx.app.config, &req, StatusCode::OK, "dev/mail.html", facts);
    Ok(page.header(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_WITH_FRAME)))
}

async fn html_of_mail(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let kept = kept(&cx, &req)?;
    let html = kept.content.html.as_ref().ok_or(ApiError::NotFound)?.expose().clone().into_bytes();
    Ok(Reply::bytes(StatusCode::OK, "text/html; charset=utf-8", html)
        .header(CONTENT_SECURITY_POLICY, HeaderValue::from_static(FRAMED_MAIL)))
}

fn kept(cx: &Cx<Public>, req: &Req) -> Result<Arc<KeptMail>, ApiError> {
    let id: MailId = req.param("id")?;
    flows::mailbox(&cx.app)?.mail(id).ok_or(ApiError::NotFound)
}

/// What the pages say of a mail.
fn facts(kept: &KeptMail) -> Value {
    context! {
        id => kept.mail.id.to_string(),
        to => kept.mail.to.as_str(),
        subject => &kept.mail.subject,
        date => kept.mail.created_at.to_string(),
        code => kept.code(),
        link => kept.link(),
        has_html => kept.content.html.is_some(),
    }
}

/// Which mail is asked for.
#[derive(ToSchema)]
struct Query {
    #[schema(value_type = Option<String>)]
    to: Option<EmailKey>,
    #[schema(value_type = Option<String>)]
    after: Option<MailId>,
    #[schema(value_type = Option<String>)]
    wait: Duration,
}

impl Body for Query {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self {
            to: fields.optional("to", address),
            after: fields.optional("after", known_mail).flatten(),
            wait: fields.optional("wait", wait).unwrap_or_default(),
        })
    }
}

/// A plus that nobody escaped has become a space, which no address has.
fn address(text: &str) -> Result<EmailKey, Invalid> {
    Email::parse(&text.replace(' ', "+")).map(|email| email.key())
}

/// An empty text is no mail.
fn known_mail(text: &str) -> Result<Option<MailId>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Invalid::new("type", "Not the id of a mail."))
}

fn wait(text: &str) -> Result<Duration, Invalid> {
    let span = span(text)?;
    let too_long = || Invalid::new("max_value", format!("At most {}s.", LONGEST_WAIT.as_secs()));
    Some(span).filter(|span| *span <= LONGEST_WAIT).ok_or_else(too_long)
}
