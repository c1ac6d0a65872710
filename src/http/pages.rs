//! Our own pages: plain HTML and one style sheet, no script. What goes into a page is escaped.

use minijinja::{Environment, Value, context};
use rust_embed::RustEmbed;
use warp::http::StatusCode;
use warp::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};

use crate::config::Config;
use crate::domain::PlainToken;
use crate::http::reply::Reply;

#[derive(RustEmbed)]
#[folder = "assets/account/"]
struct Assets;

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// The page that the link in the mail opens: a button, if the code looks like one.
pub(crate) fn verify_email(config: &Config, code: Option<&PlainToken>) -> Reply {
    match code {
        Some(code) => page(config, StatusCode::OK, "verify.html", context! { code => code.expose() }),
        None => link_is_spent(config),
    }
}

pub(crate) fn email_verified(config: &Config) -> Reply {
    page(config, StatusCode::OK, "verified.html", context! {})
}

pub(crate) fn link_is_spent(config: &Config) -> Reply {
    page(config, StatusCode::BAD_REQUEST, "spent.html", context! {})
}

/// The form for a new password, with what was wrong with the last try.
pub(crate) fn reset_password(config: &Config, uid: &str, token: &str, broken: &[String]) -> Reply {
    let status = if broken.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    page(config, status, "reset.html", context! { uid, token, broken => broken.to_vec() })
}

pub(crate) fn password_is_new(config: &Config) -> Reply {
    page(config, StatusCode::OK, "reset_done.html", context! {})
}

pub(crate) fn reset_is_spent(config: &Config) -> Reply {
    page(config, StatusCode::BAD_REQUEST, "reset_spent.html", context! {})
}

/// The form for the first administrator, with what was typed as address and name, and what was wrong with it.
pub(crate) fn set_up(config: &Config, token: &str, [email, username]: [&str; 2], broken: &[String]) -> Reply {
    let status = if broken.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    page(config, status, "setup.html", context! { token, email, username, broken => broken.to_vec() })
}

pub(crate) fn administrator_is_made(config: &Config) -> Reply {
    page(config, StatusCode::OK, "setup_done.html", context! {})
}

/// The same whether there is a link that lives or not.
pub(crate) fn setup_is_spent(config: &Config) -> Reply {
    page(config, StatusCode::BAD_REQUEST, "setup_spent.html", context! {})
}

pub(crate) fn setup_is_elsewhere(config: &Config) -> Reply {
    page(config, StatusCode::FORBIDDEN, "setup_elsewhere.html", context! {})
}

pub(crate) fn asset(name: &str) -> Option<Vec<u8>> {
    Assets::get(name).map(|file| file.data.into_owned())
}

fn page(config: &Config, status: StatusCode, name: &str, facts: Value) -> Reply {
    let host = config.server.public_url.host_str().unwrap_or("this service");
    match render(name, context! { host, ..facts }) {
        Ok(html) => Reply::bytes(status, "text/html; charset=utf-8", html.into_bytes())
            .header(CONTENT_SECURITY_POLICY, POLICY),
        Err(error) => {
            tracing::error!(page = name, %error, "a page does not render");
            Reply::nothing(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

fn render(name: &str, facts: Value) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_loader(|name| Ok(asset(name).and_then(|bytes| String::from_utf8(bytes).ok())));
    environment.get_template(name)?.render(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_renders_and_escapes() {
        let hostile = "\"><script>";
        let facts = context! {
            host => "<auth>", code => hostile, uid => hostile, token => hostile, broken => [hostile],
            email => hostile, username => hostile,
        };
        for name in [
            "verify.html",
            "verified.html",
            "spent.html",
            "reset.html",
            "reset_done.html",
            "reset_spent.html",
            "setup.html",
            "setup_done.html",
            "setup_spent.html",
            "setup_elsewhere.html",
        ] {
            let html = render(name, facts.clone()).expect(name);
            assert!(html.contains("&lt;auth&gt;") && !html.contains("<script>"), "{html}");
        }
    }
}
