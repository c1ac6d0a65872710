//! Groups.

use crate::domain::{Group, GroupId, GroupName, Name};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::GroupRecord;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn group(&self, id: GroupId) -> Result<Option<Group>, StoreError> {
        Ok(self.row::<GroupRecord>(&id)?.map(|record| record.into_group(id)))
    }

    /// All groups, by number.
    pub(crate) fn groups(&self) -> Result<Vec<Group>, StoreError> {
        self.rows::<GroupRecord>(None, Order::Ascending)?
            .map(|row| row.map(|(id, record)| record.into_group(id)))
            .collect()
    }
}

impl WriteTx {
    /// Gives the new group the next number; [`StoreError::Taken`] if there is one of this name.
    pub(crate) fn insert_group(&mut self, name: GroupName, description: Name) -> Result<Group, StoreError> {
        let id = GroupId(self.next_number("group")?);
        let group = Group { id, name, description, permissions: std::collections::BTreeSet::new() };
        self.save_group(&group)?;
        Ok(group)
    }

    /// A group that comes with a number of its own, which no other has. Numbers go on after the largest.
    pub(crate) fn insert_group_as(&mut self, group: &Group) -> Result<(), StoreError> {
        self.save_group(group)?;
        self.pass_number("group", group.id.0)
    }

    pub(crate) fn save_group(&mut self, group: &Group) -> Result<(), StoreError> {
        self.save(&group.id, &GroupRecord::from(group))?;
        self.effects().has_directory = true;
        Ok(())
    }

    /// Takes a group away. Its members keep its number, which counts for nothing and is swept later.
    pub(crate) fn remove_group(&mut self, id: GroupId) -> Result<(), StoreError> {
        self.remove::<GroupRecord>(&id)?;
        self.effects().has_directory = true;
        Ok(())
    }
}
