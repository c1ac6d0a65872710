//! Logging in with a password.

use std::sync::Arc;

use crate::app::App;
use crate::config::LimitKind;
use crate::crypto::Verdict;
use crate::crypto::token::{fingerprint, new_session_key, new_token};
use crate::domain::{
    EventKind, Name, Origin, Password, PasswordHash, PlainToken, Secret, SessionStyle, Target, User,
};
use crate::flows::FlowError;
use crate::flows::steps::{
    Audit, Evenly, Guess, Identifier, LoggedIn, Opening, post_to_user, remember_client, sign,
};
use crate::limiter::Subject;
use crate::mail::Letter;

/// What somebody shows to be let in.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    identifier: Identifier,
    /// For a name that no account has.
    fingerprint: [u8; 16],
    password: Password,
    /// What the user calls this log-in: `My phone`.
    label: Name,
    browser: Browser,
    style: SessionStyle,
}

/// What a browser is called, so that its owner's wrong passwords are not counted with those of strangers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Browser {
    /// What it was called when somebody logged in with it before.
    pub(crate) old: Option<PlainToken>,
    /// What it will be called after this log-in.
    pub(crate) new: Option<PlainToken>,
}

impl Browser {
    /// Gives a browser that keeps names another one.
    pub(crate) fn renamed(old: Option<PlainToken>) -> Self {
        Self { old, new: Some(new_token().0) }
    }
}

impl Credentials {
    pub(crate) fn new(text: &str, password: Password, label: Name, browser: Browser) -> Self {
        let identifier = Identifier::parse(text);
        let fingerprint = fingerprint("identifier", identifier.canonical().unwrap_or(text).as_bytes());
        Self { identifier, fingerprint, password, label, browser, style: SessionStyle::Native }
    }

    /// Wants what another surface gives.
    #[must_use]
    pub(crate) fn styled(self, style: SessionStyle) -> Self {
        Self { style, ..self }
    }

    /// Every spelling of an account's names counts as the account.
    fn target(&self, user: Option<&User>) -> Target {
        user.map_or(Target::Nobody(self.fingerprint), |user| Target::User(user.id))
    }
}

/// How often a password is compared: again if the account changed meanwhile, as when another log-in renewed the hash.
const ATTEMPTS: usize = 2;

/// Lets somebody in with their password. Whether the account is unknown, disabled, without a password, or the password
/// is wrong: the same answer after the same work, and the same count of what was wrong.
pub(crate) async fn log_in(
    app: &App,
    origin: &Origin,
    credentials: Credentials,
) -> Result<LoggedIn, FlowError> {
    let evenly = Evenly::begin();
    let outcome = attempt(app, origin, &credentials).await;
    // Only who is let in need not wait.
    if outcome.is_err() {
        evenly.end().await;
    }
    outcome
}

/// The same for a client that is given one key in place of tokens.
pub(crate) async fn log_in_for_key(
    app: &App,
    origin: &Origin,
    credentials: Credentials,
) -> Result<(Arc<User>, Secret<String>), FlowError> {
    let (key, hash) = new_session_key();
    let logged_in = log_in(app, origin, credentials.styled(SessionStyle::Key(hash))).await?;
    Ok((logged_in.user, key))
}

async fn attempt(app: &App, origin: &Origin, credentials: &Credentials) -> Result<LoggedIn, FlowError> {
    let found = credentials.identifier.find(&app.store.read()?)?;
    let target = credentials.target(found.as_ref());
    let subject = Subject::IpAndAccount(origin.ip, target);
    app.limiter.take(LimitKind::Login, subject, app.clock.now())?;
    let guess = Guess::from_outside(app, target, origin, credentials.browser.old.as_ref())?;
    let mut candidate = found;
    for _ in 0..ATTEMPTS {
        // Disabled users cost their hash like everybody else; nobody at all costs a hash of the present parameters.
        let stored = candidate.as_ref().and_then(|user| user.password.clone());
        let verdict = app.passwords.verify(&credentials.password, stored.as_ref()).await?;
        let is_open = guess.is_open(app)?;
        let is_right = is_open && verdict != Verdict::Wrong;
        let Some(user) = candidate.filter(|user| user.is_active && is_right) else { break };
        let rehashed = match verdict {
            Verdict::RightButOutdated => Some(app.passwords.hash(&credentials.password).await?),
            Verdict::Right | Verdict::Wrong => None,
        };
        match open_session(app, origin, &user, (stored, rehashed), credentials, &guess).await? {
            Opened::Session(logged_in) => return Ok(*logged_in),
            Opened::TooLate => break,
            Opened::Changed => candidate = credentials.identifier.find(&app.store.read()?)?,
        }
    }
    refuse(app, origin, credentials, &guess).await
}

async fn refuse(
    app: &App,
    origin: &Origin,
    credentials: &Credentials,
    guess: &Guess,
) -> Result<LoggedIn, FlowError> {
    let now = app.clock.now();
    let mut event = Audit { now, origin }.failure(EventKind::LoginFailed);
    let mut notice = None;
    // Only an account that is there is named: people type passwords into the wrong field.
    if let Some(user) = credentials.identifier.find(&app.store.read()?)? {
        event = event.about(&user);
        if user.is_active && guess.is_nearly_the_last() {
            notice = post_to_user(app, &user, now, |email| Letter::LoginStopped { email, at: now })?;
        }
    }
    let guess = guess.clone();
    app.store
        .write(move |tx| {
            let is_over = guess.fail(tx)?;
            let event = event.clone();
            if is_over {
                if let Some(notice) = &notice {
                    tx.enqueue_mail(notice)?;
                }
                tx.append_event(&event.saying("too many in a row: new clients need a new password"))?;
            } else {
                tx.append_event(&event)?;
            }
            Ok::<_, FlowError>(())
        })
        .await?;
    Err(FlowError::BadCredentials)
}

enum Opened {
    Session(Box<LoggedIn>),
    /// The user was disabled, or got another hash, while this one was compared.
    Changed,
    /// Too many wrong ones in a row: nothing is right any more.
    TooLate,
}

async fn open_session(
    app: &App,
    origin: &Origin,
    verified: &User,
    (verified_hash, rehashed): (Option<PasswordHash>, Option<PasswordHash>),
    credentials: &Credentials,
    guess: &Guess,
) -> Result<Opened, FlowError> {
    let opening = Opening::new(app, origin, "password", credentials.label.clone(), credentials.style);
    let event = Audit { now: opening.now, origin }
        .success(EventKind::LoginSucceeded)
        .by(verified)
        .about(verified)
        .in_session(opening.session_id())
        .saying(opening.method);
    let (id, ip) = (verified.id, origin.ip);
    let (browser, guess) = (credentials.browser.clone(), guess.clone());
    let opened = app
        .store
        .write(move |tx| {
            let user = tx.user(id)?.filter(|user| user.is_active && user.password == verified_hash);
            let Some(mut user) = user else { return Ok(Err(Opened::Changed)) };
            if !guess.succeed(tx)? {
                return Ok(Err(Opened::TooLate));
            }
            remember_client(tx, id, ip, browser.old.as_ref(), browser.new.as_ref(), opening.now)?;
            if let Some(hash) = &rehashed {
                user.password = Some(hash.clone());
            }
            let session = opening.run(tx, &mut user)?;
            tx.append_event(&event)?;
            Ok::<_, FlowError>(Ok((user, session)))
        })
        .await?;
    Ok(match opened {
        Ok((user, session)) => {
            Opened::Session(Box::new(LoggedIn { user: Arc::new(user), tokens: sign(app, &session) }))
        }
        Err(why) => why,
    })
}
