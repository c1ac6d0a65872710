//! Delivers what is in the outbox. A mail leaves the outbox once it is delivered, and only then: a crash in between
//! delivers it again, it never loses it.

use futures_util::StreamExt;
use futures_util::stream;

use crate::app::App;
use crate::domain::Mail;
use crate::flows::FlowError;
use crate::jobs::Progress;

/// Mails taken in one round, and how many of them are on their way at a time.
const ROUND: usize = 64;
const AT_ONCE: usize = 4;

pub(super) async fn run_once(app: &App) -> Result<Progress, FlowError> {
    let due = app.store.read()?.due_mails(app.clock.now(), ROUND)?;
    let is_full = due.len() == ROUND;
    let mut deliveries = stream::iter(due).map(|mail| deliver(app, mail)).buffer_unordered(AT_ONCE);
    while let Some(delivered) = deliveries.next().await {
        delivered?;
    }
    Ok(if is_full { Progress::More } else { Progress::Idle })
}

async fn deliver(app: &App, mut mail: Mail) -> Result<(), FlowError> {
    let id = mail.id;
    if mail.is_useless(app.clock.now()) {
        mail.expired();
        return put_back(app, mail).await;
    }
    match app.transport.deliver(&mail).await {
        Ok(()) => {
            app.store.write(move |tx| tx.remove_mail(id)).await?;
            tracing::info!(mail.id = %id, mail.kind = mail.kind.as_str(), "mail delivered");
        }
        Err(error) => {
            if error.is_permanent() {
                mail.refused(error.to_string());
            } else {
                mail.failed(error.to_string(), app.clock.now());
            }
            put_back(app, mail).await?;
        }
    }
    Ok(())
}

async fn put_back(app: &App, mail: Mail) -> Result<(), FlowError> {
    let id = mail.id;
    tracing::warn!(mail.id = %id, attempts = mail.attempts, status = ?mail.status, "mail not delivered");
    let kept = app.store.write(move |tx| match tx.mail(id)? {
        Some(_) => tx.save_mail(&mail),
        None => Ok(()), // An administrator dropped it meanwhile.
    });
    Ok(kept.await?)
}
