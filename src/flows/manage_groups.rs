//! Groups, as administrators keep them. Nobody puts into a group what they do not have themselves, and nobody touches
//! `Root`.

use crate::app::App;
use crate::domain::{
    Changes, Directory, EventKind, Group, GroupId, GroupName, Name, Party, PermissionId, PermissionName,
};
use crate::flows::steps::{Actor, Audit, Authority, Listed, Page, permissions_named, too_many};
use crate::flows::{Caller, FlowError};

/// What is to be another one; the rest stays.
#[derive(Debug)]
pub(crate) struct GroupChange {
    pub(crate) name: Option<GroupName>,
    pub(crate) description: Option<Name>,
    pub(crate) permissions: Option<Vec<PermissionName>>,
}

/// A group holds no more permissions: with the longest of numbers it is about half of what a row may be.
const MAX_PERMISSIONS: usize = 4096;

/// All groups by number, `Root` first.
pub(crate) fn list_groups(app: &App, page: Page<u64>) -> Listed<Group, u64> {
    let directory = app.store.directory();
    let root = directory.root();
    let all = std::iter::once(&root).chain(directory.groups());
    let count = u64::try_from(all.clone().count()).ok();
    let rest = all.filter(|group| page.after.is_none_or(|after| group.id.0 > after)).cloned();
    page.cut(rest, |group| group.id.0, count)
}

pub(crate) fn view_group(app: &App, id: GroupId) -> Result<Group, FlowError> {
    let directory = app.store.directory();
    if id == Directory::ROOT {
        return Ok(directory.root());
    }
    directory.group(id).cloned().ok_or(FlowError::NotFound)
}

/// Makes a group with these permissions, all of which the actor has.
pub(crate) async fn create_group(
    app: &App,
    caller: &Caller,
    name: GroupName,
    description: Name,
    permissions: Vec<PermissionName>,
) -> Result<Group, FlowError> {
    refuse_root(&name)?;
    let authority = Authority::of(app, caller, "users.add_group");
    let event = Audit { now: app.clock.now(), origin: &caller.origin }
        .success(EventKind::GroupCreated)
        .in_session(caller.session());
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            let permissions = held_by_group(&actor, &permissions)?;
            actor.grant(&[], &permissions)?;
            let made = tx.insert_group(name.clone(), description.clone())?;
            let group = Group { permissions: permissions.into_iter().collect(), ..made };
            tx.save_group(&group)?;
            let changes = Changes::of_group(&actor.directory, None, Some(&group));
            tx.append_event(&event.clone().by(&*actor).about(party(&group)).telling(&changes))?;
            Ok(group)
        })
        .await
}

/// Changes a group of permissions that the actor has, all that it had and all that it gets; its members have what it has
/// from the answer on. Only superusers give it another name. Nothing changed is no event.
pub(crate) async fn update_group(
    app: &App,
    caller: &Caller,
    id: GroupId,
    change: GroupChange,
) -> Result<Group, FlowError> {
    if id == Directory::ROOT {
        return Err(FlowError::PermissionDenied);
    }
    change.name.as_ref().map_or(Ok(()), refuse_root)?;
    let authority = Authority::of(app, caller, "users.change_group");
    let event = Audit { now: app.clock.now(), origin: &caller.origin }
        .success(EventKind::GroupChanged)
        .in_session(caller.session());
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            let before = tx.group(id)?.ok_or(FlowError::NotFound)?;
            let mut group = before.clone();
            if let Some(name) = &change.name {
                group.name = name.clone();
            }
            if let Some(description) = &change.description {
                group.description = description.clone();
            }
            if let Some(names) = &change.permissions {
                group.permissions = held_by_group(&actor, names)?.into_iter().collect();
            }
            if group == before {
                return Ok(group);
            }
            // Applications tell groups by their names: whoever changes one changes who its members are to them.
            if group.name != before.name && !actor.is_superuser {
                return Err(FlowError::PermissionDenied);
            }
            // What it loses, its members lose: nobody brings those down to themselves who may do more than they.
            let touched: Vec<PermissionId> = group.permissions.union(&before.permissions).copied().collect();
            actor.grant(&[], &touched)?;
            tx.save_group(&group)?;
            let changes = Changes::of_group(&actor.directory, Some(&before), Some(&group));
            tx.append_event(&event.clone().by(&*actor).about(party(&group)).telling(&changes))?;
            Ok(group)
        })
        .await
}

