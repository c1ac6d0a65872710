//! Asking a user who is logged in for their password once more: what somebody does who found an open browser ends here.

use crate::app::App;
use crate::crypto::Verdict;
use crate::domain::{EventKind, Password, PasswordHash, SessionId, User};
use crate::flows::steps::{Audit, Guess, Presence};
use crate::flows::{Caller, FlowError};
use crate::store::WriteTx;

/// The caller gave their right password, a moment ago.
#[derive(Debug, Clone)]
pub(crate) struct OwnPassword {
    /// As they were when it was compared.
    pub(crate) user: User,
    pub(crate) session: SessionId,
    hash: Option<PasswordHash>,
    guess: Guess,
    field: &'static str,
}

/// Compares a password that came in `field` with the caller's own. A wrong one is counted, and an event of `kind`.
pub(crate) async fn confirm_own_password(
    app: &App,
    caller: &Caller,
    password: &Password,
    field: &'static str,
    kind: EventKind,
) -> Result<OwnPassword, FlowError> {
    let session = caller.own_session()?;
    let user = Presence::of(app, caller).confirm_at_all(&app.store.read()?)?;
    let guess = Guess::from_session(app, user.id)?;
    let verdict = app.passwords.verify(password, user.password.as_ref()).await?;
    if !guess.is_open(app)? || verdict == Verdict::Wrong {
        let event = Audit { now: app.clock.now(), origin: &caller.origin }
            .failure(kind)
            .by(&user)
            .about(&user)
            .in_session(session)
            .saying("wrong password");
        app.store
            .write(move |tx| {
                guess.fail(tx)?;
                Ok::<_, FlowError>(tx.append_event(&event)?)
            })
            .await?;
        return Err(FlowError::wrong_password(field));
    }
    let hash = user.password.clone();
    Ok(OwnPassword { user, session, hash, guess, field })
}

impl OwnPassword {
    /// The user as they are now, if what was compared still counts: the session lives, the password is the same, and
    /// not too many wrong ones came in between.
    pub(crate) fn accept(&self, tx: &mut WriteTx) -> Result<User, FlowError> {
        let user = tx.user(self.user.id)?.filter(|user| user.is_active).ok_or(FlowError::InvalidToken)?;
        tx.session(self.session)?.ok_or(FlowError::InvalidToken)?;
        if user.password != self.hash || !self.guess.succeed(tx)? {
            return Err(FlowError::wrong_password(self.field));
        }
        Ok(user)
    }
}
