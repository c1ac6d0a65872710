//! Fills the letters in: text and HTML, in the language of their reader.
//!
//! Must never: let a fact become markup, or leave an empty spot where a fact is missing.

use std::path::Path;
use std::sync::Arc;

use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, context, escape_formatter};
use url::Url;

use crate::domain::{Language, MailKind, Secret};
use crate::mail::error::TemplateError;
use crate::mail::letter::Letter;
use crate::mail::samples::Samples;
use crate::mail::sources::{LAYOUT, Sources};
use crate::mail::text;

/// A letter in words.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    pub(crate) kind: MailKind,
    /// One line, always.
    pub(crate) subject: String,
    pub(crate) text: Secret<String>,
    pub(crate) html: Secret<String>,
    /// What the text is written in.
    pub(crate) language: Language,
}

/// All templates. Each is compiled when it is first used.
pub(crate) struct Templates {
    environment: Environment<'static>,
    sources: Arc<Sources>,
    /// Without a slash at the end.
    public_url: String,
}

/// Two of these, and what else a mail is, fit into one value of the store.
const LONGEST_FORM: usize = 24 << 10;

impl Templates {
    /// Takes the built-in templates, and those of `folder` in their place. What lies in the folder is tried out, so
    /// that a broken template stops the start and not a registration; the built-in ones are tried out by a test.
    pub(crate) fn load(public_url: &Url, folder: Option<&Path>) -> Result<Self, TemplateError> {
        let sources = Arc::new(Sources::read(folder)?);
        let environment = environment(&sources);
        let public_url = public_url.as_str().trim_end_matches('/').to_owned();
        let templates = Self { environment, sources, public_url };
        if folder.is_some() {
            templates.try_out()?;
        }
        Ok(templates)
    }

    /// Writes a letter in the first of these languages that there are templates for, else in English.
    pub(crate) fn render(
        &self,
        letter: &Letter<'_>,
        languages: &[Language],
    ) -> Result<Rendered, TemplateError> {
        let known = self.sources.languages();
        let language = languages.iter().find(|language| known.contains(language));
        self.render_in(letter, language.map_or("en", Language::as_str))
    }

    fn render_in(&self, letter: &Letter<'_>, language: &str) -> Result<Rendered, TemplateError> {
        let kind = letter.kind();
        let name = kind.as_str();
        let facts = letter.facts();
        let subject = self.fill(language, &format!("{name}.subject.txt"), &facts)?;
        let text = self.fill(language, &format!("{name}.txt"), &facts)?;
        let html = self.fill(language, &format!("{name}.html"), &facts)?;
        Ok(Rendered {
            kind,
            subject: text::one_line(&subject),
            text: Secret::new(text),
            html: Secret::new(html),
            language: self.sources.language_of(language, &format!("{name}.txt")),
        })
    }

    fn fill(&self, language: &str, file: &str, facts: &Value) -> Result<String, TemplateError> {
        let language = self.sources.language_of(language, file);
        let name = format!("{}/{file}", language.as_str());
        let facts =
            context! { public_url => &self.public_url, language => language.as_str(), ..facts.clone() };
        let filled = self.environment.get_template(&name).and_then(|template| template.render(facts));
        match filled {
            Ok(filled) => Ok(format!("{}\n", filled.trim_start_matches('\n').trim_end())),
            // A layout is named by itself, not by the letter it is around.
            Err(error) => Err(self.sources.refuse(error.name().unwrap_or(&name), &error.to_string())),
        }
    }

    /// Writes each letter in each language once.
    fn try_out(&self) -> Result<(), TemplateError> {
        let samples = Samples::new(&self.public_url);
        for language in self.sources.languages() {
            for letter in samples.letters() {
                let rendered = self.render_in(&letter, language.as_str())?;
                for (form, extension) in [(&rendered.text, "txt"), (&rendered.html, "html")] {
                    let file = format!("{}.{extension}", letter.kind().as_str());
                    if let Some(reason) = fault(&letter, form.expose()) {
                        return Err(self.blame(language, &file, &reason));
                    }
                }
            }
        }
        Ok(())
    }

