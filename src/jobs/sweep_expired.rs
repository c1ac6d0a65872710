//! Takes away what no longer counts: revocations that no token needs, registrations that nobody confirmed, sessions
//! that ran out. In small transactions, so that nobody waits for it.

use std::time::Duration;

use crate::app::App;
use crate::flows::{FlowError, PENDING_FOR};
use crate::jobs::Progress;

/// Rows of each kind that one transaction takes away; with their index entries six times as many.
const ROUND: usize = 100;
/// Kept longer than any token needs: a clock that is set back by less brings no ended session back.
const CLOCK_STEP: Duration = Duration::from_secs(86_400);

pub(super) async fn run_once(app: &App) -> Result<Progress, FlowError> {
    let now = app.clock.now();
    let read = app.store.read()?;
    let revocations = read.spent_revocations(now.before(CLOCK_STEP), ROUND)?;
    let registrations = read.registrations_before(now.before(PENDING_FOR), ROUND)?;
    let sessions = read.ended_sessions(now, ROUND)?;
    drop(read);
    let found = [revocations.len(), registrations.len(), sessions.len()];
    if found == [0; 3] {
        return Ok(Progress::Idle);
    }
    app.store
        .write(move |tx| {
            for revocation in &revocations {
                tx.forget_revocation(*revocation)?;
            }
            for registration in &registrations {
                tx.remove_registration(*registration)?;
            }
            for session in &sessions {
                tx.drop_ended_session(*session)?;
            }
            Ok::<_, FlowError>(())
        })
        .await?;
    Ok(if found.contains(&ROUND) { Progress::More } else { Progress::Idle })
}
