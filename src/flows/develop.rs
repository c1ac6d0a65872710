//! What whoever develops does with a throw-away service: read its mails, be anybody, let time go by, start again.
//!
//! Must never: do any of it in a service that lasts, where there is no mailbox, no clock that moves and nobody to ask.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::app::{App, Dev, Order, Persona};
use crate::domain::{EmailKey, EventKind, Invalid, MailId, Name, Origin, SessionStyle, Timestamp};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, Identifier, LoggedIn, Opening, sign};
use crate::mail::{KeptMail, Mailbox, MailboxState};
use crate::store::StoreError;

/// Which mail is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// None: to anybody.
    pub(crate) to: Option<EmailKey>,
    /// One that was seen before.
    pub(crate) after: Option<MailId>,
    /// How long it may take to come.
    pub(crate) wait: Duration,
}

/// A working day: a token on a terminal is pasted again and again.
const ACCESS_TTL: Duration = Duration::from_secs(12 * 60 * 60);
/// A clock further ahead breaks what reads its times.
const MOST_AHEAD: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);
/// For a mail that was promised before it was asked for, however short the wait.
const DELIVERY: Duration = Duration::from_secs(2);
/// More mails than are promised at a time.
const OUTBOX: usize = 256;

/// The newest mail, once every mail that was promised before this was asked has come; else the next that comes in time.
pub(crate) async fn newest_mail(app: &App, wanted: &Wanted) -> Result<Option<Arc<KeptMail>>, FlowError> {
    let mailbox = mailbox(app)?;
    let asked_at = Instant::now();
    let mut changes = mailbox.changes();
    loop {
        let is_open = *changes.borrow_and_update() == MailboxState::Open;
        let is_promised = is_promised(app, mailbox, wanted)?;
        let newest = mailbox.newest(wanted.to.as_ref(), wanted.after);
        let is_there = newest.is_some() && !is_promised;
        let wait = if is_promised { wanted.wait.max(DELIVERY) } else { wanted.wait };
        if is_there || !is_open || timeout_at(asked_at + wait, changes.changed()).await.is_err() {
            return Ok(newest);
        }
    }
}

/// Whether such a mail is on its way.
fn is_promised(app: &App, mailbox: &Mailbox, wanted: &Wanted) -> Result<bool, StoreError> {
    let due = app.store.read()?.due_mails(app.clock.now(), OUTBOX)?;
    let is_wanted = |to: EmailKey| wanted.to.as_ref().is_none_or(|wanted| *wanted == to);
    Ok(due.iter().any(|mail| is_wanted(mail.to.key()) && mailbox.mail(mail.id).is_none()))
}

pub(crate) fn mailbox(app: &App) -> Result<&Mailbox, FlowError> {
    app.transport.mailbox().ok_or(FlowError::NotFound)
}

/// Lets go of whoever waits for a mail: none comes any more.
pub(crate) fn close_mailbox(app: &App) {
    if let Some(mailbox) = app.transport.mailbox() {
        mailbox.close();
    }
}

/// Who is there from the start, with tokens from then.
pub(crate) fn personas(app: &App) -> Result<&[Persona], FlowError> {
    Ok(&dev(app)?.personas)
}

/// Lets a developer in as somebody, without a password, for a day.
pub(crate) async fn log_in_as(app: &App, origin: &Origin, who: &Identifier) -> Result<LoggedIn, FlowError> {
    if app.config.dev.is_none() {
        return Err(FlowError::NotFound);
    }
    let id = who.find(&app.store.read()?)?.ok_or(FlowError::NotFound)?.id;
    let opening = Opening::new(app, origin, "developer", Name::default(), SessionStyle::Native)
        .with_access_for(ACCESS_TTL);
    let event = Audit { now: opening.now, origin }
        .success(EventKind::LoginSucceeded)
        .in_session(opening.session_id())
        .saying(opening.method);
    let opened = app.store.write(move |tx| {
        let user = tx.user(id)?.filter(|user| user.is_active);
        let mut user = user.ok_or(FlowError::NotFound)?;
        let session = opening.run(tx, &mut user)?;
        tx.append_event(&event.clone().by(&user).about(&user))?;
        Ok::<_, FlowError>((user, session))
    });
    let (user, session) = opened.await?;
    Ok(LoggedIn { user: Arc::new(user), tokens: sign(app, &session) })
}

/// Lets time go by, and what happens by itself happen. The moment that it is then.
pub(crate) async fn advance_clock(app: &App, span: Duration) -> Result<Timestamp, FlowError> {
    let orders = &dev(app)?.orders;
    if app.clock.advance_within(span, MOST_AHEAD).is_none() {
        let too_far = Invalid::new("max_value", "The clock goes no further than 100 years ahead.");
        return Err(FlowError::Invalid("advance", vec![too_far]));
    }
    ask(orders, Order::CatchUp).await?;
    Ok(app.clock.now())
}

/// Brings back the start: who was there, no mails, the time that it really is. What was given out before is worth nothing.
pub(crate) async fn start_again(app: &App) -> Result<(), FlowError> {
    ask(&dev(app)?.orders, Order::StartAgain).await
}

fn dev(app: &App) -> Result<&Dev, FlowError> {
    app.dev.get().ok_or(FlowError::NotFound)
}

async fn ask(
    orders: &mpsc::Sender<Order>,
    order: impl FnOnce(oneshot::Sender<Result<(), String>>) -> Order,
) -> Result<(), FlowError> {
    let gone = || FlowError::Internal("nobody runs this service any more".to_owned());
    let (done, answer) = oneshot::channel();
    orders.send(order(done)).await.map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?.map_err(FlowError::Internal)
}
