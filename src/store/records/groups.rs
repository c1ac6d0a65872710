//! The rows of groups and permissions.

use serde::{Deserialize, Serialize};

use crate::domain::{Group, GroupId, GroupName, Name, Permission, PermissionId, PermissionName};

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct GroupRecord {
    pub(in crate::store) name: String,
    description: String,
    permissions: Vec<u64>,
}

impl From<&Group> for GroupRecord {
    fn from(group: &Group) -> Self {
        Self {
            name: group.name.as_str().to_owned(),
            description: group.description.as_str().to_owned(),
            permissions: group.permissions.iter().map(|id| id.0).collect(),
        }
    }
}

impl GroupRecord {
    pub(in crate::store) fn into_group(self, id: GroupId) -> Group {
        Group {
            id,
            name: GroupName::from_stored(self.name),
            description: Name::from_stored(self.description),
            permissions: self.permissions.into_iter().map(PermissionId).collect(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct PermissionRecord {
    pub(in crate::store) name: String,
    title: String,
}

impl From<&Permission> for PermissionRecord {
    fn from(permission: &Permission) -> Self {
        Self { name: permission.name.as_str().to_owned(), title: permission.title.as_str().to_owned() }
    }
}

impl PermissionRecord {
    pub(in crate::store) fn into_permission(self, id: PermissionId) -> Permission {
        Permission { id, name: PermissionName::from_stored(self.name), title: Name::from_stored(self.title) }
    }
}
