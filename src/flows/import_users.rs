//! Users who come from another system, with their numbers, their rights and the hashes of their passwords.
//!
//! Must never: change a user who is here, or take half of one. The rows of one write are few, so that log-ins go on
//! in between.

use crate::app::App;
use crate::crypto::token::hash_session_key;
use crate::crypto::{HashRefusal, WeakHashes, random, take_over};
use crate::domain::{
    Avatar, Directory, Email, Event, EventKind, GroupId, GroupName, Name, NewSession, NewUser, Origin,
    PasswordHash, PermissionId, PermissionName, Secret, Session, SessionId, SessionPolicy, SessionStyle,
    Timestamp, TokenHash, User, UserId, Username,
};
use crate::flows::FlowError;
use crate::flows::steps::{
    Audit, Fate, MAX_IMPORTED_ID, Purpose, allow_new_names, groups_named, not_too_many, permissions_named,
};
use crate::store::{StoreError, WriteTx};

/// A user as another system has them, in our types.
#[derive(Debug, Clone)]
pub(crate) struct ImportedUser {
    /// None: the file does not say, and they get the next number.
    pub(crate) id: Option<UserId>,
    pub(crate) email: Option<Email>,
    pub(crate) username: Option<Username>,
    pub(crate) first_name: Name,
    pub(crate) last_name: Name,
    pub(crate) avatar: Option<Avatar>,
    /// What Django's column has.
    pub(crate) password: Secret<String>,
    pub(crate) is_active: bool,
    pub(crate) is_staff: bool,
    pub(crate) is_superuser: bool,
    pub(crate) email_verified: bool,
    pub(crate) date_joined: Option<Timestamp>,
    pub(crate) last_login: Option<Timestamp>,
    pub(crate) groups: Vec<GroupName>,
    pub(crate) permissions: Vec<PermissionName>,
    /// The key of Django REST framework's token authentication.
    pub(crate) token: Option<Secret<String>>,
}

/// What is done with rows that are not taken as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ImportRules {
    pub(crate) purpose: Purpose,
    pub(crate) weak_hashes: WeakHashes,
    pub(crate) bad_hashes: Doubtful,
    pub(crate) duplicate_emails: Doubtful,
}

/// Something that a row has and that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubtful {
    /// The row is refused for it.
    Refuse,
    /// The row is taken without it.
    Drop,
}

/// Rows of one write, at most: those of a user with their index entries, and those of each right.
const MAX_ROWS: usize = 960;
const ROWS_OF_USER: usize = 24;

/// What the owner sees of the log-in that came with them.
const TOKEN_NAME: &str = "authtoken";

/// Takes the users that can be taken, each whole or not at all, and says what became of each. Somebody who is here with
/// the same number, address and name is left as they are.
pub(crate) async fn import_users(
    app: &App,
    origin: &Origin,
    rules: ImportRules,
    users: Vec<ImportedUser>,
) -> Result<Vec<Fate>, FlowError> {
    let mut fates = Vec::with_capacity(users.len());
    let mut round = Vec::new();
    let mut rows = 0;
    for user in users {
        let rows_of_user = ROWS_OF_USER + user.groups.len() + user.permissions.len();
        if rows + rows_of_user > MAX_ROWS && !round.is_empty() {
            fates.extend(import_round(app, origin, rules, std::mem::take(&mut round)).await?);
            rows = 0;
        }
        rows += rows_of_user;
        round.push(Arrival::new(app, rules, user));
    }
    fates.extend(import_round(app, origin, rules, round).await?);
    Ok(fates)
}

/// One by one where they are too much for one write together.
async fn import_round(
    app: &App,
    origin: &Origin,
    rules: ImportRules,
    round: Vec<Arrival>,
) -> Result<Vec<Fate>, FlowError> {
    match write_round(app, origin, rules, round.clone()).await {
        Err(FlowError::Internal(_)) if round.len() > 1 => {
            let mut fates = Vec::with_capacity(round.len());
            for arrival in round {
                fates.extend(write_round(app, origin, rules, vec![arrival]).await?);
            }
            Ok(fates)
        }
        done => done,
    }
}

