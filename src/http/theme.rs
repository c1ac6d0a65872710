//! What `[site]` makes of the pages: the accent colour as a style sheet, and the logo.

use warp::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue};
use warp::http::{Method, StatusCode};

use crate::domain::Colour;
use crate::http::caller::Public;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;

/// The backgrounds of `assets/pages/style.css` on which the accent is read the worst.
const LIGHT_PAPER: &str = "#f4f5f7";
const DARK_PAPER: &str = "#23282e";
/// WCAG 2.2, success criterion 1.4.3.
const CONTRAST: f32 = 4.5;

/// For whoever has none.
const OWN_LOGO: &[u8] = include_bytes!("../../assets/pages/logo.svg");

/// A picture that was made elsewhere runs nothing, even where it is opened by itself.
const PICTURE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

pub(crate) fn endpoints() -> [Endpoint; 2] {
    [
        public(Method::GET, "/account/theme.css", theme)
            .does("The colours of the pages.")
            .replies_nothing(StatusCode::OK),
        public(Method::GET, "/account/logo", logo)
            .does("The picture of the pages.")
            .replies_nothing(StatusCode::OK),
    ]
}

async fn theme(cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    let css = style(cx.app.config.site.accent).into_bytes();
    Ok(cacheable(Reply::bytes(StatusCode::OK, "text/css; charset=utf-8", css)))
}

async fn logo(cx: Cx<Public>, _req: Req) -> Result<Reply, ApiError> {
    let reply = match &cx.app.config.site.logo {
        Some(logo) => Reply::bytes(StatusCode::OK, logo.content_type, logo.bytes.to_vec()),
        None => Reply::bytes(StatusCode::OK, "image/svg+xml", OWN_LOGO.to_vec()),
    };
    Ok(cacheable(reply).header(CONTENT_SECURITY_POLICY, PICTURE))
}

fn cacheable(reply: Reply) -> Reply {
    reply.header(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))
}

/// The accent as it is for what is filled with it, and as it can be read where text has it; both on light and on dark.
fn style(accent: Colour) -> String {
    let paper = |text| Colour::parse(text).unwrap_or(Colour::WHITE);
    let (light, dark) =
        (accent.readable_on(paper(LIGHT_PAPER), CONTRAST), accent.readable_on(paper(DARK_PAPER), CONTRAST));
    let rule = |fill: Colour, text: Colour| {
        format!(":root {{ --accent: {fill}; --on-accent: {}; --accent-ink: {text}; }}", fill.ink())
    };
    format!("{}\n@media (prefers-color-scheme: dark) {{ {} }}\n", rule(accent, light), rule(dark, dark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_are_those_of_the_style_sheet() {
        let style = include_str!("../../assets/pages/style.css");
        for paper in [LIGHT_PAPER, DARK_PAPER] {
            assert!(style.contains(paper), "{paper}");
        }
    }

    #[test]
    fn a_pale_accent_is_darkened_where_it_is_text() {
        let css = style(Colour::parse("#ffdd00").expect("a colour"));

        assert!(css.starts_with(":root { --accent: #ffdd00; --on-accent: #000000; --accent-ink: #"), "{css}");
        assert!(!css.lines().next().is_some_and(|line| line.ends_with("--accent-ink: #ffdd00; }")), "{css}");
    }
}
