//! Rows of an export, on their way from the process that has the store open.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::cli::outcome::{Outcome, Refusal};
use crate::django::{GroupRow, PermissionRow, UserRow};
use crate::domain::{Avatar, Directory, Email, PermissionId, PermissionName, Timestamp, UserId, Username};
use crate::flows::{self, ExportedUser};

/// What is wanted next.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExportWish {
    Rights,
    /// Users whose number is larger.
    UsersAfter(u64),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RightsRows {
    pub(super) permissions: Vec<PermissionRow>,
    pub(super) groups: Vec<GroupRow>,
    /// How many users there are now.
    pub(super) users: u64,
}

/// So many users fit into an answer, whatever they have.
const PAGE: usize = 100;

/// The outcome's text is JSON: [`RightsRows`], or some [`UserRow`]s, none of them at the end.
pub(super) async fn run(app: &Arc<App>, wish: ExportWish) -> Result<Outcome, Refusal> {
    let text = match wish {
        ExportWish::Rights => {
            let (directory, users) = flows::export_rights(app)?;
            serde_json::to_string(&rights(&directory, users))
        }
        ExportWish::UsersAfter(last) => {
            let users = flows::export_users(app, UserId(last), PAGE).await?;
            let directory = app.store.directory();
            serde_json::to_string(&users.into_iter().map(|user| row(&directory, user)).collect::<Vec<_>>())
        }
    };
    Ok(Outcome::saying(text.map_err(|error| Refusal::new(error.to_string()))?))
}

fn rights(directory: &Directory, users: u64) -> RightsRows {
    let permissions = directory.permissions().map(|permission| PermissionRow {
        name: permission.name.to_string(),
        title: permission.title.as_str().to_owned(),
    });
    let groups = directory.groups().map(|group| GroupRow {
        id: Some(group.id.0),
        name: group.name.as_str().to_owned(),
        permissions: names(directory, group.permissions.iter()),
    });
    RightsRows { permissions: permissions.collect(), groups: groups.collect(), users }
}

/// Groups and permissions that were taken away meanwhile are nobody's.
fn row(directory: &Directory, exported: ExportedUser) -> UserRow {
    let ExportedUser { user, password } = exported;
    let groups = user.groups.iter().filter_map(|id| directory.group(*id));
    UserRow {
        id: Some(user.id.0),
        username: user.username.as_ref().map(Username::as_str).map(str::to_owned),
        email: user.email.as_ref().map(Email::as_str).map(str::to_owned),
        email_verified: user.email_verified,
        first_name: user.first_name.as_str().to_owned(),
        last_name: user.last_name.as_str().to_owned(),
        avatar: user.avatar.as_ref().map(Avatar::as_str).map(str::to_owned),
        password,
        is_active: user.is_active,
        is_staff: user.is_staff,
        is_superuser: user.is_superuser,
        date_joined: Some(user.date_joined.to_string()),
        last_login: user.last_login.as_ref().map(Timestamp::to_string),
        groups: groups.map(|group| group.name.as_str().to_owned()).collect(),
        permissions: names(directory, user.permissions.iter()),
        token: None,
    }
}

fn names<'a>(directory: &Directory, ids: impl Iterator<Item = &'a PermissionId>) -> Vec<String> {
    ids.filter_map(|id| directory.permission(*id)).map(|one| PermissionName::to_string(&one.name)).collect()
}
