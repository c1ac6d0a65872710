//! Permissions and groups: what Django's numbers mean.
//!
//! A permission is known by its label and codename. What Django keeps for users, groups and permissions are Keystead's
//! own: `auth.add_user`, or `accounts.add_user` of a project with a model of its own, is `users.add_user`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::django::row::{Reference, Row, references};
use crate::domain::own_permissions;

/// A permission, by the name that it has in Keystead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PermissionRow {
    pub(crate) name: String,
    pub(crate) title: String,
}

/// A group, with the names of its permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupRow {
    pub(crate) id: Option<u64>,
    pub(crate) name: String,
    pub(crate) permissions: Vec<String>,
}

/// A row that says nothing that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadRow {
    pub(crate) what: String,
    pub(crate) why: String,
}

/// What rights a file tells of, before it is known which model its users are of.
#[derive(Debug, Default)]
pub(super) struct Rights {
    content_types: HashMap<u64, (String, String)>,
    permissions: Vec<Row>,
    groups: Vec<Row>,
    /// Codename, label and model of permissions that some row names in full.
    named: BTreeSet<Vec<String>>,
}

/// The same, resolved.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) permissions: Vec<PermissionRow>,
    /// Each with what is to be said of it.
    pub(crate) groups: Vec<(GroupRow, Vec<String>)>,
    pub(crate) bad: Vec<BadRow>,
    permission_names: HashMap<Reference, String>,
    group_names: HashMap<Reference, String>,
}

pub(super) const VERBS: [&str; 4] = ["add", "change", "delete", "view"];

impl Rights {
    pub(super) fn take_content_type(&mut self, row: &Row) {
        if let (Some(Reference::Number(id)), Value::String(label), Value::String(model)) =
            (Reference::of(&row.pk), row.field("app_label"), row.field("model"))
        {
            self.content_types.insert(id, (label.clone(), model.clone()));
        }
    }

    pub(super) fn take_permission(&mut self, row: Row) {
        self.permissions.push(row);
    }

    pub(super) fn take_group(&mut self, row: Row) {
        self.note_names(row.field("permissions"));
        self.groups.push(row);
    }

    /// Takes note of permissions that are named in full: the file need not have rows of them.
    pub(super) fn note_names(&mut self, permissions: &Value) {
        for reference in references(permissions).unwrap_or_default() {
            if let Reference::Natural(parts) = reference {
                self.named.insert(parts);
            }
        }
    }

    pub(super) fn resolve(self, user_model: &str) -> Directory {
        let mut directory = Directory::default();
        let mut known = BTreeMap::new();
        for row in &self.permissions {
            match self.permission(row, user_model) {
                Ok((key, permission)) => {
                    directory.learn(&row.pk, key, &permission.name);
                    known.entry(permission.name.clone()).or_insert(permission);
                }
                Err(why) => directory.refuse("permission", row, why),
            }
        }
        for parts in self.named {
            let [codename, label, model] = parts.as_slice() else { continue };
            let name = name_here(label, model, codename, user_model);
            directory.permission_names.insert(Reference::Natural(parts.clone()), name.clone());
            let title = codename.clone();
            known.entry(name.clone()).or_insert(PermissionRow { name, title });
        }
        directory.permissions = known.into_values().collect();
        for row in &self.groups {
            match group(row, &directory) {
                Ok(found) => directory.learn_group(&row.pk, found),
                Err(why) => directory.refuse("group", row, why),
            }
        }
        directory
    }

    fn permission(&self, row: &Row, user_model: &str) -> Result<(Vec<String>, PermissionRow), String> {
        let codename = row.filled("codename")?.ok_or("it has no codename")?;
        let (label, model) = match row.field("content_type") {
            Value::Number(number) => {
                let known = number.as_u64().and_then(|number| self.content_types.get(&number)).cloned();
                known.ok_or_else(|| {
                    format!(
                        "its content type is the number {number}, which this file does not explain: dump contenttypes too"
                    )
                })?
            }
            named => match Reference::of(named) {
                Some(Reference::Natural(parts)) => {
                    let [label, model]: [String; 2] =
                        parts.try_into().map_err(|_| "its content type is no label and model")?;
                    (label, model)
                }
                _ => return Err("it has no content type".to_owned()),
            },
        };
        let name = name_here(&label, &model, &codename, user_model);
        let title = row.text("name")?.unwrap_or_default();
        Ok((vec![codename, label, model], PermissionRow { name, title }))
    }
}

