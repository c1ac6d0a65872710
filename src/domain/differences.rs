//! What differs between a thing as it was and as it is. What was made has nothing before, what is gone nothing after.

use std::collections::BTreeSet;

use crate::domain::{
    Avatar, Changes, Directory, Email, Group, GroupId, NewUser, Permission, PermissionId, Timestamp, User,
    UserId, Username,
};

impl Changes {
    pub(crate) fn of_user(directory: &Directory, before: Option<&User>, after: Option<&User>) -> Self {
        let nobody = NewUser::default().joined(UserId(0), Timestamp::from_secs(0));
        let (before, after) = (before.unwrap_or(&nobody), after.unwrap_or(&nobody));
        Self::default()
            .member("email", email(before), email(after))
            .member("username", username(before), username(after))
            .member("first_name", before.first_name.as_str(), after.first_name.as_str())
            .member("last_name", before.last_name.as_str(), after.last_name.as_str())
            .member("avatar", avatar(before), avatar(after))
            .member("is_active", before.is_active, after.is_active)
            .member("is_staff", before.is_staff, after.is_staff)
            .member("is_superuser", before.is_superuser, after.is_superuser)
            .member("email_verified", before.email_verified, after.email_verified)
            .secret("password", before.password.as_ref(), after.password.as_ref())
            .member("password_is_temporary", before.password_is_temporary, after.password_is_temporary)
            .groups(directory, &before.groups, &after.groups)
            .permissions(directory, &before.permissions, &after.permissions)
    }

    pub(crate) fn of_group(directory: &Directory, before: Option<&Group>, after: Option<&Group>) -> Self {
        let permissions = |group: Option<&Group>| -> Vec<PermissionId> {
            group.map_or_else(Vec::new, |group| group.permissions.iter().copied().collect())
        };
        Self::default()
            .member("name", before.map(|group| group.name.as_str()), after.map(|group| group.name.as_str()))
            .member(
                "description",
                before.map_or("", |group| group.description.as_str()),
                after.map_or("", |group| group.description.as_str()),
            )
            .permissions(directory, &permissions(before), &permissions(after))
    }

    pub(crate) fn of_permission(before: Option<&Permission>, after: Option<&Permission>) -> Self {
        Self::default()
            .member("label", before.map(|one| one.name.label()), after.map(|one| one.name.label()))
            .member("codename", before.map(|one| one.name.codename()), after.map(|one| one.name.codename()))
            .member(
                "name",
                before.map_or("", |one| one.title.as_str()),
                after.map_or("", |one| one.title.as_str()),
            )
    }

    fn groups(self, directory: &Directory, before: &[GroupId], after: &[GroupId]) -> Self {
        let name = |id: GroupId| match directory.group(id) {
            Some(group) => group.name.as_str().to_owned(),
            None => format!("#{id}"),
        };
        let [given, taken] = changed(before, after).map(|ids| ids.into_iter().map(name).collect::<Vec<_>>());
        self.names("groups", &given, &taken)
    }

    fn permissions(self, directory: &Directory, before: &[PermissionId], after: &[PermissionId]) -> Self {
        let name = |id: PermissionId| match directory.permission(id) {
            Some(permission) => permission.name.to_string(),
            None => format!("#{id}"),
        };
        let [given, taken] = changed(before, after).map(|ids| ids.into_iter().map(name).collect::<Vec<_>>());
        self.names("permissions", &given, &taken)
    }
}

fn email(user: &User) -> Option<&str> {
    user.email.as_ref().map(Email::as_str)
}

fn username(user: &User) -> Option<&str> {
    user.username.as_ref().map(Username::as_str)
}

fn avatar(user: &User) -> Option<&str> {
    user.avatar.as_ref().map(Avatar::as_str)
}

/// What is in the second set alone, and what is in the first alone.
fn changed<T: Copy + Ord>(before: &[T], after: &[T]) -> [Vec<T>; 2] {
    let (before, after): (BTreeSet<T>, BTreeSet<T>) =
        (before.iter().copied().collect(), after.iter().copied().collect());
    [after.difference(&before).copied().collect(), before.difference(&after).copied().collect()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{GroupName, Name, PasswordHash, PermissionName};

    fn directory() -> Directory {
        let name = GroupName::parse("Old hands").expect("a name");
        let permissions = [PermissionId(1)].into_iter().collect();
        let group = Group { id: GroupId(1), name, description: Name::default(), permissions };
        Directory::new(vec![group], vec![permission("news.ban")])
    }

    fn permission(name: &str) -> Permission {
        let name = PermissionName::parse(name).expect("a name");
        Permission { id: PermissionId(1), name, title: Name::from_stored("Can ban".to_owned()) }
    }

    fn ada() -> User {
        let new = NewUser {
            email: Email::parse("ada@example.com").ok(),
            first_name: Name::from_stored("Ada".to_owned()),
            password: Some(PasswordHash::from_phc("$argon2id$secret".to_owned())),
            is_active: true,
            groups: vec![GroupId(1), GroupId(7)],
            permissions: vec![PermissionId(1)],
            ..NewUser::default()
        };
        new.joined(UserId(1), Timestamp::from_secs(0))
    }

    #[test]
    fn a_user_is_told_from_nothing_to_nothing() {
        let (directory, ada) = (directory(), ada());

        let made = Changes::of_user(&directory, None, Some(&ada)).to_string();
        let gone = Changes::of_user(&directory, Some(&ada), None).to_string();

        let told = "email: none -> \"ada@example.com\"; first_name: \"\" -> \"Ada\"; is_active: false -> true; \
                    password: none -> set; groups: +\"Old hands\" +\"#7\"; permissions: +news.ban";
        assert_eq!(made, told);
        let told = "email: \"ada@example.com\" -> none; first_name: \"Ada\" -> \"\"; is_active: true -> false; \
                    password: set -> none; groups: -\"Old hands\" -\"#7\"; permissions: -news.ban";
        assert_eq!(gone, told);
        assert!(Changes::of_user(&directory, Some(&ada), Some(&ada)).is_empty());
    }

    #[test]
    fn groups_and_permissions_are_told_by_their_members() {
        let directory = directory();
        let group = directory.group(GroupId(1)).expect("there");
        let renamed = Group { name: GroupName::parse("New").expect("a name"), ..group.clone() };

        let told = Changes::of_group(&directory, Some(group), Some(&renamed)).to_string();
        assert_eq!(told, "name: \"Old hands\" -> \"New\"");
        let told = Changes::of_group(&directory, Some(group), None).to_string();
        assert_eq!(told, "name: \"Old hands\" -> none; permissions: -news.ban");
        let told = Changes::of_permission(Some(&permission("news.ban")), Some(&permission("news.mute")));
        assert_eq!(told.to_string(), "codename: \"ban\" -> \"mute\"");
        let told = Changes::of_permission(None, Some(&permission("news.ban"))).to_string();
        assert_eq!(told, "label: none -> \"news\"; codename: none -> \"ban\"; name: \"\" -> \"Can ban\"");
    }
}
