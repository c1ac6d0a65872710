//! An operator looks after users: finds them, keeps them out, ends what they hold.
//!
//! The events have no actor: whoever may open the store is not one of its users.

use std::sync::Arc;

use crate::app::App;
use crate::domain::{EventKind, Origin, Search, Session, User, UserFilter, UserOrdering, UserQuery};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, Identifier, disable, end_sessions, revoke_api_keys, users_page};

/// A user with what they hold.
#[derive(Debug, Clone)]
pub(crate) struct UserSheet {
    pub(crate) user: User,
    /// Those that live, the newest first.
    pub(crate) sessions: Vec<Session>,
    pub(crate) api_keys: usize,
}

/// What was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Revoked {
    pub(crate) sessions: usize,
    pub(crate) api_keys: usize,
}

/// Those who are found, the oldest account first, at most `limit`; and whether there are more.
pub(crate) async fn find_users(
    app: &Arc<App>,
    search: Option<Search>,
    limit: usize,
) -> Result<(Vec<User>, bool), FlowError> {
    let filter = UserFilter { search, ..UserFilter::default() };
    let query = UserQuery { filter, ordering: UserOrdering::DEFAULT, after: None, limit };
    let page = users_page(app, query).await?;
    Ok(page.map_or_else(Default::default, |page| (page.users, page.next.is_some())))
}

/// The user that an address or a name means, with what they hold.
pub(crate) fn look_up_user(app: &App, who: &Identifier) -> Result<UserSheet, FlowError> {
    let now = app.clock.now();
    let read = app.store.read()?;
    let user = who.find(&read)?.ok_or(FlowError::NotFound)?;
    let mut sessions = read.sessions_of(user.id)?;
    sessions.retain(|session| now < session.refresh_expires_at);
    sessions.reverse();
    let api_keys = read.api_keys_of(user.id)?.iter().filter(|key| !key.is_expired(now)).count();
    Ok(UserSheet { user, sessions, api_keys })
}

/// Keeps a user out: sessions, API keys and codes end. The last active superuser stays.
pub(crate) async fn disable_by_operator(
    app: &App,
    origin: &Origin,
    who: &Identifier,
) -> Result<User, FlowError> {
    let now = app.clock.now();
    let id = who.find(&app.store.read()?)?.ok_or(FlowError::NotFound)?.id;
    let event = Audit { now, origin }.success(EventKind::UserDisabled).saying("command line");
    app.store
        .write(move |tx| {
            let user = tx.user(id)?.ok_or(FlowError::NotFound)?;
            if !user.is_active {
                return Ok(user);
            }
            let (user, _) = disable(tx, user, now)?;
            tx.append_event(&event.clone().about(&user))?;
            Ok(user)
        })
        .await
}

/// Ends all sessions and API keys of a user, who may log in again.
pub(crate) async fn revoke_all(
    app: &App,
    origin: &Origin,
    who: &Identifier,
) -> Result<(User, Revoked), FlowError> {
    let audit = Audit { now: app.clock.now(), origin };
    let id = who.find(&app.store.read()?)?.ok_or(FlowError::NotFound)?.id;
    let (sessions_ended, keys_revoked) =
        (audit.success(EventKind::SessionEnded), audit.success(EventKind::ApiKeyRevoked));
    app.store
        .write(move |tx| {
            let user = tx.user(id)?.ok_or(FlowError::NotFound)?;
            let sessions = end_sessions(tx, id, None)?;
            let api_keys = revoke_api_keys(tx, id)?;
            let ended = sessions_ended.clone().about(&user);
            tx.append_event(&ended.saying(format!("command line: {sessions} ended")))?;
            if api_keys > 0 {
                let revoked = keys_revoked.clone().about(&user);
                tx.append_event(&revoked.saying(format!("command line: {api_keys} revoked")))?;
            }
            Ok((user, Revoked { sessions, api_keys }))
        })
        .await
}
