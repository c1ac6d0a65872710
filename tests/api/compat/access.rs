//! Who may call what: asked of every endpoint that the document tells of, with all surfaces on.

use serde_json::json;

use crate::harness::TestServer;
use crate::operation::Operation;

const ALL: &str = "compat.profiles = [\"dj-rest-auth\", \"simplejwt\", \"dj-auth-api\"]";

/// Those of the surfaces.
async fn operations(server: &TestServer) -> Vec<Operation> {
    let mut all = Operation::all(server).await;
    all.retain(|operation| operation.path.starts_with("/api/") || operation.path.starts_with("/users/"));
    all
}

#[tokio::test]
async fn nobody_gets_in_without_a_good_credential() {
    let server = TestServer::start_with(ALL).await;
    let ada = server.registered("ada@example.com").await;
    let key = server.api_key(&ada, &json!({ "name": "old" })).await.0;
    ada.delete("/auth/logout/").await.expect(204);
    for operation in operations(&server).await.iter().filter(|operation| operation.is_secured) {
        let path = &operation.path;
        for caller in [server.anon(), server.holder("nonsense"), server.holder("ksk_nonsense")] {
            operation.send(&caller, &[]).await.expect(401);
        }
        let over = operation.send(&ada, &[]).await;
        let expected = if path.starts_with("/api/auth/") { 403 } else { 401 };
        assert_eq!(over.status.as_u16(), expected, "{} {path}: {}", operation.method, over.text);
    }
    key.get("/users/user/").await.expect(200);
}

#[tokio::test]
async fn a_user_is_no_administrator() {
    let server = TestServer::start_with(ALL).await;
    let ada = server.registered("ada@example.com").await;
    for operation in operations(&server).await {
        let is_for_staff = operation.path.starts_with("/api/auth/admin/") || operation.path == "/users/";
        if is_for_staff {
            operation.send(&ada, &[]).await.expect(403);
        }
    }
}

#[tokio::test]
async fn every_endpoint_has_an_answer() {
    let server = TestServer::start_with(ALL).await;
    let all = operations(&server).await;
    assert_eq!(all.len(), 50, "this many are told of");
    for operation in all.iter().filter(|operation| !operation.is_secured) {
        let answer = operation.send(&server.anon(), &[]).await;
        let status = answer.status.as_u16();
        assert!(
            status < 500 && status != 405 && answer.body.is_object(),
            "{}: {}",
            operation.path,
            answer.text
        );
    }
}
