//! Logging in with a password.

use std::sync::Arc;

use crate::app::App;
use crate::crypto::Verdict;
use crate::domain::{
    Email, EmailKey, EventKind, Name, Origin, Password, PasswordHash, User, Username, UsernameKey,
};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, LoggedIn, Opening, sign};
use crate::store::StoreError;

/// What somebody shows to be let in.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    email: Option<EmailKey>,
    username: Option<UsernameKey>,
    password: Password,
    /// What the user calls this log-in: `My phone`.
    label: Name,
}

impl Credentials {
    /// `identifier` is an email address or a username. What reads as an address is looked up as one first; text that
    /// is neither finds nobody.
    pub(crate) fn new(identifier: &str, password: Password, label: Name) -> Self {
        let email = Email::parse(identifier).ok().map(|email| email.key());
        let username = Username::parse(identifier).ok().map(|username| username.key());
        Self { email, username, password, label }
    }
}

/// How often a password is compared: again if the account changed meanwhile, as when another log-in renewed the hash.
const ATTEMPTS: usize = 2;

/// Lets somebody in with their password. Whether the account is unknown, disabled, without a password, or the password
/// is wrong: the same answer after the same work.
pub(crate) async fn log_in(
    app: &App,
    origin: &Origin,
    credentials: Credentials,
) -> Result<LoggedIn, FlowError> {
    for _ in 0..ATTEMPTS {
        let candidate = find_user(app, &credentials)?;
        // Disabled users cost their hash like everybody else; nobody at all costs a hash of the present parameters.
        let stored = candidate.as_ref().and_then(|user| user.password.clone());
        let verdict = app.passwords.verify(&credentials.password, stored.as_ref()).await?;
        let Some(user) = candidate.filter(|user| user.is_active && verdict != Verdict::Wrong) else { break };
        let rehashed = match verdict {
            Verdict::RightButOutdated => Some(app.passwords.hash(&credentials.password).await?),
            Verdict::Right | Verdict::Wrong => None,
        };
        let label = credentials.label.clone();
        if let Some(logged_in) = open_session(app, origin, &user, stored, rehashed, label).await? {
            return Ok(logged_in);
        }
    }
    refuse(app, origin, &credentials).await
}

fn find_user(app: &App, credentials: &Credentials) -> Result<Option<User>, StoreError> {
    let read = app.store.read()?;
    if let Some(email) = &credentials.email
        && let Some(user) = read.user_by_email(email)?
    {
        return Ok(Some(user));
    }
    credentials.username.as_ref().map_or(Ok(None), |username| read.user_by_username(username))
}

async fn refuse(app: &App, origin: &Origin, credentials: &Credentials) -> Result<LoggedIn, FlowError> {
    let mut event = Audit { now: app.clock.now(), origin }.failure(EventKind::LoginFailed);
    // Only an account that is there is named: people type passwords into the wrong field.
    if let Some(user) = find_user(app, credentials)? {
        event = event.about(&user);
    }
    app.store.write(move |tx| tx.append_event(&event)).await?;
    Err(FlowError::BadCredentials)
}

/// None: the user was disabled, or got another hash, while this one was compared.
async fn open_session(
    app: &App,
    origin: &Origin,
    verified: &User,
    verified_hash: Option<PasswordHash>,
    rehashed: Option<PasswordHash>,
    label: Name,
) -> Result<Option<LoggedIn>, FlowError> {
    let opening = Opening::new(app, origin, "password", label);
    let event = Audit { now: opening.now, origin }
        .success(EventKind::LoginSucceeded)
        .by(verified)
        .about(verified)
        .in_session(opening.session_id())
        .saying(opening.method);
    let id = verified.id;
    let opened = app
        .store
        .write(move |tx| {
            let user = tx.user(id)?.filter(|user| user.is_active && user.password == verified_hash);
            let Some(mut user) = user else { return Ok(None) };
            if let Some(hash) = &rehashed {
                user.password = Some(hash.clone());
            }
            let session = opening.run(tx, &mut user)?;
            tx.append_event(&event)?;
            Ok::<_, FlowError>(Some((user, session)))
        })
        .await?;
    Ok(opened.map(|(user, session)| LoggedIn { user: Arc::new(user), tokens: sign(app, &session) }))
}
