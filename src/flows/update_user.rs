//! An administrator changes what an account says, and who may use it.

use crate::app::App;
use crate::domain::{
    Change, Changes, CodePurpose, Email, EventKind, Mail, Timestamp, User, UserChange, UserId,
};
use crate::flows::steps::{
    Actor, Authority, act, actor_and_subject, allow_names, disable, forget_codes, post_to_user,
};
use crate::flows::{Caller, FlowError};
use crate::mail::Letter;
use crate::store::WriteTx;

/// Changes an account. Nothing changed is no event.
pub(crate) async fn update_user(
    app: &App,
    caller: &Caller,
    id: UserId,
    change: UserChange,
) -> Result<User, FlowError> {
    let now = app.clock.now();
    let authority = Authority::of(app, caller, "users.change_user");
    let updated = act(caller, EventKind::UserUpdated, now);
    let (enabled, disabled) =
        (act(caller, EventKind::UserEnabled, now), act(caller, EventKind::UserDisabled, now));
    let owner = app.store.read()?.user(id)?.ok_or(FlowError::NotFound)?;
    let notices = notices(app, caller, &owner, &change, now)?;
    app.store
        .write(move |tx| {
            let (actor, before) = actor_and_subject(&authority, tx, id)?;
            let mut user = before.clone();
            change.apply(&mut user, now);
            let mut changes = Changes::of_user(&actor.directory, Some(&before), Some(&user));
            if changes.is_empty() {
                return Ok(before);
            }
            allow(tx, &actor, &before, &user, &changes)?;
            if before.is_active && !user.is_active {
                let held;
                (user, held) = disable(tx, user, now)?;
                changes = held.ending(changes);
            }
            tx.save_user(&user)?;
            if changes.has("email") {
                forget_codes(tx, id)?;
                tx.remove_code(id, CodePurpose::VerifyEmail)?;
                tx.remove_registrations_of(user.email.as_ref())?;
            }
            for (_, notice) in notices.iter().filter(|(member, _)| changes.has(member)) {
                tx.enqueue_mail(notice)?;
            }
            if before.is_active != user.is_active {
                let event = if user.is_active { &enabled } else { &disabled };
                tx.append_event(&event.clone().about(&before).telling(&changes))?;
            }
            tx.append_event(&updated.clone().about(&before).telling(&changes))?;
            Ok::<_, FlowError>(user)
        })
        .await
}

/// What the owner hears if a member really changes: that there is a new name to log in with, and, where it was known to
/// be theirs, that the old address is none any more.
fn notices(
    app: &App,
    caller: &Caller,
    owner: &User,
    change: &UserChange,
    now: Timestamp,
) -> Result<Vec<(&'static str, Mail)>, FlowError> {
    let (at, ip) = (now, caller.origin.ip);
    let renamed = match &change.username {
        Change::Keep => None,
        Change::Set(name) if owner.username.as_ref() == Some(name) => None,
        _ => post_to_user(app, owner, now, |email| Letter::UsernameChanged { email, at, ip })?,
    };
    let is_kept = |new: &Email| owner.email.as_ref().map(Email::key) == Some(new.key());
    let moved = match &change.email {
        Change::Keep => None,
        Change::Set(new) if is_kept(new) => None,
        _ if !owner.email_verified => None,
        _ => post_to_user(app, owner, now, |email| Letter::EmailChanged { email, at, ip })?,
    };
    let named = |member| move |mail| (member, mail);
    Ok(renamed.map(named("username")).into_iter().chain(moved.map(named("email"))).collect())
}

/// Only superusers make or unmake staff and superusers, and never the last superuser. One's own address takes one's
/// password (`/auth/email/change/`): a found token is not enough for it.
fn allow(
    tx: &WriteTx,
    actor: &Actor,
    before: &User,
    after: &User,
    changes: &Changes,
) -> Result<(), FlowError> {
    if (changes.has("is_staff") || changes.has("is_superuser")) && !actor.is_superuser {
        return Err(FlowError::PermissionDenied);
    }
    if changes.has("email") && actor.id == after.id {
        return Err(FlowError::PermissionDenied);
    }
    // As with DELETE.
    if before.is_active && !after.is_active {
        actor.may("users.delete_user")?;
    }
    if before.is_ruler() && !after.is_ruler() && !tx.has_other_ruler(before.id)? {
        return Err(FlowError::LastSuperuser);
    }
    let field = if changes.has("email") { "email" } else { "username" };
    allow_names(after, field)
}
