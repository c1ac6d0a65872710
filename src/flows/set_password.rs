//! An operator gives an account another password.

use crate::app::App;
use crate::domain::{EventKind, NewPassword, Origin, Password, User};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, Identifier};

/// What becomes of the rules for new passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    Hold,
    Waived,
}

/// Sets the password of the account that `who` names by its email address or username, and ends all its sessions:
/// whoever knew the old one is out.
pub(crate) async fn set_password(
    app: &App,
    origin: &Origin,
    who: &str,
    password: Password,
    rules: Rules,
) -> Result<User, FlowError> {
    let user = Identifier::parse(who).find(&app.store.read()?)?.ok_or(FlowError::NotFound)?;
    let password = match rules {
        Rules::Hold => NewPassword::judge(password, &app.config.passwords.policy, &(&user).into())
            .map_err(|broken| FlowError::Invalid("password", broken))?,
        Rules::Waived => NewPassword::weak(password),
    };
    let hash = app.passwords.hash(password.as_password()).await?;
    let now = app.clock.now();
    let event =
        Audit { now, origin }.success(EventKind::PasswordChanged).about(&user).saying("by an operator");
    let id = user.id;
    app.store
        .write(move |tx| {
            let mut user = tx.user(id)?.ok_or(FlowError::NotFound)?;
            user.password = Some(hash.clone());
            user.updated_at = now;
            tx.save_user(&user)?;
            for session in tx.sessions_of(id)? {
                tx.end_session(&session)?;
            }
            tx.append_event(&event)?;
            Ok(user)
        })
        .await
}