/// Takes a group away whose permissions the actor has: from the answer on it gives its members nothing.
pub(crate) async fn delete_group(app: &App, caller: &Caller, id: GroupId) -> Result<(), FlowError> {
    if id == Directory::ROOT {
        return Err(FlowError::PermissionDenied);
    }
    let authority = Authority::of(app, caller, "users.delete_group");
    let event = Audit { now: app.clock.now(), origin: &caller.origin }
        .success(EventKind::GroupDeleted)
        .in_session(caller.session());
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            let group = tx.group(id)?.ok_or(FlowError::NotFound)?;
            actor.grant(&[id], &[])?;
            tx.remove_group(id)?;
            let changes = Changes::of_group(&actor.directory, Some(&group), None);
            Ok(tx.append_event(&event.clone().by(&*actor).about(party(&group)).telling(&changes))?)
        })
        .await
}

/// The permissions of these names, if one group may have so many.
fn held_by_group(actor: &Actor, names: &[PermissionName]) -> Result<Vec<PermissionId>, FlowError> {
    let named = permissions_named(&actor.directory, names)?;
    if named.len() > MAX_PERMISSIONS {
        return Err(too_many("permissions", format!("A group has no more than {MAX_PERMISSIONS}.")));
    }
    Ok(named)
}

fn refuse_root(name: &GroupName) -> Result<(), FlowError> {
    if name.is_root() { Err(FlowError::PermissionDenied) } else { Ok(()) }
}

