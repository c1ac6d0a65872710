//! Mails that were promised and are not delivered yet.

use crate::domain::{Mail, MailId, Timestamp};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::MailRecord;
use crate::store::schema::DUE_TO_MAILS;
use crate::store::table::Row as _;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn mail(&self, id: MailId) -> Result<Option<Mail>, StoreError> {
        let Some(record) = self.row::<MailRecord>(&id)? else { return Ok(None) };
        let unknown = || StoreError::Damaged(format!("mail {id} is of an unknown kind"));
        record.into_mail(id).map(Some).ok_or_else(unknown)
    }

    /// Mails, the newest first, those before `before` only, at most `limit`; and how many there are in all. One that
    /// cannot be read hides none of the others.
    pub(crate) fn mails_before(
        &self,
        before: Option<MailId>,
        limit: usize,
    ) -> Result<(Vec<Mail>, u64), StoreError> {
        let mut mails = Vec::new();
        for row in self.rows::<MailRecord>(before.as_ref(), Order::Descending)? {
            match row {
                Ok((id, record)) if before != Some(id) => mails.extend(record.into_mail(id)),
                Ok(_) | Err(StoreError::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
            if mails.len() == limit {
                break;
            }
        }
        Ok((mails, self.stored_len(MailRecord::TABLE.name)?))
    }

    /// Mails of a kind, the oldest first. Reads all there are; one that cannot be read is of none.
    pub(crate) fn mails_that(&self, is_wanted: impl Fn(&Mail) -> bool) -> Result<Vec<MailId>, StoreError> {
        let mut found = Vec::new();
        for row in self.rows::<MailRecord>(None, Order::Ascending)? {
            match row {
                Ok((id, record)) => found.extend(record.into_mail(id).filter(&is_wanted).map(|_| id)),
                Err(StoreError::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Mails whose time has come, the longest waiting first, at most `limit`.
    pub(crate) fn due_mails(&self, now: Timestamp, limit: usize) -> Result<Vec<Mail>, StoreError> {
        let ids: Vec<MailId> = self.find_due(&DUE_TO_MAILS, now, limit)?;
        // One that cannot be read keeps none of the others; `check` names it.
        let readable = |mail: &Result<Mail, StoreError>| !matches!(mail, Err(StoreError::Damaged(_)));
        ids.into_iter().filter_map(|id| self.mail(id).transpose()).filter(readable).collect()
    }
}

impl WriteTx {
    pub(crate) fn enqueue_mail(&mut self, mail: &Mail) -> Result<(), StoreError> {
        self.effects().has_mail = true;
        self.save_mail(mail)
    }

    pub(crate) fn save_mail(&mut self, mail: &Mail) -> Result<(), StoreError> {
        self.save(&mail.id, &MailRecord::from(mail))
    }

    /// The row goes at once, its bytes in the file when something else needs their place: they are sealed.
    pub(crate) fn remove_mail(&mut self, id: MailId) -> Result<(), StoreError> {
        self.remove::<MailRecord>(&id).map(drop)
    }
}
