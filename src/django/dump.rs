//! Writes what `manage.py loaddata` reads: content types, permissions and groups by their names, users by their numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::django::directory::{GroupRow, PermissionRow, VERBS};
use crate::django::directory::{OURS, is_own};
use crate::django::user::UserRow;

/// An array of rows that is being written.
pub(crate) struct Dump<W> {
    out: W,
    user_model: String,
    /// Whether confirmed addresses are written as django-allauth keeps them.
    has_addresses: bool,
    /// What Django calls the permissions: codename, label and model.
    natural_keys: BTreeMap<String, [String; 3]>,
    is_empty: bool,
}

/// `auth.user` takes no longer name.
const MAX_USERNAME: usize = 150;

impl<W: Write> Dump<W> {
    pub(crate) fn new(out: W, user_model: &str, has_addresses: bool) -> Self {
        let (user_model, natural_keys) = (user_model.to_lowercase(), BTreeMap::new());
        Self { out, user_model, has_addresses, natural_keys, is_empty: true }
    }

    /// Comes before the users, whose rights it explains.
    pub(crate) fn rights(&mut self, permissions: &[PermissionRow], groups: &[GroupRow]) -> io::Result<()> {
        self.natural_keys = natural_keys(permissions, &self.user_model);
        let types: BTreeSet<(String, String)> =
            self.natural_keys.values().map(|[_, label, model]| (label.clone(), model.clone())).collect();
        for (label, model) in types {
            self.row("contenttypes.contenttype", None, &json!({ "app_label": label, "model": model }))?;
        }
        for permission in permissions {
            let Some([codename, label, model]) = self.natural_keys.get(&permission.name) else { continue };
            let (title, of) = (&permission.title, [label, model]);
            let fields = json!({ "name": title, "content_type": of, "codename": codename });
            self.row("auth.permission", None, &fields)?;
        }
        for group in groups {
            let fields = json!({ "name": group.name, "permissions": self.named(&group.permissions) });
            self.row("auth.group", group.id, &fields)?;
        }
        Ok(())
    }

    pub(crate) fn user(&mut self, user: &UserRow) -> io::Result<()> {
        let email = user.email.as_deref().unwrap_or_default();
        let groups: Vec<[&String; 1]> = user.groups.iter().map(|name| [name]).collect();
        let fields = json!({
            "password": user.password.expose(),
            "last_login": user.last_login,
            "is_superuser": user.is_superuser,
            "username": username(user),
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": email,
            "is_staff": user.is_staff,
            "is_active": user.is_active,
            "date_joined": user.date_joined,
            "groups": groups,
            "user_permissions": self.named(&user.permissions),
        });
        let user_model = self.user_model.clone();
        self.row(&user_model, user.id, &fields)?;
        if self.has_addresses && !email.is_empty() {
            let fields =
                json!({ "user": user.id, "email": email, "verified": user.email_verified, "primary": true });
            self.row("account.emailaddress", None, &fields)?;
        }
        Ok(())
    }

    pub(crate) fn end(mut self) -> io::Result<W> {
        self.out.write_all(if self.is_empty { b"[]\n" } else { b"\n]\n" })?;
        Ok(self.out)
    }

    fn named(&self, permissions: &[String]) -> Vec<&[String; 3]> {
        permissions.iter().filter_map(|name| self.natural_keys.get(name)).collect()
    }

    /// Without a number, Django finds it by its natural key.
    fn row(&mut self, model: &str, pk: Option<u64>, fields: &Value) -> io::Result<()> {
        self.out.write_all(if self.is_empty { b"[\n" } else { b",\n" })?;
        self.is_empty = false;
        serde_json::to_writer(&mut self.out, &DumpRow { model, pk, fields })?;
        Ok(())
    }
}

/// In the order that Django writes.
#[derive(Serialize)]
struct DumpRow<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pk: Option<u64>,
    fields: &'a Value,
}

