//! Cookies: reading those of a request, giving the tokens as cookies, taking them back.
//!
//! By hand: what comes is a list of pairs (RFC 6265, section 4.2.1), what goes is one line, and whatever a crate would do
//! to a value besides (decoding, unquoting, signing) must not be done to a token.
//!
//! Must never: choose one of two values of one name, set a Domain for what opens an account, or say whether a cookie is
//! worth anything.

use std::time::Duration;

use warp::http::HeaderMap;
use warp::http::header::{COOKIE, HeaderValue, SET_COOKIE};

use crate::app::App;
use crate::config::{Config, CookiesConfig, SameSite};
use crate::domain::PlainToken;
use crate::flows::{LoggedIn, Tokens};
use crate::http::reply::Reply;

/// How long a browser keeps its name.
const DEVICE_TTL: Duration = Duration::from_secs(365 * 86_400);

/// The value of a cookie. One that is given twice is not given: somebody else may have set one of the two.
pub(crate) fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = values(headers, name);
    let value = values.next()?;
    if values.next().is_some() { None } else { std::str::from_utf8(value).ok() }
}

/// How many cookies of one name are looked at.
const MOST: usize = 4;

/// All values of a cookie, for whoever wants none of them to count.
pub(crate) fn all<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    values(headers, name).take(MOST).filter_map(|value| std::str::from_utf8(value).ok())
}

/// Whether a cookie for one of the tokens is there at all, whatever it is worth.
pub(crate) fn has_tokens(headers: &HeaderMap, config: &Config) -> bool {
    let names = [&config.cookies.access_name, &config.cookies.refresh_name, &config.forward.cookie_name];
    names.into_iter().any(|name| values(headers, name).next().is_some())
}

/// What a program behind a proxy may see of the cookies that come along: those that are not ours. None: there are none.
pub(crate) fn without_ours(config: &Config, headers: &HeaderMap) -> Option<HeaderValue> {
    let CookiesConfig { access_name, refresh_name, device_name, .. } = &config.cookies;
    let compat = config.compat.dj_rest_auth.as_ref();
    let compat = compat.into_iter().flat_map(|own| [&own.access_cookie, &own.refresh_cookie]).flatten();
    let ours: Vec<&String> = [access_name, refresh_name, device_name, &config.forward.cookie_name]
        .into_iter()
        .chain(compat)
        .collect();
    let is_ours = |pair: &&[u8]| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        ours.iter().any(|own| own.as_bytes() == name)
    };
    headers.contains_key(COOKIE).then(|| {
        let others: Vec<&[u8]> =
            pairs(headers).map(<[u8]>::trim_ascii).filter(|pair| !is_ours(pair)).collect();
        // What came in headers goes into one.
        let mut line =
            HeaderValue::from_bytes(&others.join(&b"; "[..])).unwrap_or(HeaderValue::from_static(""));
        line.set_sensitive(true);
        line
    })
}

/// Whether the answer sets cookies: as the request asks, else as it is configured.
pub(crate) fn are_wanted(config: &CookiesConfig, asked: Option<bool>) -> bool {
    asked.unwrap_or(config.enabled)
}

/// Sets the tokens as cookies, each for as long as it lives.
pub(crate) fn give_tokens(app: &App, reply: Reply, logged_in: &LoggedIn) -> Reply {
    let config = &app.config.cookies;
    let reply = give_access(app, reply, &config.access_name, &logged_in.tokens);
    let reply = give_refresh(app, reply, &config.refresh_name, &logged_in.tokens);
    give_forward(app, reply, &logged_in.tokens)
}

/// Sets the token for the programs behind a proxy, if there are any.
fn give_forward(app: &App, reply: Reply, tokens: &Tokens) -> Reply {
    let Some(token) = &tokens.forward else { return reply };
    let max_age = tokens.refresh_expires_at.since(app.clock.now());
    set_forward(&app.config, reply, token, max_age)
}

/// Sets the access token as a cookie of this name.
pub(crate) fn give_access(app: &App, reply: Reply, name: &str, tokens: &Tokens) -> Reply {
    let max_age = tokens.access_expires_at.since(app.clock.now());
    set(&app.config.cookies, reply, name, &tokens.access, max_age)
}

pub(crate) fn give_refresh(app: &App, reply: Reply, name: &str, tokens: &Tokens) -> Reply {
    let max_age = tokens.refresh_expires_at.since(app.clock.now());
    set(&app.config.cookies, reply, name, &tokens.refresh, max_age)
}