impl Directory {
    fn learn(&mut self, pk: &Value, key: Vec<String>, name: &str) {
        self.permission_names.insert(Reference::Natural(key), name.to_owned());
        if let Some(reference) = Reference::of(pk) {
            self.permission_names.insert(reference, name.to_owned());
        }
    }

    fn learn_group(&mut self, pk: &Value, (group, notes): (GroupRow, Vec<String>)) {
        self.group_names.insert(Reference::Natural(vec![group.name.clone()]), group.name.clone());
        if let Some(reference) = Reference::of(pk) {
            self.group_names.insert(reference, group.name.clone());
        }
        self.groups.push((group, notes));
    }

    fn refuse(&mut self, noun: &str, row: &Row, why: String) {
        let name = row.field("name").as_str().unwrap_or_default();
        self.bad.push(BadRow { what: format!("{noun} {} ({name})", row.pk), why });
    }

    /// The names of permissions, and of those that the file does not explain what it has for them.
    pub(super) fn permissions_of(&self, value: &Value) -> Result<(Vec<String>, Vec<String>), String> {
        Ok(named(references(value)?, &self.permission_names))
    }

    pub(super) fn groups_of(&self, value: &Value) -> Result<(Vec<String>, Vec<String>), String> {
        Ok(named(references(value)?, &self.group_names))
    }
}

fn named(references: Vec<Reference>, names: &HashMap<Reference, String>) -> (Vec<String>, Vec<String>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for reference in references {
        match (names.get(&reference), reference) {
            (Some(name), _) => found.push(name.clone()),
            (None, Reference::Number(number)) => missing.push(number.to_string()),
            (None, Reference::Natural(parts)) => missing.push(parts.join(" ")),
        }
    }
    found.sort_unstable();
    found.dedup();
    (found, missing)
}

/// A group, and what is to be said of it if some of its permissions are not known.
fn group(row: &Row, directory: &Directory) -> Result<(GroupRow, Vec<String>), String> {
    let name = row.filled("name")?.ok_or("it has no name")?;
    let (permissions, missing) = directory.permissions_of(row.field("permissions"))?;
    let notes = unexplained("permissions", &missing).into_iter().collect();
    Ok((GroupRow { id: row.pk.as_u64(), name, permissions }, notes))
}

/// What is said of somebody who has rights that mean nothing.
pub(super) fn unexplained(noun: &str, missing: &[String]) -> Option<String> {
    (!missing.is_empty())
        .then(|| format!("without {noun} that the file does not explain: {}", missing.join(", ")))
}

/// What a permission of Django is called here.
fn name_here(label: &str, model: &str, codename: &str, user_model: &str) -> String {
    let is_of = |noun: &str| VERBS.iter().any(|verb| codename == format!("{verb}_{noun}"));
    let verb = codename.split('_').next().unwrap_or_default();
    let model_name = format!("{label}.{model}").to_lowercase();
    if (model_name == user_model || model_name == "auth.user") && is_of(model) {
        format!("users.{verb}_user")
    } else if model_name == "auth.group" && is_of(model) {
        format!("users.{verb}_group")
    } else {
        // An app may have a label of ours, and its permissions must not become rights here. Ours go out under another.
        let name = format!("{label}.{codename}");
        match name.strip_prefix(OURS) {
            Some(own) if is_own(own) => own.to_owned(),
            _ if is_own(&name) && model_name != "auth.permission" => format!("app_{name}"),
            _ => name,
        }
    }
}

/// What the labels of our own permissions begin with in an export.
pub(super) const OURS: &str = "keystead_";

/// Whether it is a right here.
pub(super) fn is_own(name: &str) -> bool {
    own_permissions().any(|(own, _)| own.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_app_has_a_right_here_by_its_label() {
        let name = |label, model, codename| name_here(label, model, codename, "auth.user");
        assert_eq!(name("news", "item", "publish"), "news.publish");
        assert_eq!(name("audit", "event", "view_event"), "app_audit.view_event");
        assert_eq!(name("mail", "message", "change_message"), "app_mail.change_message");
        assert_eq!(name("users", "user", "delete_user"), "app_users.delete_user");
        assert_eq!(name("auth", "user", "delete_user"), "users.delete_user");
        assert_eq!(name("auth", "permission", "view_permission"), "auth.view_permission");
        assert_eq!(name("keystead_audit", "event", "view_event"), "audit.view_event");
        assert_eq!(name_here("users", "user", "delete_user", "users.user"), "users.delete_user");
    }
}
