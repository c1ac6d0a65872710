//! Refreshing: a refresh token is used up, and a new pair of tokens made.

use std::sync::Arc;

use crate::app::App;
use crate::domain::{
    Event, EventKind, Name, Origin, RefreshClaims, RefreshStep, Session, SessionPolicy, SessionStyle,
    Timestamp, User, UserId,
};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, LoggedIn, OldRefresh, Opening, Worth, end_session, post_to_user, sign};
use crate::mail::Letter;
use crate::store::WriteTx;

/// Rotates the refresh token, unless its session keeps the one it has. Check, rotation and the memory of it are one
/// transaction, so of two at once one is the first. The previous token, shortly after its rotation, gets the same
/// successor; an older one ends the session. An old token, of the service before, opens a session and is the one
/// before its first.
pub(crate) async fn refresh(app: &App, origin: &Origin, token: &str) -> Result<LoggedIn, FlowError> {
    let now = app.clock.now();
    let shown = Shown::read(app, origin, token, now)?;
    let policy = app.config.tokens.sessions;
    let reused = Audit { now, origin }.failure(EventKind::ReuseDetected);
    match app.store.write(move |tx| take_step(tx, &shown, &policy, now, &reused)).await? {
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

/// A refresh token with a right signature.
enum Shown {
    Ours(RefreshClaims),
    Old(Box<Exchange>),
}

/// An old token, and the session that it opens if it is shown for the first time.
struct Exchange {
    old: OldRefresh,
    opening: Opening,
    event: Event,
}

impl Shown {
    fn read(app: &App, origin: &Origin, token: &str, now: Timestamp) -> Result<Self, FlowError> {
        if let Ok(claims) = app.keyring().verify_refresh(token, now) {
            return Ok(Self::Ours(claims));
        }
        let old = OldRefresh::read(app, token, now)?;
        let style = SessionStyle::Exchanged(old.id);
        let opening = Opening::new(app, origin, "old_token", Name::default(), style);
        let event = Audit { now, origin }
            .success(EventKind::LoginSucceeded)
            .in_session(opening.session_id())
            .saying(opening.method);
        Ok(Self::Old(Box::new(Exchange { old, opening, event })))
    }

    fn user(&self) -> UserId {
        match self {
            Self::Ours(claims) => claims.user,
            Self::Old(exchange) => exchange.old.user,
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
    shown: &Shown,
    policy: &SessionPolicy,
    now: Timestamp,
    reused: &Event,
) -> Result<Outcome, FlowError> {
    let user = tx.user(shown.user())?.filter(|user| user.is_active);
    let Some(user) = user else { return Ok(Outcome::Refused) };
    let (mut session, step) = match shown {
        Shown::Ours(claims) => {
            let Some(session) = tx.session(claims.session)? else { return Ok(Outcome::Refused) };
            let step = session.step(claims.counter, policy, now);
            (session, step)
        }
        Shown::Old(exchange) => match exchange.old.worth(tx)? {
            Worth::Session => {
                let session = exchange.opening.go_on(tx, user.id)?;
                tx.append_event(&exchange.event.clone().by(&user).about(&user))?;
                return Ok(Outcome::Refreshed(user, session));
            }
            Worth::Exchanged(session) => {
                let step = session.step_of_old_token(now);
                (*session, step)
            }
            Worth::Nothing => return Ok(Outcome::Refused),
        },
    };
    Ok(match step {
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
        // Somebody has a copy of an earlier token: whoever it is, this session is over.
        RefreshStep::Reuse => {
            end_session(tx, &session)?;
            tx.append_event(&reused.clone().about(&user).in_session(session.id))?;
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
