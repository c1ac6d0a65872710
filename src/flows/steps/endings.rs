//! What ends when a user is not to be trusted any more: log-ins, API keys, codes that are out.

use crate::domain::{Changes, CodePurpose, Session, SessionId, Timestamp, User, UserId};
use crate::flows::FlowError;
use crate::store::{StoreError, WriteTx};

/// What a user held that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) sessions: usize,
    pub(crate) api_keys: usize,
}

impl Held {
    /// The changes of the act that ended it, told with it.
    pub(crate) fn ending(self, changes: Changes) -> Changes {
        changes.count("sessions", self.sessions, 0).count("api_keys", self.api_keys, 0)
    }
}

/// Ends a session. If it was opened for an old token, all old tokens of its user go too that opened none: an access token
/// among them is of the same log-in, and they do not say which.
pub(crate) fn end_session(tx: &mut WriteTx, session: &Session) -> Result<(), StoreError> {
    tx.end_session(session)?;
    if session.is_exchanged() { tx.end_old_tokens(session.user) } else { Ok(()) }
}

/// Ends the sessions of a user but the one to keep, and what they hold of the service before; says how many.
pub(crate) fn end_sessions(
    tx: &mut WriteTx,
    user: UserId,
    keep: Option<SessionId>,
) -> Result<usize, StoreError> {
    let sessions = tx.sessions_of(user)?;
    let ended: Vec<_> = sessions.iter().filter(|session| Some(session.id) != keep).collect();
    for session in &ended {
        tx.end_session(session)?;
    }
    tx.end_old_tokens(user)?;
    Ok(ended.len())
}

/// Revokes all API keys of a user; says how many.
pub(crate) fn revoke_api_keys(tx: &mut WriteTx, user: UserId) -> Result<usize, StoreError> {
    let keys = tx.api_keys_of(user)?;
    for key in &keys {
        tx.remove_api_key(key.id)?;
    }
    Ok(keys.len())
}

/// Lets every code die that is out for a user and changes who may log in: reset links, codes for a new address.
pub(crate) fn forget_codes(tx: &mut WriteTx, user: UserId) -> Result<(), StoreError> {
    tx.remove_code(user, CodePurpose::ResetPassword)?;
    tx.remove_email_change(user)
}

/// Disables a user: whatever they hold is over. The last superuser who can administer stays: nobody could bring them back.
pub(crate) fn disable(tx: &mut WriteTx, mut user: User, now: Timestamp) -> Result<(User, Held), FlowError> {
    if user.is_ruler() && !tx.has_other_ruler(user.id)? {
        return Err(FlowError::LastSuperuser);
    }
    user.is_active = false;
    user.updated_at = now;
    tx.save_user(&user)?;
    let held = Held { sessions: end_sessions(tx, user.id, None)?, api_keys: revoke_api_keys(tx, user.id)? };
    forget_codes(tx, user.id)?;
    // One that is still in a mailbox would enable them again.
    tx.remove_code(user.id, CodePurpose::VerifyEmail)?;
    Ok((user, held))
}

/// Lets a user log in again, and takes their address for theirs: whoever does this vouches for it. What ended when they
/// were disabled stays over.
pub(crate) fn enable(tx: &mut WriteTx, mut user: User, now: Timestamp) -> Result<User, StoreError> {
    user.is_active = true;
    user.email_verified = user.email.is_some();
    user.updated_at = now;
    tx.save_user(&user)?;
    tx.remove_code(user.id, CodePurpose::VerifyEmail)?;
    Ok(user)
}
