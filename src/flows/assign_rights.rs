//! An administrator says which groups and permissions an account has.

use crate::app::App;
use crate::domain::{Changes, EventKind, GroupName, PermissionName, User, UserId};
use crate::flows::steps::{
    Actor, Authority, act, actor_and_subject, groups_named, not_too_many, permissions_named,
};
use crate::flows::{Caller, FlowError};

/// Puts an account into these groups and no others. Nobody puts it into one that may do what they may not. `Root` is not
/// given here: it is every superuser's.
pub(crate) async fn assign_groups(
    app: &App,
    caller: &Caller,
    id: UserId,
    names: Vec<GroupName>,
) -> Result<User, FlowError> {
    let asks_for_root = names.iter().any(GroupName::is_root);
    assign(app, caller, id, move |actor, user| {
        let groups = not_too_many("groups", groups_named(&actor.directory, &names)?)?;
        if asks_for_root && !user.is_superuser {
            return Err(FlowError::PermissionDenied);
        }
        actor.grant(&new_in(&groups, &user.groups), &[])?;
        user.groups.clone_from(&groups);
        Ok(())
    })
    .await
}

/// Gives an account these permissions of its own and no others. Nobody gives one that they do not have.
pub(crate) async fn assign_permissions(
    app: &App,
    caller: &Caller,
    id: UserId,
    names: Vec<PermissionName>,
) -> Result<User, FlowError> {
    assign(app, caller, id, move |actor, user| {
        let permissions = not_too_many("permissions", permissions_named(&actor.directory, &names)?)?;
        actor.grant(&[], &new_in(&permissions, &user.permissions))?;
        user.permissions = permissions;
        Ok(())
    })
    .await
}

/// Runs `change` on the account as it is then; on one's own only as a superuser. Nothing changed is no event.
async fn assign(
    app: &App,
    caller: &Caller,
    id: UserId,
    change: impl Fn(&Actor, &mut User) -> Result<(), FlowError> + Send + 'static,
) -> Result<User, FlowError> {
    let now = app.clock.now();
    let authority = Authority::of(app, caller, "users.change_user");
    let event = act(caller, EventKind::UserUpdated, now);
    app.store
        .write(move |tx| {
            let (actor, before) = actor_and_subject(&authority, tx, id)?;
            // A group is more than its permissions: applications ask who is in it.
            if actor.id == id && !actor.is_superuser {
                return Err(FlowError::PermissionDenied);
            }
            let mut user = before.clone();
            change(&actor, &mut user)?;
            if user == before {
                return Ok(user);
            }
            user.updated_at = now;
            tx.save_user(&user)?;
            let changes = Changes::of_user(&actor.directory, Some(&before), Some(&user));
            tx.append_event(&event.clone().about(&user).telling(&changes))?;
            Ok(user)
        })
        .await
}

