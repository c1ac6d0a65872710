//! The OpenAPI document: made from the endpoint list, committed, and served as committed. A test compares the two.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde_json::Value;

use crate::config::CompatConfig;
use crate::http::gzip::Packed;

/// `assets/openapi.json`: the native API.
const DOCUMENT: &str = include_str!("../../assets/openapi.json");

/// What each surface adds to it.
const SURFACES: [(&str, &str); 3] = [
    ("dj-rest-auth", include_str!("../../assets/openapi/dj-rest-auth.json")),
    ("simplejwt", include_str!("../../assets/openapi/simplejwt.json")),
    ("dj-auth-api", include_str!("../../assets/openapi/dj-auth-api.json")),
];

/// The document of what is served, as it is served and printed: the native API, and the surfaces that are on.
pub(crate) fn document(config: &CompatConfig) -> Cow<'static, str> {
    let profiles = config.profiles();
    let parts = SURFACES.iter().filter(|(name, _)| profiles.contains(name));
    let parts: Vec<&str> = parts.map(|(_, part)| *part).collect();
    if parts.is_empty() { Cow::Borrowed(DOCUMENT) } else { Cow::Owned(with(&parts)) }
}

/// The document of each choice of surfaces, compressed when somebody first asks for it.
static PACKED: [OnceLock<Packed>; 1 << SURFACES.len()] = [const { OnceLock::new() }; 1 << SURFACES.len()];

/// The document as it goes out.
pub(crate) fn packed(config: &CompatConfig) -> &'static Packed {
    let profiles = config.profiles();
    let bits =
        SURFACES.iter().enumerate().map(|(bit, (name, _))| usize::from(profiles.contains(name)) << bit);
    let [first, ..] = &PACKED;
    let packed = PACKED.get(bits.sum::<usize>()).unwrap_or(first);
    packed.get_or_init(|| Packed::pack(document(config).as_bytes()))
}

