//! An operator makes an account.

use crate::app::App;
use crate::domain::{
    CodeHash, CodePurpose, Email, Event, EventKind, Mail, Name, NewPassword, NewUser, Origin, User, Username,
};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, Binding, new_verification};
use crate::store::WriteTx;

/// What an operator says about the new account.
#[derive(Debug, Clone)]
pub(crate) struct CreateUser {
    pub(crate) email: Option<Email>,
    pub(crate) username: Option<Username>,
    pub(crate) first_name: Name,
    pub(crate) last_name: Name,
    /// None: an account that no password opens.
    pub(crate) password: Option<NewPassword>,
    pub(crate) rank: Rank,
    pub(crate) activation: Activation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rank {
    User,
    Staff,
    Superuser,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// The operator vouches for the address.
    Now,
    /// Inactive until the code that is mailed is confirmed.
    ByCode,
}

/// Makes the account, active at once or waiting for its mailed code.
pub(crate) async fn create_user(app: &App, origin: &Origin, wish: CreateUser) -> Result<User, FlowError> {
    let account = NewAccount::of(app, origin, wish).await?;
    app.store.write(move |tx| account.insert(tx)).await
}

/// Makes the account unless there is a superuser who can administer: of several that ask at once, one gets it.
pub(crate) async fn create_first_superuser(
    app: &App,
    origin: &Origin,
    wish: CreateUser,
) -> Result<Option<User>, FlowError> {
    if app.store.read()?.has_ruler()? {
        return Ok(None);
    }
    let account = NewAccount::of(app, origin, CreateUser { rank: Rank::Superuser, ..wish }).await?;
    app.store.write(move |tx| if tx.has_ruler()? { Ok(None) } else { account.insert(tx).map(Some) }).await
}

/// All that is written for a new account.
struct NewAccount {
    new: NewUser,
    verification: Option<(CodeHash, Mail)>,
    event: Event,
}

impl NewAccount {
    async fn of(app: &App, origin: &Origin, wish: CreateUser) -> Result<Self, FlowError> {
        let password = match &wish.password {
            Some(password) => Some(app.passwords.hash(password.as_password()).await?),
            None => None,
        };
        let now = app.clock.now();
        let is_active = wish.activation == Activation::Now;
        let new = NewUser {
            email_verified: is_active && wish.email.is_some(),
            email: wish.email,
            username: wish.username,
            first_name: wish.first_name,
            last_name: wish.last_name,
            avatar: None,
            password,
            is_active,
            is_staff: wish.rank != Rank::User,
            is_superuser: wish.rank == Rank::Superuser,
            language: None,
            ..NewUser::default()
        };
        let verification = match &new.email {
            Some(email) if !is_active => {
                Some(new_verification(app, origin, Binding::Address(email), email, &[], now)?)
            }
            _ => None,
        };
        let event = Audit { now, origin }.success(EventKind::UserCreated).saying("command line");
        Ok(Self { new, verification, event })
    }

    fn insert(&self, tx: &mut WriteTx) -> Result<User, FlowError> {
        let user = tx.insert_user(&self.new, self.event.time)?;
        if let Some((code, mail)) = &self.verification {
            tx.save_code(user.id, CodePurpose::VerifyEmail, code)?;
            tx.enqueue_mail(mail)?;
        }
        tx.append_event(&self.event.clone().about(&user))?;
        Ok(user)
    }
}
