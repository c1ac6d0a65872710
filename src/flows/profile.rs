//! One's own profile.

use std::sync::Arc;

use crate::app::App;
use crate::config::LimitKind;
use crate::domain::{Change, Changes, EventKind, ProfileChange, User};
use crate::flows::steps::{Audit, Presence, allow_names, post_to_user};
use crate::flows::{Caller, FlowError};
use crate::limiter::Subject;
use crate::mail::Letter;

/// Changes what users may change about themselves. Nothing changed is no event.
pub(crate) async fn update_profile(
    app: &App,
    caller: &Caller,
    change: ProfileChange,
) -> Result<Arc<User>, FlowError> {
    let now = app.clock.now();
    let id = caller.user.id;
    let event = Audit { now, origin: &caller.origin }
        .success(EventKind::UserUpdated)
        .by(&*caller.user)
        .about(&*caller.user)
        .in_session(caller.session());
    let is_renamed = match &change.username {
        Change::Keep => false,
        Change::Clear => caller.user.username.is_some(),
        Change::Set(name) => caller.user.username.as_ref() != Some(name),
    };
    let presence = Presence::of(app, caller);
    let mut notice = None;
    if is_renamed {
        app.limiter.take(LimitKind::Email, Subject::Account(id), now)?;
        // Whoever has a new name logs in with it: its owner hears of that.
        let (at, ip) = (now, caller.origin.ip);
        notice = post_to_user(app, &caller.user, now, |email| Letter::UsernameChanged { email, at, ip })?;
    }
    let directory = app.store.directory();
    let user = app.store.write(move |tx| {
        let before = presence.confirm(tx)?;
        let mut user = before.clone();
        change.apply(&mut user, now);
        let changes = Changes::of_user(&directory, Some(&before), Some(&user));
        if changes.is_empty() {
            return Ok(user);
        }
        if changes.has("username") {
            allow_names(&user, "username")?;
            if let Some(notice) = &notice {
                tx.enqueue_mail(notice)?;
            }
        }
        tx.save_user(&user)?;
        tx.append_event(&event.clone().telling(&changes))?;
        Ok::<_, FlowError>(user)
    });
    Ok(Arc::new(user.await?))
}
