//! What the letters say: the templates of `assets/mail/`, built into the binary.
//!
//! Must never: show a name or any other text that its reader's enemy could have chosen. A stranger registers with
//! somebody else's address, and whatever they typed would arrive in that mailbox under our name.

use std::net::IpAddr;
use std::time::Duration;

use minijinja::{Environment, UndefinedBehavior, Value, context};
use rust_embed::RustEmbed;
use url::Url;

use crate::domain::{Email, MailKind, Secret, Timestamp};
use crate::mail::text;

/// A letter and the facts it tells.
pub(crate) enum Letter<'a> {
    /// The code and the link that confirm an address. It does not repeat the address: a stranger may have typed it.
    VerifyEmail {
        /// Eight digits.
        code: &'a Secret<String>,
        /// The whole address, with the long code in it.
        link: &'a Secret<String>,
        valid_for: Duration,
        requested_at: Timestamp,
        ip: Option<IpAddr>,
    },
    /// Somebody tried to register with an address that has an account; the address as the account has it.
    AlreadyRegistered { email: &'a Email, requested_at: Timestamp, ip: Option<IpAddr> },
    /// A session ended because an old refresh token of it came back.
    TokenReuse {
        email: &'a Email,
        ended_at: Timestamp,
        /// Where the old token came from.
        ip: Option<IpAddr>,
        /// Label or user agent of the session; only a few plain words of it are shown.
        device: Option<&'a str>,
    },
}

/// A letter in words.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    pub(crate) kind: MailKind,
    /// One line, always.
    pub(crate) subject: String,
    pub(crate) text: Secret<String>,
}

/// All templates, compiled.
pub(crate) struct Templates {
    environment: Environment<'static>,
    /// Without a slash at the end.
    public_url: String,
}

/// A template that is missing or broken: a mistake in the program, not in the letter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("mail template {0} is missing")]
    Missing(String),
    #[error("mail template {0} must start with a `Subject: ` line, a blank line, and then the text")]
    Shape(String),
    #[error("mail template {name} is broken: {source}")]
    Broken { name: String, source: minijinja::Error },
}

#[derive(RustEmbed)]
#[folder = "assets/mail/"]
struct Assets;

impl Letter<'_> {
    pub(crate) const fn kind(&self) -> MailKind {
        match self {
            Self::VerifyEmail { .. } => MailKind::VerifyEmail,
            Self::AlreadyRegistered { .. } => MailKind::AlreadyRegistered,
            Self::TokenReuse { .. } => MailKind::TokenReuse,
        }
    }

    /// How long the code or the link in it counts; None if there is none in it.
    pub(crate) const fn valid_for(&self) -> Option<Duration> {
        match self {
            Self::VerifyEmail { valid_for, .. } => Some(*valid_for),
            Self::AlreadyRegistered { .. } | Self::TokenReuse { .. } => None,
        }
    }
}

impl Templates {
    const KINDS: [MailKind; 3] = [MailKind::VerifyEmail, MailKind::AlreadyRegistered, MailKind::TokenReuse];

