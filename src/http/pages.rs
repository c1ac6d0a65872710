//! Our own pages: HTML from templates, in the reader's language, under a strict policy. What goes into a page is
//! escaped; no page has a script or a style in it.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use minijinja::value::Kwargs;
use minijinja::{AutoEscape, Environment, State, UndefinedBehavior, Value, context};
use rust_embed::RustEmbed;
use warp::http::StatusCode;
use warp::http::header::{CONTENT_SECURITY_POLICY, HeaderValue, VARY};

use crate::config::Config;
use crate::http::endpoint::{NATIVE, Surface};
use crate::http::error::ApiError;
use crate::http::head::Head;
use crate::http::reader::Reader;
use crate::http::reply::{Reply, whole_secs};
use crate::http::request::Req;
use crate::http::statics;

/// The `.html` files under `assets/`, named by their path there. `assets/build.rs` gathers them.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/templates"]
struct Templates;

/// The languages that the pages are written in; the first is for everybody else.
const LANGUAGES: [&str; 2] = ["en", "es"];
/// Where the words of the pages stand that the server renders.
const TEXTS: [&str; 6] = ["pages/es", "account/es", "pages/messages.es", "admin/es", "docs/es", "dev/es"];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // A page that is shown for the first time has no form that was sent.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_loader(|name| {
        Ok(Templates::get(name).and_then(|file| String::from_utf8(file.data.into_owned()).ok()))
    });
    environment.add_function("t", translate);
    environment
});

/// English text to Spanish.
static SPANISH: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let files = TEXTS.iter().filter_map(|file| statics::text(&format!("{file}.json")));
    // The files are parts of the program: a test holds them to be whole.
    let parsed = files.filter_map(|text| serde_json::from_str::<HashMap<String, String>>(&text).ok());
    parsed.flatten().collect()
});

/// Makes a page from a template: `account/verify.html`. Every template finds `site`, `has_logo`, `has_admin`, `language`,
/// `is_dev` and `assets` beside its own facts.
pub(crate) fn render(config: &Config, req: &Req, status: StatusCode, name: &str, facts: Value) -> Reply {
    render_in(config, language(&req.head), status, name, facts)
}

/// The shell of a page that is written in modules: `admin/index.html`, with those of its folder named all at once, or the
/// browser would find them one after the other.
pub(crate) fn application(config: &Config, req: &Req, folder: &str, facts: Value) -> Reply {
    let modules = [folder, "lib"].into_iter().flat_map(|folder| statics::modules(&format!("{folder}/")));
    // Our own names need no escaping.
    let modules: Vec<Value> = modules.map(Value::from_safe_string).collect();
    let facts = context! { modules, ..facts };
    render(config, req, StatusCode::OK, &format!("{folder}/index.html"), facts)
}

