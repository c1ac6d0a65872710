//! Permissions.

use std::collections::BTreeSet;

use crate::domain::{GroupId, Name, Permission, PermissionId, PermissionName, UserId};
use crate::store::StoreError;
use crate::store::codec::Flag;
use crate::store::engine::Order;
use crate::store::records::PermissionRecord;
use crate::store::schema::{FLAG_TO_USERS, GROUP_TO_USERS, PERMISSION_TO_USERS};
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn permission(&self, id: PermissionId) -> Result<Option<Permission>, StoreError> {
        Ok(self.row::<PermissionRecord>(&id)?.map(|record| record.into_permission(id)))
    }

    /// Every active user who has one of these groups, this permission of their own, or is a superuser: by number.
    pub(crate) fn holders_of(
        &self,
        permission: PermissionId,
        groups: &[GroupId],
    ) -> Result<BTreeSet<UserId>, StoreError> {
        let mut holders: BTreeSet<UserId> =
            self.find_all(&PERMISSION_TO_USERS, &permission)?.into_iter().collect();
        for group in groups {
            holders.extend(self.find_all::<_, UserId>(&GROUP_TO_USERS, group)?);
        }
        holders.extend(self.find_all::<_, UserId>(&FLAG_TO_USERS, &Flag::Superuser)?);
        for inactive in self.find_all::<_, UserId>(&FLAG_TO_USERS, &Flag::Inactive)? {
            holders.remove(&inactive);
        }
        Ok(holders)
    }

    /// All permissions, by number.
    pub(crate) fn permissions(&self) -> Result<Vec<Permission>, StoreError> {
        self.rows::<PermissionRecord>(None, Order::Ascending)?
            .map(|row| row.map(|(id, record)| record.into_permission(id)))
            .collect()
    }
}

impl WriteTx {
    /// Gives the new permission the next number; [`StoreError::Taken`] if there is one of this name.
    pub(crate) fn insert_permission(
        &mut self,
        name: PermissionName,
        title: Name,
    ) -> Result<Permission, StoreError> {
        let permission = Permission { id: PermissionId(self.next_number("permission")?), name, title };
        self.save_permission(&permission)?;
        Ok(permission)
    }

    pub(crate) fn save_permission(&mut self, permission: &Permission) -> Result<(), StoreError> {
        self.save(&permission.id, &PermissionRecord::from(permission))?;
        self.forget_directory();
        Ok(())
    }

    /// Takes a permission away. Who had it keeps its number, which counts for nothing and is swept by and by.
    pub(crate) fn remove_permission(&mut self, id: PermissionId) -> Result<(), StoreError> {
        self.remove::<PermissionRecord>(&id)?;
        self.forget_directory();
        self.effects().has_lost_rights = true;
        Ok(())
    }
}