    /// The fault of a letter, or of the layout around it.
    fn blame(&self, language: &Language, file: &str, reason: &str) -> TemplateError {
        let name = |file: &str| {
            let language = self.sources.language_of(language.as_str(), file);
            format!("{}/{file}", language.as_str())
        };
        let (letter, layout) = (name(file), name(LAYOUT));
        let is_of_layout = !self.sources.is_override(&letter) && file.strip_suffix(".html").is_some();
        self.sources.refuse(if is_of_layout { &layout } else { &letter }, reason)
    }
}

/// What is wrong with one form of a letter, if anything.
fn fault(letter: &Letter<'_>, form: &str) -> Option<String> {
    if form.len() > LONGEST_FORM {
        return Some("makes a letter of more than 24 KiB: shorten it".to_owned());
    }
    let (name, point) = letter.point()?;
    (!form.contains(point.expose())).then(|| format!("must show {{{{ {name} }}}}"))
}

fn environment(sources: &Arc<Sources>) -> Environment<'static> {
    let mut environment = Environment::new();
    // A fact that a template names and nobody gave is a mistake, never an empty spot in a letter.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let of_loader = Arc::clone(sources);
    environment.set_loader(move |name| Ok(of_loader.get(name).map(str::to_owned)));
    // `layout.html` in `es/verify_email.html` is `es/layout.html`, or else the English one.
    let of_join = Arc::clone(sources);
    environment.set_path_join_callback(move |file, parent| {
        let language = parent.split('/').next().unwrap_or_default();
        format!("{}/{file}", of_join.language_of(language, file).as_str()).into()
    });
    environment.set_formatter(|out, state, value| match (state.auto_escape(), value.as_str()) {
        (AutoEscape::Html, Some(text)) if !value.is_safe() => {
            out.write_str(&escaped(text)).map_err(Error::from)
        }
        _ => escape_formatter(out, state, value),
    });
    environment
}

