//! Users, found by number, address or name.

use crate::domain::{
    Email, EmailKey, GroupId, Name, NewUser, PermissionId, Timestamp, User, UserId, Username, UsernameKey,
};
use crate::store::StoreError;
use crate::store::codec::Flag;
use crate::store::engine::Order;
use crate::store::records::UserRecord;
use crate::store::schema::{
    EMAIL_TO_USER, FLAG_TO_USERS, GROUP_TO_USERS, JOINED_TO_USERS, LAST_LOGIN_TO_USERS, NAME_TO_USERS,
    PERMISSION_TO_USERS, USERNAME_TO_USER,
};
use crate::store::table::Entry;
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

    /// Users of a kind, the oldest account first, at most `limit`. Reads all that come before.
    pub(crate) fn users_that(
        &self,
        limit: usize,
        is_wanted: impl Fn(&User) -> bool,
    ) -> Result<Vec<User>, StoreError> {
        self.rows::<UserRecord>(None, Order::Ascending)?
            .map(|row| row.map(|(id, record)| record.into_user(id)))
            .filter(|user| user.as_ref().map_or(true, &is_wanted))
            .take(limit)
            .collect()
    }

    pub(crate) fn has_superuser(&self) -> Result<bool, StoreError> {
        Ok(!self.find_some::<_, UserId>(&FLAG_TO_USERS, &Flag::Superuser, 1)?.is_empty())
    }

    /// Whether somebody but this user is an active superuser.
    pub(crate) fn has_other_active_superuser(&self, than: UserId) -> Result<bool, StoreError> {
        for id in self.find_all::<_, UserId>(&FLAG_TO_USERS, &Flag::Superuser)? {
            if id != than && self.user(id)?.is_some_and(|user| user.is_active) {
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

    pub(crate) fn save_user(&mut self, user: &User) -> Result<(), StoreError> {
        self.save(&user.id, &UserRecord::from(user))?;
        self.effects().users.push(user.id);
        Ok(())
    }

    /// Takes a user away. Their number is never given out again.
    pub(crate) fn remove_user(&mut self, id: UserId) -> Result<(), StoreError> {
        self.remove::<UserRecord>(&id)?;
        self.effects().users.push(id);
        Ok(())
    }
}

/// Where a user is found.
pub(super) fn entries(user: &UserRecord, id: &UserId) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(8);
    match &user.email {
        Some(email) => entries.push(EMAIL_TO_USER.entry(&Email::from_stored(email.clone()).key(), id)),
        None => entries.push(FLAG_TO_USERS.entry(&Flag::NoEmail, id)),
    }
    match &user.username {
        Some(name) => entries.push(USERNAME_TO_USER.entry(&Username::from_stored(name.clone()).key(), id)),
        None => entries.push(FLAG_TO_USERS.entry(&Flag::NoUsername, id)),
    }
    let flags = [
        (user.is_staff, Flag::Staff),
        (user.is_superuser, Flag::Superuser),
        (!user.is_active, Flag::Inactive),
    ];
    entries.extend(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| FLAG_TO_USERS.entry(flag, id)));
    entries.push(JOINED_TO_USERS.entry(&Timestamp::from_millis(user.date_joined), id));
    let last_login = Timestamp::from_millis(user.last_login.unwrap_or_default());
    entries.push(LAST_LOGIN_TO_USERS.entry(&last_login, id));
    let mut names: Vec<String> = [&user.first_name, &user.last_name]
        .into_iter()
        .map(|name| Name::from_stored(name.clone()).folded())
        .filter(|name| !name.is_empty())
        .collect();
    names.dedup();
    entries.extend(names.iter().map(|name| NAME_TO_USERS.entry(name, id)));
    entries.extend(user.groups.iter().map(|group| GROUP_TO_USERS.entry(&GroupId(*group), id)));
    let permissions = user.permissions.iter();
    entries.extend(permissions.map(|one| PERMISSION_TO_USERS.entry(&PermissionId(*one), id)));
    entries
}
