//! `[bootstrap]`: what is declared to be there, entry by entry, with the place of each for messages.
//!
//! Must never: take a password but from a seed, or show a hash in a message.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Table;

use crate::config::entries::{Entry, entries};
use crate::config::error::ConfigError;
use crate::config::settings::Settings;
use crate::config::{BootstrapConfig, DeclaredGroup, DeclaredPassword, DeclaredPermission, DeclaredUser};
use crate::domain::{
    Email, GroupName, Invalid, Name, Password, PasswordHash, PermissionName, User, Username, parse_codename,
    parse_label,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBootstrap {
    permissions: Vec<Table>,
    groups: Vec<Table>,
    users: Vec<Table>,
}

const PERMISSION_KEYS: &[&str] = &["label", "codename", "name"];
const GROUP_KEYS: &[&str] = &["name", "description", "permissions"];
const USER_KEYS: &[&str] = &[
    "email",
    "username",
    "first_name",
    "last_name",
    "is_staff",
    "is_superuser",
    "groups",
    "permissions",
    "password_hash",
    "password_file",
];

/// What the seed of a throw-away service may say on top of that.
const PASSWORD: &str = "password";

/// What every hash that is taken begins with; the rest is judged by what computes it.
const ARGON2ID: &str = "$argon2id$";

impl RawBootstrap {
    pub(super) fn parse(self, settings: &Settings) -> Result<BootstrapConfig, ConfigError> {
        self.parse_after(settings, &BootstrapConfig::default(), USER_KEYS)
    }

    /// The same for a seed: passwords may stand in it, and it may name what is declared already.
    pub(super) fn parse_seed(
        self,
        settings: &Settings,
        declared: &BootstrapConfig,
    ) -> Result<BootstrapConfig, ConfigError> {
        let keys: Vec<&str> = USER_KEYS.iter().copied().chain([PASSWORD]).collect();
        self.parse_after(settings, declared, &keys)
    }

    fn parse_after(
        self,
        settings: &Settings,
        declared: &BootstrapConfig,
        user_keys: &[&str],
    ) -> Result<BootstrapConfig, ConfigError> {
        let of = |list: &str, tables, keys: &[&str]| entries(settings, list, tables, keys);
        let permissions = permissions(&of("bootstrap.permissions", self.permissions, PERMISSION_KEYS)?)?;
        let known_permissions = declared.permissions.iter().chain(&permissions);
        let known_permissions: HashSet<&PermissionName> = known_permissions.map(|one| &one.name).collect();
        let groups = groups(&of("bootstrap.groups", self.groups, GROUP_KEYS)?, &known_permissions)?;
        let known_groups = declared.groups.iter().chain(&groups).map(|one| &one.name).collect();
        let users = users(&of("bootstrap.users", self.users, user_keys)?, &known_permissions, &known_groups)?;
        Ok(BootstrapConfig { permissions, groups, users })
    }
}

fn permissions(entries: &[Entry]) -> Result<Vec<DeclaredPermission>, ConfigError> {
    let mut seen = HashSet::new();
    let mut permissions = Vec::new();
    for entry in entries {
        let (label, codename) =
            (entry.required("label", parse_label)?, entry.required("codename", parse_codename)?);
        let name = PermissionName::of(&label, &codename);
        if name.has_own_label() {
            return Err(entry.refuse("label", &format!("{label:?} is Keystead's own: choose another")));
        }
        if !seen.insert(name.clone()) {
            return Err(entry.refuse("codename", &format!("{name} is declared twice")));
        }
        let title = entry.optional("name", Name::parse)?.unwrap_or_default();
        permissions.push(DeclaredPermission { place: entry.to_string(), name, title });
    }
    Ok(permissions)
}

fn groups(
    entries: &[Entry],
    permissions: &HashSet<&PermissionName>,
) -> Result<Vec<DeclaredGroup>, ConfigError> {
    let mut seen = HashSet::new();
    let mut groups = Vec::new();
    for entry in entries {
        let name = entry.required("name", GroupName::parse)?;
        if name.is_root() {
            return Err(entry.refuse("name", "Root is the group of every superuser, always: choose another"));
        }
        if !seen.insert(name.clone()) {
            return Err(entry.refuse("name", &format!("{:?} is declared twice", name.as_str())));
        }
        groups.push(DeclaredGroup {
            place: entry.to_string(),
            name,
            description: entry.optional("description", Name::parse)?.unwrap_or_default(),
            permissions: entry.list("permissions", |text| known_permission(permissions, text))?,
        });
    }
    Ok(groups)
}

fn users(
    entries: &[Entry],
    permissions: &HashSet<&PermissionName>,
    groups: &HashSet<&GroupName>,
) -> Result<Vec<DeclaredUser>, ConfigError> {
    let (mut emails, mut usernames) = (HashSet::new(), HashSet::new());
    let mut users = Vec::new();
    for entry in entries {
        let email = entry.optional("email", Email::parse)?;
        let own = email.as_ref();
        let username = entry
            .optional("username", |text| Username::parse(text).and_then(|name| name.for_account(own)))?;
        if email.is_none() && username.is_none() {
            return Err(entry.refuse("email", "is missing, and so is username: write one of them"));
        }
        if email.as_ref().is_some_and(|email| !emails.insert(email.key())) {
            return Err(entry.refuse("email", "is declared twice"));
        }
        if username.as_ref().is_some_and(|username| !usernames.insert(username.key())) {
            return Err(entry.refuse("username", "is declared twice"));
        }
        let is_superuser = entry.boolean("is_superuser")?;
        users.push(DeclaredUser {
            place: entry.to_string(),
            email,
            username,
            first_name: entry.optional("first_name", Name::parse)?.unwrap_or_default(),
            last_name: entry.optional("last_name", Name::parse)?.unwrap_or_default(),
            is_staff: entry.boolean("is_staff")? || is_superuser,
            is_superuser,
            groups: rights(entry, "groups", |text| known_group(groups, text))?,
            permissions: rights(entry, "permissions", |text| known_permission(permissions, text))?,
            password: password(entry)?,
        });
    }
    Ok(users)
}

/// What administrators made may be gone at the next start, which must not fail for that: so it cannot be named here.
fn known_permission(declared: &HashSet<&PermissionName>, text: &str) -> Result<PermissionName, Invalid> {
    let name = PermissionName::parse(text)?;
    let is_known = name.is_own() || declared.contains(&name);
    let unknown = || Invalid::new("unknown", "It is neither in bootstrap.permissions nor Keystead's own.");
    is_known.then_some(name).ok_or_else(unknown)
}

fn known_group(declared: &HashSet<&GroupName>, text: &str) -> Result<GroupName, Invalid> {
    let name = GroupName::parse(text)?;
    if name.is_root() {
        return Err(Invalid::new("unknown", "Nobody is put into Root: write is_superuser = true."));
    }
    let is_known = declared.contains(&name);
    is_known.then_some(name).ok_or_else(|| Invalid::new("unknown", "It is not in bootstrap.groups."))
}

fn password(entry: &Entry) -> Result<Option<DeclaredPassword>, ConfigError> {
    if let Some(text) = entry.text(PASSWORD)? {
        if entry.text("password_hash")?.or(entry.text("password_file")?).is_some() {
            return Err(entry.refuse(PASSWORD, "password_hash or password_file is set too: keep one"));
        }
        let password = Password::parse(text).map_err(|invalid| entry.refuse(PASSWORD, &invalid.message))?;
        return Ok(Some(DeclaredPassword::Plain(password)));
    }
    match (entry.text("password_hash")?, entry.text("password_file")?) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => {
            Err(entry.refuse("password_file", "password_hash is set too: keep one of the two"))
        }
        (None, Some(path)) => Ok(Some(DeclaredPassword::File(PathBuf::from(path)))),
        (Some(hash), None) if hash.starts_with(ARGON2ID) => {
            Ok(Some(DeclaredPassword::Hash(PasswordHash::from_phc(hash.to_owned()))))
        }
        (Some(_), None) => Err(entry
            .refuse("password_hash", "is no argon2id hash: it begins with $argon2id$, and is no password")),
    }
}

/// A list of what one user is given.
fn rights<T>(
    entry: &Entry,
    key: &str,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> Result<Vec<T>, ConfigError> {
    let rights = entry.list(key, parse)?;
    if rights.len() > User::MAX_RIGHTS {
        return Err(entry.refuse(key, &format!("has more than {}: use a group", User::MAX_RIGHTS)));
    }
    Ok(rights)
}
