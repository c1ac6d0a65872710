//! Takes away what no longer counts: revocations that no token needs, registrations that nobody confirmed, sessions
//! that ran out, codes that are too old, wrong passwords for names that nobody has. In small transactions, so that
//! nobody waits for it.

use std::time::Duration;

use crate::app::App;
use crate::domain::{CodePurpose, Lane, Target, Timestamp, UserId};
use crate::flows::{FlowError, PENDING_FOR};
use crate::jobs::Progress;
use crate::store::WriteTx;

/// Rows of each kind that one transaction takes away; with their index entries six times as many.
const ROUND: usize = 100;
/// Kept longer than any token needs: a clock that is set back by less brings no ended session back.
const CLOCK_STEP: Duration = Duration::from_secs(86_400);
/// The count of a name that nobody has is kept so long after the last wrong password.
const GUESSES_FOR: Duration = Duration::from_secs(7 * 86_400);

pub(super) async fn run_once(app: &App) -> Result<Progress, FlowError> {
    let now = app.clock.now();
    let unguessed_since = now.before(GUESSES_FOR);
    let read = app.store.read()?;
    let revocations = read.spent_revocations(now.before(CLOCK_STEP), ROUND)?;
    let registrations = read.registrations_before(now.before(PENDING_FOR), ROUND)?;
    let sessions = read.ended_sessions(now, ROUND)?;
    let codes = read.expired_codes(now, ROUND)?;
    let email_changes = read.expired_email_changes(now, ROUND)?;
    let guesses = read.stale_guesses(unguessed_since, ROUND)?;
    drop(read);
    let found = [
        revocations.len(),
        registrations.len(),
        sessions.len(),
        codes.len(),
        email_changes.len(),
        guesses.len(),
    ];
    if found == [0; 6] {
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
            for (user, purpose) in &codes {
                sweep_code(tx, *user, *purpose, now)?;
            }
            for user in &email_changes {
                sweep_email_change(tx, *user, now)?;
            }
            for (target, lane) in &guesses {
                sweep_guesses(tx, *target, *lane, unguessed_since)?;
            }
            Ok::<_, FlowError>(())
        })
        .await?;
    Ok(if found.contains(&ROUND) { Progress::More } else { Progress::Idle })
}

// Each of these looks again: what was found may have been replaced meanwhile.

/// A code that would activate its user leaves a dead one, by which they can ask for another. All others go, so that a
/// clock that is set back revives none.
fn sweep_code(tx: &mut WriteTx, id: UserId, purpose: CodePurpose, now: Timestamp) -> Result<(), FlowError> {
    let Some(mut code) = tx.code(id, purpose)?.filter(|code| !code.takes_link(now)) else { return Ok(()) };
    let is_waited_for =
        purpose == CodePurpose::VerifyEmail && tx.user(id)?.is_some_and(|user| !user.is_active);
    if is_waited_for {
        code.kill();
        return Ok(tx.save_code(id, purpose, &code)?);
    }
    Ok(tx.remove_code(id, purpose)?)
}

fn sweep_email_change(tx: &mut WriteTx, user: UserId, now: Timestamp) -> Result<(), FlowError> {
    if tx.email_change(user)?.is_some_and(|change| !change.code.takes_link(now)) {
        tx.remove_email_change(user)?;
    }
    Ok(())
}

fn sweep_guesses(tx: &mut WriteTx, target: Target, lane: Lane, before: Timestamp) -> Result<(), FlowError> {
    if tx.guesses(target, lane)?.is_some_and(|guesses| guesses.last_failed_at <= before) {
        tx.remove_guesses(target, lane)?;
    }
    Ok(())
}