    /// Compiles every template, so that a broken one stops the start and not a registration.
    pub(crate) fn load(public_url: &Url) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        // A fact that a template names and nobody gave is a mistake, never an empty spot in a letter.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for kind in Self::KINDS {
            let path = format!("en/{}.txt", kind.as_str());
            let file = Assets::get(&path).ok_or_else(|| TemplateError::Missing(path.clone()))?;
            let (subject, body) = split(&String::from_utf8_lossy(&file.data))
                .ok_or_else(|| TemplateError::Shape(path.clone()))?;
            for (name, source) in [(subject_name(kind), subject), (body_name(kind), body)] {
                environment
                    .add_template_owned(name, source)
                    .map_err(|source| TemplateError::Broken { name: path.clone(), source })?;
            }
        }
        Ok(Self { environment, public_url: public_url.as_str().trim_end_matches('/').to_owned() })
    }

    pub(crate) fn render(&self, letter: &Letter<'_>) -> Result<Rendered, TemplateError> {
        let kind = letter.kind();
        let facts = self.facts(letter);
        let subject = self.fill(subject_name(kind), &facts)?;
        let body = self.fill(body_name(kind), &facts)?;
        Ok(Rendered {
            kind,
            subject: text::one_line(&subject),
            text: Secret::new(format!("{}\n", body.trim_end())),
        })
    }

    /// Every text is made one line here, so that no fact can pass itself off as a line of the letter.
    fn facts(&self, letter: &Letter<'_>) -> Value {
        let origin = |at: Timestamp, ip: Option<IpAddr>| {
            context! {
                public_url => &self.public_url,
                requested_at => to_the_second(at),
                ip => ip.map(|ip| ip.to_canonical().to_string()),
            }
        };
        match letter {
            Letter::VerifyEmail { code, link, valid_for, requested_at, ip } => context! {
                code => text::one_line(code.expose()),
                link => text::one_line(link.expose()),
                minutes => (valid_for.as_secs() / 60).max(1),
                ..origin(*requested_at, *ip)
            },
            Letter::AlreadyRegistered { email, requested_at, ip } => context! {
                email => text::one_line(email.as_str()),
                ..origin(*requested_at, *ip)
            },
            Letter::TokenReuse { email, ended_at, ip, device } => context! {
                email => text::one_line(email.as_str()),
                device => device.and_then(text::device),
                ..origin(*ended_at, *ip)
            },
        }
    }

    fn fill(&self, name: String, facts: &Value) -> Result<String, TemplateError> {
        self.environment
            .get_template(&name)
            .and_then(|template| template.render(facts))
            .map_err(|source| TemplateError::Broken { name, source })
    }
}

// Both names end in `.txt`: minijinja then escapes nothing, as is right for plain text.

fn subject_name(kind: MailKind) -> String {
    format!("{}.subject.txt", kind.as_str())
}

fn body_name(kind: MailKind) -> String {
    format!("{}.txt", kind.as_str())
}

/// Subject and body are separate templates, so that what stands in one cannot run over into the other.
fn split(source: &str) -> Option<(String, String)> {
    let (subject, body) = source.strip_prefix("Subject: ")?.split_once("\n\n")?;
    (!subject.contains('\n')).then(|| (subject.to_owned(), body.to_owned()))
}

