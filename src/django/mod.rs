//! What a Django project knows of its accounts: read from `manage.py dumpdata` (JSON) or from its SQLite file, and
//! written for `manage.py loaddata`.
//!
//! Must never: guess what a row means (what the file does not explain is told), or hold all users in memory.

mod directory;
mod dump;
mod error;
mod fixture;
mod row;
mod site;
mod source;
mod sqlite;
mod tables;
mod user;

pub(crate) use directory::{GroupRow, PermissionRow};
pub(crate) use dump::Dump;
pub(crate) use error::{Progress, SourceError};
pub(crate) use site::Site;
pub(crate) use source::Source;
pub(crate) use user::UserRow;
