//! What the configuration declares is made before anybody is served, if it is not there: permissions, groups, users.
//!
//! Everything is looked at before anything is written, so that a mistake leaves no half of it. Each thing is a write of
//! its own, with its event and a line in the log; what is there already costs no write. Must never: take anything away,
//! or change a user who exists. What administrators decided about people counts for more than the file.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use crate::app::App;
use crate::config::{DeclaredGroup, DeclaredPassword, DeclaredPermission, DeclaredUser};
use crate::crypto::is_argon2id;
use crate::domain::{
    Changes, Event, EventKind, NewPassword, NewUser, Origin, Party, Password, PasswordHash, PersonalFacts,
    User,
};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, groups_named, permissions_named};
use crate::store::StoreError;

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BootstrapError {
    /// The configuration has to change: an entry, its key, and what is wrong with it.
    #[error("{0}.{1}: {2}")]
    Declared(String, &'static str, String),
    #[error("{0}: cannot be made: {1}")]
    Failed(String, #[source] FlowError),
}

impl BootstrapError {
    pub(crate) fn is_configuration(&self) -> bool {
        matches!(self, Self::Declared(..))
    }
}

/// Makes what is declared and missing.
pub(crate) async fn bootstrap(app: &App) -> Result<(), BootstrapError> {
    let declared = &app.config.bootstrap;
    let mut newcomers = Vec::new();
    for user in &declared.users {
        refuse_odd_hash(user)?;
        if !exists(app, user)? {
            newcomers.push((user, hash_for(app, user).await?));
        }
    }
    for permission in &declared.permissions {
        make_permission(app, permission).await.map_err(failed(&permission.place))?;
    }
    for group in &declared.groups {
        make_group(app, group).await.map_err(failed(&group.place))?;
    }
    for (user, password) in newcomers {
        make_user(app, user, password).await.map_err(failed(&user.place))?;
    }
    Ok(())
}

fn failed(place: &str) -> impl Fn(FlowError) -> BootstrapError {
    move |error| BootstrapError::Failed(place.to_owned(), error)
}

/// Found out at every start, not only at the one that needs it.
fn refuse_odd_hash(user: &DeclaredUser) -> Result<(), BootstrapError> {
    match &user.password {
        Some(DeclaredPassword::Hash(hash)) if !is_argon2id(hash) => {
            let reason = "is no whole argon2id hash, or costs more than is ever computed".to_owned();
            Err(BootstrapError::Declared(user.place.clone(), "password_hash", reason))
        }
        _ => Ok(()),
    }
}

/// Whether somebody has the address or the username. One account for each is a question that only a person answers.
fn exists(app: &App, user: &DeclaredUser) -> Result<bool, BootstrapError> {
    match owners(app, user).map_err(|error| failed(&user.place)(error.into()))? {
        (None, None) => Ok(false),
        (Some(one), Some(other)) if one.id != other.id => {
            let reason =
                format!("the address is that of user {}, the username that of user {}", one.id, other.id);
            Err(BootstrapError::Declared(user.place.clone(), "username", reason))
        }
        (None, Some(found)) if user.email.is_some() => {
            let (place, id) = (&user.place, found.id);
            tracing::warn!(user.id = %id, "{place}: user {id} has the username and another address, and is left alone");
            Ok(true)
        }
        _ => Ok(true),
    }
}

/// Who has the address, and who has the username.
fn owners(app: &App, user: &DeclaredUser) -> Result<(Option<User>, Option<User>), StoreError> {
    let read = app.store.read()?;
    let by_email = user.email.as_ref().map_or(Ok(None), |email| read.user_by_email(&email.key()))?;
    let by_username = user.username.as_ref().map_or(Ok(None), |name| read.user_by_username(&name.key()))?;
    Ok((by_email, by_username))
}

async fn hash_for(app: &App, user: &DeclaredUser) -> Result<Option<PasswordHash>, BootstrapError> {
    match &user.password {
        None => Ok(None),
        Some(DeclaredPassword::Hash(hash)) => Ok(Some(hash.clone())),
        Some(DeclaredPassword::File(path)) => {
            hash(app, user, password_in(app, user, path)?.as_password()).await.map(Some)
        }
        Some(DeclaredPassword::Plain(password)) => hash(app, user, password).await.map(Some),
    }
}

async fn hash(app: &App, user: &DeclaredUser, password: &Password) -> Result<PasswordHash, BootstrapError> {
    app.passwords.hash(password).await.map_err(|error| failed(&user.place)(error.into()))
}

/// The password in a file, a line end after it cut, if it keeps the rules.
fn password_in(app: &App, user: &DeclaredUser, path: &Path) -> Result<NewPassword, BootstrapError> {
    let refuse = |reason: String| BootstrapError::Declared(user.place.clone(), "password_file", reason);
    let text =
        read_start(path).map_err(|error| refuse(format!("{} cannot be read: {error}", path.display())))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let about =
        PersonalFacts::new(user.username.as_ref(), &user.first_name, &user.last_name, user.email.as_ref());
    NewPassword::parse(text, &app.config.passwords.policy, &about).map_err(|broken| {
        let reasons: Vec<&str> = broken.iter().map(|invalid| invalid.message.as_str()).collect();
        refuse(format!("the password in {} is refused: {}", path.display(), reasons.join(" ")))
    })
}

/// No more than a password that is too long: a wrong path may lead to anything.
fn read_start(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let most = u64::try_from(Password::MAX_BYTES + 3).unwrap_or(u64::MAX);
    std::fs::File::open(path)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}

async fn make_permission(app: &App, declared: &DeclaredPermission) -> Result<(), FlowError> {
    if app.store.directory().permission_named(declared.name.as_str()).is_some() {
        return Ok(());
    }
    let event = event(app, EventKind::PermissionCreated);
    let (name, title) = (declared.name.clone(), declared.title.clone());
    let made = app.store.write(move |tx| {
        let made = tx.insert_permission(name.clone(), title.clone())?;
        let party = Party { id: made.id.to_string(), label: made.name.to_string() };
        tx.append_event(&event.clone().about(party))?;
        Ok::<_, FlowError>(made)
    });
    let made = made.await?;
    tracing::info!(permission.id = %made.id, "bootstrap: permission {} is made", made.name);
    Ok(())
}

/// Makes a group, or gives it what it lacks.
async fn make_group(app: &App, declared: &DeclaredGroup) -> Result<(), FlowError> {
    let directory = app.store.directory();
    let wanted: BTreeSet<_> = permissions_named(&directory, &declared.permissions)?.into_iter().collect();
    let existing = directory.group_named(declared.name.as_str()).cloned();
    let has = existing.as_ref().map(|group| group.permissions.clone()).unwrap_or_default();
    let added: BTreeSet<_> = wanted.difference(&has).copied().collect();
    if existing.is_some() && added.is_empty() {
        return Ok(());
    }
    let (kind, done) = match existing {
        Some(_) => (EventKind::GroupChanged, "has new permissions"),
        None => (EventKind::GroupCreated, "is made"),
    };
    let event = event(app, kind);
    let (name, description) = (declared.name.clone(), declared.description.clone());
    let made = app.store.write(move |tx| {
        let mut group = match &existing {
            Some(group) => group.clone(),
            None => tx.insert_group(name.clone(), description.clone())?,
        };
        group.permissions.extend(&added);
        tx.save_group(&group)?;
        let changes = Changes::of_group(&directory, existing.as_ref(), Some(&group));
        let party = Party { id: group.id.to_string(), label: group.name.as_str().to_owned() };
        tx.append_event(&event.clone().about(party).telling(&changes.clone().fact("by", "bootstrap")))?;
        Ok::<_, FlowError>((group, changes))
    });
    let (made, changes) = made.await?;
    tracing::info!(group.id = %made.id, "bootstrap: group {} {done}: {changes}", made.name.as_str());
    Ok(())
}

async fn make_user(
    app: &App,
    declared: &DeclaredUser,
    password: Option<PasswordHash>,
) -> Result<(), FlowError> {
    let directory = app.store.directory();
    let event = event(app, EventKind::UserCreated);
    let new = NewUser {
        email: declared.email.clone(),
        username: declared.username.clone(),
        first_name: declared.first_name.clone(),
        last_name: declared.last_name.clone(),
        password,
        is_active: true,
        is_staff: declared.is_staff,
        is_superuser: declared.is_superuser,
        // As with the command line, the operator vouches for it.
        email_verified: declared.email.is_some(),
        groups: groups_named(&directory, &declared.groups)?,
        permissions: permissions_named(&directory, &declared.permissions)?,
        ..NewUser::default()
    };
    let made = app.store.write(move |tx| {
        let user = tx.insert_user(&new, event.time)?;
        tx.append_event(&event.clone().about(&user))?;
        Ok::<_, FlowError>(user)
    });
    let made = made.await?;
    tracing::info!(user.id = %made.id, "bootstrap: user {} is made, by {}", made.id, declared.place);
    Ok(())
}

fn event(app: &App, kind: EventKind) -> Event {
    let origin = Origin::default();
    Audit { now: app.clock.now(), origin: &origin }.success(kind).saying("bootstrap")
}
