//! What a file tells beside its users: rights, confirmed addresses, tokens, and which model the users are of.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::django::directory::{Directory, Rights};
use crate::django::row::{Reference, Row};
use crate::django::user::{self, TokenRow, UserRow};

/// A file, understood but for its users.
#[derive(Debug)]
pub(crate) struct Site {
    user_model: String,
    pub(crate) directory: Directory,
    /// Models with the number of their rows, and members of users, that are left behind.
    pub(crate) ignored: Vec<String>,
    addresses: HashMap<Reference, Vec<Address>>,
    tokens: HashMap<Reference, TokenRow>,
}

/// An address of django-allauth.
#[derive(Debug)]
struct Address {
    email: String,
    is_verified: bool,
    is_primary: bool,
}

impl Site {
    /// The user that this row is, or why it is none; with what of it is left behind. None: it is no user's row.
    pub(crate) fn user(&self, row: &Row) -> Option<Result<(UserRow, Vec<String>), String>> {
        (row.model == self.user_model).then(|| self.read_user(row))
    }

    fn read_user(&self, row: &Row) -> Result<(UserRow, Vec<String>), String> {
        let (mut user, notes) = user::read(row, &self.directory)?;
        let keys = keys_of(&user);
        let addresses = keys.iter().find_map(|key| self.addresses.get(key)).map_or(&[][..], Vec::as_slice);
        if user.email.is_none() {
            user.email = addresses.iter().find(|one| one.is_primary).map(|one| one.email.clone());
        }
        let email = user.email.as_deref().unwrap_or_default();
        user.email_verified =
            addresses.iter().any(|one| one.is_verified && one.email.eq_ignore_ascii_case(email));
        user.token = keys.iter().find_map(|key| self.tokens.get(key)).cloned();
        Ok((user, notes))
    }
}

/// What other rows may call this user: their number, or the name that their model has for them. A username that looks like
/// an address may be somebody else's address, and where both could be meant, neither is.
fn keys_of(user: &UserRow) -> Vec<Reference> {
    let natural = match (&user.username, &user.email) {
        (Some(username), email) if username.contains('@') => {
            email.as_ref().filter(|email| *email == username)
        }
        (Some(username), _) => Some(username),
        (None, email) => email.as_ref(),
    };
    let natural = natural.map(|name| Reference::Natural(vec![name.clone()]));
    user.id.map(Reference::Number).into_iter().chain(natural).collect()
}

/// Collects what makes a [`Site`].
#[derive(Debug)]
pub(super) struct Survey {
    wanted: Option<String>,
    rights: Rights,
    addresses: HashMap<Reference, Vec<Address>>,
    tokens: HashMap<Reference, TokenRow>,
    /// Models whose rows are users by what they have.
    candidates: BTreeMap<String, Candidate>,
    others: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Candidate {
    unknown: BTreeSet<String>,
}

impl Survey {
    pub(super) fn new(user_model: Option<&str>) -> Self {
        Self {
            wanted: user_model.map(str::to_lowercase),
            rights: Rights::default(),
            addresses: HashMap::new(),
            tokens: HashMap::new(),
            candidates: BTreeMap::new(),
            others: BTreeMap::new(),
        }
    }

    pub(super) fn take(&mut self, row: Row) {
        match row.model.as_str() {
            "contenttypes.contenttype" => self.rights.take_content_type(&row),
            "auth.permission" => self.rights.take_permission(row),
            "auth.group" => self.rights.take_group(row),
            "account.emailaddress" => self.take_address(&row),
            "authtoken.token" => self.take_token(&row),
            _ if self.is_user(&row) => self.take_user(&row),
            _ => *self.others.entry(row.model).or_default() += 1,
        }
    }

    /// Every model that Django can log in with has these two.
    fn is_user(&self, row: &Row) -> bool {
        match &self.wanted {
            Some(wanted) => row.model == *wanted,
            None => row.fields.contains_key("password") && row.fields.contains_key("last_login"),
        }
    }

    fn take_user(&mut self, row: &Row) {
        self.rights.note_names(row.field("user_permissions"));
        let candidate = self.candidates.entry(row.model.clone()).or_default();
        for name in row.fields.keys().filter(|name| !user::MEMBERS.contains(&name.as_str())) {
            if !candidate.unknown.contains(name) {
                candidate.unknown.insert(name.clone());
            }
        }
    }

    fn take_address(&mut self, row: &Row) {
        let (Some(user), Ok(Some(email))) = (Reference::of(row.field("user")), row.filled("email")) else {
            return;
        };
        let is_verified = row.flag("verified", false).unwrap_or_default();
        let is_primary = row.flag("primary", false).unwrap_or_default();
        self.addresses.entry(user).or_default().push(Address { email, is_verified, is_primary });
    }

    fn take_token(&mut self, row: &Row) {
        if let (Some(user), Value::String(key)) = (Reference::of(row.field("user")), &row.pk) {
            self.tokens.insert(user, TokenRow::new(key));
        }
    }

    pub(super) fn finish(mut self) -> Result<Site, String> {
        if self.candidates.len() > 1 {
            let models: Vec<&str> = self.candidates.keys().map(String::as_str).collect();
            return Err(format!("users of more than one model ({}): give --user-model", models.join(", ")));
        }
        let (user_model, users) = match (self.candidates.pop_first(), self.wanted) {
            (Some(found), _) => found,
            (None, Some(wanted)) => return Err(format!("no rows of the model {wanted}")),
            (None, None) => ("auth.user".to_owned(), Candidate::default()),
        };
        let mut ignored: Vec<String> =
            self.others.into_iter().map(|(model, rows)| format!("{model} ({rows} rows)")).collect();
        ignored.extend(users.unknown.into_iter().map(|member| format!("{member} of {user_model}")));
        Ok(Site {
            directory: self.rights.resolve(&user_model),
            user_model,
            ignored,
            addresses: self.addresses,
            tokens: self.tokens,
        })
    }
}
