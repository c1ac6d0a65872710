//! Old refresh tokens: those of the service before. Each is exchanged for a session once, and stands for it from then on.

use crate::app::App;
use crate::crypto::token::old_token_id;
use crate::domain::{KeyUse, OldClaims, OldTokenId, Session, Timestamp, User, UserId};
use crate::flows::FlowError;
use crate::store::{ReadTx, StoreError};

/// One that the service before signed and that is not too old.
#[derive(Debug, Clone)]
pub(crate) struct OldRefresh {
    pub(crate) id: OldTokenId,
    pub(crate) user: UserId,
}

/// What it is good for.
#[derive(Debug)]
pub(crate) enum Worth {
    /// A session.
    Session,
    /// What the session is good for that was opened for it.
    Exchanged(Box<Session>),
    Nothing,
}

impl OldRefresh {
    pub(crate) fn read(app: &App, token: &str, now: Timestamp) -> Result<Self, FlowError> {
        let claims = app.keyring().verify_old(token, now).map_err(|_| FlowError::InvalidToken)?;
        Self::of(token, &claims).ok_or(FlowError::InvalidToken)
    }

    /// None: it is an access token.
    pub(crate) fn of(token: &str, claims: &OldClaims) -> Option<Self> {
        let is_refresh = claims.usage == KeyUse::Refresh;
        is_refresh.then(|| Self { id: old_token_id(token, claims.expires_at), user: claims.user })
    }

    pub(crate) fn worth(&self, read: &ReadTx) -> Result<Worth, StoreError> {
        if let Some(session) = read.session_by_old_token(self.id)? {
            return Ok(Worth::Exchanged(Box::new(session)));
        }
        let Some(user) = read.user(self.user)? else { return Ok(Worth::Nothing) };
        let is_good = had_old_tokens(read, &user)? && !read.is_over(self.id, self.user)?;
        Ok(if is_good { Worth::Session } else { Worth::Nothing })
    }
}

/// Only who came with their number has any: everybody else has the number here that somebody else may have there.
pub(crate) fn had_old_tokens(read: &ReadTx, user: &User) -> Result<bool, StoreError> {
    read.came_with_number(user.id)
}
