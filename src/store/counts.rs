//! How much there is of everything, without reading it: lengths of tables, and the roster.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use crate::domain::{Census, MailCount, Timestamp, UserFilter};
use crate::store::records::{MailRecord, RegistrationRecord, SessionRecord, UserRecord};
use crate::store::roster::Roster;
use crate::store::schema::DUE_TO_MAILS;
use crate::store::table::Row as _;
use crate::store::tx::ReadTx;
use crate::store::{Store, StoreError};

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Store {
    /// How many users there are. Blocks, for long if nobody has filtered or searched users lately.
    pub(crate) fn census(&self, now: Timestamp) -> Result<Census, StoreError> {
        self.memory.roster.ask(now, || self.read(), |read, roster| read.census(roster, now))
    }

    /// The size of the file; what it has of free space inside counts. None: it has no name any more, as one that is
    /// thrown away.
    pub(crate) fn file_bytes(&self) -> Result<Option<u64>, StoreError> {
        let path = self.engine.path();
        match fs::metadata(path) {
            Ok(file) => Ok(Some(file.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::open(path, &error)),
        }
    }
}

impl ReadTx {
    fn census(&self, roster: &Roster, now: Timestamp) -> Result<Census, StoreError> {
        let count = |filter| roster.matches(&filter).count();
        let (yes, any) = (Some(true), UserFilter::default);
        Ok(Census {
            all: self.stored_len(UserRecord::TABLE.name)?,
            active: count(UserFilter { is_active: yes, ..any() }),
            staff: count(UserFilter { is_staff: yes, ..any() }),
            superusers: count(UserFilter { is_superuser: yes, ..any() }),
            joined_last_day: roster.count_joined_since(now.before(DAY)),
            joined_last_week: roster.count_joined_since(now.before(7 * DAY)),
        })
    }

    /// Sessions that nobody has ended or swept. Some of them may have run out since.
    pub(crate) fn count_sessions(&self) -> Result<u64, StoreError> {
        self.stored_len(SessionRecord::TABLE.name)
    }

    pub(crate) fn count_registrations(&self) -> Result<u64, StoreError> {
        self.stored_len(RegistrationRecord::TABLE.name)
    }

    pub(crate) fn count_mails(&self) -> Result<MailCount, StoreError> {
        let all = self.stored_len(MailRecord::TABLE.name)?;
        let waiting = self.stored_len(DUE_TO_MAILS.name)?;
        Ok(MailCount { waiting, failed: all.saturating_sub(waiting) })
    }
}
