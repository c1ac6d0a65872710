//! Groups and permissions that are gone, in the rows of those who had them: numbers that count for nothing, because none
//! is given out twice.

use crate::domain::{Directory, GroupId, PermissionId, UserId};
use crate::store::StoreError;
use crate::store::codec::{Key, Lookup};
use crate::store::schema::{GROUP_TO_USERS, PERMISSION_TO_USERS};
use crate::store::table::Index;
use crate::store::tx::{ReadTx, WriteTx};

/// A number that leads nowhere, and whose row has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LostRight {
    GroupOfUser(GroupId, UserId),
    PermissionOfUser(PermissionId, UserId),
    PermissionOfGroup(PermissionId, GroupId),
}

impl ReadTx {
    /// What is in some row and not in the directory, at most `limit`.
    pub(crate) fn lost_rights(
        &self,
        directory: &Directory,
        limit: usize,
    ) -> Result<Vec<LostRight>, StoreError> {
        let mut lost = Vec::new();
        let is_gone = |group: &GroupId| directory.group(*group).is_none();
        self.find_lost(&GROUP_TO_USERS, is_gone, limit, |group, user| {
            lost.push(LostRight::GroupOfUser(group, user));
        })?;
        let is_gone = |permission: &PermissionId| directory.permission(*permission).is_none();
        self.find_lost(&PERMISSION_TO_USERS, is_gone, limit - lost.len(), |permission, user| {
            lost.push(LostRight::PermissionOfUser(permission, user));
        })?;
        let of_groups = directory.groups().flat_map(|group| {
            let gone = group.permissions.iter().filter(|one| directory.permission(**one).is_none());
            gone.map(|permission| LostRight::PermissionOfGroup(*permission, group.id))
        });
        lost.extend(of_groups.take(limit - lost.len()));
        Ok(lost)
    }

    /// The users whom an index still finds by what is gone, at most `limit`.
    fn find_lost<L: Lookup + Key + Copy>(
        &self,
        index: &Index<L>,
        is_gone: impl Fn(&L) -> bool,
        limit: usize,
        mut found: impl FnMut(L, UserId),
    ) -> Result<(), StoreError> {
        let mut left = limit;
        let mut last = None;
        while left > 0
            && let Some(lookup) = self.next_lookup::<L, UserId>(index, last.as_ref())?
        {
            if is_gone(&lookup) {
                let users = self.find_some(index, &lookup, left)?;
                left -= users.len();
                for user in users {
                    found(lookup, user);
                }
            }
            last = Some(lookup);
        }
        Ok(())
    }
}

impl WriteTx {
    /// Takes the number out of the row, unless it leads somewhere after all. One row and one index entry change.
    pub(crate) fn drop_lost_right(&mut self, right: LostRight) -> Result<(), StoreError> {
        match right {
            LostRight::GroupOfUser(group, user) if self.group(group)?.is_none() => {
                let mut user = self.user(user)?.ok_or_else(|| nobody(user))?;
                user.groups.retain(|one| *one != group);
                self.save_user(&user)
            }
            LostRight::PermissionOfUser(permission, user) if self.permission(permission)?.is_none() => {
                let mut user = self.user(user)?.ok_or_else(|| nobody(user))?;
                user.permissions.retain(|one| *one != permission);
                self.save_user(&user)
            }
            LostRight::PermissionOfGroup(permission, group) if self.permission(permission)?.is_none() => {
                let Some(mut group) = self.group(group)? else { return Ok(()) };
                group.permissions.remove(&permission);
                self.save_group(&group)
            }
            _ => Ok(()),
        }
    }
}

/// An entry that is not there for a row would be found again and again.
fn nobody(user: UserId) -> StoreError {
    StoreError::Damaged(format!("an index leads to user {user}, who is not there"))
}
