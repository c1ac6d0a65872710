//! The directory: all groups and permissions, and who has which by Django's rules.
//!
//! An inactive user has no permission. An active superuser has every one, even one that nobody has heard of. Everybody
//! else has their own and those of their groups.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::{Group, GroupId, GroupName, Name, Permission, PermissionId, PermissionName, User};

/// Why somebody has a permission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reasons<'a> {
    /// It is their own.
    pub(crate) is_own: bool,
    /// The groups that give it, by name; `Root` gives a superuser all of them.
    pub(crate) groups: Vec<&'a str>,
}

/// A consistent view of all groups and permissions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    groups: BTreeMap<GroupId, Group>,
    permissions: BTreeMap<PermissionId, Permission>,
    group_by_name: HashMap<String, GroupId>,
    permission_by_name: HashMap<String, PermissionId>,
}

impl Directory {
    /// The number of `Root`, which no stored group has.
    pub(crate) const ROOT: GroupId = GroupId(0);

    pub(crate) fn new(groups: Vec<Group>, permissions: Vec<Permission>) -> Self {
        let group_by_name = groups.iter().map(|group| (group.name.as_str().to_owned(), group.id)).collect();
        let permission_by_name =
            permissions.iter().map(|one| (one.name.as_str().to_owned(), one.id)).collect();
        Self {
            groups: groups.into_iter().map(|group| (group.id, group)).collect(),
            permissions: permissions.into_iter().map(|one| (one.id, one)).collect(),
            group_by_name,
            permission_by_name,
        }
    }

    /// All groups that are stored, by number; `Root` is not among them.
    pub(crate) fn groups(&self) -> impl DoubleEndedIterator<Item = &Group> + Clone {
        self.groups.values()
    }

    /// The live view of the superusers: every permission, whichever there are now.
    pub(crate) fn root(&self) -> Group {
        Group {
            id: Self::ROOT,
            name: GroupName::from_stored(GroupName::ROOT.to_owned()),
            description: Name::from_stored("Every superuser, with every permission.".to_owned()),
            permissions: self.permissions.keys().copied().collect(),
        }
    }

    /// All permissions, by number.
    pub(crate) fn permissions(&self) -> impl ExactSizeIterator<Item = &Permission> + Clone {
        self.permissions.values()
    }

    pub(crate) fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    pub(crate) fn group_named(&self, name: &str) -> Option<&Group> {
        self.group_by_name.get(name).and_then(|id| self.groups.get(id))
    }

    pub(crate) fn permission(&self, id: PermissionId) -> Option<&Permission> {
        self.permissions.get(&id)
    }

    pub(crate) fn permission_named(&self, name: &str) -> Option<&Permission> {
        self.permission_by_name.get(name).and_then(|id| self.permissions.get(id))
    }

    /// The groups of a user, by name; `Root` among them for a superuser.
    pub(crate) fn group_names(&self, user: &User) -> Vec<String> {
        let root = user.is_superuser.then(|| GroupName::ROOT.to_owned());
        let mut names: Vec<String> =
            self.groups_of(user).map(|group| group.name.as_str().to_owned()).chain(root).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn has_group(&self, user: &User, name: &str) -> bool {
        (user.is_superuser && name == GroupName::ROOT)
            || self.groups_of(user).any(|group| group.name.as_str() == name)
    }

    /// Django's `has_perm`.
    pub(crate) fn has_permission(&self, user: &User, name: &str) -> bool {
        if !user.is_active || user.is_superuser {
            return user.is_active;
        }
        let Some(id) = self.permission_by_name.get(name) else { return false };
        user.permissions.contains(id) || self.groups_of(user).any(|group| group.permissions.contains(id))
    }

    /// Django's `get_all_permissions`: everything that a user has, in the order of the names.
    pub(crate) fn permissions_of(&self, user: &User) -> BTreeSet<&PermissionName> {
        if !user.is_active {
            return BTreeSet::new();
        }
        if user.is_superuser {
            return self.permissions.values().map(|permission| &permission.name).collect();
        }
        let own = user.permissions.iter();
        let inherited = self.groups_of(user).flat_map(|group| &group.permissions);
        own.chain(inherited).filter_map(|id| Some(&self.permissions.get(id)?.name)).collect()
    }

    /// What a user has beside what their groups have, in the order of the names; whether they are active or not.
    pub(crate) fn own_permissions_of(&self, user: &User) -> BTreeSet<&PermissionName> {
        user.permissions.iter().filter_map(|id| Some(&self.permissions.get(id)?.name)).collect()
    }

    /// What the groups of a user have, `Root` of a superuser among them; whether they are active or not.
    pub(crate) fn inherited_permissions_of(&self, user: &User) -> BTreeSet<&PermissionName> {
        if user.is_superuser {
            return self.permissions.values().map(|permission| &permission.name).collect();
        }
        let inherited = self.groups_of(user).flat_map(|group| &group.permissions);
        inherited.filter_map(|id| Some(&self.permissions.get(id)?.name)).collect()
    }

    /// Everything that a user has, or would if they were active, and why.
    pub(crate) fn reasons_of<'a>(&'a self, user: &User) -> BTreeMap<&'a PermissionName, Reasons<'a>> {
        let mut all: BTreeMap<&PermissionName, Reasons<'_>> = BTreeMap::new();
        for name in self.own_permissions_of(user) {
            all.entry(name).or_default().is_own = true;
        }
        let mut groups: Vec<&Group> = self.groups_of(user).collect();
        groups.sort_unstable_by_key(|group| group.name.as_str());
        for group in groups {
            for permission in group.permissions.iter().filter_map(|id| self.permissions.get(id)) {
                all.entry(&permission.name).or_default().groups.push(group.name.as_str());
            }
        }
        if user.is_superuser {
            for permission in self.permissions.values() {
                all.entry(&permission.name).or_default().groups.push(GroupName::ROOT);
            }
        }
        all
    }