fn render_in(config: &Config, language: &str, status: StatusCode, name: &str, facts: Value) -> Reply {
    let common = context! {
        site => site_name(config),
        has_logo => config.site.logo.is_some(),
        has_admin => config.admin.enabled,
        language,
        is_dev => config.dev.is_some(),
        assets => Value::from_safe_string(statics::BASE.to_owned()),
    };
    match ENVIRONMENT.get_template(name).and_then(|template| template.render(context! { ..facts, ..common }))
    {
        Ok(html) => Reply::bytes(status, "text/html; charset=utf-8", html.into_bytes())
            .header(CONTENT_SECURITY_POLICY, policy(config))
            .header(VARY, HeaderValue::from_static("accept-language")),
        Err(error) => {
            tracing::error!(page = name, %error, "a page does not render");
            Reply::nothing(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// Pages are no part of the API: its document does not list them.
pub(crate) static PAGES: Surface = Surface { name: "pages", tell: problem };
/// What programs call and browsers open.
pub(crate) static NATIVE_WITH_PAGES: Surface = Surface { name: NATIVE.name, tell: problem_for_either };

fn problem_for_either(error: &ApiError, reader: &Reader) -> Reply {
    if reader.has_page() { problem(error, reader) } else { (NATIVE.tell)(error, reader) }
}

/// What went wrong, said by a page.
pub(crate) fn problem(error: &ApiError, reader: &Reader) -> Reply {
    let (status, code, _) = error.problem();
    error.log(&reader.id);
    let language = language(&reader.head);
    let facts = context! { code, detail => for_people(language, error), request_id => reader.id.to_string() };
    error.dress(render_in(&reader.app.config, language, status, "account/problem.html", facts))
}

/// What an error is to whoever reads a page: they see no headers.
pub(crate) fn for_people(language: &str, error: &ApiError) -> String {
    let secs = |wait: &Duration| whole_secs(*wait).max(1);
    match error {
        ApiError::RateLimited { retry_after, .. } => {
            say(language, &format!("Too often: try again in {} seconds.", secs(retry_after)))
        }
        ApiError::Overloaded { retry_after } => {
            say(language, &format!("Too much to do: try again in {} seconds.", secs(retry_after)))
        }
        _ => say(language, error.problem().2),
    }
}

/// A sentence of the API in this language. The numbers in it are whatever they are.
pub(crate) fn say(language: &str, message: &str) -> String {
    if language != "es" {
        return message.to_owned();
    }
    let is_digit = |c: char| c.is_ascii_digit();
    let numbers: Vec<&str> = message.split(|c| !is_digit(c)).filter(|part| !part.is_empty()).collect();
    let key = numbers.iter().fold(message.to_owned(), |text, number| text.replacen(number, "{n}", 1));
    let said = SPANISH.get(&key).cloned().unwrap_or_else(|| message.to_owned());
    numbers.iter().fold(said, |text, number| text.replacen("{n}", number, 1))
}

/// What the pages call this service.
pub(crate) fn site_name(config: &Config) -> &str {
    let host = || config.server.public_url.host_str().unwrap_or("this service");
    config.site.name.as_deref().unwrap_or_else(host)
}

/// The language of ours that the reader likes best.
pub(crate) fn language(head: &Head) -> &'static str {
    let liked = head.languages();
    let ours = liked.iter().find_map(|liked| LANGUAGES.into_iter().find(|ours| *ours == liked.as_str()));
    ours.unwrap_or("en")
}

/// A form may lead to where a log-in may go on to: browsers hold its redirect to the policy too.
fn policy(config: &Config) -> HeaderValue {
    let origins = config.site.next_origins.join(" ");
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action 'self' {origins}; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// `t("{n} users", n=3)`: the text in the reader's language, filled in.
#[expect(clippy::needless_pass_by_value, reason = "minijinja hands them over")]
fn translate(state: &State<'_, '_>, key: &str, values: Kwargs) -> Result<String, minijinja::Error> {
    let is_spanish = state.lookup("language").is_some_and(|language| language.as_str() == Some("es"));
    let translated = if is_spanish { SPANISH.get(key).map(String::as_str) } else { None };
    let mut text = translated.unwrap_or(key).to_owned();
    for name in values.args() {
        text = text.replace(&format!("{{{name}}}"), &values.get::<Value>(name)?.to_string());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(name: &str, facts: Value) -> String {
        ENVIRONMENT.get_template(name).and_then(|template| template.render(facts)).expect(name)
    }

    #[test]
    fn every_page_renders_and_escapes() {
        let hostile = "\"><script>";
        let facts = context! {
            site => "<auth>", language => "es", code => hostile, uid => hostile, token => hostile,
            email => hostile, username => hostile, next => hostile, done => hostile, min_length => 8, wait => 3,
            detail => hostile, registration => hostile, made => context! { name => hostile, text => hostile },
            me => context! { name => hostile, email => hostile },
            form => context! { typed => context! { identifier => hostile }, errors => context! { email => [hostile] } },
            sessions => [context! { id => hostile, user_agent => hostile, created_at => hostile }],
            keys => [context! { id => hostile, name => hostile, created_at => hostile }], is_open => true,
        };
        for name in
            Templates::iter().filter(|name| !name.starts_with("pages/") && name != "account/parts.html")
        {
            let html = html(&name, facts.clone());
            assert!(html.contains("&lt;auth&gt;") && !html.contains("<script>"), "{html}");
        }
    }

    #[test]
    fn no_template_has_a_script_or_a_style_in_it() {
        for name in Templates::iter() {
            let file = Templates::get(&name).expect("listed");
            let text = String::from_utf8(file.data.into_owned()).expect("text");
            for inline in ["<style", " style=", " onclick=", "javascript:", "<script>", "|safe"] {
                assert!(!text.contains(inline), "{name} has {inline}");
            }
        }
    }

    #[test]
    fn a_text_is_said_in_the_language_of_the_page_and_filled_in() {
        let page = "{{ t(\"Development mode: nothing here lasts, and nobody is who they say.\") }}|{{ t(\"{n} <b>\", n=n) }}";
        let said =
            |language| ENVIRONMENT.render_str(page, context! { language, n => "<i>" }).expect("rendered");

        assert!(said("es").starts_with("Modo de desarrollo"));
        assert!(said("en").starts_with("Development"));
        assert!(said("en").ends_with("|&lt;i&gt; &lt;b&gt;"));
    }
}
