//! Comparing a password that comes from outside with the one of the account that it is for: what every way in by a
//! password begins with.
//!
//! Whether the account is unknown, disabled, without a password, or the password is wrong: the same work, and the same
//! count of what was wrong.

use crate::app::App;
use crate::config::LimitKind;
use crate::crypto::token::fingerprint;
use crate::crypto::{Given, Verdict};
use crate::domain::{EventKind, Origin, Password, PasswordHash, PlainToken, Target, User};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, Guess, Identifier, post_to_user};
use crate::limiter::{Subject, neighbourhood};
use crate::mail::Letter;
use crate::store::WriteTx;

/// Who somebody says they are, and the password that is to prove it.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    identifier: Identifier,
    /// For a name that no account has.
    fingerprint: [u8; 16],
    password: Password,
    /// What the browser was called when somebody logged in with it before.
    device: Option<PlainToken>,
}

impl Claim {
    pub(crate) fn new(text: &str, password: Password, device: Option<PlainToken>) -> Self {
        let identifier = Identifier::parse(text);
        let fingerprint = fingerprint("identifier", identifier.canonical().unwrap_or(text).as_bytes());
        Self { identifier, fingerprint, password, device }
    }

    /// The account that is meant, if there is one, and how often its password was guessed; an error if it takes no guess
    /// now. Every spelling of an account's names counts as the account.
    pub(crate) fn examine(
        &self,
        app: &App,
        origin: &Origin,
        count: impl FnOnce(Subject<'_>) -> Result<(), FlowError>,
    ) -> Result<(Option<User>, Guess), FlowError> {
        let found = self.identifier.find(&app.store.read()?)?;
        let target = found.as_ref().map_or(Target::Nobody(self.fingerprint), |user| Target::User(user.id));
        count(Subject::IpAndAccount(origin.ip, target))?;
        let guess = Guess::from_outside(app, target, origin, self.device.as_ref())?;
        Ok((found, guess))
    }

    /// As it is known for a while, if it was right for this user.
    pub(crate) fn given<'a>(&'a self, user: &'a User, origin: &Origin) -> Option<Given<'a>> {
        let hash = user.password.as_ref()?;
        Some(Given { user: user.id, hash, ip: origin.ip.map(neighbourhood), password: &self.password })
    }
}

/// A claim that is being compared.
pub(crate) struct Comparison<'a> {
    claim: &'a Claim,
    candidate: Option<User>,
    guess: Guess,
    rounds: usize,
}

/// How often a password is compared: again if the account changed meanwhile, as when another log-in renewed the hash.
const ROUNDS: usize = 2;

/// A password that was right when it was compared.
#[derive(Debug, Clone)]
pub(crate) struct Right {
    /// As they were then.
    pub(crate) user: User,
    rehashed: Option<PasswordHash>,
    guess: Guess,
}

/// Why a right password does not count any more.
pub(crate) enum Late {
    /// The user was disabled, or got another hash, while this one was compared.
    Changed,
    /// Too many wrong ones in a row: nothing is right any more.
    Stopped,
}

impl<'a> Comparison<'a> {
    pub(crate) fn begin(app: &App, origin: &Origin, claim: &'a Claim) -> Result<Self, FlowError> {
        let now = app.clock.now();
        let count = |subject: Subject<'_>| Ok(app.limiter.take(LimitKind::Login, subject, now).map(drop)?);
        let (candidate, guess) = claim.examine(app, origin, count)?;
        Ok(Self { claim, candidate, guess, rounds: 0 })
    }

    /// Compares, and once more if what was right came too late. None: it is wrong, or the account is not to be opened.
    pub(crate) async fn compare(&mut self, app: &App) -> Result<Option<Right>, FlowError> {
        if self.rounds == ROUNDS {
            return Ok(None);
        }
        if self.rounds > 0 {
            self.candidate = self.claim.identifier.find(&app.store.read()?)?;
        }
        self.rounds += 1;
        // Disabled users cost their hash like everybody else; nobody at all costs a hash of the present parameters.
        let stored = self.candidate.as_ref().and_then(|user| user.password.as_ref());
        let verdict = app.passwords.verify(&self.claim.password, stored).await?;
        let is_right = self.guess.is_open(app)? && verdict != Verdict::Wrong;
        let Some(user) = self.candidate.take().filter(|user| user.is_active && is_right) else {
            return Ok(None);
        };
        let rehashed = match verdict {
            Verdict::RightButOutdated => Some(app.passwords.hash(&self.claim.password).await?),
            Verdict::Right | Verdict::Wrong => None,
        };
        Ok(Some(Right { user, rehashed, guess: self.guess.clone() }))
    }

    /// Counts a wrong one. What is told of it is the same whatever was wrong.
    pub(crate) async fn refuse(self, app: &App, origin: &Origin) -> Result<FlowError, FlowError> {
        let now = app.clock.now();
        let mut event = Audit { now, origin }.failure(EventKind::LoginFailed);
        let mut notice = None;
        // Only an account that is there is named: people type passwords into the wrong field.
        if let Some(user) = self.claim.identifier.find(&app.store.read()?)? {
            event = event.about(&user);
            if user.is_active && self.guess.is_nearly_the_last() {
                notice = post_to_user(app, &user, now, |email| Letter::LoginStopped { email, at: now })?;
            }
        }
        let guess = self.guess;
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
        Ok(FlowError::BadCredentials)
    }
}

impl Right {
    /// The user as they are now, if what was compared still counts, with the hash that they are to have from now on.
    pub(crate) fn accept(&self, tx: &mut WriteTx) -> Result<Result<User, Late>, FlowError> {
        let user = tx.user(self.user.id)?;
        let user = user.filter(|user| user.is_active && user.password == self.user.password);
        let Some(mut user) = user else { return Ok(Err(Late::Changed)) };
        if !self.guess.succeed(tx)? {
            return Ok(Err(Late::Stopped));
        }
        if let Some(hash) = &self.rehashed {
            user.password = Some(hash.clone());
        }
        Ok(Ok(user))
    }
}
