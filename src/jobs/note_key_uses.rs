//! Writes down when API keys were used last, which requests only note in memory.
//!
//! If a write fails, the times that were to be written are lost; the next use of each key brings a newer one.

use crate::app::App;
use crate::domain::{ApiKeyId, Timestamp};
use crate::flows::FlowError;
use crate::jobs::Progress;

/// Keys in one transaction.
const ROUND: usize = 100;

pub(super) async fn run_once(app: &App) -> Result<Progress, FlowError> {
    for uses in app.store.take_api_key_uses().chunks(ROUND) {
        let uses: Vec<(ApiKeyId, Timestamp)> = uses.to_vec();
        app.store
            .write(move |tx| {
                for (key, at) in &uses {
                    tx.note_api_key_use(*key, *at)?;
                }
                Ok::<_, FlowError>(())
            })
            .await?;
    }
    Ok(Progress::Idle)
}
