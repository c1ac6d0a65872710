//! What an operator sees of users, and does to them.
//!
//! Must never: print what a user typed as it is; it may hold what a terminal obeys.

use std::fmt::Write;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::cli::outcome::{Outcome, Refusal};
use crate::domain::{Avatar, Email, Origin, Search, Session, Timestamp, User, Username, escaped, is_unruly};
use crate::flows::{self, FlowError, Identifier, UserSheet};

/// One wish of `keystead users`, as it goes over the control socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum UsersWish {
    List { search: String, limit: usize, form: Form },
    Show { user: String, form: Form },
    Disable { user: String },
    Sessions { user: String },
    Revoke { user: String },
}

/// Users that are listed at most, whatever is asked.
const MAX_LISTED: usize = 1000;

/// For whom it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    Text,
    Json,
}

/// What goes over the control socket, with room for what JSON escapes in it.
const MAX_TEXT: usize = 1 << 20;

/// Does it, and says what to print.
pub(super) async fn run(app: &Arc<App>, wish: &UsersWish) -> Result<Outcome, Refusal> {
    let origin = Origin::default();
    let text = match wish {
        UsersWish::List { search, limit, form } => {
            let search = Search::parse(search).map_err(|refused| {
                Refusal::new(format!("cannot search for {search:?}: {}", refused.message))
            })?;
            let search = Some(search).filter(|search| !search.is_empty());
            let (found, are_more) = flows::find_users(app, search, (*limit).min(MAX_LISTED)).await?;
            match form {
                Form::Json => printed(&found.iter().map(|user| to_json(app, user)).collect()),
                Form::Text => table_of_users(&found, are_more),
            }
        }
        UsersWish::Show { user, form } => {
            let sheet = look_up(app, user)?;
            match form {
                Form::Json => printed(&to_json(app, &sheet.user)),
                Form::Text => sheet_of(app, &sheet),
            }
        }
        UsersWish::Sessions { user } => table_of_sessions(&look_up(app, user)?.sessions),
        UsersWish::Disable { user } => {
            let disabled = flows::disable_by_operator(app, &origin, &Identifier::parse(user)).await;
            let disabled = disabled.map_err(|error| refusal(error, user))?;
            format!("User {} is disabled: sessions, API keys and codes have ended\n", name_of(&disabled))
        }
        UsersWish::Revoke { user } => {
            let revoked = flows::revoke_all(app, &origin, &Identifier::parse(user)).await;
            let (owner, revoked) = revoked.map_err(|error| refusal(error, user))?;
            let (name, sessions, api_keys) = (name_of(&owner), revoked.sessions, revoked.api_keys);
            format!("User {name} is logged out (sessions ended: {sessions}, API keys: {api_keys})\n")
        }
    };
    if text.len() > MAX_TEXT {
        return Err(Refusal::new("this is more than one answer holds: give --search or a smaller --limit"));
    }
    Ok(Outcome::saying(text))
}

fn look_up(app: &App, user: &str) -> Result<UserSheet, Refusal> {
    flows::look_up_user(app, &Identifier::parse(user)).map_err(|error| refusal(error, user))
}

fn refusal(error: FlowError, user: &str) -> Refusal {
    match error {
        FlowError::NotFound => Refusal::new(format!("no user has the email address or username {user:?}")),
        FlowError::LastSuperuser => Refusal::new(format!(
            "{user} is the last active superuser and stays: make another one first, with keystead createsuperuser"
        )),
        error => error.into(),
    }
}

