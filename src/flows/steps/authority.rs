//! What an administrator may do, and to whom: asked in the transaction that does it, of the actor as they are then, with
//! the groups and permissions that there are then.
//!
//! Whoever changes another account could become it, so nobody changes an account that may do more than they may.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use crate::app::App;
use crate::domain::{Directory, GroupId, PermissionId, User};
use crate::flows::steps::Presence;
use crate::flows::{Caller, FlowError};
use crate::store::ReadTx;

/// The right to do one kind of thing.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    presence: Presence,
    permission: &'static str,
}

/// An administrator who may do it, and what else they may.
#[derive(Debug)]
pub(crate) struct Actor {
    user: User,
    /// As it is in the transaction.
    pub(crate) directory: Arc<Directory>,
}

impl Authority {
    pub(crate) fn of(app: &App, caller: &Caller, permission: &'static str) -> Self {
        Self { presence: Presence::of(app, caller), permission }
    }

    /// The actor, if they still may: nobody acts on a credential that has ended, or on a right that was taken from them, a
    /// moment ago.
    pub(crate) fn actor(&self, read: &ReadTx) -> Result<Actor, FlowError> {
        let actor = Actor { user: self.presence.confirm(read)?, directory: read.directory()? };
        actor.may(self.permission)?;
        Ok(actor)
    }
}

impl Actor {
    /// Refuses who lacks a permission that is needed, too.
    pub(crate) fn may(&self, permission: &str) -> Result<(), FlowError> {
        let may = self.is_staff && self.directory.has_permission(self, permission);
        may.then_some(()).ok_or(FlowError::PermissionDenied)
    }

    /// Refuses an account that may do more than the actor, a superuser above all.
    pub(crate) fn over(&self, subject: &User) -> Result<(), FlowError> {
        let may = self.is_superuser || (!subject.is_superuser && self.holds(&self.rights_of(subject)));
        may.then_some(()).ok_or(FlowError::PermissionDenied)
    }

    /// Refuses to give, or to take away from whoever it may be, what the actor does not have.
    pub(crate) fn grant(&self, groups: &[GroupId], permissions: &[PermissionId]) -> Result<(), FlowError> {
        let through_groups = groups.iter().filter_map(|id| self.directory.group(*id));
        let mut given: BTreeSet<PermissionId> =
            through_groups.flat_map(|group| group.permissions.iter().copied()).collect();
        given.extend(permissions);
        self.holds(&given).then_some(()).ok_or(FlowError::PermissionDenied)
    }

    /// What an account may do, or could if it were active.
    fn rights_of(&self, user: &User) -> BTreeSet<PermissionId> {
        let groups = user.groups.iter().filter_map(|id| self.directory.group(*id));
        groups
            .flat_map(|group| group.permissions.iter().copied())
            .chain(user.permissions.iter().copied())
            .collect()
    }

    fn holds(&self, rights: &BTreeSet<PermissionId>) -> bool {
        rights
            .iter()
            .filter_map(|id| self.directory.permission(*id))
            .all(|permission| self.directory.has_permission(self, permission.name.as_str()))
    }
}

impl Deref for Actor {
    type Target = User;

    fn deref(&self) -> &User {
        &self.user
    }
}