/// Takes a cookie of this name away from the browser.
pub(crate) fn take(app: &App, reply: Reply, name: &str) -> Reply {
    set(&app.config.cookies, reply, name, "", Duration::ZERO)
}

/// Lets the browser keep the name that the limits know it by.
pub(crate) fn name_browser(app: &App, reply: Reply, name: &PlainToken) -> Reply {
    let config = &app.config.cookies;
    set(config, reply, &config.device_name, name.expose(), DEVICE_TTL)
}

/// Takes the tokens away from the browser. Its name stays: it is not a log-in.
pub(crate) fn take_tokens(app: &App, reply: Reply) -> Reply {
    let config = &app.config.cookies;
    let reply = take(app, take(app, reply, &config.access_name), &config.refresh_name);
    let is_forwarded = !app.config.forward.rules.is_empty();
    if is_forwarded { set_forward(&app.config, reply, "", Duration::ZERO) } else { reply }
}

/// The same for a browser that sent some.
pub(crate) fn take_sent_tokens(app: &App, headers: &HeaderMap, reply: Reply) -> Reply {
    if has_tokens(headers, &app.config) { take_tokens(app, reply) } else { reply }
}

fn set(config: &CookiesConfig, reply: Reply, name: &str, value: &str, max_age: Duration) -> Reply {
    set_for(config, "", reply, name, value, max_age)
}

fn set_forward(config: &Config, reply: Reply, value: &str, max_age: Duration) -> Reply {
    let domain = config.forward.cookie_domain.as_ref().map(|domain| format!("; Domain={domain}"));
    let name = &config.forward.cookie_name;
    set_for(&config.cookies, &domain.unwrap_or_default(), reply, name, value, max_age)
}

fn set_for(
    config: &CookiesConfig,
    domain: &str,
    reply: Reply,
    name: &str,
    value: &str,
    max_age: Duration,
) -> Reply {
    let same_site = match config.same_site {
        SameSite::Lax => "Lax",
        SameSite::Strict => "Strict",
        SameSite::None => "None",
    };
    let secure = if config.secure { "; Secure" } else { "" };
    let max_age = max_age.as_secs();
    let line =
        format!("{name}={value}; Path=/{domain}; HttpOnly; SameSite={same_site}{secure}; Max-Age={max_age}");
    // The configuration takes only names that are tokens, and ours are base64url and dots: the line is a header always.
    let mut line = HeaderValue::try_from(line).unwrap_or(HeaderValue::from_static(""));
    line.set_sensitive(true);
    reply.header(SET_COOKIE, line)
}

/// All values of one name, in whichever `Cookie` header: HTTP/2 sends several.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a [u8]> {
    pairs(headers).filter_map(move |pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (own, value) = (pair.get(..equals)?, pair.get(equals + 1..)?);
        (own.trim_ascii() == name.as_bytes()).then(|| value.trim_ascii())
    })
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let headers = headers.get_all(COOKIE).into_iter();
    headers.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let value = |line: &&[u8]| (COOKIE, HeaderValue::from_bytes(line).expect("a header"));
        lines.iter().map(value).collect()
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        for lines in [
            &[&b"a=1"[..]][..],
            &[b"b=2; a=1"],
            &[b"b=2;a=1;"],
            &[b" a = 1 ; b=2"],
            &[b"b=2", b"a=1"],
            &[b"b=\xff\xfe; =x; nonsense; A=2; aa=3; a=1; ;;"],
        ] {
            assert_eq!(only(&headers(lines), "a"), Some("1"), "{lines:?}");
        }
        assert_eq!(only(&headers(&[b"a=b=c=="]), "a"), Some("b=c=="));
        assert_eq!(only(&headers(&[b"a="]), "a"), Some(""));
        assert_eq!(only(&headers(&[b"a=\"1\""]), "a"), Some("\"1\""));
    }

    #[test]
    fn what_is_not_there_once_is_not_there() {
        for lines in [
            &[][..],
            &[&b""[..]],
            &[b"a"],
            &[b"b=a=1"],
            &[b"A=1"],
            &[b"a=\xff"],
            &[b"a=1; a=2"],
            &[b"a=1; a=1"],
            &[b"a=1", b"a=2"],
            &[b"a=1; b=2", b"a=\xff"],
        ] {
            assert_eq!(only(&headers(lines), "a"), None, "{lines:?}");
        }
    }
}
