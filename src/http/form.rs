//! A form of a page: what was typed, read as the API reads it, and shown again with what is wrong with it.

use std::collections::BTreeMap;

use minijinja::{Value, context};
use utoipa::ToSchema;
use warp::http::StatusCode;

use crate::app::App;
use crate::config::Config;
use crate::domain::{Code, Invalid};
use crate::http::body::{Body, Fields};
use crate::http::error::ApiError;
use crate::http::next::Next;
use crate::http::pages;
use crate::http::reply::Reply;
use crate::http::request::Req;

/// What a form sent. A field that is there twice is not there.
pub(crate) struct Form {
    typed: Vec<(String, String)>,
}

/// What is never shown again.
const SECRETS: [&str; 5] = ["password", "password_again", "old_password", "new_password", "code"];

impl Form {
    pub(crate) async fn read(req: &mut Req) -> Result<Self, ApiError> {
        if !req.is_form() {
            return Err(ApiError::UnsupportedMediaType);
        }
        let bytes = req.bytes().await?;
        Ok(Self { typed: url::form_urlencoded::parse(&bytes).into_owned().collect() })
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        let mut values = self.typed.iter().filter(|(field, _)| field == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => value,
            _ => "",
        }
    }

    /// Where to go on to.
    pub(crate) fn next(&self, config: &Config) -> Option<Next> {
        Next::parse(config, self.text("next"))
    }

    /// These fields as a body of the API; one that was left empty is left out.
    pub(crate) fn parse<B: Body>(&self, config: &Config, names: &[&str]) -> Result<B, ApiError> {
        let filled = names.iter().map(|name| (*name, self.text(name))).filter(|(_, text)| !text.is_empty());
        Fields::of_texts(filled.map(|(name, text)| (name, Some(text)))).decode(config)
    }

    /// The same where an empty field takes away what was there.
    pub(crate) fn parse_change<B: Body>(&self, config: &Config, names: &[&str]) -> Result<B, ApiError> {
        let all = names.iter().map(|name| (*name, Some(self.text(name)).filter(|text| !text.is_empty())));
        Fields::of_texts(all).decode(config)
    }

    /// The page again, with what is wrong, or why it has to be sent once more; errors that neither mends go on up.
    pub(crate) fn again(
        &self,
        app: &App,
        req: &Req,
        template: &str,
        error: ApiError,
        facts: Value,
    ) -> Result<Reply, ApiError> {
        let language = pages::language(&req.head);
        let mut errors: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut problem = None;
        let mut tell = |name: &str, invalid: &Invalid| {
            let said = pages::say(language, &invalid.message);
            // A browser sends every field of a form, so the page has no place for one that did not come.
            if self.typed.iter().any(|(typed, _)| typed == name) {
                errors.entry(name.to_owned()).or_default().push(said);
            } else {
                problem = Some(said);
            }
        };
        match &error {
            ApiError::Invalid(fields, _) => {
                let all = fields.iter().flat_map(|(name, broken)| broken.iter().map(move |one| (name, one)));
                all.for_each(|(name, invalid)| tell(name, invalid));
            }
            ApiError::Conflict(name, invalid) => tell(name, invalid),
            ApiError::InvalidCode
            | ApiError::InvalidCredentials
            | ApiError::RateLimited { .. }
            | ApiError::Overloaded { .. }
            | ApiError::Unavailable(_) => problem = Some(pages::for_people(language, &error)),
            _ => return Err(error),
        }
        let shown = self.typed.iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
        let typed: BTreeMap<String, String> =
            shown.map(|(name, _)| (name.clone(), self.text(name).to_owned())).collect();
        let form = context! { typed, errors, problem };
        let facts = context! { form, next => self.next(&app.config), ..facts };
        let status = error.problem().0;
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            error.log(&req.id);
            return Ok(error.dress(pages::render(&app.config, req, status, template, facts)));
        }
        // A form that was filled in wrong is no attempt to get in: 401 would be for programs.
        Ok(pages::render(&app.config, req, StatusCode::BAD_REQUEST, template, facts))
    }
}

/// What a page says of a password that is to be chosen.
pub(crate) fn rules(config: &Config) -> Value {
    context! { min_length => config.passwords.policy.least() }
}

/// What was copied from a mail, or typed in two halves.
#[derive(ToSchema)]
pub(crate) struct CodeForm {
    #[schema(value_type = String)]
    pub(crate) code: Code,
}

impl Body for CodeForm {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let no_code = || Invalid::new("type", "The code has eight digits.");
        let code = fields.required("code", |text| Code::parse(text.trim()).ok_or_else(no_code))?;
        Some(Self { code })
    }
}
