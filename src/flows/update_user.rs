//! An administrator changes what an account says, and who may use it.

use crate::app::App;
use crate::domain::{Change, CodePurpose, Difference, EventKind, User, UserChange, UserId};
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
    // Whoever has a new name logs in with it: its owner hears of that.
    let (at, ip) = (now, caller.origin.ip);
    let notice = match &change.username {
        Change::Keep => None,
        Change::Set(name) if owner.username.as_ref() == Some(name) => None,
        _ => post_to_user(app, &owner, now, |email| Letter::UsernameChanged { email, at, ip })?,
    };
    app.store
        .write(move |tx| {
            let (actor, before) = actor_and_subject(&authority, tx, id)?;
            let mut user = before.clone();
            let differences = change.apply(&mut user, now);
            let has_changed = |member| differences.iter().any(|one| one.member == member);
            if differences.is_empty() {
                return Ok(before);
            }
            allow(tx, &actor, &before, &user, &differences)?;
            let user = if before.is_active && !user.is_active { disable(tx, user, now)? } else { user };
            tx.save_user(&user)?;
            if has_changed("email") {
                forget_codes(tx, id)?;
                tx.remove_code(id, CodePurpose::VerifyEmail)?;
                tx.remove_registrations_of(user.email.as_ref())?;
            }
            if has_changed("username")
                && let Some(notice) = &notice
            {
                tx.enqueue_mail(notice)?;
            }
            if before.is_active != user.is_active {
                let event = if user.is_active { &enabled } else { &disabled };
                tx.append_event(&event.clone().about(&before))?;
            }
            let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
            tx.append_event(&updated.clone().about(&before).saying(told.join("; ")))?;
            Ok::<_, FlowError>(user)
        })
        .await
}

/// Only superusers make or unmake staff and superusers, and never the last superuser. One's own address takes one's
/// password (`/auth/email/change/`): a found token is not enough for it.
fn allow(
    tx: &WriteTx,
    actor: &Actor,
    before: &User,
    after: &User,
    differences: &[Difference],
) -> Result<(), FlowError> {
    let has_changed = |member| differences.iter().any(|one| one.member == member);
    if (has_changed("is_staff") || has_changed("is_superuser")) && !actor.is_superuser {
        return Err(FlowError::PermissionDenied);
    }
    if has_changed("email") && actor.id == after.id {
        return Err(FlowError::PermissionDenied);
    }
    // As with DELETE.
    if before.is_active && !after.is_active {
        actor.may("users.delete_user")?;
    }
    if before.is_ruler() && !after.is_ruler() && !tx.has_other_ruler(before.id)? {
        return Err(FlowError::LastSuperuser);
    }
    let field = if has_changed("email") { "email" } else { "username" };
    allow_names(after, field)
}