async fn write_round(
    app: &App,
    origin: &Origin,
    rules: ImportRules,
    round: Vec<Arrival>,
) -> Result<Vec<Fate>, FlowError> {
    let audit = Audit { now: app.clock.now(), origin };
    let event = audit.success(EventKind::UserCreated).saying("import");
    app.store
        .write(move |tx| {
            let directory = tx.directory()?;
            round.iter().map(|arrival| arrival.arrive(tx, &directory, rules, &event)).collect()
        })
        .await
}

/// A user on the way, with what is decided and drawn before the write.
#[derive(Clone)]
struct Arrival {
    user: ImportedUser,
    password: Result<Option<PasswordHash>, HashRefusal>,
    /// What is stored of the token.
    token: Option<TokenHash>,
    session: SessionId,
    policy: SessionPolicy,
}

/// Why a row is refused, or an error of the store, which refuses all.
enum Stop {
    Refused(String),
    Failed(FlowError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<FlowError> for Stop {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Invalid(field, broken) => {
                let reasons: Vec<&str> = broken.iter().map(|invalid| invalid.message.as_str()).collect();
                Self::Refused(format!("{field}: {}", reasons.join(" ")))
            }
            error => Self::Failed(error),
        }
    }
}

impl Arrival {
    fn new(app: &App, rules: ImportRules, user: ImportedUser) -> Self {
        let password = take_over(user.password.expose(), rules.weak_hashes);
        let token = user.token.as_ref().and_then(|token| hash_session_key(token.expose()));
        let session = SessionId::new(app.clock.now(), random::bytes());
        Self { user, password, token, session, policy: app.config.tokens.sessions }
    }

