//! What an administrator does to an account as a whole. Asked for alone or for many at once, it is the same write.

use crate::app::App;
use crate::domain::{Changes, CodePurpose, Event, EventKind, GroupId, Target, Timestamp, User, UserId};
use crate::flows::steps::administration::{act, actor_and_subject, not_too_many};
use crate::flows::steps::authority::{Actor, Authority};
use crate::flows::steps::endings::{Held, disable, enable, end_sessions, forget_codes, revoke_api_keys};
use crate::flows::steps::lost_mails::drop_mails;
use crate::flows::{Caller, FlowError};
use crate::store::WriteTx;

/// What is done to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Its owner can log in again, and its address is vouched for. What ended before stays over.
    Enable,
    /// Its sessions, API keys and codes are over. Nothing is lost.
    Disable,
    /// Everything that is theirs goes, but for the audit log: from the acknowledgement on, no token or key of theirs is
    /// accepted. For superusers; nobody removes themself.
    Purge,
    /// Its log-ins end; API keys stay.
    EndSessions,
    /// Into these, and it stays in those it is in. Nobody puts it into one that may do what they may not.
    AddToGroups(Vec<GroupId>),
    RemoveFromGroups(Vec<GroupId>),
}

impl Measure {
    /// What somebody needs who takes it.
    pub(crate) const fn permission(&self) -> &'static str {
        match self {
            Self::Disable | Self::Purge => "users.delete_user",
            Self::Enable | Self::EndSessions | Self::AddToGroups(_) | Self::RemoveFromGroups(_) => {
                "users.change_user"
            }
        }
    }

    const fn kind(&self) -> EventKind {
        match self {
            Self::Enable => EventKind::UserEnabled,
            Self::Disable => EventKind::UserDisabled,
            Self::Purge => EventKind::UserDeleted,
            Self::EndSessions => EventKind::SessionEnded,
            Self::AddToGroups(_) | Self::RemoveFromGroups(_) => EventKind::UserUpdated,
        }
    }
}

/// What came of a measure.
pub(crate) struct Taken {
    /// As it is now, or was before it went.
    pub(crate) user: User,
    /// It was otherwise before.
    pub(crate) is_change: bool,
}

/// Takes a measure: one write, and one event unless all was so already. The last active superuser stays one.
pub(crate) async fn take(
    app: &App,
    caller: &Caller,
    id: UserId,
    measure: Measure,
) -> Result<Taken, FlowError> {
    let authority = Authority::of(app, caller, measure.permission());
    let event = act(caller, measure.kind(), app.clock.now());
    let (now, is_purge) = (event.time, measure == Measure::Purge);
    let write = app.store.write(move |tx| {
        let (actor, user) = actor_and_subject(&authority, tx, id)?;
        let wanted = tx.email_change(id)?.map(|change| change.new_email);
        let taking = Taking { actor, event: event.clone() };
        let taken = match &measure {
            Measure::Enable => taking.enable(tx, user),
            Measure::Disable => taking.disable(tx, user),
            Measure::Purge => taking.purge(tx, user),
            Measure::EndSessions => taking.end_sessions(tx, user),
            Measure::AddToGroups(groups) => {
                let added = user.groups.iter().chain(groups).copied().collect();
                taking.put_into(tx, user, added)
            }
            Measure::RemoveFromGroups(groups) => {
                let left = user.groups.iter().filter(|id| !groups.contains(id)).copied().collect();
                taking.put_into(tx, user, left)
            }
        };
        Ok::<_, FlowError>((taken?, wanted))
    });
    let (taken, wanted) = write.await?;
    if is_purge && let Err(error) = drop_mails(app, taken.user.email.clone(), wanted, now).await {
        tracing::warn!(%error, user.id = %id, "mails may still go to a user who was removed");
    }
    Ok(taken)
}

impl Taken {
    fn changed(user: User) -> Self {
        Self { user, is_change: true }
    }

    fn as_before(user: User) -> Self {
        Self { user, is_change: false }
    }
}

/// A measure on its way: by whose right, and the event that it will be.
struct Taking {
    actor: Actor,
    event: Event,
}

impl Taking {
    fn enable(&self, tx: &mut WriteTx, user: User) -> Result<Taken, FlowError> {
        if user.is_active {
            return Ok(Taken::as_before(user));
        }
        let enabled = enable(tx, user.clone(), self.now())?;
        self.note(tx, &user, &self.between(&user, &enabled))?;
        Ok(Taken::changed(enabled))
    }

    fn disable(&self, tx: &mut WriteTx, user: User) -> Result<Taken, FlowError> {
        if !user.is_active {
            return Ok(Taken::as_before(user));
        }
        let (disabled, held) = disable(tx, user.clone(), self.now())?;
        self.note(tx, &user, &held.ending(self.between(&user, &disabled)))?;
        Ok(Taken::changed(disabled))
    }

    fn purge(&self, tx: &mut WriteTx, user: User) -> Result<Taken, FlowError> {
        let id = user.id;
        if user.is_ruler() && !tx.has_other_ruler(id)? {
            return Err(FlowError::LastSuperuser);
        }
        if !self.actor.is_superuser || self.actor.id == id {
            return Err(FlowError::PermissionDenied);
        }
        let held = Held { sessions: end_sessions(tx, id, None)?, api_keys: revoke_api_keys(tx, id)? };
        forget_codes(tx, id)?;
        tx.remove_code(id, CodePurpose::VerifyEmail)?;
        tx.clear_guesses(Target::User(id))?;
        tx.remove_registrations_of(user.email.as_ref())?;
        tx.remove_user(id)?;
        let changes = Changes::of_user(&self.actor.directory, Some(&user), None);
        self.note(tx, &user, &held.ending(changes))?;
        Ok(Taken::changed(user))
    }

    fn end_sessions(&self, tx: &mut WriteTx, user: User) -> Result<Taken, FlowError> {
        let ended = end_sessions(tx, user.id, None)?;
        if ended == 0 {
            return Ok(Taken::as_before(user));
        }
        self.note(tx, &user, &Changes::default().count("sessions", ended, 0))?;
        Ok(Taken::changed(user))
    }

    /// Puts an account into these groups and no others: what is given is for the actor to give.
    fn put_into(&self, tx: &mut WriteTx, user: User, mut groups: Vec<GroupId>) -> Result<Taken, FlowError> {
        // A group is more than its permissions: applications ask who is in it.
        if self.actor.id == user.id && !self.actor.is_superuser {
            return Err(FlowError::PermissionDenied);
        }
        groups.sort_unstable();
        groups.dedup();
        let given: Vec<GroupId> = groups.iter().filter(|id| !user.groups.contains(id)).copied().collect();
        self.actor.grant(&given, &[])?;
        let groups = not_too_many("groups", groups)?;
        let changes = self.between(&user, &User { groups: groups.clone(), ..user.clone() });
        if changes.is_empty() {
            return Ok(Taken::as_before(user));
        }
        let user = User { groups, updated_at: self.now(), ..user };
        tx.save_user(&user)?;
        self.note(tx, &user, &changes)?;
        Ok(Taken::changed(user))
    }

    fn between(&self, before: &User, after: &User) -> Changes {
        Changes::of_user(&self.actor.directory, Some(before), Some(after))
    }

    fn note(&self, tx: &mut WriteTx, user: &User, changes: &Changes) -> Result<(), FlowError> {
        Ok(tx.append_event(&self.event.clone().about(user).telling(changes))?)
    }

    fn now(&self) -> Timestamp {
        self.event.time
    }
}
