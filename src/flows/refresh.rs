//! Refreshing: a refresh token is used up, and a new pair of tokens made.

use std::sync::Arc;

use crate::app::App;
use crate::domain::{
    Event, EventKind, Origin, RefreshClaims, RefreshStep, Session, SessionPolicy, Timestamp, User,
};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, LoggedIn, post_to_user, sign};
use crate::mail::Letter;
use crate::store::WriteTx;

/// Rotates the refresh token, unless its session keeps the one it has. Check, rotation and the memory of it are one transaction, so of two at once one is the
/// first. The previous token, shortly after its rotation, gets the same successor; an older one ends the session.
pub(crate) async fn refresh(app: &App, origin: &Origin, token: &str) -> Result<LoggedIn, FlowError> {
    let now = app.clock.now();
    let claims = app.keyring().verify_refresh(token, now).map_err(|_| FlowError::InvalidToken)?;
    let policy = app.config.tokens.sessions;
    let reused = Audit { now, origin }.failure(EventKind::ReuseDetected).in_session(claims.session);
    match app.store.write(move |tx| take_step(tx, &claims, &policy, now, &reused)).await? {
        Outcome::Refreshed(user, session) => {
            Ok(LoggedIn { user: Arc::new(user), tokens: sign(app, &session) })
        }
        Outcome::Refused => Err(FlowError::InvalidToken),
        Outcome::Reused(user, session) => {
            if let Err(error) = tell_owner(app, origin, &user, &session, now).await {
                // The session is over already; whoever asked learns no more than that.
                tracing::warn!(%error, session.id = %session.id, "nobody was told of a token that was reused");
            }
            Err(FlowError::InvalidToken)
        }
    }
}

enum Outcome {
    Refreshed(User, Session),
    Refused,
    /// The session is over; its owner is to hear of it.
    Reused(User, Session),
}

fn take_step(
    tx: &mut WriteTx,
    claims: &RefreshClaims,
    policy: &SessionPolicy,
    now: Timestamp,
    reused: &Event,
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
        RefreshStep::Renew => {
            session.renew(policy, now);
            tx.save_session(&session)?;
            Outcome::Refreshed(user, session)
        }
        RefreshStep::Repeat => Outcome::Refreshed(user, session),
        // Somebody has a copy of an old token: whoever it is, this session is over.
        RefreshStep::Reuse => {
            tx.end_session(&session)?;
            tx.append_event(&reused.clone().about(&user))?;
            Outcome::Reused(user, session)
        }
        RefreshStep::Expired => Outcome::Refused,
    })
}

async fn tell_owner(
    app: &App,
    origin: &Origin,
    user: &User,
    session: &Session,
    now: Timestamp,
) -> Result<(), FlowError> {
    let (ended_at, ip, device) = (now, origin.ip, session.user_agent.as_deref());
    let letter = |email| Letter::TokenReuse { email, ended_at, ip, device };
    let Some(mail) = post_to_user(app, user, now, letter)? else { return Ok(()) };
    Ok(app.store.write(move |tx| tx.enqueue_mail(&mail)).await?)
}
