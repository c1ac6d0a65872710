//! Permissions, as administrators keep them. Keystead's own stay as they are.

use std::sync::Arc;

use crate::app::App;
use crate::domain::{
    Changes, EventKind, Name, Party, Permission, PermissionId, PermissionName, User, UserId,
};
use crate::flows::steps::{Audit, Authority, Listed, Page, too_many};
use crate::flows::{Caller, FlowError};

/// What is to be another one; the rest stays.
#[derive(Debug)]
pub(crate) struct PermissionChange {
    pub(crate) label: Option<String>,
    pub(crate) codename: Option<String>,
    pub(crate) title: Option<Name>,
}

/// All permissions by number, or those of one label.
pub(crate) fn list_permissions(
    app: &App,
    label: Option<&str>,
    page: Page<PermissionId>,
) -> Listed<Permission, PermissionId> {
    let directory = app.store.directory();
    let all = directory.permissions().filter(|one| label.is_none_or(|label| one.name.label() == label));
    let count = u64::try_from(all.clone().count()).ok();
    let rest = all.filter(|one| page.after.is_none_or(|after| one.id > after)).cloned();
    page.cut(rest, |one| one.id, count)
}

pub(crate) fn view_permission(app: &App, id: PermissionId) -> Result<Permission, FlowError> {
    app.store.directory().permission(id).cloned().ok_or(FlowError::NotFound)
}

/// Everybody who has a permission now, by number: of their own, through a group, or as a superuser.
pub(crate) async fn list_holders(
    app: &Arc<App>,
    id: PermissionId,
    page: Page<UserId>,
) -> Result<Listed<User, UserId>, FlowError> {
    let app = Arc::clone(app);
    let listed = tokio::task::spawn_blocking(move || {
        let read = app.store.read()?;
        let directory = read.directory()?;
        let permission = directory.permission(id).ok_or(FlowError::NotFound)?.id;
        let giving = directory.groups().filter(|group| group.permissions.contains(&permission));
        let groups: Vec<_> = giving.map(|group| group.id).collect();
        let holders = read.holders_of(permission, &groups)?;
        let count = u64::try_from(holders.len()).ok();
        let rest = holders.into_iter().filter(|user| page.after.is_none_or(|after| *user > after));
        let Listed { rows, next, count } = page.cut(rest, |user| *user, count);
        let users = rows.into_iter().filter_map(|user| read.user(user).transpose());
        Ok::<_, FlowError>(Listed { rows: users.collect::<Result<_, _>>()?, next, count })
    });
    listed.await.map_err(|error| FlowError::Internal(error.to_string()))?
}

/// All of them are kept in memory, and a request asks for none of them in vain.
const MAX_PERMISSIONS: usize = 10_000;

/// Makes a permission, which nobody but superusers has yet.
pub(crate) async fn create_permission(
    app: &App,
    caller: &Caller,
    name: PermissionName,
    title: Name,
) -> Result<Permission, FlowError> {
    let authority = Authority::of(app, caller, "auth.add_permission");
    let event = Audit { now: app.clock.now(), origin: &caller.origin }
        .success(EventKind::PermissionCreated)
        .in_session(caller.session());
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            if actor.directory.permissions().len() >= MAX_PERMISSIONS {
                return Err(too_many(
                    "codename",
                    format!("There are {MAX_PERMISSIONS}, and more are not kept."),
                ));
            }
            let made = tx.insert_permission(name.clone(), title.clone())?;
            let changes = Changes::of_permission(None, Some(&made));
            tx.append_event(&event.clone().by(&*actor).about(party(&made)).telling(&changes))?;
            Ok(made)
        })
        .await
}

/// Changes a permission. Whoever has it then has what the new name means: so only a superuser, who has every
/// permission, gives it another one. Nothing changed is no event.
pub(crate) async fn update_permission(
    app: &App,
    caller: &Caller,
    id: PermissionId,
    change: PermissionChange,
) -> Result<Permission, FlowError> {
    let authority = Authority::of(app, caller, "auth.change_permission");
    let event = Audit { now: app.clock.now(), origin: &caller.origin }
        .success(EventKind::PermissionChanged)
        .in_session(caller.session());
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            let before = tx.permission(id)?.ok_or(FlowError::NotFound)?;
            if before.name.is_own() {
                return Err(FlowError::PermissionDenied);
            }
            let label = change.label.as_deref().unwrap_or(before.name.label());
            let codename = change.codename.as_deref().unwrap_or(before.name.codename());
            let name = PermissionName::of(label, codename);
            let title = change.title.clone().unwrap_or_else(|| before.title.clone());
            let after = Permission { id, name, title };
            if after == before {
                return Ok(after);
            }
            actor.grant(&[], &[id])?;
            if after.name != before.name && !actor.is_superuser {
                return Err(FlowError::PermissionDenied);
            }
            tx.save_permission(&after)?;
            let changes = Changes::of_permission(Some(&before), Some(&after));
            tx.append_event(&event.clone().by(&*actor).about(party(&after)).telling(&changes))?;
            Ok(after)
        })
        .await
}

/// Takes a permission away that the actor has: from the answer on nobody has it, superusers aside.
pub(crate) async fn delete_permission(app: &App, caller: &Caller, id: PermissionId) -> Result<(), FlowError> {
    let authority = Authority::of(app, caller, "auth.delete_permission");
    let event = Audit { now: app.clock.now(), origin: &caller.origin }
        .success(EventKind::PermissionDeleted)
        .in_session(caller.session());
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            let permission = tx.permission(id)?.ok_or(FlowError::NotFound)?;
            if permission.name.is_own() {
                return Err(FlowError::PermissionDenied);
            }
            actor.grant(&[], &[id])?;
            tx.remove_permission(id)?;
            let changes = Changes::of_permission(Some(&permission), None);
            Ok(tx.append_event(&event.clone().by(&*actor).about(party(&permission)).telling(&changes))?)
        })
        .await
}

fn party(permission: &Permission) -> Party {
    Party { id: permission.id.to_string(), label: permission.name.to_string() }
}