fn table_of_users(users: &[User], are_more: bool) -> String {
    let head = ["ID", "EMAIL", "USERNAME", "NAME", "ROLE", "STATE", "LAST LOGIN"].map(str::to_owned);
    let rows = users.iter().map(|user| {
        [
            user.id.0.to_string(),
            text_or_dash(user.email.as_ref().map(Email::as_str)),
            text_or_dash(user.username.as_ref().map(Username::as_str)),
            text_or_dash(Some(&user.full_name())),
            role_of(user).to_owned(),
            state_of(user).to_owned(),
            time_or_never(user.last_login),
        ]
    });
    let mut text = aligned(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
    if are_more {
        text.push_str("There are more: give --search or a larger --limit\n");
    }
    text
}

fn sheet_of(app: &App, sheet: &UserSheet) -> String {
    let user = &sheet.user;
    let verified = if user.email.is_some() && !user.email_verified { " (not confirmed)" } else { "" };
    let groups = flows::directory(app).group_names(user).join(", ");
    let rows = [
        ("id", user.id.0.to_string()),
        ("email", text_or_dash(user.email.as_ref().map(Email::as_str)) + verified),
        ("username", text_or_dash(user.username.as_ref().map(Username::as_str))),
        ("name", text_or_dash(Some(&user.full_name()))),
        ("role", role_of(user).to_owned()),
        ("state", state_of(user).to_owned()),
        ("groups", text_or_dash(Some(&groups))),
        ("joined", user.date_joined.to_string()),
        ("updated", user.updated_at.to_string()),
        ("last login", time_or_never(user.last_login)),
        ("sessions", sheet.sessions.len().to_string()),
        ("API keys", sheet.api_keys.to_string()),
    ];
    aligned(&rows.map(|(name, value)| [name.to_owned(), value]))
}

fn table_of_sessions(sessions: &[Session]) -> String {
    let head = ["SESSION", "SINCE", "LAST USED", "UNTIL", "ADDRESS", "LABEL", "BROWSER"].map(str::to_owned);
    let rows = sessions.iter().map(|session| {
        [
            session.id.to_string(),
            session.created_at.to_string(),
            session.last_refreshed_at.to_string(),
            session.refresh_expires_at.to_string(),
            text_or_dash(session.ip.map(|ip| ip.to_string()).as_deref()),
            text_or_dash(Some(session.label.as_str())),
            text_or_dash(session.user_agent.as_deref()),
        ]
    });
    aligned(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// The user object of the HTTP API.
fn to_json(app: &App, user: &User) -> Value {
    json!({
        "id": user.id.0,
        "email": user.email.as_ref().map(Email::as_str),
        "username": user.username.as_ref().map(Username::as_str),
        "first_name": user.first_name.as_str(),
        "last_name": user.last_name.as_str(),
        "full_name": user.full_name(),
        "avatar": user.avatar.as_ref().map(Avatar::as_str),
        "is_active": user.is_active,
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
        "email_verified": user.email_verified,
        "groups": flows::directory(app).group_names(user),
        "date_joined": user.date_joined.to_string(),
        "updated_at": user.updated_at.to_string(),
        "last_login": user.last_login.map(|at| at.to_string()),
    })
}

/// JSON that a terminal may see: only within a string can there be what it would obey.
fn printed(value: &Value) -> String {
    let mut text = String::new();
    for c in format!("{value:#}\n").chars() {
        if is_unruly(c) && c != '\n' {
            // All of them are within 16 bits. Writing to a String never fails.
            write!(text, "\\u{:04x}", u32::from(c)).ok();
        } else {
            text.push(c);
        }
    }
    text
}

fn name_of(user: &User) -> String {
    text_or_dash(Some(&user.email.as_ref().map_or_else(|| user.label(), |email| email.as_str().to_owned())))
}

fn role_of(user: &User) -> &'static str {
    match user {
        User { is_superuser: true, .. } => "superuser",
        User { is_staff: true, .. } => "staff",
        User { .. } => "user",
    }
}

fn state_of(user: &User) -> &'static str {
    if user.is_active { "active" } else { "disabled" }
}

fn time_or_never(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "never".to_owned(), |time| time.to_string())
}

/// What a terminal would obey is shown escaped.
fn text_or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).map_or_else(|| "-".to_owned(), escaped)
}

/// Columns as wide as their widest cell.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            write!(line, "{cell:width$}  ").ok();
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_reaches_the_terminal_as_an_order() {
        let rows = [["ID", "NAME", "X"], ["1", "Ådä", "-"], ["12", "B", ""]];

        assert_eq!(aligned(&rows.map(|row| row.map(str::to_owned))), "ID  NAME  X\n1   Ådä   -\n12  B\n");
        assert_eq!(text_or_dash(Some("a\u{1b}[2J\n\u{202e}")), "a\\u{1b}[2J\\n\\u{202e}");
        assert_eq!(printed(&json!({ "name": "\u{202e}\u{7f}b" })), "{\n  \"name\": \"\\u202e\\u007fb\"\n}\n");
        assert_eq!(text_or_dash(None), "-");
    }
}