/// Django's own model wants one: the address, else something that nobody has chosen.
fn username(user: &UserRow) -> String {
    let email = user.email.clone().filter(|email| email.chars().count() <= MAX_USERNAME);
    let number = || format!("user{}", user.id.unwrap_or_default());
    user.username.clone().or(email).unwrap_or_else(number)
}

/// The other way than `directory.rs`. Which model a permission is of is not kept here: it is told from the codename, or
/// from the others of its label. Django itself asks by label and codename.
fn natural_keys(permissions: &[PermissionRow], user_model: &str) -> BTreeMap<String, [String; 3]> {
    let (user_label, user_noun) = user_model.split_once('.').unwrap_or(("auth", user_model));
    let mut models: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let parts: Vec<(&str, &str, &str)> = permissions
        .iter()
        .filter_map(|one| {
            one.name.split_once('.').map(|(label, codename)| (one.name.as_str(), label, codename))
        })
        .collect();
    for (_, label, codename) in &parts {
        models.entry(label).or_default().extend(noun_of(codename));
    }
    let key = |label: &str, codename: &str| match (label, codename.split_once('_')) {
        ("users", Some((verb, "user"))) if VERBS.contains(&verb) => {
            [format!("{verb}_{user_noun}"), user_label.to_owned(), user_noun.to_owned()]
        }
        ("users", Some((verb, "group"))) if VERBS.contains(&verb) => {
            [codename.to_owned(), "auth".to_owned(), "group".to_owned()]
        }
        (_, Some((_, noun))) if label != "auth" && is_own(&format!("{label}.{codename}")) => {
            [codename.to_owned(), format!("{OURS}{label}"), noun.to_owned()]
        }
        _ => {
            let known = models.get(label);
            let model = noun_of(codename)
                .or_else(|| known?.iter().find(|model| codename.contains(*model)).copied())
                .or_else(|| known?.first().copied())
                .unwrap_or("permission");
            [codename.to_owned(), label.to_owned(), model.to_owned()]
        }
    };
    parts.iter().map(|(name, label, codename)| ((*name).to_owned(), key(label, codename))).collect()
}

/// `item` of `change_item`.
fn noun_of(codename: &str) -> Option<&str> {
    codename.split_once('_').filter(|(verb, _)| VERBS.contains(verb)).map(|(_, noun)| noun)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str], user_model: &str) -> Vec<String> {
        let permission = |name: &&str| PermissionRow { name: (*name).to_owned(), title: String::new() };
        let permissions: Vec<PermissionRow> = names.iter().map(permission).collect();
        let keys = natural_keys(&permissions, user_model);
        names.iter().map(|name| keys[*name].join(" ")).collect()
    }

    #[test]
    fn permissions_go_back_to_where_they_came_from() {
        let names = [
            "users.add_user",
            "users.view_group",
            "auth.view_permission",
            "audit.view_event",
            "news.change_item",
        ];
        let own = ["add_user auth user", "view_group auth group"];
        let others =
            ["view_permission auth permission", "view_event keystead_audit event", "change_item news item"];
        assert_eq!(keys(&names, "auth.user"), [&own[..], &others].concat());
        let own = ["add_person accounts person", "view_group auth group"];
        assert_eq!(keys(&names, "accounts.person"), [&own[..], &others].concat());
    }

    #[test]
    fn the_model_of_a_name_of_ones_own_is_one_of_its_app() {
        let names = ["news.publish", "news.add_item", "news.add_tag", "news.merge_tag", "alone.go"];
        let expected = [
            "publish news item",
            "add_item news item",
            "add_tag news tag",
            "merge_tag news tag",
            "go alone permission",
        ];
        assert_eq!(keys(&names, "auth.user"), expected);
    }

    #[test]
    fn nothing_is_an_array_too() {
        let dump = Dump::new(Vec::new(), "auth.user", false).end().expect("written");
        assert_eq!(dump, b"[]\n");
    }
}
