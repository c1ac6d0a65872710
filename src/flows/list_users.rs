//! The accounts, as administrators see them.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::app::App;
use crate::domain::{
    GroupName, Invalid, Membership, Search, User, UserFilter, UserId, UserOrdering, UserQuery,
};
use crate::flows::FlowError;
use crate::flows::steps::users_page;

/// Which accounts are asked for, in the words of the one who asks.
#[derive(Debug, Clone)]
pub(crate) struct ListUsers {
    pub(crate) search: Option<Search>,
    pub(crate) is_active: Option<bool>,
    pub(crate) is_staff: Option<bool>,
    pub(crate) is_superuser: Option<bool>,
    pub(crate) group: Option<GroupName>,
    pub(crate) ordering: UserOrdering,
    pub(crate) cursor: Option<String>,
    pub(crate) limit: usize,
}

/// One page of them.
#[derive(Debug)]
pub(crate) struct ListedUsers {
    pub(crate) users: Vec<User>,
    /// What to ask for the next page with.
    pub(crate) next: Option<String>,
    /// On all pages.
    pub(crate) count: u64,
}

/// A page of the accounts that are asked for. The next page begins where this one ends, whatever is written meanwhile.
pub(crate) async fn list_users(app: &Arc<App>, wish: ListUsers) -> Result<ListedUsers, FlowError> {
    let ordering = wish.ordering;
    let after = wish.cursor.map(|cursor| place_of(&cursor, ordering)).transpose()?;
    let filter = UserFilter {
        search: wish.search,
        is_active: wish.is_active,
        is_staff: wish.is_staff,
        is_superuser: wish.is_superuser,
        group: wish.group.map(|name| membership(app, &name)).transpose()?,
    };
    if filter.is_empty() && after.is_none() {
        // Whoever opens the list will search it.
        app.store.want_roster();
    }
    let query = UserQuery { filter, ordering, after, limit: wish.limit };
    let page = users_page(app, query).await?.ok_or_else(no_cursor)?;
    let next = page.next.map(|place| cursor_of(&place, ordering));
    Ok(ListedUsers { users: page.users, next, count: page.count })
}

/// One account.
pub(crate) fn view_user(app: &App, id: UserId) -> Result<Arc<User>, FlowError> {
    app.store.user(id)?.ok_or(FlowError::NotFound)
}

fn membership(app: &App, name: &GroupName) -> Result<Membership, FlowError> {
    if name.as_str() == GroupName::ROOT {
        return Ok(Membership::Root);
    }
    let directory = app.store.directory();
    let unknown = || Invalid::new("unknown", "There is no group of this name.");
    let group = directory.group_named(name.as_str());
    let group = group.ok_or_else(|| FlowError::Invalid("group", vec![unknown()]))?;
    Ok(Membership::Group(group.id))
}

/// A cursor is of one ordering: in another, its place means nothing.
fn cursor_of(place: &[u8], ordering: UserOrdering) -> String {
    URL_SAFE_NO_PAD.encode([&[ordering.tag()], place].concat())
}

fn place_of(cursor: &str, ordering: UserOrdering) -> Result<Vec<u8>, FlowError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| no_cursor())?;
    bytes.strip_prefix(&[ordering.tag()]).map(<[u8]>::to_vec).ok_or_else(no_cursor)
}

fn no_cursor() -> FlowError {
    let invalid = Invalid::new("invalid", "This is no cursor of a list in this ordering.");
    FlowError::Invalid("cursor", vec![invalid])
}
