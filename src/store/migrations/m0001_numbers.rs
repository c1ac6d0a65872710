//! Schema 1: the counter that user numbers come from.

use crate::store::StoreError;
use crate::store::records::CounterRecord;
use crate::store::tx::WriteTx;

pub(super) fn run(tx: &mut WriteTx) -> Result<(), StoreError> {
    tx.save(&"user".to_owned(), &CounterRecord { last: 0 })
}
