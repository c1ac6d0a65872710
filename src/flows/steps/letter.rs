//! Puts a letter into an envelope for the outbox, and seals it.

use crate::app::App;
use crate::config::LimitKind;
use crate::crypto::random;
use crate::domain::{Content, Email, Language, Mail, MailContent, MailId, Secret, Timestamp};
use crate::flows::FlowError;
use crate::limiter::Subject;
use crate::mail::Letter;

/// Renders the letter now, so that the transaction which promises it only stores it. A user is written to in their own
/// language, whoever asks; what a stranger asks in counts only where there is no user yet.
pub(crate) fn post(
    app: &App,
    to: &Email,
    languages: &[Language],
    letter: &Letter<'_>,
    now: Timestamp,
) -> Result<Mail, FlowError> {
    let rendered = app.templates.render(letter, languages);
    let rendered = rendered.map_err(|error| FlowError::Internal(error.to_string()))?;
    let id = MailId::new(now, random::bytes());
    let content = Content { text: rendered.text, html: Some(rendered.html) };
    // Under its id, so that it opens as no other mail.
    let sealed = MailContent::Sealed(Secret::new(app.sealer.seal(&id.0, &content.to_bytes())));
    Ok(Mail {
        language: Some(rendered.language),
        useful_until: letter.valid_for().map(|span| now.after(span)),
        ..Mail::new(id, to.clone(), rendered.kind, rendered.subject, sealed, now)
    })
}

/// Whether a mailbox takes another mail that a stranger causes. The answer to the stranger must not depend on it.
pub(crate) fn takes_mail(app: &App, to: &Email, now: Timestamp) -> bool {
    app.limiter.take(LimitKind::Mail, Subject::Mailbox(&to.key()), now).is_ok()
}