/// As minijinja escapes, but for the slash: a link written in entities looks to spam filters as if it were hiding.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::IpAddr;
    use std::time::Duration;

    use super::*;
    use crate::domain::{Email, Timestamp};
    use crate::mail::PasswordChange;

    const AT: Timestamp = Timestamp::from_millis(1_795_362_180_123);
    const LINK: &str =
        "https://id.example.com/auth/register/verify?code=aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3";

    fn load(folder: Option<&Path>) -> Result<Templates, TemplateError> {
        Templates::load(&Url::parse("https://id.example.com").unwrap(), folder)
    }

    fn templates() -> Templates {
        load(None).unwrap()
    }

    fn ada() -> Email {
        Email::parse("ada@example.com").unwrap()
    }

    fn ip() -> Option<IpAddr> {
        "203.0.113.7".parse().ok()
    }

    fn text_in(languages: &str, letter: &Letter<'_>) -> String {
        let rendered = templates().render(letter, &Language::preferred(languages)).unwrap();
        format!("{}\n\n{}", rendered.subject, rendered.text.expose())
    }

    fn verify_email(language: &str, code: &str, minutes: u64, ip: Option<IpAddr>) -> Rendered {
        let letter = Letter::VerifyEmail {
            code: &Secret::new(code.to_owned()),
            link: &Secret::new(LINK.to_owned()),
            valid_for: Duration::from_secs(minutes * 60),
            requested_at: AT,
            ip,
        };
        templates().render(&letter, &Language::preferred(language)).unwrap()
    }

    fn reset_password(link: &Secret<String>) -> Letter<'_> {
        Letter::ResetPassword { link, valid_for: Duration::from_secs(3600), requested_at: AT, ip: ip() }
    }

    #[test]
    fn the_code_and_the_link_stand_alone_on_their_lines() {
        for language in ["en", "es"] {
            let rendered = verify_email(language, "01234567", 15, ip());

            let lines: Vec<&str> = rendered.text.expose().lines().collect();
            let place = |wanted: &str| lines.iter().position(|line| *line == wanted);
            assert!(place("01234567").unwrap() < place(LINK).unwrap(), "{lines:?}");
            let html = rendered.html.expose();
            assert!(html.find(">01234567<").unwrap() < html.find(LINK).unwrap(), "{html}");
            assert!(html.contains(&format!("href=\"{LINK}\"")) && html.contains(&format!(">{LINK}<")));
        }
        let text = text_in("es", &reset_password(&Secret::new(LINK.to_owned())));
        assert!(text.lines().any(|line| line == LINK), "{text}");
    }

    #[test]
    fn a_code_in_english() {
        let rendered = verify_email("en", "01234567", 15, ip());

        assert_eq!(rendered.subject, "Confirm your email address");
        insta::assert_snapshot!(rendered.text.expose(), @r"
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
    }

    #[test]
    fn a_code_in_spanish() {
        let rendered = verify_email("es-MX, en;q=0.5", "01234567", 15, ip());

        assert_eq!((rendered.language.as_str(), rendered.kind), ("es", MailKind::VerifyEmail));
        assert_eq!(rendered.subject, "Confirma tu dirección de correo");
        insta::assert_snapshot!(rendered.text.expose(), @r"
        Hola:

        Este código confirma tu dirección de correo:

        01234567

        O abre este enlace y pulsa el botón:

        https://id.example.com/auth/register/verify?code=aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3

        Ambos sirven durante 15 minutos y una sola vez.

        Alguien introdujo tu dirección el 2026-11-22T15:43:00Z,
        desde 203.0.113.7. Si no fuiste tú, ignora este mensaje
        y no le des el código a nadie: sin él no ocurre nada con tu dirección.
        ");
    }

    #[test]
    fn the_html_is_plain_and_needs_nothing_from_elsewhere() {
        let rendered = templates().render(&reset_password(&Secret::new(LINK.to_owned())), &[]).unwrap();

        insta::assert_snapshot!(rendered.html.expose(), @r##"
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="supported-color-schemes" content="light dark">
        <title>Choose a new password</title>
        </head>
        <body style="margin: 0; padding: 24px; font-family: system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; font-size: 16px; line-height: 1.5;">
        <main style="max-width: 560px; margin: 0 auto;">
        <h1 style="margin: 0 0 16px; font-size: 22px; line-height: 1.25;">Choose a new password</h1>

        <p>Hello,</p>
        <p>Open this link to choose a new password for your account:</p>
        <p style="margin: 24px 0;"><a href="https://id.example.com/auth/register/verify?code=aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3" style="display: inline-block; padding: 12px 20px; border-radius: 8px; background: #1f5fbf; color: #ffffff; font-weight: 600; text-decoration: none;">Choose a new password</a></p>
        <p style="font-size: 14px; overflow-wrap: anywhere;">https://id.example.com/auth/register/verify?code=aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3</p>
        <p>It works for 60 minutes, and once.</p>
        <p>Somebody asked for it on 2026-11-22T15:43:00Z,
        from 203.0.113.7. If it was not you, ignore this mail
        and give the link to nobody: your password stays as it is.</p>

        </main>
        </body>
        </html>
        "##);
    }

    #[test]
    fn each_letter_can_be_written_in_each_language_and_form() {
        let (templates, samples) = (templates(), Samples::new("https://id.example.com"));

        templates.try_out().unwrap();

        for language in templates.sources.languages() {
            for letter in samples.letters() {
                let rendered = templates.render(&letter, std::slice::from_ref(language)).unwrap();
                let (text, html) = (rendered.text.expose(), rendered.html.expose());
                let what = format!("{language:?} {:?}\n{text}\n{html}", rendered.kind);
                assert_eq!(&rendered.language, language);
                assert!(html.contains(&format!("<html lang=\"{}\">", language.as_str())), "{what}");
                assert!(
                    html.contains(&format!(
                        "<h1 style=\"margin: 0 0 16px; font-size: 22px; line-height: 1.25;\">{}</h1>",
                        rendered.subject
                    )),
                    "{what}"
                );
                for loaded in ["<img", "<script", "<link", "src=", "url(", "@import"] {
                    assert!(!html.contains(loaded), "{what}");
                }
                let foreign = |form: &str| {
                    form.split("http").skip(1).any(|rest| !rest.starts_with("s://id.example.com"))
                };
                assert!(!foreign(text) && !foreign(html), "{what}");
                assert!(
                    text.lines().all(|line| line.chars().count() <= 100 && line.trim_end() == line),
                    "{what}"
                );
                assert!(!text.contains("\n\n\n") && !text.contains("{%"), "{what}");
            }
        }
    }

    #[test]
    fn an_unknown_address_and_a_single_minute_read_well() {
        let text = verify_email("", "01234567", 1, None).text;

        assert!(text.expose().contains("2026-11-22T15:43:00Z. If"), "{}", text.expose());
        assert!(text.expose().contains("work for 1 minute, and once"), "{}", text.expose());
    }

    #[test]
    fn the_owner_of_a_taken_address_hears_of_the_attempt() {
        insta::assert_snapshot!(text_in("", &Letter::AlreadyRegistered {
            email: &ada(),
            requested_at: AT,
            ip: "::ffff:203.0.113.7".parse().ok(),
        }), @r"
        You already have an account

        Hello,

        Somebody tried to register with ada@example.com
        on 2026-11-22T15:43:00Z, from 203.0.113.7.
        You already have an account with this address, so nothing was changed.

        If it was you, log in as usual. If you have forgotten your password, ask for a
        new one: we mail you a link to choose it.

        https://id.example.com

        If it was not you, there is nothing to do: your account is as it was.
        ");
    }

    #[test]
    fn a_reused_token_is_told_to_its_owner() {
        insta::assert_snapshot!(text_in("", &Letter::TokenReuse {
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
    fn a_changed_password_says_what_has_ended() {
        let (email, at) = (ada(), AT);
        let letter = |how, ip| Letter::PasswordChanged { email: &email, how, at, ip };

        insta::assert_snapshot!(text_in("es", &letter(PasswordChange::ByReset, ip())), @r"
        Tu contraseña ha cambiado

        Hola:

        Se eligió una contraseña nueva para ada@example.com
        el 2026-11-22T15:43:00Z, desde 203.0.113.7, con un enlace que te habíamos enviado.
        Todas tus sesiones se han cerrado y tus claves de API han dejado de funcionar.

        Si ya lo sabías, no tienes que hacer nada más.

        Si no fuiste tú, otra persona lee tu correo: protege primero tu buzón y después
        pide una contraseña nueva cuanto antes:

        https://id.example.com
        ");
        let text = text_in("en", &letter(PasswordChange::ByOwner, ip()));
        assert!(text.contains("All your other log-ins have ended.\n"), "{text}");
        let text = text_in("en", &letter(PasswordChange::ByOperator, None));
        assert!(text.contains("An administrator set a new password for ada@example.com\non 2026"), "{text}");
        assert!(text.contains("All your log-ins have ended.\n\nIf"), "{text}");
    }

    #[test]
    fn a_move_to_another_address_is_told_at_the_old_one() {
        insta::assert_snapshot!(text_in("", &Letter::EmailChangeRequested { email: &ada(), at: AT, ip: ip() }), @r"
        Your account is to move to another address

        Hello,

        Somebody who knows the password of ada@example.com asked
        on 2026-11-22T15:43:00Z, from 203.0.113.7
        to move the account to another email address. It moves as soon as that address
        is confirmed.

        If it was you, there is nothing more to do here.

        If it was not you, somebody else knows your password. Change it right away:

        https://id.example.com
        ");
    }

    #[test]
    fn hostile_text_stays_inside_its_line_and_is_no_markup() {
        let email = Email::from_stored("ada@example.com\r\nBcc: <script>eve@example.com\"'&".to_owned());
        let letter = Letter::TokenReuse {
            email: &email,
            ended_at: AT,
            ip: None,
            device: Some("phone\r\n\r\nPay here: https://evil.example/{{ public_url }}<b>"),
        };

        let text = text_in("", &letter);
        let html = templates().render(&letter, &[]).unwrap().html;

        assert!(text.lines().all(|line| !line.starts_with("Bcc") && !line.starts_with("Pay")), "{text}");
        assert!(!text.contains("evil.example") && !text.contains("{{"), "{text}");
        assert!(
            text.contains("\nIt was the log-in on: phone Pay here https evil example public_url b\n"),
            "{text}"
        );
        let html = html.expose();
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(html.contains("Bcc: &lt;script&gt;eve@example.com&quot;&#39;&amp; on"), "{html}");

        let rendered = verify_email("", "0123\r\n4567", 15, None);
        assert!(rendered.text.expose().contains("\n0123  4567\n"), "{}", rendered.text.expose());
    }

    #[test]
    fn a_reader_of_other_languages_gets_english() {
        assert_eq!(verify_email("fr, ja", "01234567", 15, None).language.as_str(), "en");
        assert_eq!(verify_email("fr, es;q=0.1", "01234567", 15, None).language.as_str(), "es");
    }

    /// A folder with these templates.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_replaces_single_files_and_brings_languages() {
        let folder = folder(&[
            ("README.md", "ours"),
            (".git/config", "x"),
            ("en/layout.html", "<html lang={{ language }}>OURS {% block letter %}{% endblock %}"),
            ("es/verify_email.txt", "\u{feff}Subject: Tu código\r\n\r\nHola\r\n{{ code }}\r\n"),
            ("fr/verify_email.txt", "Subject: Votre code\n\nBonjour\n\n{{ code }}\n"),
            ("fr/verify_email.txt~", "x"),
        ]);
        let templates = load(Some(folder.path())).unwrap();
        let (samples, english) = (Samples::new("https://id.example.com"), Language::preferred("en"));
        let write = |at: usize, languages: &str| {
            templates.render(&samples.letters()[at], &Language::preferred(languages)).unwrap()
        };

        let spanish = write(0, "es");
        assert_eq!(
            (spanish.subject.as_str(), spanish.text.expose().as_str()),
            ("Tu código", "Hola\n01234567\n")
        );
        assert!(spanish.html.expose().starts_with("<html lang=es>OURS"), "{}", spanish.html.expose());
        assert!(spanish.html.expose().contains("Este código"), "{}", spanish.html.expose());

        let french = write(0, "fr");
        assert_eq!((french.subject.as_str(), french.language.as_str()), ("Votre code", "fr"));
        assert!(french.html.expose().contains("lang=en>OURS"), "{}", french.html.expose());
        let missing = write(1, "fr");
        assert_eq!(
            (missing.subject.as_str(), &missing.language),
            ("You already have an account", &english[0])
        );
    }

    #[test]
    fn a_broken_folder_stops_the_start_with_file_and_reason() {
        let layout = "<html>{% block title %}{% endblock %}";
        for (file, text, reason) in [
            (
                "en/verify_email.txt",
                "Hello",
                "must start with a `Subject: ` line, a blank line, and then the text",
            ),
            ("es/verify_email.txt", "Subject: a\n\n{{ kode }}", "undefined value"),
            ("es/verify_email.txt", "Subject: a\n\nb\n{{ code", "(in es/verify_email.txt:4)"),
            ("es/verify_email.txt", "Subject: {{ name }}\n\n{{ code }}", "undefined value"),
            ("es/verify_email.txt", "Subject: a\n\nhello", "must show {{ code }}"),
            ("en/reset_password.html", "hello", "must show {{ link }}"),
            ("en/layout.html", layout, "must show {{ code }}"),
            ("en/layout.html", "{{ nobody }}", "undefined value"),
            ("fr/token_reuse.html", "{% include 'nothing.html' %}", "nothing.html"),
            ("en/token_reuse.html", &"x".repeat(30_000), "24 KiB"),
            ("en/verify_emial.txt", "Subject: a\n\nb", "is not the name of a letter"),
            ("verify_email.txt", "Subject: a\n\nb", "must lie in a folder named by its language"),
        ] {
            let folder = folder(&[(file, text)]);
            let refused = load(Some(folder.path())).err().unwrap();

            let message = refused.to_string();
            let path = folder.path().join(file).display().to_string();
            assert!(message.starts_with(&path) && message.contains(reason), "{file}: {message}");
            assert!(
                matches!(refused, TemplateError::Override { .. }) && !message.contains('\n'),
                "{message}"
            );
        }
        for name in ["es-MX", "ES", "español"] {
            let folder = folder(&[(&format!("{name}/verify_email.txt"), "")]);
            let refused = load(Some(folder.path())).err().unwrap().to_string();
            assert!(
                refused.ends_with(&format!("/{name}: is not a language: name the folder like es")),
                "{refused}"
            );
        }
        let missing = load(Some(Path::new("/nowhere/letters"))).err().unwrap().to_string();
        assert!(missing.starts_with("/nowhere/letters: cannot be read: "), "{missing}");
    }
}
