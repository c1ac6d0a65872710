//! A user's whole way, with a SIGKILL and another start between every two steps.

use serde_json::json;

use crate::harness::{PASSWORD, Service, configured, keystead};

#[test]
fn every_step_survives_a_kill() {
    let ada = "ada@example.com";
    let folder = configured("tokens.refresh_grace = \"0s\"");

    let service = Service::start(folder.path());
    service.register(ada).expect(202);

    let service = service.killed_and_started();
    service.try_log_in(ada, PASSWORD).expect_problem(401, "invalid_credentials");
    let code = service.mail_to(ada).code();

    let service = service.killed_and_started();
    let first = service.verify(ada, &code).expect(200).tokens();

    let service = service.killed_and_started();
    service.verify(ada, &code).expect_problem(400, "invalid_code");
    let second = service.logged_in(ada);

    let service = service.killed_and_started();
    let profile = service.get_as(&second.access, "/auth/profile/").expect(200);
    assert_eq!(profile.body["email"], ada);
    assert_eq!(profile.body["email_verified"], true);
    let change = json!({ "first_name": "Ada" });
    let changed = service.client().send("PATCH", "/auth/profile/", Some(&second.access), Some(&change));
    changed.expect("an answer").expect(200);

    let service = service.killed_and_started();
    let profile = service.get_as(&second.access, "/auth/profile/").expect(200);
    assert_eq!(profile.body["first_name"], "Ada");
    let third =
        service.post("/auth/token/refresh/", &json!({ "refresh": second.refresh })).expect(200).tokens();

    let service = service.killed_and_started();
    let verified = service.post("/auth/token/verify/", &json!({ "token": third.access })).expect(200);
    assert_eq!(verified.body["active"], true);
    assert_eq!(verified.body["user_id"], profile.body["id"]);

    let service = service.killed_and_started();
    let sessions = service.get_as(&third.access, "/auth/sessions/").expect(200);
    assert_eq!(sessions.body["results"].as_array().map(Vec::len), Some(2), "{}", sessions.text);
    let ended = service.client().send("POST", "/auth/logout/", Some(&third.access), None);
    ended.expect("an answer").expect(204);

    let service = service.killed_and_started();
    for access in [&second.access, &third.access] {
        service.get_as(access, "/auth/profile/").expect_problem(401, "invalid_token");
        service.post("/auth/token/verify/", &json!({ "token": access })).expect(401);
    }
    for refresh in [&second.refresh, &third.refresh] {
        service
            .post("/auth/token/refresh/", &json!({ "refresh": refresh }))
            .expect_problem(401, "invalid_token");
    }
    service.get_as(&first.access, "/auth/profile/").expect(200);
    let newer =
        service.post("/auth/token/refresh/", &json!({ "refresh": first.refresh })).expect(200).tokens();

    // A token that was used before is somebody else's copy: the session is over, after another start as well.
    let service = service.killed_and_started();
    service.post("/auth/token/refresh/", &json!({ "refresh": first.refresh })).expect(401);

    let service = service.killed_and_started();
    service.post("/auth/token/refresh/", &json!({ "refresh": newer.refresh })).expect(401);
    service.get_as(&newer.access, "/auth/profile/").expect(401);
    let last = service.logged_in(ada);
    let ended = service.client().send("DELETE", "/auth/logout/", Some(&last.access), None);
    ended.expect("an answer").expect(204);

    let service = service.killed_and_started();
    service.get_as(&last.access, "/auth/profile/").expect(401);
    service.kill();
    let checked = keystead(folder.path(), &["check"]).run().expect(0);
    assert!(checked.stdout.ends_with("sound\n"), "{checked:?}");
}
