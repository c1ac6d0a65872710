//! Users, found by number, address or name.

use crate::domain::{EmailKey, NewUser, Timestamp, User, UserId, UsernameKey};
use crate::store::StoreError;
use crate::store::codec::Flag;
use crate::store::engine::Order;
use crate::store::records::{ImportedRecord, UserRecord};
use crate::store::schema::{EMAIL_TO_USER, FLAG_TO_USERS, USERNAME_TO_USER};
use crate::store::table::Row as _;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.row::<UserRecord>(&id)?.map(|record| record.into_user(id)))
    }

    pub(crate) fn user_by_email(&self, email: &EmailKey) -> Result<Option<User>, StoreError> {
        self.find(&EMAIL_TO_USER, email)?.map_or(Ok(None), |id| self.user(id))
    }

    pub(crate) fn user_by_username(&self, username: &UsernameKey) -> Result<Option<User>, StoreError> {
        self.find(&USERNAME_TO_USER, username)?.map_or(Ok(None), |id| self.user(id))
    }

    /// All of them, the oldest account first.
    pub(super) fn users(
        &self,
    ) -> Result<impl Iterator<Item = Result<User, StoreError>> + use<'_>, StoreError> {
        let rows = self.rows::<UserRecord>(None, Order::Ascending)?;
        Ok(rows.map(|row| row.map(|(id, record)| record.into_user(id))))
    }

    /// Whether anybody has an account, or ever had one.
    pub(crate) fn has_had_users(&self) -> Result<bool, StoreError> {
        Ok(self.last_number("user")? > 0
            || self.rows::<UserRecord>(None, Order::Ascending)?.next().transpose()?.is_some())
    }

    /// Users by number, those after `after`, at most `limit`.
    pub(crate) fn users_after(&self, after: UserId, limit: usize) -> Result<Vec<User>, StoreError> {
        self.rows::<UserRecord>(Some(&UserId(after.0.saturating_add(1))), Order::Ascending)?
            .map(|row| row.map(|(id, record)| record.into_user(id)))
            .take(limit)
            .collect()
    }

    /// How many users there are.
    pub(crate) fn count_users(&self) -> Result<u64, StoreError> {
        self.stored_len(UserRecord::TABLE.name)
    }

    /// Whether there is a superuser who can administer.
    pub(crate) fn has_ruler(&self) -> Result<bool, StoreError> {
        self.is_ruled(|_| true)
    }

    /// Whether somebody but this user is one.
    pub(crate) fn has_other_ruler(&self, than: UserId) -> Result<bool, StoreError> {
        self.is_ruled(|id| id != than)
    }

    /// Whether this user has the number that they had in the service before.
    pub(crate) fn came_with_number(&self, id: UserId) -> Result<bool, StoreError> {
        Ok(self.row::<ImportedRecord>(&id)?.is_some())
    }

    fn is_ruled(&self, counts: impl Fn(UserId) -> bool) -> Result<bool, StoreError> {
        for id in self.find_all::<_, UserId>(&FLAG_TO_USERS, &Flag::Superuser)? {
            if counts(id) && self.user(id)?.is_some_and(|user| user.is_ruler()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl WriteTx {
    /// Gives the new user the next number; [`StoreError::Taken`] if somebody has the address or the name. Whatever
    /// registrations waited for the address end here: nobody else's password comes under it.
    pub(crate) fn insert_user(&mut self, new: &NewUser, now: Timestamp) -> Result<User, StoreError> {
        let user = new.joined(UserId(self.next_number("user")?), now);
        if self.user(user.id)?.is_some() {
            return Err(StoreError::Damaged(format!("user {} is there already", user.id)));
        }
        self.save_user(&user)?;
        self.remove_registrations_of(user.email.as_ref())?;
        Ok(user)
    }

    /// A user who comes with a number of their own, which nobody has; [`StoreError::Taken`] as above. Numbers go on after
    /// the largest.
    pub(crate) fn insert_user_as(&mut self, user: &User) -> Result<(), StoreError> {
        self.save_user(user)?;
        self.save(&user.id, &ImportedRecord {})?;
        self.pass_number("user", user.id.0)?;
        self.remove_registrations_of(user.email.as_ref())
    }

    pub(crate) fn save_user(&mut self, user: &User) -> Result<(), StoreError> {
        self.save(&user.id, &UserRecord::from(user))?;
        self.effects().users.push(user.id);
        Ok(())
    }

    /// Takes a user away. Their number is never given out again.
    pub(crate) fn remove_user(&mut self, id: UserId) -> Result<(), StoreError> {
        self.remove::<UserRecord>(&id)?;
        self.remove::<ImportedRecord>(&id)?;
        self.effects().users.push(id);
        Ok(())
    }
}
