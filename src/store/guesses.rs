//! Counts of wrong passwords, by whose password was guessed at and by whom.

use crate::domain::{Guesses, Lane, Target, Timestamp};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::GuessesRecord;
use crate::store::schema::FAILED_AT_TO_NOBODY;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn guesses(&self, target: Target, lane: Lane) -> Result<Option<Guesses>, StoreError> {
        Ok(self.row::<GuessesRecord>(&(target, lane))?.map(Guesses::from))
    }

    /// All lanes of a target.
    pub(crate) fn lanes_of(&self, target: Target) -> Result<Vec<(Lane, Guesses)>, StoreError> {
        self.rows::<GuessesRecord>(Some(&(target, Lane::Strangers)), Order::Ascending)?
            .take_while(|row| row.as_ref().map_or(true, |(key, _)| key.0 == target))
            .map(|row| row.map(|(key, record)| (key.1, record.into())))
            .collect()
    }

    /// Counts of names that nobody has and that nobody tried since `before`, at most `limit`.
    pub(crate) fn stale_guesses(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Target, Lane)>, StoreError> {
        self.find_due(&FAILED_AT_TO_NOBODY, before, limit)
    }
}

impl WriteTx {
    pub(crate) fn save_guesses(
        &mut self,
        target: Target,
        lane: Lane,
        guesses: &Guesses,
    ) -> Result<(), StoreError> {
        self.save(&(target, lane), &GuessesRecord::from(guesses))
    }

    pub(crate) fn remove_guesses(&mut self, target: Target, lane: Lane) -> Result<(), StoreError> {
        self.remove::<GuessesRecord>(&(target, lane)).map(drop)
    }

    /// Opens every lane anew and forgets every client: the password is another one now.
    pub(crate) fn clear_guesses(&mut self, target: Target) -> Result<(), StoreError> {
        for (lane, _) in self.lanes_of(target)? {
            self.remove_guesses(target, lane)?;
        }
        Ok(())
    }
}