/// What is in the first set and not in the second.
fn new_in<T: Copy + PartialEq>(these: &[T], others: &[T]) -> Vec<T> {
    these.iter().copied().filter(|one| !others.contains(one)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::domain::{
        Group, Membership, Name, NewUser, PermissionId, UserFilter, UserOrdering, UserQuery,
    };
    use crate::store::{StoreError, WriteTx};

    /// A service with staff who may change users, somebody else, and two groups.
    struct Office {
        app: App,
        _folder: tempfile::TempDir,
        staff: Caller,
        user: UserId,
        plain: Group,
        mighty: Group,
    }

    impl Office {
        async fn open() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("keystead.redb");
            let config = Config::from_toml(&format!("[store]\npath = {path:?}\n")).expect("valid");
            let app = App::open(config, Clock::system()).await.expect("the store opens");
            let now = app.clock.now();
            let directory = app.store.directory();
            let id = move |name: &str| directory.permission_named(name).expect(name).id;
            let made = app.store.write(move |tx| {
                let group = |tx: &mut WriteTx, name: &str, one: PermissionId| {
                    let name = GroupName::parse(name).expect(name);
                    let mut group = tx.insert_group(name, Name::default())?;
                    group.permissions.insert(one);
                    tx.save_group(&group)?;
                    Ok::<_, StoreError>(group)
                };
                let plain = group(tx, "Plain", id("users.change_user"))?;
                let mighty = group(tx, "Mighty", id("keys.change_signingkey"))?;
                let permissions = vec![id("users.change_user")];
                let new = NewUser { is_active: true, ..NewUser::default() };
                let staff = tx.insert_user(&NewUser { is_staff: true, permissions, ..new.clone() }, now)?;
                let user = tx.insert_user(&new, now)?;
                Ok::<_, StoreError>((staff, user.id, plain, mighty))
            });
            let (staff, user, plain, mighty) = made.await.expect("written");
            let staff = Caller::logged_in(&app, staff).await;
            Self { app, _folder: folder, staff, user, plain, mighty }
        }

        async fn assign(&self, names: &[&str]) -> Result<Vec<String>, FlowError> {
            let names = names.iter().map(|name| GroupName::parse(name).expect(name)).collect();
            let user = assign_groups(&self.app, &self.staff, self.user, names).await?;
            Ok(self.app.store.directory().group_names(&user))
        }

        async fn give(&self, groups: &[&Group]) {
            let (id, groups) = (self.user, groups.iter().map(|group| group.id).collect::<Vec<_>>());
            let given = self.app.store.write(move |tx| {
                let user = tx.user(id)?.expect("there");
                tx.save_user(&User { groups: groups.clone(), ..user })
            });
            given.await.expect("written");
        }
    }

    #[tokio::test]
    async fn staff_put_users_into_groups_that_may_no_more_than_they() {
        let office = Office::open().await;

        assert_eq!(office.assign(&["Plain", "Plain"]).await.expect("may"), ["Plain"]);
        assert!(matches!(office.assign(&["Plain", "Mighty"]).await, Err(FlowError::PermissionDenied)));
        assert!(matches!(office.assign(&["root"]).await, Err(FlowError::PermissionDenied)));
        assert!(matches!(office.assign(&["plain"]).await, Err(FlowError::Invalid("groups", _))));
        assert!(office.assign(&[]).await.expect("may").is_empty());

        // Whoever is in a mightier group is above them, and stays as they are.
        office.give(&[&office.plain, &office.mighty]).await;
        assert!(matches!(office.assign(&["Plain"]).await, Err(FlowError::PermissionDenied)));
        let events = office.app.store.read().expect("readable").newest_events(10).expect("readable");
        let told: Vec<&str> = events.iter().map(|event| event.detail.as_str()).collect();
        assert_eq!(told, ["groups: -Plain", "groups: +Plain"]);
        assert!(events.iter().all(|event| event.actor.is_some() && event.session.is_some()));
        office.app.close().await;
    }

    #[tokio::test]
    async fn a_right_that_was_taken_a_moment_ago_counts_for_nothing() {
        let office = Office::open().await;
        let former = User { is_staff: false, ..(*office.staff.user).clone() };

        office.app.store.write(move |tx| tx.save_user(&former)).await.expect("written");

        assert!(matches!(office.assign(&["Plain"]).await, Err(FlowError::PermissionDenied)));
        let gone = UserId(99);
        let missing = assign_permissions(&office.app, &office.staff, gone, Vec::new()).await;
        assert!(matches!(missing, Err(FlowError::PermissionDenied)));
        office.app.close().await;
    }

    #[tokio::test]
    async fn a_group_lists_its_members() {
        let office = Office::open().await;
        office.give(&[&office.mighty]).await;
        let app = Arc::new(office.app);
        let members = async |group: &Group| {
            let filter = UserFilter { group: Some(Membership::Group(group.id)), ..UserFilter::default() };
            let ordering = UserOrdering::DEFAULT;
            let query = UserQuery { filter, ordering, after: None, limit: 50 };
            let page = app.store.users_page(&query, app.clock.now()).expect("readable").expect("a page");
            (page.users.iter().map(|user| user.id).collect::<Vec<_>>(), page.count)
        };

        assert_eq!(members(&office.mighty).await, (vec![office.user], 1));
        assert_eq!(members(&office.plain).await, (vec![], 0));
        app.close().await;
    }
}
