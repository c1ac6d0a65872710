//! Logging in with a password.

use std::sync::Arc;

use crate::app::App;
use crate::crypto::token::{new_session_key, new_token};
use crate::domain::{EventKind, Name, Origin, Password, PlainToken, Secret, SessionStyle, User};
use crate::flows::FlowError;
use crate::flows::steps::{
    Audit, Claim, Comparison, Evenly, Late, LoggedIn, Opening, Right, remember_client, sign,
};

/// What somebody shows to be let in.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    claim: Claim,
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
        let claim = Claim::new(text, password, browser.old.clone());
        Self { claim, label, browser, style: SessionStyle::Native }
    }

    /// Wants what another surface gives.
    #[must_use]
    pub(crate) fn styled(self, style: SessionStyle) -> Self {
        Self { style, ..self }
    }
}

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
    let mut comparison = Comparison::begin(app, origin, &credentials.claim)?;
    while let Some(right) = comparison.compare(app).await? {
        match open_session(app, origin, right, credentials).await? {
            Ok(logged_in) => return Ok(logged_in),
            Err(Late::Changed) => {}
            Err(Late::Stopped) => break,
        }
    }
    Err(comparison.refuse(app, origin).await?)
}

async fn open_session(
    app: &App,
    origin: &Origin,
    right: Right,
    credentials: &Credentials,
) -> Result<Result<LoggedIn, Late>, FlowError> {
    let opening = Opening::new(app, origin, "password", credentials.label.clone(), credentials.style);
    let event = Audit { now: opening.now, origin }
        .success(EventKind::LoginSucceeded)
        .by(&right.user)
        .about(&right.user)
        .in_session(opening.session_id())
        .saying(opening.method);
    let (browser, ip) = (credentials.browser.clone(), origin.ip);
    let opened = app
        .store
        .write(move |tx| {
            let mut user = match right.accept(tx)? {
                Ok(user) => user,
                Err(late) => return Ok(Err(late)),
            };
            remember_client(tx, user.id, ip, browser.old.as_ref(), browser.new.as_ref(), opening.now)?;
            let session = opening.run(tx, &mut user)?;
            tx.append_event(&event)?;
            Ok::<_, FlowError>(Ok((user, session)))
        })
        .await?;
    Ok(opened.map(|(user, session)| LoggedIn { user: Arc::new(user), tokens: sign(app, &session) }))
}
