//! The wires of the services that Keystead replaces, held to what those answered.

mod access;
mod bodies;
mod dj_auth_api;
mod dj_auth_api_admin;
mod dj_rest_auth;
mod dual_run;
mod simplejwt;

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};

/// A credential as another wire writes it in the `Authorization` header.
async fn send(
    server: &TestServer,
    method: Method,
    path: &str,
    authorization: Option<&str>,
    body: &Value,
) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(authorization.map(|value| ("authorization", value)));
    let body = if *body == Value::Null { None } else { Some(body.to_string().into()) };
    server.anon().send(method, path, &headers, body).await
}

async fn post(server: &TestServer, path: &str, body: &Value) -> Answer {
    send(server, Method::POST, path, None, body).await
}

/// The answer of Django REST framework to whoever shows nothing.
fn no_credentials() -> Value {
    json!({ "detail": "Authentication credentials were not provided." })
}
