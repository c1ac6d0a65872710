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
        self.forget_directory();
        Ok(())
    }

    /// Takes a group away. Its members keep its number, which counts for nothing and is swept by and by.
    pub(crate) fn remove_group(&mut self, id: GroupId) -> Result<(), StoreError> {
        self.remove::<GroupRecord>(&id)?;
        self.forget_directory();
        self.effects().has_lost_rights = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::domain::Timestamp;
    use crate::store::Store;

    fn names(tx: &WriteTx) -> Result<Vec<String>, StoreError> {
        Ok(tx.directory()?.groups().map(|group| group.name.as_str().to_owned()).collect())
    }

    fn insert(tx: &mut WriteTx, name: &str) -> Result<(), StoreError> {
        tx.insert_group(GroupName::from_stored(name.to_owned()), Name::default()).map(drop)
    }

    #[tokio::test]
    async fn a_write_sees_the_groups_of_those_before_it_and_of_none_that_failed() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = Timestamp::from_secs(1);
        let store = Store::open(&folder.path().join("k.redb"), [1; 16], now).expect("the store opens");
        let (release, held) = mpsc::channel::<()>();

        // The first keeps the writer busy, so that the others share a commit.
        let (_, made, failed, seen, ()) = tokio::join!(
            store.write(move |_| Ok::<_, StoreError>(held.recv().ok())),
            store.write(|tx| insert(tx, "Editors").and_then(|()| names(tx))),
            store.write(|tx| {
                insert(tx, "Authors")?;
                assert_eq!(names(tx)?, ["Editors", "Authors"]);
                Err::<(), _>(StoreError::Overloaded)
            }),
            store.write(|tx| names(tx)),
            async { release.send(()).expect("it waits") },
        );

        assert_eq!(made.expect("written"), ["Editors"]);
        assert!(matches!(failed, Err(StoreError::Overloaded)));
        assert_eq!(seen.expect("read"), ["Editors"]);
        assert_eq!(store.directory().groups().count(), 1);
        store.close().await;
    }
}
