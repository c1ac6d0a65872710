//! Puts a letter into an envelope for the outbox, and seals it.

use crate::app::App;
use crate::config::LimitKind;
use crate::crypto::random;
use crate::domain::{Content, Email, Language, Mail, MailContent, MailId, MailKind, Secret, Timestamp, User};
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

/// A letter to a user, in their own language; none if they have no address, or one that nobody confirmed and that has
/// had its share: it may be a stranger's.
pub(crate) fn post_to_user<'a>(
    app: &App,
    user: &'a User,
    now: Timestamp,
    letter: impl FnOnce(&'a Email) -> Letter<'a>,
) -> Result<Option<Mail>, FlowError> {
    let Some(email) = &user.email else { return Ok(None) };
    let letter = letter(email);
    if !user.email_verified && !takes_mail(app, email, letter.kind(), now) {
        return Ok(None);
    }
    post(app, email, user.languages(), &letter, now).map(Some)
}

/// Whether a mailbox takes another mail of this kind that a stranger causes. The answer to the stranger must not depend
/// on it. Counted by kind: nobody uses up with one kind of mail what the owner needs of another.
pub(crate) fn takes_mail(app: &App, to: &Email, kind: MailKind, now: Timestamp) -> bool {
    app.limiter.take(LimitKind::Mail, Subject::Mailbox(&to.key(), kind), now).is_ok()
}
