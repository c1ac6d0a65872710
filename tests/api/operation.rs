//! One operation of the served OpenAPI document, ready to be sent: how a test meets every endpoint there is.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, TestServer};

pub(crate) struct Operation {
    pub(crate) method: Method,
    /// As the document writes it.
    pub(crate) path: String,
    /// Whether it asks for an access token.
    pub(crate) is_secured: bool,
    /// Whether an API key does as well.
    pub(crate) takes_api_key: bool,
    pub(crate) access: Access,
    /// A body with every member the document names, each of a plausible form.
    pub(crate) body: Option<Value>,
    /// What is to be sent at the least, and as what.
    pub(crate) least: Option<(&'static str, Vec<u8>)>,
}

/// Who may call it, as the document says it.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) caller: Who,
    /// Staff need each of them.
    pub(crate) permissions: Vec<String>,
    /// And one of these.
    pub(crate) one_of: Vec<String>,
    pub(crate) needs_session: bool,
    pub(crate) takes_temporary_password: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Everybody,
    User,
    Staff,
    Superuser,
}

impl Operation {
    /// All of the served document, in its order.
    pub(crate) async fn all(server: &TestServer) -> Vec<Self> {
        let document = server.anon().get("/openapi.json").await.expect(200).body;
        let schemas = &document["components"]["schemas"];
        let mut all = Vec::new();
        for (path, operations) in document["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                let security = operation["security"].as_array().expect("security");
                let content = &operation["requestBody"]["content"];
                let body = schema_of(schemas, &content[JSON]);
                let form = schema_of(schemas, &content[FORM]);
                all.push(Self {
                    method: method.to_ascii_uppercase().parse().expect("a method"),
                    path: path.clone(),
                    is_secured: !security.is_empty(),
                    takes_api_key: security.iter().any(|scheme| scheme.get("api_key").is_some()),
                    access: Access::of(operation),
                    body: body.map(|schema| filled(schema, |_| true)),
                    least: body
                        .map(|schema| (JSON, least(schema).to_string().into_bytes()))
                        .or_else(|| form.map(|schema| (FORM, as_form(&least(schema))))),
                });
            }
        }
        all
    }

    /// The path with something in the place of each parameter, which names nothing that exists.
    pub(crate) fn url(&self) -> String {
        const ID: &str = "018f3b5c-7a10-7000-8000-000000000000";
        let parts = self.path.split('/').map(|part| match part {
            "{file}" => "pages/style.css",
            part if part.starts_with('{') => ID,
            part => part,
        });
        let parts: Vec<&str> = parts.collect();
        parts.join("/")
    }

    /// Whether this answers a user whose credential counted: where staff alone may go, they are told so.
    pub(crate) fn is_let_in(&self, answer: &Answer) -> bool {
        if matches!(self.access.caller, Who::Staff | Who::Superuser) {
            return answer.status == StatusCode::FORBIDDEN && answer.body["code"] == "permission_denied";
        }
        !matches!(answer.status.as_u16(), 401 | 403 | 405 | 500..)
    }

    /// Sends it, its body included.
    pub(crate) async fn send(&self, caller: &Caller, headers: &[(&str, &str)]) -> Answer {
        let mut headers = headers.to_vec();
        if self.body.is_some() {
            headers.push(("content-type", JSON));
        }
        let body = self.body.as_ref().map(|body| body.to_string().into());
        caller.send(self.method.clone(), &self.url(), &headers, body).await
    }

    /// Sends the least of it to a path of its kind.
    pub(crate) async fn send_to(&self, caller: &Caller, url: &str) -> Answer {
        let headers: Vec<(&str, &str)> =
            self.least.iter().map(|(media_type, _)| ("content-type", *media_type)).collect();
        let body = self.least.as_ref().map(|(_, body)| body.clone());
        caller.send(self.method.clone(), url, &headers, body).await
    }
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

impl Access {
    /// What somebody has who has all that is asked for.
    pub(crate) fn all(&self) -> Vec<String> {
        [self.permissions.as_slice(), &self.one_of].concat()
    }

    /// The smallest sets that nobody may lack.
    pub(crate) fn needed(&self) -> Vec<Vec<String>> {
        let each = self.permissions.iter().map(|one| vec![one.clone()]);
        each.chain(Some(self.one_of.clone()).filter(|names| !names.is_empty())).collect()
    }

    fn of(operation: &Value) -> Self {
        let access = &operation["x-access"];
        let flag = |name: &str| access[name].as_bool().expect("a flag of x-access");
        let names = |name: &str| -> Vec<String> {
            let names = access[name].as_array().expect("names of x-access").iter();
            names.map(|one| one.as_str().expect("a name").to_owned()).collect()
        };
        Self {
            caller: match access["caller"].as_str() {
                Some("everybody") => Who::Everybody,
                Some("user") => Who::User,
                Some("staff") => Who::Staff,
                Some("superuser") => Who::Superuser,
                other => panic!("x-access knows no caller {other:?}"),
            },
            permissions: names("permissions"),
            one_of: names("one_of"),
            needs_session: flag("needs_session"),
            takes_temporary_password: flag("takes_temporary_password"),
        }
    }
}

fn schema_of<'a>(schemas: &'a Value, content: &Value) -> Option<&'a Value> {
    let name = content["schema"]["$ref"].as_str()?.rsplit('/').next()?;
    Some(&schemas[name])
}

/// Only what has to be there.
fn least(schema: &Value) -> Value {
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    filled(schema, |name| required.iter().any(|one| one == name))
}

fn filled(schema: &Value, is_wanted: impl Fn(&str) -> bool) -> Value {
    let members = schema["properties"].as_object().expect("properties").iter();
    let members = members.filter(|(name, _)| is_wanted(name)).map(|(name, member)| {
        let value = match (name.as_str(), member["format"].as_str()) {
            _ if member["enum"].is_array() => member["enum"][0].clone(),
            _ if member["type"] == "boolean" => json!(false),
            _ if member["type"] == "integer" => json!(1),
            _ if member["type"] == "array" => json!([]),
            (_, Some("email")) => json!("somebody@example.com"),
            (_, Some("date-time")) => json!("2999-12-31T23:59:59Z"),
            ("avatar", _) => json!("https://example.com/somebody.png"),
            _ => json!("somebodys-own"),
        };
        (name.clone(), value)
    });
    Value::Object(members.collect())
}

/// The members as a form has them.
fn as_form(members: &Value) -> Vec<u8> {
    let members = members.as_object().expect("members").iter();
    let pairs = members.map(|(name, value)| match value.as_str() {
        Some(word) => format!("{name}={word}"),
        None => format!("{name}={value}"),
    });
    pairs.collect::<Vec<_>>().join("&").into_bytes()
}
