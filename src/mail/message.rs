//! Turns a mail into the RFC 5322 message that every transport sends.
//!
//! Must never: read a clock or a random source (the same mail is the same message, byte for byte), or put text
//! into a header that could become a second one.

use std::time::{Duration, SystemTime};

use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, MultiPart, SinglePart};
use lettre::{Address, Message};

use crate::config;
use crate::domain::{Content, Email, Mail};
use crate::mail::text;

/// Who all letters are from.
#[derive(Debug, Clone)]
pub(crate) struct Sender(lettre::message::Mailbox);

/// What the way to the reader can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// Files: text stays as it is, and grep finds it.
    EightBit,
    /// SMTP, where a server need not take more than ASCII (RFC 6152).
    SevenBit,
}

/// An address or a text that no mail can carry.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unrepresentable(String);

impl Sender {
    pub(super) fn new(from: &config::Mailbox) -> Result<Self, Unrepresentable> {
        let name = from.name.as_deref().map(text::one_line).filter(|name| !name.is_empty());
        Ok(Self(lettre::message::Mailbox::new(name, address(&from.address)?)))
    }
}

pub(super) fn compose(
    sender: &Sender,
    mail: &Mail,
    content: &Content,
    wire: Wire,
) -> Result<Message, Unrepresentable> {
    let to = address(&mail.to)?;
    let domain = sender.0.email.domain();
    let text = part(ContentType::TEXT_PLAIN, content.text.expose(), wire)?;
    // Given, since lettre would otherwise read it back from the headers, where quoted addresses confuse it.
    let envelope = Envelope::new(Some(sender.0.email.clone()), vec![to.clone()])
        .map_err(|error| Unrepresentable(format!("cannot address the mail: {error}")))?;
    let mut message = Message::builder()
        .envelope(envelope)
        .from(sender.0.clone())
        .to(to.into())
        .subject(text::one_line(&mail.subject))
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(mail.created_at.millis()))
        // The same for every attempt, so that a mail sent twice is shown once.
        .message_id(Some(format!("<{}@{domain}>", mail.id)))
        // RFC 3834: no holiday notice shall answer.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    if let Some(language) = &mail.language {
        let name = HeaderName::new_from_ascii_str("Content-Language");
        message = message.raw_header(HeaderValue::new(name, text::one_line(language.as_str())));
    }
    let composed = match &content.html {
        // Readers show the last form that they can show (RFC 2046, section 5.1.4).
        Some(html) => {
            let html = part(ContentType::TEXT_HTML, html.expose(), wire)?;
            // lettre would make the boundary up anew each time. No text can hold this one: the id is not known before.
            let boundary = format!("=_{}", mail.id);
            let parts = MultiPart::alternative().boundary(boundary).singlepart(text).singlepart(html);
            message.multipart(parts)
        }
        None => message.singlepart(text),
    };
    composed.map_err(|error| Unrepresentable(format!("cannot compose the mail: {error}")))
}

fn part(kind: ContentType, text: &str, wire: Wire) -> Result<SinglePart, Unrepresentable> {
    Ok(SinglePart::builder().header(kind).body(body(text, wire)?))
}

/// The address with its domain in the IDNA form, which every server understands.
fn address(email: &Email) -> Result<Address, Unrepresentable> {
    let refused = |reason: String| {
        let shown = text::excerpt(email.as_str());
        Unrepresentable(format!("cannot send mail to or from {shown}: {reason}"))
    };
    let (local, domain) = email.as_str().rsplit_once('@').unwrap_or((email.as_str(), ""));
    let domain = if domain.starts_with('[') {
        domain.to_owned()
    } else {
        idna::domain_to_ascii(domain).map_err(|error| refused(error.to_string()))?
    };
    if !local.is_ascii() || local.bytes().any(|c| c.is_ascii_control()) {
        return Err(refused("the part before the @ must be printable ASCII".to_owned()));
    }
    Address::new(local, domain).map_err(|error| refused(error.to_string()))
}

