//! Callers of every kind, and things of every kind for them to reach for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::things::{Noun, Whose};
use crate::harness::{Caller, PASSWORD, ROOT, TestServer, minutes, part_of};
use crate::operation::Operation;

/// Who calls, and with what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Nobody,
    ExpiredToken,
    RevokedToken,
    TokenOfDisabled,
    ExpiredKey,
    RevokedKey,
    KeyOfDisabled,
    User,
    /// A user who has the permissions and is no staff.
    Holder,
    /// Staff with every permission but these.
    StaffWithout(Vec<String>),
    /// Staff with the permissions that are needed, and no other.
    StaffWith,
    Superuser,
    /// An API key of such staff.
    Key,
    /// Such staff, who were given a password and have not chosen another.
    Temporary,
}

impl Kind {
    /// Everybody who calls this operation.
    pub(super) fn all(operation: &Operation) -> Vec<Self> {
        let without = operation.access.needed().into_iter().map(Self::StaffWithout);
        [
            Self::Nobody,
            Self::ExpiredToken,
            Self::RevokedToken,
            Self::TokenOfDisabled,
            Self::ExpiredKey,
            Self::RevokedKey,
            Self::KeyOfDisabled,
            Self::User,
            Self::Holder,
            Self::StaffWith,
            Self::Superuser,
            Self::Key,
            Self::Temporary,
        ]
        .into_iter()
        .chain(without)
        .collect()
    }

    /// Whether they show something that was good once.
    pub(super) fn is_stranger(&self) -> bool {
        use Kind::{ExpiredKey, ExpiredToken, KeyOfDisabled, RevokedKey, RevokedToken, TokenOfDisabled};
        matches!(
            self,
            ExpiredToken | RevokedToken | TokenOfDisabled | ExpiredKey | RevokedKey | KeyOfDisabled
        )
    }

    /// Whether what they have depends on what is needed.
    pub(super) fn has_what_is_needed(&self) -> bool {
        matches!(self, Self::Holder | Self::StaffWith | Self::Key | Self::Temporary)
    }

    /// Whether they have all that an operation for staff asks for.
    pub(super) fn is_staff_enough(&self) -> bool {
        matches!(self, Self::StaffWith | Self::Superuser | Self::Key | Self::Temporary)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaffWithout(some) => write!(f, "staff without {}", some.join(" and ")),
            kind => write!(f, "{kind:?}"),
        }
    }
}

/// A caller, and what is theirs.
pub(super) struct Subject {
    pub(super) caller: Caller,
    pub(super) own: BTreeMap<Noun, String>,
}

/// A service with a superuser who makes everything.
pub(super) struct World {
    server: TestServer,
    root: Caller,
    permissions: Vec<String>,
    made: AtomicUsize,
}

impl World {
    pub(super) async fn start() -> Self {
        let (server, root) = TestServer::with_superuser().await;
        let list = root.get("/auth/admin/permissions/?limit=500").await.expect(200).body;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let rows = list["results"].as_array().expect("rows").iter();
        let permissions =
            rows.map(|row| format!("{}.{}", text(&row["label"]), text(&row["codename"]))).collect();
        Self { server, root, permissions, made: AtomicUsize::new(0) }
    }

    pub(super) fn server(&self) -> &TestServer {
        &self.server
    }

    /// Lets the access tokens and the keys run out that are there.
    pub(super) async fn outlive_tokens(&mut self) {
        self.server.advance(minutes(16));
        self.root = self.server.logged_in(ROOT).await;
    }

    /// All that administrators see, sessions and keys aside.
    pub(super) async fn seen(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for list in ["users", "groups", "permissions", "outbox", "registrations"] {
            let answer = self.root.get(&format!("/auth/admin/{list}/?limit=500")).await.expect(200);
            assert_eq!(answer.body["next"], Value::Null, "{list}: more than a page");
            all.push(answer.body);
        }
        all
    }

    /// A caller of this kind for an operation that needs these permissions, with own things of these kinds.
    pub(super) async fn subject(&self, kind: &Kind, needed: &[String], nouns: &[Noun]) -> Subject {
        let permissions = match kind {
            kind if kind.has_what_is_needed() => needed.to_vec(),
            Kind::StaffWithout(some) => {
                self.permissions.iter().filter(|name| !some.contains(name)).cloned().collect()
            }
            _ => Vec::new(),
        };
        let is_superuser = *kind == Kind::Superuser;
        let is_staff = kind.is_staff_enough() || matches!(kind, Kind::StaffWithout(_));
        let owner = self.account(json!({
            "is_staff": is_staff, "is_superuser": is_superuser, "permissions": permissions,
        }));
        let owner = owner.await;
        let mut own = BTreeMap::new();
        for noun in nouns {
            own.insert(*noun, self.thing_of(&owner, *noun).await);
        }
        Subject { caller: self.turned(kind, owner).await, own }
    }

