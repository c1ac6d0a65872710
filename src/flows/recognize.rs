//! Recognizing somebody by the password that their client sends with each request. No session is opened.

use std::sync::Arc;

use crate::app::App;
use crate::config::LimitKind;
use crate::domain::{Origin, User};
use crate::flows::FlowError;
use crate::flows::steps::{Claim, Comparison, Evenly, Late, Right, remember_client};
use crate::limiter::Subject;

/// Says whose password this is. What is wrong is answered and counted as at a log-in; what was right is known for a while.
pub(crate) async fn recognize(app: &App, origin: &Origin, claim: &Claim) -> Result<Arc<User>, FlowError> {
    let evenly = Evenly::begin();
    let outcome = match known(app, origin, claim) {
        Ok(None) => prove(app, origin, claim).await,
        Ok(Some(user)) => Ok(user),
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        evenly.end().await;
    }
    let user = outcome?;
    if user.password_is_temporary {
        return Err(FlowError::PasswordChangeRequired);
    }
    Ok(Arc::new(user))
}

/// Whoever gave the same right password from the same place a moment ago. Where a guess would have to wait, this has to, too,
/// and where none is right any more, neither is this: else it would tell of a guess whether it is right.
fn known(app: &App, origin: &Origin, claim: &Claim) -> Result<Option<User>, FlowError> {
    let now = app.clock.now();
    let look = |subject: Subject<'_>| Ok(app.limiter.look(LimitKind::Login, subject, now)?);
    look(Subject::Ip(origin.ip))?;
    let (found, guess) = claim.examine(app, origin, look)?;
    let is_open = guess.is_open(app)?;
    let is_known = |user: &User| {
        let given = claim.given(user, origin);
        is_open && user.is_active && given.is_some_and(|given| app.known_passwords.knows(&given, now))
    };
    Ok(found.filter(is_known))
}

async fn prove(app: &App, origin: &Origin, claim: &Claim) -> Result<User, FlowError> {
    app.limiter.take(LimitKind::Login, Subject::Ip(origin.ip), app.clock.now())?;
    let mut comparison = Comparison::begin(app, origin, claim)?;
    while let Some(right) = comparison.compare(app).await? {
        match accept(app, origin, right).await? {
            Ok(user) => {
                if let Some(given) = claim.given(&user, origin) {
                    app.known_passwords.learn(&given, app.clock.now());
                }
                return Ok(user);
            }
            Err(Late::Changed) => {}
            Err(Late::Stopped) => break,
        }
    }
    Err(comparison.refuse(app, origin).await?)
}

async fn accept(app: &App, origin: &Origin, right: Right) -> Result<Result<User, Late>, FlowError> {
    let (ip, now) = (origin.ip, app.clock.now());
    app.store
        .write(move |tx| {
            let accepted = right.accept(tx)?;
            if let Ok(user) = &accepted {
                remember_client(tx, user.id, ip, None, None, now)?;
                if user.password != right.user.password {
                    tx.save_user(user)?;
                }
            }
            Ok(accepted)
        })
        .await
}
