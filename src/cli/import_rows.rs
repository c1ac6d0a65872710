//! Rows of an import, on their way to the process that has the store open.
//!
//! Must never: trust that the asking side has checked anything: here text becomes types, or the row is refused.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::cli::outcome::{Outcome, Refusal};
use crate::django::{GroupRow, PermissionRow, UserRow};
use crate::domain::{
    Avatar, Email, GroupId, GroupName, Invalid, Name, Origin, PermissionName, Timestamp, UserId, Username,
};
use crate::flows::{self, Doubtful, Fate, ImportRules, ImportedGroup, ImportedUser, Purpose, WeakHashes};

/// Some rows of one kind, and what is to be done with those that cannot be taken as they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportWish {
    pub(super) rules: Rules,
    pub(super) rows: Rows,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rows {
    Permissions(Vec<PermissionRow>),
    Groups(Vec<GroupRow>),
    Users(Vec<UserRow>),
}

/// The options of the command.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    pub(super) purpose: Aim,
    pub(super) weak_hashes: Weak,
    pub(super) bad_hashes: Doubt,
    pub(super) duplicate_emails: Doubt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Aim {
    Import,
    Rehearse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Weak {
    Refuse,
    Accept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Doubt {
    Refuse,
    Drop,
}

/// What became of a row, for the asking side to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told {
    Imported(Vec<String>),
    Unchanged(Vec<String>),
    Refused(String),
}

/// As long as a [`Name`] may be.
const MAX_TITLE: usize = 150;

/// Takes the rows; the outcome's text is JSON: one [`Told`] for each, in their order.
pub(super) async fn run(app: &Arc<App>, wish: ImportWish) -> Result<Outcome, Refusal> {
    let purpose = match wish.rules.purpose {
        Aim::Import => Purpose::Import,
        Aim::Rehearse => Purpose::Rehearse,
    };
    let told = match wish.rows {
        Rows::Permissions(rows) => {
            let (good, bad) = parsed(rows, permission);
            let fates = flows::import_permissions(app, &Origin::default(), purpose, good).await?;
            together(fates, bad)
        }
        Rows::Groups(rows) => {
            let (good, bad) = parsed(rows, group);
            let fates = flows::import_groups(app, &Origin::default(), purpose, good).await?;
            together(fates, bad)
        }
        Rows::Users(rows) => {
            let (good, bad) = parsed(rows, user);
            let rules = wish.rules.for_users(purpose);
            let fates = flows::import_users(app, &Origin::default(), rules, good).await?;
            together(fates, bad)
        }
    };
    let text = serde_json::to_string(&told).map_err(|error| Refusal::new(error.to_string()))?;
    Ok(Outcome::saying(text))
}

impl Rules {
    const fn for_users(self, purpose: Purpose) -> ImportRules {
        const fn doubtful(doubt: Doubt) -> Doubtful {
            match doubt {
                Doubt::Refuse => Doubtful::Refuse,
                Doubt::Drop => Doubtful::Drop,
            }
        }
        ImportRules {
            purpose,
            weak_hashes: match self.weak_hashes {
                Weak::Refuse => WeakHashes::Refuse,
                Weak::Accept => WeakHashes::Accept,
            },
            bad_hashes: doubtful(self.bad_hashes),
            duplicate_emails: doubtful(self.duplicate_emails),
        }
    }
}

impl From<Fate> for Told {
    fn from(fate: Fate) -> Self {
        match fate {
            Fate::Imported(notes) => Self::Imported(notes),
            Fate::Unchanged(notes) => Self::Unchanged(notes),
            Fate::Refused(reason) => Self::Refused(reason),
        }
    }
}

/// The rows that are what they should be; for each row, none or why it is not.
fn parsed<R, T>(rows: Vec<R>, parse: impl Fn(R) -> Result<T, String>) -> (Vec<T>, Vec<Option<String>>) {
    let mut good = Vec::with_capacity(rows.len());
    let bad = rows.into_iter().map(|row| parse(row).map(|row| good.push(row)).err()).collect();
    (good, bad)
}

/// The fates of the good rows, in between those of the bad.
fn together(fates: Vec<Fate>, bad: Vec<Option<String>>) -> Vec<Told> {
    let mut fates = fates.into_iter().map(Told::from);
    bad.into_iter().filter_map(|reason| reason.map(Told::Refused).or_else(|| fates.next())).collect()
}

fn permission(row: PermissionRow) -> Result<(PermissionName, Name), String> {
    let PermissionRow { name, mut title } = row;
    let name = PermissionName::parse(&name).map_err(because("name"))?;
    // Django's titles may be longer; they are for people.
    if let Some((end, _)) = title.char_indices().nth(MAX_TITLE) {
        title.truncate(end);
    }
    Ok((name, Name::parse(&title).map_err(because("title"))?))
}

fn group(row: GroupRow) -> Result<ImportedGroup, String> {
    let GroupRow { id, name, permissions } = row;
    let name = GroupName::parse(&name).map_err(because("name"))?;
    if name.is_root() {
        return Err("Root is the name of the superusers' own group: rename it before".to_owned());
    }
    Ok(ImportedGroup { id: id.map(GroupId), name, permissions: names_of_permissions(&permissions)? })
}

fn user(row: UserRow) -> Result<ImportedUser, String> {
    let email = row.email.as_deref().map(Email::parse).transpose().map_err(because("email"))?;
    let username = row.username.as_deref().map(Username::parse).transpose().map_err(because("username"))?;
    let groups: Result<_, _> = row.groups.iter().map(|name| GroupName::parse(name)).collect();
    let token = row.token.map(|token| token.key);
    Ok(ImportedUser {
        id: row.id.map(UserId),
        email,
        username,
        first_name: Name::parse(&row.first_name).map_err(because("first_name"))?,
        last_name: Name::parse(&row.last_name).map_err(because("last_name"))?,
        // Anything but an address of the web stays behind; a path below MEDIA_ROOT means nothing here.
        avatar: row.avatar.as_deref().and_then(|text| Avatar::parse(text).ok()),
        password: row.password,
        is_active: row.is_active,
        is_staff: row.is_staff,
        is_superuser: row.is_superuser,
        email_verified: row.email_verified,
        date_joined: moment("date_joined", row.date_joined.as_deref())?,
        last_login: moment("last_login", row.last_login.as_deref())?,
        groups: groups.map_err(because("groups"))?,
        permissions: names_of_permissions(&row.permissions)?,
        token,
    })
}

fn names_of_permissions(names: &[String]) -> Result<Vec<PermissionName>, String> {
    names.iter().map(|name| PermissionName::parse(name).map_err(because("permissions"))).collect()
}

fn moment(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, String> {
    let parse = |text| Timestamp::parse(text).ok_or_else(|| format!("{name} is no moment"));
    text.map(parse).transpose()
}

fn because(what: &str) -> impl Fn(Invalid) -> String {
    move |invalid| format!("{what}: {}", invalid.message)
}
