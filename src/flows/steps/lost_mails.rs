//! The mails that still wait for an account which was removed.

use crate::app::App;
use crate::domain::{Email, MailId, MailKind, Timestamp};
use crate::flows::FlowError;

/// So many at a time go in one write.
const ROUND: usize = 100;

/// Takes the mails out of the outbox that wait for somebody who was removed at `now`: all that go to their address, and the
/// code that went to the one they wanted to have. Their number has no bound, so they go after the account.
pub(super) async fn drop_mails(
    app: &App,
    email: Option<Email>,
    new_email: Option<Email>,
    now: Timestamp,
) -> Result<(), FlowError> {
    let store = app.store.clone();
    let found = tokio::task::spawn_blocking(move || {
        let (email, new_email) = (email.map(|email| email.key()), new_email.map(|email| email.key()));
        store.read()?.mails_that(|mail| {
            let to = Some(mail.to.key());
            // What came later is for whoever has the address then.
            let is_theirs = to == email || (to == new_email && mail.kind == MailKind::ConfirmNewEmail);
            is_theirs && mail.created_at <= now
        })
    });
    let mails = found.await.map_err(|error| FlowError::Internal(error.to_string()))??;
    for round in mails.chunks(ROUND) {
        let round: Vec<MailId> = round.to_vec();
        app.store.write(move |tx| round.iter().try_for_each(|mail| tx.remove_mail(*mail))).await?;
    }
    Ok(())
}
