//! The OpenAPI document: made from the endpoint list, committed, and served as committed. A test compares the two.

/// `assets/openapi.json`, as it is served and printed.
pub(crate) const DOCUMENT: &str = include_str!("../../assets/openapi.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, Value, json};
    use utoipa::ToSchema;

    use super::DOCUMENT;
    use crate::config::Config;
    use crate::http::access::Access;
    use crate::http::endpoint::{Endpoint, SchemaOf};
    use crate::http::error::Problem;
    use crate::http::routes;

    /// `UPDATE=1 cargo test` writes the file anew.
    #[test]
    fn the_committed_document_describes_the_endpoints() {
        let mut made = serde_json::to_string_pretty(&document(&routes::endpoints())).expect("serializes");
        made.push('\n');
        #[expect(clippy::disallowed_methods, reason = "asks whether to write the file")]
        if std::env::var_os("UPDATE").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/openapi.json");
            std::fs::write(path, &made).expect("written");
        } else {
            assert!(made == DOCUMENT, "assets/openapi.json is old: run UPDATE=1 cargo test");
        }
    }

    fn document(endpoints: &[Endpoint]) -> Value {
        let mut schemas = BTreeMap::new();
        let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        add_schema(&mut schemas, &problem());
        for endpoint in endpoints {
            for path in &endpoint.paths {
                let operation = operation(endpoint, path, &mut schemas);
                let method = endpoint.method.as_str().to_ascii_lowercase();
                paths.entry(path).or_default().insert(method, operation);
            }
        }
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
        operation.insert("tags".into(), json!([tag(path)]));
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
        let problem = json!({ "application/problem+json": { "schema": reference(&problem()) } });
        if endpoint.limit.is_some() {
            let number = json!({ "schema": { "type": "integer" } });
            let names = ["Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];
            let headers: Map<String, Value> =
                names.into_iter().map(|name| (name.to_owned(), number.clone())).collect();
            let description = "Too often from one address, or for one account. Times are in seconds.";
            let response = json!({ "description": description, "headers": headers, "content": problem });
            responses.insert("429".into(), response);
        }
        responses
            .insert("default".into(), json!({ "description": "A problem (RFC 9457)", "content": problem }));
        operation.insert("responses".into(), responses.into());
        let security = match endpoint.gate.access {
            Access::Public => json!([]),
            _ if endpoint.gate.needs_session => json!([{ "access_token": [] }, { "cookie": [] }]),
            Access::User | Access::AnyStaff | Access::Staff(_) | Access::StaffWithOneOf(_) => {
                json!([{ "access_token": [] }, { "api_key": [] }, { "cookie": [] }])
            }
        };
        operation.insert("security".into(), security);
        operation.into()
    }

    fn parameters(endpoint: &Endpoint, path: &str) -> Vec<Value> {
        let in_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(
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
            schemas.insert(name, serde_json::to_value(part).expect("serializes"));
        }
    }
}
