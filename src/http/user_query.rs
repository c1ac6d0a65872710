//! The parameters that say which users are meant: the same wherever users are listed.

use crate::domain::{GroupName, Invalid, Search, UserOrdering};
use crate::flows::ListUsers;
use crate::http::body::Fields;
use crate::http::endpoint::Endpoint;

/// Users of one page, at most.
pub(crate) const MAX_LIMIT: usize = 500;

/// The names of the parameters that [`users`] reads.
pub(crate) const FILTERS: [&str; 6] =
    ["search", "is_active", "is_staff", "is_superuser", "group", "ordering"];

/// The same, as the OpenAPI document has them.
pub(crate) fn of_users(endpoint: Endpoint) -> Endpoint {
    endpoint
        .query("search", "Text in the email address, the username or the name, in any case. `^` before it: one of them begins with it.")
        .query("is_active", "`true` or `false`.")
        .query("is_staff", "`true` or `false`.")
        .query("is_superuser", "`true` or `false`.")
        .query("group", "The name of a group; `Root` for all superusers.")
        .query(
            "ordering",
            "`id`, `email`, `username`, `date_joined` or `last_login`; `-` before it reverses.",
        )
}

/// Reads which users are meant, and in which order: the first page of them, as long as one may be.
pub(crate) fn users(fields: &mut Fields) -> ListUsers {
    let search = fields.optional("search", Search::parse).filter(|search| !search.is_empty());
    let [is_active, is_staff, is_superuser] =
        ["is_active", "is_staff", "is_superuser"].map(|name| fields.optional(name, true_or_false));
    let group = fields.optional("group", GroupName::parse);
    let ordering = fields.optional("ordering", UserOrdering::parse).unwrap_or(UserOrdering::DEFAULT);
    let (cursor, limit) = (None, MAX_LIMIT);
    ListUsers { search, is_active, is_staff, is_superuser, group, ordering, cursor, limit }
}

pub(crate) fn true_or_false(text: &str) -> Result<bool, Invalid> {
    text.parse().map_err(|_| Invalid::new("invalid", "Must be true or false."))
}
