//! What the people and the mails of a throw-away service look like in JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Persona;
use crate::domain::{Directory, Password, Timestamp};
use crate::flows::KeptMail;
use crate::http::views::{Time, UserView};

/// Who is there from the start.
#[derive(Serialize, ToSchema)]
pub(super) struct PersonasView<'a> {
    results: Vec<PersonaView<'a>>,
}

#[derive(Serialize, ToSchema)]
struct PersonaView<'a> {
    password: Option<&'a str>,
    access: &'a str,
    #[schema(value_type = String, format = DateTime)]
    access_expires_at: Time,
    user: UserView<'a>,
}

impl<'a> PersonasView<'a> {
    pub(super) fn new(personas: &'a [Persona], directory: &Directory) -> Self {
        let view = |persona: &'a Persona| PersonaView {
            password: persona.password.as_ref().map(Password::expose),
            access: &persona.access,
            access_expires_at: Time(persona.access_expires_at),
            user: UserView::new(&persona.user, directory),
        };
        Self { results: personas.iter().map(view).collect() }
    }
}

/// What time it is.
#[derive(Serialize, ToSchema)]
pub(super) struct ClockView {
    #[schema(value_type = String, format = DateTime)]
    now: Time,
}

impl ClockView {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now: Time(now) }
    }
}

/// A mail, what it is about, and what somebody needs of it.
#[derive(Serialize, ToSchema)]
pub(super) struct MailView<'a> {
    id: String,
    to: &'a str,
    kind: &'static str,
    subject: &'a str,
    #[schema(value_type = String, format = DateTime)]
    date: Time,
    text: &'a str,
    html: Option<&'a str>,
    /// The digits that stand alone on a line.
    code: Option<&'a str>,
    /// The link that stands alone on a line.
    link: Option<&'a str>,
}

impl<'a> MailView<'a> {
    pub(super) fn new(kept: &'a KeptMail) -> Self {
        Self {
            id: kept.mail.id.to_string(),
            to: kept.mail.to.as_str(),
            kind: kept.mail.kind.as_str(),
            subject: &kept.mail.subject,
            date: Time(kept.mail.created_at),
            text: kept.content.text.expose(),
            html: kept.content.html.as_ref().map(|html| html.expose().as_str()),
            code: kept.code(),
            link: kept.link(),
        }
    }
}
