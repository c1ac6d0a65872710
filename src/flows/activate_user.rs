//! An operator brings an account back, or vouches for one that never confirmed its address.

use crate::app::App;
use crate::domain::{EventKind, Origin, User};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, Identifier, enable};

/// Lets a user log in again. What ended when they were disabled (sessions, API keys) stays over.
pub(crate) async fn activate_user(app: &App, origin: &Origin, who: &Identifier) -> Result<User, FlowError> {
    let now = app.clock.now();
    let id = who.find(&app.store.read()?)?.ok_or(FlowError::NotFound)?.id;
    let event = Audit { now, origin }.success(EventKind::UserEnabled);
    app.store
        .write(move |tx| {
            let user = tx.user(id)?.ok_or(FlowError::NotFound)?;
            if user.is_active {
                return Ok(user);
            }
            let user = enable(tx, user, now)?;
            tx.append_event(&event.clone().about(&user))?;
            Ok::<_, FlowError>(user)
        })
        .await
}