    /// What becomes of somebody who logged in.
    async fn turned(&self, kind: &Kind, owner: Caller) -> Caller {
        let path = format!("/auth/admin/users/{}/", owner.tokens["user"]["id"]);
        match kind {
            Kind::Nobody => self.server.anon(),
            Kind::RevokedToken => {
                owner.post("/auth/logout/", &json!({})).await.expect(204);
                owner
            }
            Kind::TokenOfDisabled => {
                self.root.delete(&path).await.expect(204);
                owner
            }
            Kind::ExpiredKey => {
                let soon = &owner.tokens["access_expires_at"];
                self.server.api_key(&owner, &json!({ "name": "a key", "expires_at": soon })).await.0
            }
            Kind::RevokedKey => {
                let (key, made) = self.key(&owner).await;
                let id = made["id"].as_str().expect("an id");
                owner.delete(&format!("/auth/api-keys/{id}/")).await.expect(204);
                key
            }
            Kind::KeyOfDisabled => {
                let (key, _) = self.key(&owner).await;
                self.root.delete(&path).await.expect(204);
                key
            }
            Kind::Key => self.key(&owner).await.0,
            Kind::Temporary => {
                let body = json!({ "password": PASSWORD });
                self.root.put(&format!("{path}password/"), &body).await.expect(204);
                self.server.logged_in(owner.tokens["user"]["email"].as_str().expect("an address")).await
            }
            Kind::ExpiredToken
            | Kind::User
            | Kind::Holder
            | Kind::StaffWithout(_)
            | Kind::StaffWith
            | Kind::Superuser => owner,
        }
    }

    async fn key(&self, owner: &Caller) -> (Caller, Value) {
        self.server.api_key(owner, &json!({ "name": "a key" })).await
    }

    /// A new user who is logged in.
    async fn account(&self, mut body: Value) -> Caller {
        let email = self.address();
        body["email"] = json!(email);
        body["password"] = json!(PASSWORD);
        self.root.post("/auth/admin/users/", &body).await.expect(201);
        self.server.logged_in(&email).await
    }

    fn address(&self) -> String {
        format!("u{}@example.com", self.made.fetch_add(1, Ordering::Relaxed))
    }

    /// The name of a new thing that is there.
    pub(super) async fn thing(&self, noun: Noun, whose: Whose) -> String {
        if Noun::SHARED.contains(&noun) {
            return self.shared(noun).await;
        }
        let owner = self.account(json!({ "is_superuser": whose == Whose::Superusers })).await;
        self.thing_of(&owner, noun).await
    }

    async fn thing_of(&self, owner: &Caller, noun: Noun) -> String {
        let id = &owner.tokens["user"]["id"];
        match noun {
            Noun::Session => self.session_of(owner).await,
            Noun::ApiKey => self.key_of(owner).await,
            Noun::UsersSession => format!("{id}/{}", self.session_of(owner).await),
            Noun::UsersApiKey => format!("{id}/{}", self.key_of(owner).await),
            _ => id.to_string(),
        }
    }

    async fn session_of(&self, owner: &Caller) -> String {
        let email = owner.tokens["user"]["email"].as_str().expect("an address");
        let session = self.server.logged_in(email).await;
        part_of(session.access(), 1)["sid"].as_str().expect("an id").to_owned()
    }

    async fn key_of(&self, owner: &Caller) -> String {
        self.key(owner).await.1["id"].as_str().expect("an id").to_owned()
    }

    async fn shared(&self, noun: Noun) -> String {
        let new = self.address();
        match noun {
            Noun::Group => {
                let made = self.root.post("/auth/admin/groups/", &json!({ "name": new })).await;
                made.expect(201).body["id"].to_string()
            }
            Noun::Permission => {
                let (codename, _) = new.split_once('@').expect("an address");
                let body = json!({ "label": "things", "codename": codename });
                let made = self.root.post("/auth/admin/permissions/", &body).await;
                made.expect(201).body["id"].to_string()
            }
            _ => {
                let body = json!({ "email": new, "password": PASSWORD });
                let registered = self.server.anon().post("/auth/register/", &body).await.expect(202).body;
                match noun {
                    Noun::Mail => self.mail_to(&new).await,
                    _ => registered["registration"].as_str().expect("a handle").to_owned(),
                }
            }
        }
    }

    async fn mail_to(&self, email: &str) -> String {
        let list = self.root.get("/auth/admin/outbox/?limit=500").await.expect(200).body;
        let rows = list["results"].as_array().expect("rows");
        let mail = rows.iter().find(|row| row["to"] == email).expect("a mail that waits");
        mail["id"].as_str().expect("an id").to_owned()
    }
}
