//! A superuser removes an account for good.

use crate::app::App;
use crate::domain::UserId;
use crate::flows::steps::{Measure, take};
use crate::flows::{Caller, FlowError};

/// Removes an account with everything that is theirs but the audit log, in one write, and then the mails that wait for
/// them: from the acknowledgement on, no token or key of theirs is accepted. The last superuser stays, and nobody removes
/// themself.
pub(crate) async fn purge_user(app: &App, caller: &Caller, id: UserId) -> Result<(), FlowError> {
    take(app, caller, id, Measure::Purge).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::domain::{
        ApiKey, ApiKeyId, Email, GroupId, Guesses, Lane, Name, NewSession, NewUser, Origin, PermissionId,
        Session, SessionId, SessionStyle, Target, TokenHash, User, Username,
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
                let (origin, style) = (Origin::default(), SessionStyle::default());
                let new = NewSession { id, user, label, method, origin, style };
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
