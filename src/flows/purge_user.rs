//! A superuser removes an account for good.

use crate::app::App;
use crate::domain::{CodePurpose, Email, EventKind, MailId, MailKind, Target, Timestamp, UserId};
use crate::flows::steps::{Authority, act, actor_and_subject, end_sessions, forget_codes, revoke_api_keys};
use crate::flows::{Caller, FlowError};

/// Removes an account with everything that is theirs but the audit log, in one write, and then the mails that wait for
/// them: from the acknowledgement on, no token or key of theirs is accepted. The last superuser stays, and nobody removes
/// themself.
pub(crate) async fn purge_user(app: &App, caller: &Caller, id: UserId) -> Result<(), FlowError> {
    let now = app.clock.now();
    let authority = Authority::of(app, caller, "users.delete_user");
    let event = act(caller, EventKind::UserDeleted, now);
    let (email, new_email) = app
        .store
        .write(move |tx| {
            let (actor, user) = actor_and_subject(&authority, tx, id)?;
            if user.is_ruler() && !tx.has_other_ruler(id)? {
                return Err(FlowError::LastSuperuser);
            }
            if !actor.is_superuser || actor.id == id {
                return Err(FlowError::PermissionDenied);
            }
            let new_email = tx.email_change(id)?.map(|change| change.new_email);
            end_sessions(tx, id, None)?;
            revoke_api_keys(tx, id)?;
            forget_codes(tx, id)?;
            tx.remove_code(id, CodePurpose::VerifyEmail)?;
            tx.clear_guesses(Target::User(id))?;
            tx.remove_registrations_of(user.email.as_ref())?;
            tx.remove_user(id)?;
            tx.append_event(&event.clone().about(&user))?;
            Ok::<_, FlowError>((user.email, new_email))
        })
        .await?;
    if let Err(error) = drop_mails(app, email, new_email, now).await {
        tracing::warn!(%error, user.id = %id, "mails may still go to a user who was removed");
    }
    Ok(())
}

/// So many at a time go in one write.
const ROUND: usize = 100;

/// Takes the mails out of the outbox that wait for somebody who was removed at `now`: all that go to their address, and the
/// code that went to the one they wanted to have. Their number has no bound, so they go after the account.
async fn drop_mails(
    app: &App,
    email: Option<Email>,
    new_email: Option<Email>,
    now: Timestamp,
) -> Result<(), FlowError> {
    let store = app.store.clone();
    let found = tokio::task::spawn_blocking(move || {
        let (email, new_email) = (email.map(|email| email.key()), new_email.map(|email| email.key()));
        store.read()?.mails_that(|mail| {
            let to = Some(mail.to.key());
            // What came later is for whoever has the address then.
            let is_theirs = to == email || (to == new_email && mail.kind == MailKind::ConfirmNewEmail);
            is_theirs && mail.created_at <= now
        })
    });
    let mails = found.await.map_err(|error| FlowError::Internal(error.to_string()))??;
    for round in mails.chunks(ROUND) {
        let round: Vec<MailId> = round.to_vec();
        app.store.write(move |tx| round.iter().try_for_each(|mail| tx.remove_mail(*mail))).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::domain::{
        ApiKey, ApiKeyId, Email, GroupId, Guesses, Lane, Name, NewSession, NewUser, Origin, PermissionId,
        Session, SessionId, TokenHash, User, Username,
    };
    use crate::store::StoreError;

    async fn insert(app: &App, new: NewUser) -> User {
        let now = app.clock.now();
        app.store.write(move |tx| tx.insert_user(&new, now)).await.expect("written")
    }

    /// As much as an account can have: sessions, API keys, groups, permissions, browsers that logged in.
    async fn fill(app: &App, user: UserId) {
        let (now, policy) = (app.clock.now(), app.config.tokens.sessions);
        for n in 0..100_u8 {
            let written = app.store.write(move |tx| {
                let (id, label, method) = (SessionId::new(now, [n; 10]), Name::default(), "password");
                let new = NewSession { id, user, label, method, origin: Origin::default() };
                tx.save_session(&Session::open(new, &policy, now))?;
                let (id, hash) = (ApiKeyId::new(now, [n; 10]), TokenHash([n; 32]));
                let (name, prefix) = (Name::default(), String::new());
                let (created_at, expires_at, last_used_at) = (now, None, None);
                tx.save_api_key(&ApiKey {
                    id,
                    user,
                    name,
                    hash,
                    prefix,
                    created_at,
                    expires_at,
                    last_used_at,
                })?;
                if n < 22 {
                    let guesses =
                        Guesses { failures: 1, full_at: now, last_failed_at: now, known_at: Some(now) };
                    tx.save_guesses(Target::User(user), Lane::Client([n; 16]), &guesses)?;
                }
                Ok::<_, StoreError>(())
            });
            written.await.expect("written");
        }
    }

    #[tokio::test]
    async fn everything_that_an_account_can_have_goes_in_one_write() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keystead.redb");
        let config = Config::from_toml(&format!("[store]\npath = {path:?}\n")).expect("valid");
        let app = Arc::new(App::open(config, Clock::system()).await.expect("the store opens"));
        let new = NewUser { is_active: true, ..NewUser::default() };
        let root = insert(&app, NewUser { is_staff: true, is_superuser: true, ..new.clone() }).await;
        let ada = NewUser {
            email: Email::parse("ada@example.com").ok(),
            username: Username::parse("ada").ok(),
            first_name: Name::from_stored("Ada".to_owned()),
            last_name: Name::from_stored("Lovelace".to_owned()),
            is_active: false,
            is_staff: true,
            is_superuser: true,
            groups: (1..=128).map(GroupId).collect(),
            permissions: (1..=128).map(PermissionId).collect(),
            ..new
        };
        let ada = insert(&app, ada).await.id;
        fill(&app, ada).await;
        let caller = Caller::logged_in(&app, root).await;

        purge_user(&app, &caller, ada).await.expect("one write");

        let read = app.store.read().expect("readable");
        let report = read.check().expect("readable");
        assert!(report.is_sound(), "{:?}", report.problems);
        assert_eq!(report.counts.get("sessions"), Some(&1), "the caller's own");
        for table in ["api_keys", "guesses", "group_to_users", "permission_to_users"] {
            assert_eq!(report.counts.get(table), Some(&0), "{table}");
        }
        drop(read);
        app.close().await;
    }
}
