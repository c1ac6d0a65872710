//! A row of Django's user model, or of a project's own.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::django::directory::{Directory, unexplained};
use crate::django::row::Row;
use crate::domain::Secret;

/// A user as the file has them. None of it is proved to be what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserRow {
    /// None if the dump was made with `--natural-primary`.
    pub(crate) id: Option<u64>,
    pub(crate) username: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) email_verified: bool,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) avatar: Option<String>,
    #[serde(serialize_with = "send", deserialize_with = "receive")]
    pub(crate) password: Secret<String>,
    pub(crate) is_active: bool,
    pub(crate) is_staff: bool,
    pub(crate) is_superuser: bool,
    pub(crate) date_joined: Option<String>,
    pub(crate) last_login: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) permissions: Vec<String>,
    pub(crate) token: Option<TokenRow>,
}

/// A key of Django REST framework's token authentication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenRow {
    #[serde(serialize_with = "send", deserialize_with = "receive")]
    pub(crate) key: Secret<String>,
}

impl TokenRow {
    pub(super) fn new(key: &str) -> Self {
        Self { key: Secret::new(key.to_owned()) }
    }
}

/// What is read of a user's row.
pub(super) const MEMBERS: [&str; 13] = [
    "password",
    "last_login",
    "is_superuser",
    "username",
    "first_name",
    "last_name",
    "email",
    "is_staff",
    "is_active",
    "date_joined",
    "groups",
    "user_permissions",
    "avatar",
];

/// Reads a row, and says which rights of it the file does not explain.
pub(super) fn read(row: &Row, directory: &Directory) -> Result<(UserRow, Vec<String>), String> {
    let id = match &row.pk {
        Value::Null => None,
        Value::Number(number) if number.is_u64() => number.as_u64(),
        pk => return Err(format!("its primary key {pk} is no whole number")),
    };
    let (groups, unknown_groups) = directory.groups_of(row.field("groups"))?;
    let (permissions, unknown_permissions) = directory.permissions_of(row.field("user_permissions"))?;
    let notes = [unexplained("groups", &unknown_groups), unexplained("permissions", &unknown_permissions)];
    let user = UserRow {
        id,
        username: row.filled("username")?,
        email: row.text("email")?.filter(|email| !email.trim().is_empty()),
        email_verified: false,
        first_name: row.text("first_name")?.unwrap_or_default(),
        last_name: row.text("last_name")?.unwrap_or_default(),
        avatar: row.filled("avatar")?,
        password: Secret::new(row.text("password")?.unwrap_or_default()),
        is_active: row.flag("is_active", true)?,
        is_staff: row.flag("is_staff", false)?,
        is_superuser: row.flag("is_superuser", false)?,
        date_joined: row.moment("date_joined")?,
        last_login: row.moment("last_login")?,
        groups,
        permissions,
        token: None,
    };
    Ok((user, notes.into_iter().flatten().collect()))
}

/// For the socket of the process that has the store open, and nowhere else.
fn send<S: Serializer>(secret: &Secret<String>, to: S) -> Result<S::Ok, S::Error> {
    secret.expose().serialize(to)
}

fn receive<'de, D: Deserializer<'de>>(from: D) -> Result<Secret<String>, D::Error> {
    Ok(Secret::new(String::deserialize(from)?))
}
