//! Refreshing: a refresh token is used up, and a new pair of tokens made.

use std::sync::Arc;

use crate::app::App;
use crate::domain::{EventKind, Origin, RefreshClaims, RefreshStep, Session, SessionPolicy, Timestamp, User};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, LoggedIn, post, sign};
use crate::mail::Letter;
use crate::store::{StoreError, WriteTx};

/// Rotates the refresh token. Check, rotation and the memory of it are one transaction, so of two at once one is the
/// first. The previous token, shortly after its rotation, gets the same successor; an older one ends the session.
pub(crate) async fn refresh(app: &App, origin: &Origin, token: &str) -> Result<LoggedIn, FlowError> {
    let now = app.clock.now();
    let claims = app.keyring().verify_refresh(token, now).map_err(|_| FlowError::InvalidToken)?;
    let policy = app.config.tokens.sessions;
    let presented = claims.clone();
    match app.store.write(move |tx| take_step(tx, &presented, &policy, now)).await? {
        Outcome::Refreshed(user, session) => {
            Ok(LoggedIn { user: Arc::new(user), tokens: sign(app, &session) })
        }
        Outcome::Refused => Err(FlowError::InvalidToken),
        Outcome::Reused(user, session) => {
            end_reused(app, origin, user, session, now).await?;
            Err(FlowError::InvalidToken)
        }
    }
}

enum Outcome {
    Refreshed(User, Session),
    Refused,
    /// Nothing is written yet: the letter about it is made first.
    Reused(User, Session),
}

fn take_step(
    tx: &mut WriteTx,
    claims: &RefreshClaims,
    policy: &SessionPolicy,
    now: Timestamp,
) -> Result<Outcome, FlowError> {
    let user = tx.user(claims.user)?.filter(|user| user.is_active);
    let (Some(user), Some(mut session)) = (user, tx.session(claims.session)?) else {
        return Ok(Outcome::Refused);
    };
    Ok(match session.step(claims.counter, policy, now) {
        RefreshStep::Rotate => {
            session.rotate(policy, now);
            tx.save_session(&session)?;
            Outcome::Refreshed(user, session)
        }
        RefreshStep::Repeat => Outcome::Refreshed(user, session),
        RefreshStep::Reuse => Outcome::Reused(user, session),
        RefreshStep::Expired => Outcome::Refused,
    })
}

/// Somebody has a copy of an old token: whoever it is, this session is over, and the user hears of it.
async fn end_reused(
    app: &App,
    origin: &Origin,
    user: User,
    session: Session,
    now: Timestamp,
) -> Result<(), FlowError> {
    let letter = user.email.as_ref().map(|email| {
        let device = session.user_agent.as_deref();
        let letter = Letter::TokenReuse { email, ended_at: now, ip: origin.ip, device };
        post(app, email, &letter, now)
    });
    let letter = letter.transpose()?;
    let event = Audit { now, origin }.failure(EventKind::ReuseDetected).about(&user).in_session(session.id);
    app.store
        .write(move |tx| {
            // Two copies at once: the first one ended it, and said so.
            let Some(session) = tx.session(session.id)? else { return Ok(()) };
            tx.end_session(&session)?;
            if let Some(letter) = &letter {
                tx.enqueue_mail(letter)?;
            }
            tx.append_event(&event)
        })
        .await
        .map_err(|error: StoreError| error.into())
}