/// lettre encodes any text with a line of 76 characters or more, which would break the long links apart. RFC 5322
/// allows 998, so what fits goes as it is.
fn body(text: &str, wire: Wire) -> Result<Body, Unrepresentable> {
    const LONGEST_LINE: usize = 998;
    let fits = text.lines().all(|line| line.len() <= LONGEST_LINE) && !text.contains('\0');
    let plain = match (text.is_ascii(), wire) {
        (true, _) => Some(ContentTransferEncoding::SevenBit),
        (false, Wire::EightBit) => Some(ContentTransferEncoding::EightBit),
        (false, Wire::SevenBit) => None,
    };
    match plain {
        Some(encoding) if fits => {
            // A lone CR is no line break (RFC 5322, section 2.3), yet some servers take it for one.
            let lines: Vec<String> = text.lines().map(|line| line.replace('\r', " ")).collect();
            let text = lines.join("\r\n");
            Ok(Body::dangerous_pre_encoded(text.into_bytes(), encoding))
        }
        _ => Body::new_with_encoding(text.to_owned(), ContentTransferEncoding::QuotedPrintable)
            .map_err(|_| Unrepresentable("cannot encode the text of the mail".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Language, MailContent, MailId, MailKind, Secret, Timestamp};

    const LINK: &str =
        "https://id.example.com/auth/register/verify?code=aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3";

    fn sender(name: Option<&str>) -> Sender {
        let address = Email::parse("keystead@bücher.example").unwrap();
        Sender::new(&config::Mailbox { name: name.map(str::to_owned), address }).unwrap()
    }

    fn mail(to: &str, subject: &str) -> Mail {
        Mail::new(
            MailId([7; 16]),
            Email::from_stored(to.to_owned()),
            MailKind::VerifyEmail,
            subject.to_owned(),
            MailContent::Gone,
            Timestamp::from_millis(1_795_362_180_123),
        )
    }

    fn content(text: &str, html: Option<String>) -> Content {
        Content { text: Secret::new(text.to_owned()), html: html.map(Secret::new) }
    }

    fn compose_mail(mail: &Mail, content: &Content, wire: Wire) -> Result<String, Unrepresentable> {
        let message = compose(&sender(Some("Keystead, Inc.")), mail, content, wire)?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    fn compose_text(to: &str, subject: &str, text: &str, wire: Wire) -> Result<String, Unrepresentable> {
        compose_mail(&mail(to, subject), &content(text, None), wire)
    }

    fn headers(message: &str) -> Vec<&str> {
        message.split_once("\r\n\r\n").unwrap().0.split("\r\n").collect()
    }

    #[test]
    fn a_message_is_plain_ascii_and_the_same_each_time() {
        let text = format!("Hello,\n\n01234567\n\n{LINK}\n");

        let message = compose_text("ada@example.com", "Confirm", &text, Wire::SevenBit).unwrap();

        insta::assert_snapshot!(message.replace('\r', ""), @r"
        From: =?utf-8?b?S2V5c3RlYWQsIEluYy4=?= <keystead@xn--bcher-kva.example>
        To: ada@example.com
        Subject: Confirm
        Date: Sun, 22 Nov 2026 15:43:00 +0000
        Message-ID: <07070707-0707-0707-0707-070707070707@xn--bcher-kva.example>
        Auto-Submitted: auto-generated
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: 7bit

        Hello,

        01234567

        https://id.example.com/auth/register/verify?code=aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3
        ");
        assert!(message.contains(&format!("\r\n01234567\r\n\r\n{LINK}\r\n")));
        assert_eq!(message, compose_text("ada@example.com", "Confirm", &text, Wire::SevenBit).unwrap());
    }

    #[test]
    fn a_mail_of_two_forms_has_the_text_first_and_is_the_same_each_time() {
        let text = format!("Adiós\n\n01234567\n\n{LINK}\n");
        let html = format!("<p>Adiós</p>\n<p>01234567</p>\n<a href=\"{LINK}\">x</a>\n");
        let language = Language::parse("es");
        let mail = Mail { language, ..mail("ada@example.com", "Confirm") };
        let content = content(&text, Some(html));

        let file = compose_mail(&mail, &content, Wire::EightBit).unwrap();
        let wire = compose_mail(&mail, &content, Wire::SevenBit).unwrap();

        insta::assert_snapshot!(file.replace('\r', ""), @r#"
        From: =?utf-8?b?S2V5c3RlYWQsIEluYy4=?= <keystead@xn--bcher-kva.example>
        To: ada@example.com
        Subject: Confirm
        Date: Sun, 22 Nov 2026 15:43:00 +0000
        Message-ID: <07070707-0707-0707-0707-070707070707@xn--bcher-kva.example>
        Auto-Submitted: auto-generated
        Content-Language: es
        MIME-Version: 1.0
        Content-Type: multipart/alternative;
         boundary="=_07070707-0707-0707-0707-070707070707"

        --=_07070707-0707-0707-0707-070707070707
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: 8bit

        Adiós

        01234567

        https://id.example.com/auth/register/verify?code=aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3
        --=_07070707-0707-0707-0707-070707070707
        Content-Type: text/html; charset=utf-8
        Content-Transfer-Encoding: 8bit

        <p>Adiós</p>
        <p>01234567</p>
        <a href="https://id.example.com/auth/register/verify?code=aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3_aB3">x</a>
        --=_07070707-0707-0707-0707-070707070707--
        "#);
        assert_eq!(file, compose_mail(&mail, &content, Wire::EightBit).unwrap());
        assert_eq!(wire, compose_mail(&mail, &content, Wire::SevenBit).unwrap());
        assert!(wire.is_ascii() && wire.matches("quoted-printable").count() == 2, "{wire}");
        assert!(wire.contains("\r\n01234567\r\n"), "{wire}");
    }

    #[test]
    fn a_subject_cannot_become_another_header() {
        for subject in
            ["Hi\r\nBcc: eve@example.com", "Hi\nBcc: eve@example.com\n\nbody", "Hï\r\nBcc: eve@example.com"]
        {
            let message = compose_text("ada@example.com", subject, "x\n", Wire::SevenBit).unwrap();

            assert!(headers(&message).iter().all(|line| !line.starts_with("Bcc")), "{message}");
            assert_eq!(headers(&message).iter().filter(|line| line.starts_with("Subject: ")).count(), 1);
        }
    }

    #[test]
    fn a_hostile_address_is_refused_for_good() {
        for to in [
            "ada@example.com\r\nBcc: eve@example.com",
            "ada\r\nBcc: eve@example.com",
            "\"ada\r\nBcc: eve\"@example.com",
            "ada@example.com>, <eve@example.com",
            "ädä@example.com",
            "ada",
            "",
            "@",
        ] {
            assert!(compose_text(to, "Hi", "x", Wire::SevenBit).is_err(), "{to:?}");
        }
    }

    #[test]
    fn what_the_domain_accepts_can_be_written_to() {
        for (email, header) in [
            ("ada@example.com", "To: ada@example.com"),
            ("a@localhost", "To: a@localhost"),
            ("a@[127.0.0.1]", "To: a@[127.0.0.1]"),
            ("\"quoted @ part\"@example.com", "To: \"quoted @ part\"@example.com"),
            ("o'neil@BÜCHER.example", "To: o'neil@xn--bcher-kva.example"),
        ] {
            let to = Email::parse(email).unwrap();
            let message = compose_text(to.as_str(), "Hi", "x", Wire::SevenBit).unwrap();

            assert!(headers(&message).contains(&header), "{message}");
        }
    }

    #[test]
    fn other_text_than_ascii_is_encoded_only_where_it_must_be() {
        let text = format!("Grüße\n{LINK}\n");

        let file = compose_text("ada@example.com", "Grüße", &text, Wire::EightBit).unwrap();
        let wire = compose_text("ada@example.com", "Grüße", &text, Wire::SevenBit).unwrap();

        assert!(file.contains(&format!("\r\nGrüße\r\n{LINK}\r\n")), "{file}");
        assert!(headers(&file).iter().all(|line| line.is_ascii()), "{file}");
        assert!(wire.is_ascii() && wire.contains("Content-Transfer-Encoding: quoted-printable"), "{wire}");
    }

    #[test]
    fn no_line_is_longer_than_mail_allows() {
        let long = format!("{}\nx\ry\n", "a".repeat(2000));

        let message = compose_text("ada@example.com", "Hi", &long, Wire::EightBit).unwrap();
        let short = compose_text("ada@example.com", "Hi", "x\ry\n", Wire::EightBit).unwrap();

        assert!(message.split("\r\n").all(|line| line.len() <= 998), "{message}");
        assert!(short.contains("\r\nx y\r\n"), "{short:?}");
    }
}