    /// A group that was taken away meanwhile is nobody's.
    fn groups_of<'a>(&'a self, user: &User) -> impl Iterator<Item = &'a Group> {
        user.groups.iter().filter_map(|id| self.groups.get(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{NewUser, Timestamp, UserId};

    fn directory() -> Directory {
        let permission = |id, name: &str| Permission {
            id: PermissionId(id),
            name: PermissionName::parse(name).expect(name),
            title: Name::default(),
        };
        let group = |id, name: &str, permissions: &[u64]| Group {
            id: GroupId(id),
            name: GroupName::parse(name).expect(name),
            description: Name::default(),
            permissions: permissions.iter().copied().map(PermissionId).collect(),
        };
        Directory::new(
            vec![group(1, "Editors", &[1, 9]), group(2, "Authors", &[2])],
            vec![
                permission(1, "news.change_item"),
                permission(2, "news.add_item"),
                permission(3, "news.ban"),
            ],
        )
    }

    fn user(groups: &[u64], permissions: &[u64]) -> User {
        let new = NewUser { is_active: true, ..NewUser::default() };
        User {
            groups: groups.iter().copied().map(GroupId).collect(),
            permissions: permissions.iter().copied().map(PermissionId).collect(),
            ..new.joined(UserId(1), Timestamp::from_secs(0))
        }
    }

    fn names(directory: &Directory, user: &User) -> Vec<String> {
        directory.permissions_of(user).into_iter().map(ToString::to_string).collect()
    }

    #[test]
    fn permissions_are_ones_own_and_those_of_the_groups() {
        let directory = directory();
        let ada = user(&[1, 7], &[3, 8]);

        assert_eq!(names(&directory, &ada), ["news.ban", "news.change_item"]);
        assert!(directory.has_permission(&ada, "news.change_item"));
        assert!(!directory.has_permission(&ada, "news.add_item"));
        assert!(!directory.has_permission(&ada, "unknown.one"));
        assert_eq!(directory.group_names(&ada), ["Editors"]);
        let texts = |names: BTreeSet<&PermissionName>| -> Vec<String> {
            names.into_iter().map(ToString::to_string).collect()
        };
        assert_eq!(texts(directory.own_permissions_of(&ada)), ["news.ban"]);
        assert_eq!(texts(directory.inherited_permissions_of(&ada)), ["news.change_item"]);
    }

    #[test]
    fn each_permission_says_where_it_comes_from() {
        let directory = directory();
        let reasons = |user: &User| -> Vec<(String, bool, Vec<String>)> {
            let all = directory.reasons_of(user).into_iter();
            all.map(|(name, why)| {
                (name.to_string(), why.is_own, why.groups.into_iter().map(str::to_owned).collect())
            })
            .collect()
        };
        let reason = |name: &str, is_own, groups: &[&str]| {
            (name.to_owned(), is_own, groups.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        let ada = user(&[1, 2, 7], &[1, 3, 8]);
        let root = User { is_superuser: true, ..user(&[2], &[3]) };

        let of_ada = [
            reason("news.add_item", false, &["Authors"]),
            reason("news.ban", true, &[]),
            reason("news.change_item", true, &["Editors"]),
        ];
        assert_eq!(reasons(&ada), of_ada);
        let of_root = [
            reason("news.add_item", false, &["Authors", "Root"]),
            reason("news.ban", true, &["Root"]),
            reason("news.change_item", false, &["Root"]),
        ];
        assert_eq!(reasons(&root), of_root);
    }

    #[test]
    fn a_superuser_has_all_and_an_inactive_user_none() {
        let directory = directory();
        let root = User { is_superuser: true, ..user(&[2], &[]) };
        let former = User { is_active: false, ..root.clone() };

        assert!(directory.has_permission(&root, "unknown.one"));
        assert_eq!(names(&directory, &root).len(), 3);
        assert_eq!(directory.group_names(&root), ["Authors", "Root"]);
        assert!(!directory.has_permission(&former, "news.ban") && names(&directory, &former).is_empty());
    }
}