fn party(group: &Group) -> Party {
    Party { id: group.id.to_string(), label: group.name.as_str().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::domain::{NewUser, User};
    use crate::store::StoreError;

    async fn app(folder: &std::path::Path) -> App {
        let path = folder.join("keystead.redb");
        let config = Config::from_toml(&format!("[store]\npath = {path:?}\n")).expect("valid");
        App::open(config, Clock::system()).await.expect("the store opens")
    }

    fn name(text: &str) -> PermissionName {
        PermissionName::parse(text).expect(text)
    }

    /// A member of staff with these permissions and in these groups.
    async fn staff(app: &App, permissions: &[&str], groups: &[GroupId]) -> Caller {
        let names: Vec<PermissionName> = permissions.iter().map(|text| name(text)).collect();
        let ids = permissions_named(&app.store.directory(), &names).expect("known");
        let (now, groups) = (app.clock.now(), groups.to_vec());
        let made = app.store.write(move |tx| {
            let new = NewUser { is_active: true, is_staff: true, ..NewUser::default() };
            let user = tx.insert_user(&new, now)?;
            let user = User { permissions: ids.clone(), groups: groups.clone(), ..user };
            tx.save_user(&user)?;
            Ok::<_, StoreError>(user)
        });
        Caller::logged_in(app, made.await.expect("written")).await
    }

    async fn create(
        app: &App,
        caller: &Caller,
        group: &str,
        permissions: &[&str],
    ) -> Result<Group, FlowError> {
        let group = GroupName::parse(group).expect("a name");
        let permissions: Vec<PermissionName> = permissions.iter().map(|text| name(text)).collect();
        create_group(app, caller, group, Name::default(), permissions).await
    }

    fn permissions(names: &[&str]) -> GroupChange {
        let names = names.iter().map(|text| name(text)).collect();
        GroupChange { name: None, description: None, permissions: Some(names) }
    }

    #[tokio::test]
    async fn nobody_gives_or_takes_what_they_lack() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = app(folder.path()).await;
        let all = own_permissions();
        let most: Vec<&str> = all.iter().map(String::as_str).collect();
        let chief = staff(&app, &most, &[]).await;
        let rights = ["users.add_group", "users.change_group", "users.delete_group", "users.view_user"];
        let clerk = staff(&app, &rights, &[]).await;

        let theirs = create(&app, &clerk, "Viewers", &["users.view_user"]).await.expect("theirs to give");
        let more = create(&app, &clerk, "Makers", &["users.view_user", "users.add_user"]).await;
        let added = permissions(&["users.view_user", "users.add_user"]);
        let widened = update_group(&app, &clerk, theirs.id, added).await;
        let strong =
            create(&app, &chief, "Strong", &["audit.view_event", "users.view_user"]).await.expect("made");
        let narrowed = update_group(&app, &clerk, strong.id, permissions(&["users.view_user"])).await;
        let deleted = delete_group(&app, &clerk, strong.id).await;
        let own = update_group(&app, &clerk, theirs.id, permissions(&[])).await;

        assert!(matches!(more, Err(FlowError::PermissionDenied)));
        assert!(matches!(widened, Err(FlowError::PermissionDenied)));
        assert!(matches!(narrowed, Err(FlowError::PermissionDenied)));
        assert!(own.expect("theirs to take").permissions.is_empty());
        assert!(matches!(deleted, Err(FlowError::PermissionDenied)));
        app.close().await;
    }

    fn own_permissions() -> Vec<String> {
        crate::domain::own_permissions().map(|(name, _)| name.to_string()).collect()
    }

    #[tokio::test]
    async fn members_lose_a_deleted_group_at_once_and_the_store_stays_sound() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = app(folder.path()).await;
        let chief = staff(&app, &["users.add_group", "users.delete_group", "users.view_user"], &[]).await;
        let group = create(&app, &chief, "Viewers", &["users.view_user"]).await.expect("made");
        let member = staff(&app, &[], &[group.id]).await;
        let has = || app.store.directory().has_permission(&member.user, "users.view_user");
        assert!(has());

        delete_group(&app, &chief, group.id).await.expect("deleted");

        assert!(!has() && app.store.directory().group_names(&member.user).is_empty());
        let again = create(&app, &chief, "Viewers", &["users.view_user"]).await.expect("made");
        assert!(again.id > group.id && !has(), "a number was given out twice");
        assert!(app.store.read().expect("readable").check().expect("checked").is_sound());
        app.close().await;
    }

    #[tokio::test]
    async fn a_right_that_came_through_a_group_ends_with_it_also_for_what_has_begun() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = app(folder.path()).await;
        let chief = staff(&app, &["users.add_group", "users.delete_group"], &[]).await;
        let group = create(&app, &chief, "Makers", &["users.add_group"]).await.expect("made");
        let member = staff(&app, &[], &[group.id]).await;
        let begun = Authority::of(&app, &member, "users.add_group");
        assert!(begun.actor(&app.store.read().expect("readable")).is_ok());

        delete_group(&app, &chief, group.id).await.expect("deleted");

        let late = app.store.write(move |tx| begun.actor(tx).map(drop)).await;
        assert!(matches!(late, Err(FlowError::PermissionDenied)));
        app.close().await;
    }

    #[tokio::test]
    async fn there_is_an_end_to_permissions_and_to_those_of_a_group() {
        const ALL: usize = 10_000;
        let folder = tempfile::tempdir().expect("a folder");
        let app = app(folder.path()).await;
        let own = own_permissions().len();
        let one = |n: usize| name(&format!("a.b{n}"));
        let numbers: Vec<usize> = (own + 1..ALL).collect();
        for round in numbers.chunks(300) {
            let round: Vec<PermissionName> = round.iter().map(|n| one(*n)).collect();
            let written = app.store.write(move |tx| {
                for name in &round {
                    tx.insert_permission(name.clone(), Name::default())?;
                }
                Ok::<_, StoreError>(())
            });
            written.await.expect("written");
        }
        let new = NewUser { is_active: true, is_staff: true, is_superuser: true, ..NewUser::default() };
        let now = app.clock.now();
        let root = app.store.write(move |tx| tx.insert_user(&new, now)).await.expect("written");
        let root = Caller::logged_in(&app, root).await;
        let add = async |n| {
            crate::flows::create_permission(&app, &root, one(n), Name::default()).await.map(|made| made.name)
        };

        assert_eq!(add(0).await.expect("the last"), one(0));
        assert!(matches!(add(1).await, Err(FlowError::Invalid("codename", _))));

        let many = |count: usize| numbers.iter().take(count).map(|n| one(*n)).collect::<Vec<_>>();
        let group = GroupName::parse("Many").expect("a name");
        let make =
            async |permissions| create_group(&app, &root, group.clone(), Name::default(), permissions).await;
        assert!(matches!(make(many(4097)).await, Err(FlowError::Invalid("permissions", _))));
        let made = make(many(4096)).await.expect("as many as there may be");
        let more = GroupChange { name: None, description: None, permissions: Some(many(4097)) };
        let more = update_group(&app, &root, made.id, more).await;
        assert!(matches!(more, Err(FlowError::Invalid("permissions", _))));
        assert_eq!(app.store.directory().group(made.id), Some(&made));
        app.close().await;
    }

    #[tokio::test]
    async fn a_right_that_was_taken_a_moment_ago_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = app(folder.path()).await;
        let clerk = staff(&app, &["users.add_group"], &[]).await;
        let demoted = User { is_staff: false, ..(*clerk.user).clone() };
        app.store.write(move |tx| tx.save_user(&demoted)).await.expect("written");

        let made = create(&app, &clerk, "Late", &[]).await;

        assert!(matches!(made, Err(FlowError::PermissionDenied)));
        app.close().await;
    }
}
