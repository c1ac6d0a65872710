//! What an administrator may do, and to whom: asked in the transaction that does it, of the actor as they are then.
//!
//! Whoever changes another account could become it, so nobody changes an account that may do more than they may.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::App;
use crate::domain::{Directory, GroupId, PermissionId, User, UserId};
use crate::flows::{Caller, FlowError};
use crate::store::ReadTx;

/// The right to do one kind of thing.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    actor: UserId,
    permission: &'static str,
    directory: Arc<Directory>,
}

impl Authority {
    pub(crate) fn of(app: &App, caller: &Caller, permission: &'static str) -> Self {
        Self { actor: caller.user.id, permission, directory: app.store.directory() }
    }

    /// The groups and permissions that it is judged by.
    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The actor, if they still may: nobody acts on a right that was taken from them a moment ago.
    pub(crate) fn actor(&self, read: &ReadTx) -> Result<User, FlowError> {
        let actor = read.user(self.actor)?.ok_or(FlowError::PermissionDenied)?;
        let may = actor.is_staff && self.directory.has_permission(&actor, self.permission);
        may.then_some(actor).ok_or(FlowError::PermissionDenied)
    }

    /// Refuses an account that may do more than the actor, a superuser above all.
    pub(crate) fn over(&self, actor: &User, subject: &User) -> Result<(), FlowError> {
        let may =
            actor.is_superuser || (!subject.is_superuser && self.holds(actor, &self.rights_of(subject)));
        may.then_some(()).ok_or(FlowError::PermissionDenied)
    }

    /// Refuses to give what the actor does not have.
    pub(crate) fn grant(
        &self,
        actor: &User,
        groups: &[GroupId],
        permissions: &[PermissionId],
    ) -> Result<(), FlowError> {
        let through_groups = groups.iter().filter_map(|id| self.directory.group(*id));
        let mut given: BTreeSet<PermissionId> =
            through_groups.flat_map(|group| group.permissions.iter().copied()).collect();
        given.extend(permissions);
        self.holds(actor, &given).then_some(()).ok_or(FlowError::PermissionDenied)
    }

    /// What an account may do, or could if it were active.
    fn rights_of(&self, user: &User) -> BTreeSet<PermissionId> {
        let groups = user.groups.iter().filter_map(|id| self.directory.group(*id));
        groups
            .flat_map(|group| group.permissions.iter().copied())
            .chain(user.permissions.iter().copied())
            .collect()
    }

    fn holds(&self, actor: &User, rights: &BTreeSet<PermissionId>) -> bool {
        rights
            .iter()
            .filter_map(|id| self.directory.permission(*id))
            .all(|permission| self.directory.has_permission(actor, permission.name.as_str()))
    }
}