fn with(parts: &[&str]) -> String {
    // A test holds each file to what made it: they parse.
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let mut document = parse(DOCUMENT);
    for part in parts {
        let part = parse(part);
        for place in ["/paths", "/components/schemas"] {
            if let (Some(Value::Object(all)), Some(Value::Object(more))) =
                (document.pointer_mut(place), part.pointer(place))
            {
                all.extend(more.clone());
            }
        }
    }
    format!("{document:#}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, Value, json};
    use utoipa::ToSchema;

    use super::{DOCUMENT, SURFACES};
    use crate::config::Config;
    use crate::http::access::{Access, Gate};
    use crate::http::endpoint::{Endpoint, NATIVE, SchemaOf};
    use crate::http::error::Problem;
    use crate::http::{compat, routes};

    /// `UPDATE=1 cargo test` writes the file anew.
    #[test]
    fn the_committed_document_describes_the_endpoints() {
        hold("assets/openapi.json", DOCUMENT, &document(&routes::endpoints()));
        let on: Vec<String> = SURFACES.iter().map(|(name, _)| format!("{name:?}")).collect();
        let config = Config::from_toml(&format!("[compat]\nprofiles = [{}]\n", on.join(", ")));
        let endpoints = compat::endpoints(&config.expect("valid").compat);
        for (name, committed) in SURFACES {
            let own: Vec<&Endpoint> =
                endpoints.iter().filter(|endpoint| endpoint.surface.name == name).collect();
            let (paths, schemas) = described(own);
            let part = json!({ "paths": paths, "components": { "schemas": schemas } });
            hold(&format!("assets/openapi/{name}.json"), committed, &part);
        }
    }

    fn hold(path: &str, committed: &str, document: &Value) {
        let made = format!("{document:#}\n");
        #[expect(clippy::disallowed_methods, reason = "asks whether to write the file")]
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(format!("{}/{path}", env!("CARGO_MANIFEST_DIR")), made).expect("written");
        } else {
            assert!(made == committed, "{path} is old: run UPDATE=1 cargo test");
        }
    }

    #[test]
    fn a_surface_that_is_on_is_in_the_document() {
        let config = |text: &str| Config::from_toml(text).expect("valid").compat;
        let login = "/paths/~1api~1authentication~1login~1/post/tags/0";
        let of =
            |text: &str| -> Value { serde_json::from_str(&super::document(&config(text))).expect("JSON") };
        assert_eq!(of("").pointer(login), None);
        let on = of("[compat]\nprofiles = [\"dj-rest-auth\"]\n");
        assert_eq!(on.pointer(login), Some(&json!("dj-rest-auth")));
        assert!(on.pointer("/components/schemas/dj_rest_auth.LogIn").is_some());
        assert!(on.pointer("/paths/~1auth~1login~1").is_some());
    }

    type Described = (BTreeMap<String, Map<String, Value>>, BTreeMap<String, Value>);

    fn described<'a>(endpoints: impl IntoIterator<Item = &'a Endpoint>) -> Described {
        let (mut paths, mut schemas): Described = Default::default();
        for endpoint in endpoints {
            for path in &endpoint.paths {
                let operation = operation(endpoint, path, &mut schemas);
                let method = endpoint.method.as_str().to_ascii_lowercase();
                paths.entry(path.replace("{*", "{")).or_default().insert(method, operation);
            }
        }
        (paths, schemas)
    }

    fn document(endpoints: &[Endpoint]) -> Value {
        let (paths, mut schemas) = described(endpoints);
        add_schema(&mut schemas, &problem());
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Keystead",
                "description": "Accounts: registration, log-in, tokens and profiles.",
                "version": env!("CARGO_PKG_VERSION"),
                "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            },
            "servers": [{ "url": "/" }],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "access_token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                    "api_key": {
                        "type": "http",
                        "scheme": "bearer",
                        "bearerFormat": "ksk_...",
                        "description": "An API key. `Authorization: Token ksk_...` is understood too.",
                    },
                    "cookie": {
                        "type": "apiKey",
                        "in": "cookie",
                        "name": config().cookies.access_name,
                        "description": "An access token, where there is no Authorization header. A request that changes \
                            something has to come from our own pages (Sec-Fetch-Site or Origin). The name is \
                            configured; with an https public_url it begins with __Host-.",
                    },
                },
            },
        })
    }

    fn config() -> Config {
        Config::from_toml("").expect("the defaults")
    }

    fn operation(endpoint: &Endpoint, path: &str, schemas: &mut BTreeMap<String, Value>) -> Value {
        let mut operation = Map::new();
        operation.insert("summary".into(), endpoint.summary.into());
        let is_native = endpoint.surface.name == NATIVE.name;
        operation.insert("tags".into(), json!([if is_native { tag(path) } else { endpoint.surface.name }]));
        let parameters = parameters(endpoint, path);
        if !parameters.is_empty() {
            operation.insert("parameters".into(), parameters.into());
        }
        if let Some(body) = &endpoint.body {
            add_schema(schemas, body);
            let content = json!({ endpoint.media_type: { "schema": reference(body) } });
            operation.insert("requestBody".into(), json!({ "required": true, "content": content }));
        }
        let mut responses = Map::new();
        for (status, schema) in &endpoint.replies {
            let description = status.canonical_reason().unwrap_or_default();
            let mut response = json!({ "description": description });
            if let Some(schema) = schema {
                add_schema(schemas, schema);
                response["content"] = json!({ "application/json": { "schema": reference(schema) } });
            }
            responses.insert(status.as_str().into(), response);
        }
        let problem = if is_native {
            json!({ "application/problem+json": { "schema": reference(&problem()) } })
        } else {
            json!({ "application/json": { "schema": { "type": "object" } } })
        };
        if endpoint.limit.is_some() {
            let number = json!({ "schema": { "type": "integer" } });
            let names = ["Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];
            let headers: Map<String, Value> =
                names.into_iter().map(|name| (name.to_owned(), number.clone())).collect();
            let description = "Too often from one address, or for one account. Times are in seconds.";
            let response = json!({ "description": description, "headers": headers, "content": problem });
            responses.insert("429".into(), response);
        }
        let wrong = if is_native { "A problem (RFC 9457)" } else { "What was wrong, as the surface says it" };
        responses.insert("default".into(), json!({ "description": wrong, "content": problem }));
        operation.insert("responses".into(), responses.into());
        let is_secured = endpoint.gate.access != Access::Public;
        // Another surface takes no cookie, or one of its own.
        let schemes = [
            ("access_token", is_secured),
            ("api_key", is_secured && !endpoint.gate.needs_session),
            ("cookie", is_secured && is_native),
        ];
        let taken = schemes.into_iter().filter(|(_, is_taken)| *is_taken);
        let security: Vec<Value> = taken.map(|(name, _)| json!({ name: [] })).collect();
        operation.insert("security".into(), security.into());
        operation.insert("x-access".into(), access(endpoint.gate));
        operation.into()
    }

    /// What `security` has no words for: who has to be staff, with which permissions, and what else is asked of them.
    fn access(gate: Gate) -> Value {
        let caller = match gate.access {
            Access::Public => "everybody",
            Access::User => "user",
            Access::AnyStaff | Access::Staff(_) | Access::StaffWithOneOf(_) => "staff",
            Access::Superuser => "superuser",
        };
        json!({
            "caller": caller,
            "permissions": gate.permissions().collect::<Vec<_>>(),
            "one_of": gate.one_of(),
            "needs_session": gate.needs_session,
            "takes_temporary_password": gate.takes_temporary_password,
        })
    }

    fn parameters(endpoint: &Endpoint, path: &str) -> Vec<Value> {
        let in_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(|name| name.trim_start_matches('*')).map(
            |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }),
        );
        let in_query = endpoint.query.iter().map(|(name, what)| {
            json!({ "name": name, "in": "query", "description": what, "schema": { "type": "string" } })
        });
        in_path.chain(in_query).collect()
    }

    fn tag(path: &str) -> &str {
        match path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().as_slice() {
            ["auth", noun, ..] => noun,
            _ => "service",
        }
    }

    fn problem() -> SchemaOf {
        SchemaOf {
            name: Problem::name,
            schema: <Problem as utoipa::PartialSchema>::schema,
            parts: Problem::schemas,
        }
    }

    fn reference(schema: &SchemaOf) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", (schema.name)()) })
    }

    fn add_schema(schemas: &mut BTreeMap<String, Value>, schema: &SchemaOf) {
        let mut parts = vec![((schema.name)().into_owned(), (schema.schema)())];
        (schema.parts)(&mut parts);
        for (name, part) in parts {
            let part = serde_json::to_value(part).expect("serializes");
            let same = schemas.entry(name).or_insert_with(|| part.clone());
            assert!(*same == part, "two types of the document have one name: {same} and {part}");
        }
    }
}
