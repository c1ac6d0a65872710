//! Mails that are not delivered, as administrators see them: never what is in them.

use crate::app::App;
use crate::domain::{Changes, EventKind, Mail, MailId, Party};
use crate::flows::steps::{Audit, Authority, Listed, Page};
use crate::flows::{Caller, FlowError};

/// The newest first.
pub(crate) fn list_mails(app: &App, page: Page<MailId>) -> Result<Listed<Mail, MailId>, FlowError> {
    let (mails, count) = app.store.read()?.mails_before(page.after, page.limit.saturating_add(1))?;
    Ok(page.cut(mails.into_iter(), |mail| mail.id, Some(count)))
}

pub(crate) fn view_mail(app: &App, id: MailId) -> Result<Mail, FlowError> {
    app.store.read()?.mail(id)?.ok_or(FlowError::NotFound)
}

/// Lets a mail be tried again at once, if there is something left in it to be sent.
pub(crate) async fn resend_mail(app: &App, caller: &Caller, id: MailId) -> Result<Mail, FlowError> {
    let now = app.clock.now();
    let authority = Authority::of(app, caller, "mail.change_message");
    let event =
        Audit { now, origin: &caller.origin }.success(EventKind::MailResent).in_session(caller.session());
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            let mut mail = tx.mail(id)?.ok_or(FlowError::NotFound)?;
            if !mail.is_worth_sending(now) {
                return Err(FlowError::MailGone);
            }
            let before = mail.clone();
            mail.try_again(now);
            tx.enqueue_mail(&mail)?;
            let changes = changes(&before, Some(&mail));
            tx.append_event(&event.clone().by(&*actor).about(party(&mail)).telling(&changes))?;
            Ok(mail)
        })
        .await
}

/// Takes a mail out of the outbox: it is sent to nobody.
pub(crate) async fn drop_mail(app: &App, caller: &Caller, id: MailId) -> Result<(), FlowError> {
    let authority = Authority::of(app, caller, "mail.delete_message");
    let event = Audit { now: app.clock.now(), origin: &caller.origin }
        .success(EventKind::MailDropped)
        .in_session(caller.session());
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            let mail = tx.mail(id)?.ok_or(FlowError::NotFound)?;
            tx.remove_mail(id)?;
            let changes = changes(&mail, None);
            Ok(tx.append_event(&event.clone().by(&*actor).about(party(&mail)).telling(&changes))?)
        })
        .await
}

/// What a mail was about and how it stood, and how it stands, if it is still there.
fn changes(before: &Mail, after: Option<&Mail>) -> Changes {
    let attempts = |mail: &Mail| usize::try_from(mail.attempts).unwrap_or(usize::MAX);
    Changes::default()
        .fact("kind", before.kind.as_str())
        .member("status", before.status.as_str(), after.map(|mail| mail.status.as_str()))
        .count("attempts", attempts(before), after.map_or(attempts(before), attempts))
}

fn party(mail: &Mail) -> Party {
    Party { id: mail.id.to_string(), label: mail.to.as_str().to_owned() }
}