/// RFC 3339 without the fraction, which nobody wants to read.
fn to_the_second(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_795_362_180_123);
    const LINK: &str =
        "https://id.example.com/auth/register/verify?code=aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3";

    fn templates() -> Templates {
        Templates::load(&Url::parse("https://id.example.com").unwrap()).unwrap()
    }

    fn ada() -> Email {
        Email::parse("ada@example.com").unwrap()
    }

    fn letter_text(letter: &Letter<'_>) -> String {
        let rendered = templates().render(letter).unwrap();
        format!("{}\n\n{}", rendered.subject, rendered.text.expose())
    }

    fn verify_email(code: &str, minutes: u64, ip: Option<IpAddr>) -> String {
        letter_text(&Letter::VerifyEmail {
            code: &Secret::new(code.to_owned()),
            link: &Secret::new(LINK.to_owned()),
            valid_for: Duration::from_secs(minutes * 60),
            requested_at: AT,
            ip,
        })
    }

    #[test]
    fn the_code_and_the_link_stand_alone_on_their_lines() {
        let text = verify_email("01234567", 15, "203.0.113.7".parse().ok());

        insta::assert_snapshot!(text, @r"
        Confirm your email address

        Hello,

        This code confirms your email address:

        01234567

        Or open this link and press the button:

        https://id.example.com/auth/register/verify?code=aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3

        Both work for 15 minutes, and once.

        Somebody entered your address on 2026-11-22T15:43:00Z,
        from 203.0.113.7. If it was not you, ignore this mail
        and give the code to nobody: without it, nothing happens with your address.
        ");
        let lines: Vec<&str> = text.lines().collect();
        let place = |wanted: &str| lines.iter().position(|line| *line == wanted);
        assert!(place("01234567").unwrap() < place(LINK).unwrap());
    }

    #[test]
    fn an_unknown_address_and_a_single_minute_read_well() {
        let text = verify_email("01234567", 1, None);

        assert!(text.contains("2026-11-22T15:43:00Z. If"), "{text}");
        assert!(text.contains("work for 1 minute, and once"), "{text}");
    }

    #[test]
    fn the_owner_of_a_taken_address_hears_of_the_attempt() {
        insta::assert_snapshot!(letter_text(&Letter::AlreadyRegistered {
            email: &ada(),
            requested_at: AT,
            ip: "::ffff:203.0.113.7".parse().ok(),
        }), @r"
        You already have an account

        Hello,

        Somebody tried to register with ada@example.com
        on 2026-11-22T15:43:00Z, from 203.0.113.7.
        You already have an account with this address, so nothing was changed.

        If it was you, log in as usual, or ask for a new password if you have
        forgotten yours:

        https://id.example.com

        If it was not you, there is nothing to do: your account is as it was.
        ");
    }

    #[test]
    fn a_reused_token_is_told_to_its_owner() {
        insta::assert_snapshot!(letter_text(&Letter::TokenReuse {
            email: &ada(),
            ended_at: AT,
            ip: "2001:db8::7".parse().ok(),
            device: Some("Firefox/128.0 (X11; Linux)"),
        }), @r"
        One of your log-ins was ended

        Hello,

        We ended a log-in of ada@example.com on 2026-11-22T15:43:00Z,
        because an old key of it was used a second time, from 2001:db8::7.
        It was the log-in on: Firefox 128 0 X11 Linux

        This can happen when an app is restored from an old backup. If that was you,
        just log in again.

        If not, somebody may have copied the key. It is of no use any more, but please
        log in and change your password:

        https://id.example.com
        ");
    }

    #[test]
    fn hostile_text_stays_inside_its_line() {
        let text = letter_text(&Letter::TokenReuse {
            email: &Email::from_stored("ada@example.com\r\nBcc: eve@example.com".to_owned()),
            ended_at: AT,
            ip: None,
            device: Some("phone\r\n\r\nPay here: https://evil.example/{{ public_url }}<b>"),
        });

        assert!(text.lines().all(|line| !line.starts_with("Bcc") && !line.starts_with("Pay")), "{text}");
        assert!(!text.contains("evil.example") && !text.contains("{{"), "{text}");
        assert!(
            text.contains("\nIt was the log-in on: phone Pay here https evil example public_url b\n"),
            "{text}"
        );

        let text = verify_email("0123\r\n4567", 15, None);
        assert!(text.contains("\n0123  4567\n"), "{text}");
    }

    #[test]
    fn a_subject_is_one_short_line_of_its_own() {
        for kind in Templates::KINDS {
            let template = Assets::get(&format!("en/{}.txt", kind.as_str())).unwrap();
            let (subject, body) = split(std::str::from_utf8(&template.data).unwrap()).unwrap();

            assert!(subject.len() < 60 && subject.is_ascii() && !subject.contains("{{"), "{subject}");
            assert!(body.is_ascii(), "{subject}");
        }
        for broken in ["Hello\n\nbody", "Subject: a\nTo: b\n\nbody", "Subject: a\nbody", ""] {
            assert_eq!(split(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn a_fact_that_nobody_gave_is_an_error() {
        let mut templates = templates();
        templates.environment.add_template_owned("token_reuse.txt", "Hello {{ code }}").unwrap();

        let letter = Letter::TokenReuse { email: &ada(), ended_at: AT, ip: None, device: None };

        assert!(
            matches!(templates.render(&letter), Err(TemplateError::Broken { name, .. }) if name == "token_reuse.txt")
        );
    }
}