    fn arrive(
        &self,
        tx: &mut WriteTx,
        directory: &Directory,
        rules: ImportRules,
        event: &Event,
    ) -> Result<Fate, FlowError> {
        match self.take_place(tx, directory, rules, event) {
            Ok(fate) => Ok(fate),
            Err(Stop::Refused(reason)) => Ok(Fate::Refused(reason)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// Everything is judged before the first row is written.
    fn take_place(
        &self,
        tx: &mut WriteTx,
        directory: &Directory,
        rules: ImportRules,
        event: &Event,
    ) -> Result<Fate, Stop> {
        let mut notes = Vec::new();
        let email = self.free_email(tx, rules.duplicate_emails, &mut notes)?;
        if self.is_here(tx, email.as_ref())? {
            return Ok(Fate::Unchanged(notes));
        }
        if let Some(other) = self.namesake(tx)? {
            return refuse(format!("user {} has this username, in canonical form", other.id));
        }
        allow_new_names(self.user.username.as_ref(), email.as_ref())?;
        let password = self.usable_password(rules.bad_hashes, &mut notes)?;
        let token = self.free_token(tx, &mut notes)?;
        let (groups, permissions) = match rules.purpose {
            Purpose::Import => self.rights(directory)?,
            // They are made by the import itself.
            Purpose::Rehearse => {
                not_too_many("groups", self.user.groups.iter().collect())?;
                not_too_many("permissions", self.user.permissions.iter().collect())?;
                return Ok(Fate::Imported(notes));
            }
        };
        let new = self.as_new(email, password, groups, permissions);
        let user = self.insert(tx, &new, event.time)?;
        if let Some(token) = token {
            tx.save_session(&self.log_in(user.id, token, event.time))?;
        }
        tx.append_event(&event.clone().about(&user))?;
        Ok(Fate::Imported(notes))
    }

    /// Whether they are here already: with their number, if they have one, else by all their names.
    fn is_here(&self, tx: &WriteTx, email: Option<&Email>) -> Result<bool, Stop> {
        let Some(id) = self.user.id else {
            let by_email = email.map_or(Ok(None), |email| tx.user_by_email(&email.key()))?;
            let found = if by_email.is_some() { by_email } else { self.namesake(tx)? };
            return Ok(found.is_some_and(|here| self.is(&here, email)));
        };
        if !(1..=MAX_IMPORTED_ID).contains(&id.0) {
            return refuse(format!("the number {id} is out of range (1 to {MAX_IMPORTED_ID})"));
        }
        match tx.user(id)? {
            Some(here) if !self.is(&here, email) => {
                refuse(format!("user {id} is here under another address or name"))
            }
            here => Ok(here.is_some()),
        }
    }

    fn namesake(&self, tx: &WriteTx) -> Result<Option<User>, StoreError> {
        self.user.username.as_ref().map_or(Ok(None), |name| tx.user_by_username(&name.key()))
    }

    /// Whether this is the same person: the same address and the same name, in canonical form.
    fn is(&self, here: &User, email: Option<&Email>) -> bool {
        here.email.as_ref().map(Email::key) == email.map(Email::key)
            && here.username.as_ref().map(Username::key) == self.user.username.as_ref().map(Username::key)
    }

    /// The address, if nobody else has it.
    fn free_email(
        &self,
        tx: &WriteTx,
        duplicate: Doubtful,
        notes: &mut Vec<String>,
    ) -> Result<Option<Email>, Stop> {
        let Some(email) = &self.user.email else { return Ok(None) };
        let Some(other) = tx.user_by_email(&email.key())? else { return Ok(Some(email.clone())) };
        let is_own = match self.user.id {
            Some(id) => id == other.id,
            None => self.is(&other, Some(email)),
        };
        if is_own {
            return Ok(Some(email.clone()));
        }
        let reason = format!("user {} has this email address, in canonical form", other.id);
        match duplicate {
            Doubtful::Refuse => refuse(reason),
            Doubtful::Drop => {
                notes.push(format!("without its email address: {reason}"));
                Ok(None)
            }
        }
    }

    fn usable_password(&self, bad: Doubtful, notes: &mut Vec<String>) -> Result<Option<PasswordHash>, Stop> {
        match (&self.password, bad) {
            (Ok(password), _) => Ok(password.clone()),
            (Err(refusal), Doubtful::Refuse) => refuse(refusal.to_string()),
            (Err(refusal), Doubtful::Drop) => {
                notes.push(format!("without its password: {refusal}"));
                Ok(None)
            }
        }
    }

    fn free_token(&self, tx: &WriteTx, notes: &mut Vec<String>) -> Result<Option<TokenHash>, Stop> {
        if self.user.token.is_none() {
            return Ok(None);
        }
        // Enabling somebody again brings no log-in back.
        if !self.user.is_active {
            notes.push("without its token: the account is disabled".to_owned());
            return Ok(None);
        }
        let Some(hash) = self.token else {
            notes.push("without its token: it is not 40 hexadecimal digits".to_owned());
            return Ok(None);
        };
        if tx.session_by_key(&hash)?.is_some() {
            notes.push("without its token: another user has the same".to_owned());
            return Ok(None);
        }
        Ok(Some(hash))
    }

    fn rights(&self, directory: &Directory) -> Result<(Vec<GroupId>, Vec<PermissionId>), Stop> {
        let groups = not_too_many("groups", groups_named(directory, &self.user.groups)?)?;
        let permissions = permissions_named(directory, &self.user.permissions)?;
        Ok((groups, not_too_many("permissions", permissions)?))
    }

    fn as_new(
        &self,
        email: Option<Email>,
        password: Option<PasswordHash>,
        groups: Vec<GroupId>,
        permissions: Vec<PermissionId>,
    ) -> NewUser {
        let user = &self.user;
        NewUser {
            email_verified: user.email_verified && email.is_some(),
            email,
            username: user.username.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            avatar: user.avatar.clone(),
            password,
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            language: None,
            groups,
            permissions,
            password_is_temporary: false,
        }
    }

    fn insert(&self, tx: &mut WriteTx, new: &NewUser, now: Timestamp) -> Result<User, StoreError> {
        let dated = |user: User| User {
            date_joined: self.user.date_joined.unwrap_or(now),
            last_login: self.user.last_login,
            ..user
        };
        if let Some(id) = self.user.id {
            let user = dated(new.joined(id, now));
            tx.insert_user_as(&user)?;
            Ok(user)
        } else {
            let user = dated(tx.insert_user(new, now)?);
            tx.save_user(&user)?;
            Ok(user)
        }
    }

    /// The token is a log-in, which ends as any other does.
    fn log_in(&self, user: UserId, hash: TokenHash, now: Timestamp) -> Session {
        let new = NewSession {
            id: self.session,
            user,
            label: Name::from_stored(TOKEN_NAME.to_owned()),
            method: "token",
            origin: Origin::default(),
            style: SessionStyle::Key(hash),
        };
        Session::open(new, &self.policy, now)
    }
}

fn refuse<T>(reason: String) -> Result<T, Stop> {
    Err(Stop::Refused(reason))
}
