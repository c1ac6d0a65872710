//! The tables of a Django project in an SQLite file, as the rows that `dumpdata` would write of them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::django::error::{Progress, ReadError, SourceError};
use crate::django::row::Row;
use crate::django::sqlite::{Cell, Database, Table};

/// Table, model, and the columns that `dumpdata` calls otherwise.
const TABLES: [(&str, &str); 5] = [
    ("django_content_type", "contenttypes.contenttype"),
    ("auth_permission", "auth.permission"),
    ("auth_group", "auth.group"),
    ("account_emailaddress", "account.emailaddress"),
    ("authtoken_token", "authtoken.token"),
];

/// Shows the rows that accounts are made of to `take`.
pub(super) fn read(
    database: &Database,
    take: &mut dyn FnMut(Row, Progress) -> Result<(), SourceError>,
) -> Result<(), ReadError> {
    let users = user_tables(database)?;
    let mut models: Vec<(&str, &str)> = TABLES.to_vec();
    models.extend(users.iter().map(|(name, model)| (name.as_str(), model.as_str())));
    for (name, model) in models {
        let Some(table) = database.tables.get(name) else { continue };
        let lists = Lists::of(database, name)?;
        database.rows(table, &mut |cells, seen| {
            let row = lists.complete(row(table, model, cells));
            take(row, Progress { done: seen, whole: database.pages }).map_err(ReadError::Taker)
        })?;
    }
    Ok(())
}

/// Every table that has what a user must have, with the model that it is of.
fn user_tables(database: &Database) -> Result<Vec<(String, String)>, ReadError> {
    let is_users =
        |table: &Table| ["password", "last_login"].iter().all(|name| table.columns.iter().any(|c| c == name));
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, _) in database.tables.iter().filter(|(_, table)| is_users(table)) {
        let by_name =
            name.split_once('_').map_or_else(|| name.clone(), |(label, model)| format!("{label}.{model}"));
        found.push((name.clone(), by_name));
    }
    // An app's label may have an underscore itself.
    if let Some(types) = database.tables.get("django_content_type") {
        database.rows(types, &mut |cells, _| {
            let row = row(types, "", cells);
            let (label, model) = (row.field("app_label"), row.field("model"));
            if let (Some(label), Some(model)) = (label.as_str(), model.as_str()) {
                let table = format!("{label}_{model}");
                for (_, named) in found.iter_mut().filter(|(name, _)| *name == table) {
                    *named = format!("{label}.{model}");
                }
            }
            Ok(())
        })?;
    }
    Ok(found)
}

fn row(table: &Table, model: &str, cells: Vec<Cell>) -> Row {
    let key = if model == "authtoken.token" { "key" } else { "id" };
    let mut row = Row { model: model.to_owned(), ..Row::default() };
    for (column, cell) in table.columns.iter().zip(cells) {
        let value = match cell {
            Cell::Null | Cell::Blob => Value::Null,
            Cell::Integer(number) => number.into(),
            Cell::Real(number) => number.into(),
            Cell::Text(text) => text.into(),
        };
        let name = match column.as_str() {
            "user_id" => "user",
            "content_type_id" => "content_type",
            column => column,
        };
        if name == key {
            row.pk = value;
        } else {
            row.fields.insert(name.to_owned(), value);
        }
    }
    row
}

/// The tables that say which groups or permissions belong to whom.
struct Lists(Vec<(&'static str, HashMap<u64, Vec<Value>>)>);

impl Lists {
    fn of(database: &Database, owner: &str) -> Result<Self, ReadError> {
        let mut lists = Vec::new();
        for (member, right) in
            [("groups", "group_id"), ("user_permissions", "permission_id"), ("permissions", "permission_id")]
        {
            if let Some(table) = database.tables.get(&format!("{owner}_{member}")) {
                lists.push((member, pairs(database, table, right)?));
            }
        }
        Ok(Self(lists))
    }

    fn complete(&self, mut row: Row) -> Row {
        let Some(id) = row.pk.as_u64() else { return row };
        let members = self.0.iter().filter_map(|(member, lists)| Some((*member, lists.get(&id)?)));
        let members: Map<String, Value> =
            members.map(|(member, list)| (member.to_owned(), Value::Array(list.clone()))).collect();
        row.fields.extend(members);
        row
    }
}

fn pairs(database: &Database, table: &Table, right: &str) -> Result<HashMap<u64, Vec<Value>>, ReadError> {
    let mut lists: HashMap<u64, Vec<Value>> = HashMap::new();
    let is_owner = |column: &String| column.ends_with("_id") && column != right;
    let owner = table.columns.iter().position(is_owner);
    let right = table.columns.iter().position(|column| column == right);
    let (Some(owner), Some(right)) = (owner, right) else { return Ok(lists) };
    database.rows(table, &mut |cells, _| {
        if let (Some(Cell::Integer(owner)), Some(Cell::Integer(right))) = (cells.get(owner), cells.get(right))
            && let Ok(owner) = u64::try_from(*owner)
        {
            lists.entry(owner).or_default().push((*right).into());
        }
        Ok(())
    })?;
    Ok(lists)
}
