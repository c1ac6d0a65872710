//! Registrations that wait for their code.

use crate::domain::{Email, EmailKey, Registration, RegistrationId, Timestamp, TokenHash};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::RegistrationRecord;
use crate::store::schema::{CODE_TO_REGISTRATION, EMAIL_TO_REGISTRATIONS};
use crate::store::table::Row as _;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn registration(&self, id: RegistrationId) -> Result<Option<Registration>, StoreError> {
        Ok(self.row::<RegistrationRecord>(&id)?.map(|record| record.into_registration(id)))
    }

    /// All registrations of an address, the oldest first.
    pub(crate) fn registrations_of(&self, email: &EmailKey) -> Result<Vec<Registration>, StoreError> {
        let ids: Vec<RegistrationId> = self.find_all(&EMAIL_TO_REGISTRATIONS, email)?;
        ids.into_iter().filter_map(|id| self.registration(id).transpose()).collect()
    }

    pub(crate) fn registration_by_code(&self, code: &TokenHash) -> Result<Option<Registration>, StoreError> {
        self.find(&CODE_TO_REGISTRATION, code)?.map_or(Ok(None), |id| self.registration(id))
    }

    /// Registrations, the newest first, those before `before` only, at most `limit`; and how many there are in all.
    pub(crate) fn newest_registrations(
        &self,
        before: Option<RegistrationId>,
        limit: usize,
    ) -> Result<(Vec<Registration>, u64), StoreError> {
        let rows = self.rows::<RegistrationRecord>(before.as_ref(), Order::Descending)?;
        let others = rows.filter(|row| !matches!(row, Ok((id, _)) if before == Some(*id)));
        let found = others.take(limit).map(|row| row.map(|(id, record)| record.into_registration(id)));
        Ok((found.collect::<Result<_, _>>()?, self.stored_len(RegistrationRecord::TABLE.name)?))
    }

    /// The oldest registrations that were made before `before`, at most `limit`.
    pub(crate) fn registrations_before(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<RegistrationId>, StoreError> {
        let mut old = Vec::new();
        for row in self.rows::<RegistrationRecord>(None, Order::Ascending)?.take(limit) {
            let (id, record) = row?;
            if record.into_registration(id).created_at >= before {
                break;
            }
            old.push(id);
        }
        Ok(old)
    }
}

impl WriteTx {
    pub(crate) fn save_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        self.save(&registration.id, &RegistrationRecord::from(registration))
    }

    pub(crate) fn remove_registration(&mut self, id: RegistrationId) -> Result<(), StoreError> {
        self.remove::<RegistrationRecord>(&id).map(drop)
    }

    /// Drops whatever waits for an address that is somebody's now.
    pub(crate) fn remove_registrations_of(&mut self, email: Option<&Email>) -> Result<(), StoreError> {
        let Some(email) = email else { return Ok(()) };
        for pending in self.registrations_of(&email.key())? {
            self.remove_registration(pending.id)?;
        }
        Ok(())
    }
}
