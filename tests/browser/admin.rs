//! The admin page: who may see it, and the screens of users, groups, permissions and events.

use fantoccini::key::Key;
use serde_json::json;

use crate::browser::{Browser, lacks_browser, served};
use crate::harness::{Caller, PASSWORD, TestServer, minutes};

const ROOT: &str = "root@example.com";
const ADA: &str = "ada@example.com";

/// A service with a superuser, and their browser.
pub async fn with_root(language: &str) -> (TestServer, Caller, Browser) {
    let arguments = ["createsuperuser", "--email", ROOT, "--no-input", "--password-stdin"];
    let server = served("").await.operated(&arguments, &format!("{PASSWORD}\n")).await;
    let root = server.logged_in(ROOT).await;
    let browser = Browser::start_in(language, &server).await;
    log_in(&browser, ROOT).await;
    (server, root, browser)
}

/// Gives the browser the cookies of a log-in.
pub async fn log_in(browser: &Browser, email: &str) {
    // Any page that may speak to the service, in whichever language.
    browser.open("/account/login/").await;
    let body = json!({ "identifier": email, "password": PASSWORD, "cookies": true }).to_string();
    let script = format!(
        "return fetch('/auth/login/', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, \
         body: {} }}).then((reply) => reply.status)",
        json!(body)
    );
    assert_eq!(browser.run(&script).await, 200);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn users_are_searched_sorted_and_leafed_through() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("en").await;
    for n in 0..60 {
        let body = json!({ "email": format!("user{n:02}@example.com"), "first_name": "Ada", "last_name": "Lovelace" });
        root.post("/auth/admin/users/", &body).await.expect(201);
    }

    browser.open("/admin/users/").await;
    browser.sees("Users: 61 · page 1").await;
    browser.press("Next").await;
    browser.sees("page 2").await;
    browser.sees("user59@example.com").await;
    browser.press("Previous").await;
    browser.sees("user00@example.com").await;
    browser.press("Email address").await;
    browser.sees("user00@example.com").await;
    browser.press("Email address").await;
    browser.sees("user59@example.com").await;
    browser.fill("Search", "user5").await;
    browser.sees("Users: 10").await;
    browser.sees_no("user49@example.com").await;
    assert_eq!(browser.path().await, "/admin/users/?ordering=-email&search=user5");
    browser.show("admin-users").await;
    browser.press("user57@example.com").await;
    browser.sees("What happened").await;
    browser.run("history.back()").await;
    browser.sees("Users: 10").await;
    assert_eq!(browser.value("Search").await, "user5");

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_user_is_made_changed_disabled_and_enabled_again() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("en").await;
    root.post("/auth/admin/groups/", &json!({ "name": "Editors", "permissions": ["users.view_user"] }))
        .await
        .expect(201);

    browser.open("/admin/users/").await;
    browser.press("New user").await;
    browser.fill("Email address", ADA).await;
    browser.fill("First name", "Ada").await;
    browser.fill("Password", PASSWORD).await;
    browser.tick("They choose another password").await;
    browser.show("admin-new-user").await;
    browser.press("Make the user").await;
    browser.sees("ada@example.com is there.").await;
    browser.sees("user.created").await;
    let ada = server.logged_in(ADA).await;
    browser.fill("Last name", "Lovelace").await;
    browser.press("Save").await;
    browser.sees("ada@example.com is saved.").await;
    browser.choose("Another group", "Editors").await;
    browser.press("Put in").await;
    browser.sees("through Editors").await;
    browser.show("admin-user").await;

    browser.press("Disable").await;
    browser.sees("ada@example.com is disabled").await;
    browser.sees("user.disabled").await;
    server.expect_dead(&ada).await;
    browser.press("Undo").await;
    browser.sees("ada@example.com may log in again.").await;
    server.logged_in(ADA).await;

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_group_gets_permissions_and_members_and_is_deleted() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("en").await;
    root.post("/auth/admin/users/", &json!({ "email": ADA, "first_name": "Ada" })).await.expect(201);

    browser.open("/admin/").await;
    browser.press("Groups").await;
    browser.press("New group").await;
    browser.fill("Name", "Editors").await;
    browser.press("Make the group").await;
    browser.sees("Nobody is in it.").await;
    browser.fill("Filter permissions", "view user").await;
    browser.sees("0 chosen, 1 of 28 shown").await;
    browser.tick("users.view_user").await;
    // What another administrator gives it meanwhile stays.
    let other = json!({ "permissions": ["audit.view_event"] });
    root.patch("/auth/admin/groups/1/", &other).await.expect(200);
    browser.press("Save permissions").await;
    browser.sees("The members of the group may do this from now on.").await;
    let group = root.get("/auth/admin/groups/1/").await.expect(200).body;
    assert_eq!(group["permissions"], json!(["audit.view_event", "users.view_user"]));
    browser.fill("Add a user", "ada@").await;
    browser.press("Add ada@example.com").await;
    browser.sees("Members: 1").await;
    browser.show("admin-group").await;

    browser.press("Delete…").await;
    browser.sees("its members (1) lose what it gives them.").await;
    browser.show("admin-group-delete").await;
    browser.fill("Type this to confirm:", "Editors").await;
    browser.press("Delete").await;
    browser.sees("The group Editors is gone.").await;
    browser.arrives_at("/admin/groups/").await;
    browser.show("admin-groups").await;

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_permission_is_made_and_deleted_by_its_name() {
    if lacks_browser() {
        return;
    }
    let (server, _root, mut browser) = with_root("en").await;
    browser.expect_status(400);

    browser.open("/admin/permissions/").await;
    browser.sees("28 of 28 permissions").await;
    browser.press("New permission").await;
    browser.fill("Label", "bill ing").await;
    browser.fill("Codename", "refund").await;
    browser.press("Save").await;
    browser.sees("Write letters, digits").await;
    browser.fill("Label", "billing").await;
    browser.press("Save").await;
    browser.sees("29 of 29 permissions").await;
    browser.fill("Filter permissions", "bill").await;
    browser.sees("1 of 29 permissions").await;
    browser.show("admin-permissions").await;
    browser.press("billing.refund").await;
    browser.sees("Users: 1").await;
    browser.press("Permissions").await;
    browser.press("Delete billing.refund").await;
    browser.sees("who has it now (users: 1) loses it.").await;
    browser.fill("Type this to confirm:", "billing.refund").await;
    browser.press("Delete").await;
    browser.sees("28 of 28 permissions").await;

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn many_users_are_disabled_at_once_and_enabled_with_one_click() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("en").await;
    for n in 0..3 {
        root.post("/auth/admin/users/", &json!({ "email": format!("user{n}@example.com") }))
            .await
            .expect(201);
    }
    // Who is disabled already stays so when it is taken back.
    root.post("/auth/admin/users/", &json!({ "email": "user9@example.com", "is_active": false }))
        .await
        .expect(201);
    let active =
        async || root.get("/auth/admin/users/?is_active=true").await.expect(200).body["count"].clone();

    browser.open("/admin/users/?search=user").await;
    browser.tick("Pick all on this page").await;
    browser.sees("Picked: 4").await;
    browser.press("Disable").await;
    browser.sees("Disabled: 4.").await;
    assert_eq!(active().await, 1);
    browser.press("Undo").await;
    browser.sees("That is taken back.").await;
    assert_eq!(active().await, 4);

    browser.tick("Pick user1@example.com").await;
    browser.tick("Pick user2@example.com").await;
    browser.press("Purge…").await;
    browser.sees("user1@example.com, user2@example.com").await;
    browser.fill("Type this to confirm:", "purge 2").await;
    browser.show("admin-users-purge").await;
    browser.press("Purge").await;
    browser.sees("Purged: 2.").await;
    assert_eq!(active().await, 2);

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn what_is_typed_has_to_be_the_name_of_who_is_purged() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("en").await;
    let ada = root.post("/auth/admin/users/", &json!({ "email": ADA })).await.expect(201).body;

    browser.open(&format!("/admin/users/{}/", ada["id"])).await;
    browser.press("Purge…").await;
    browser.fill("Type this to confirm:", "ada@example.co").await;
    browser.key(Key::Enter).await;
    browser.sees("Purge this user for good?").await;
    root.get(&format!("/auth/admin/users/{}/", ada["id"])).await.expect(200);
    browser.show("admin-user-purge").await;
    browser.fill("Type this to confirm:", ADA).await;
    browser.press("Purge").await;
    browser.sees("ada@example.com is gone.").await;
    browser.arrives_at("/admin/users/").await;
    root.get(&format!("/auth/admin/users/{}/", ada["id"])).await.expect(404);

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_hostile_name_is_nothing_but_text() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("en").await;
    let hostile = "<img src=x onerror=alert(1)>\u{202e}evil'; rm -rf /";
    let body = json!({ "email": ADA, "first_name": hostile, "last_name": "${html}", "username": "-rf" });
    let ada = root.post("/auth/admin/users/", &body).await.expect(201).body;
    root.post("/auth/admin/groups/", &json!({ "name": "<b>'; rm -rf /" })).await.expect(201);
    let group = json!({ "groups": ["<b>'; rm -rf /"] });
    root.put(&format!("/auth/admin/users/{}/groups/", ada["id"]), &group).await.expect(200);

    browser.open("/admin/users/").await;
    browser.sees("<img src=x onerror=alert(1)>\u{fffd}evil").await;
    browser.show("admin-hostile").await;
    browser.press(ADA).await;
    browser.sees("Take out").await;
    browser.press("The same from a terminal").await;
    browser.sees("rm -rf").await;
    let shown = browser
        .run("return [...document.querySelectorAll('pre')].map((one) => one.innerText).join('\\n')")
        .await;
    let shown = shown.as_str().expect("text");
    // In a shell it stays one word.
    assert!(shown.contains("{\"groups\":[\"<b>'\\''; rm -rf /\"]}'"), "{shown}");
    assert!(shown.contains("keystead users disable ada@example.com"), "{shown}");
    assert_eq!(browser.run("return document.querySelectorAll('img[src=x]').length").await, 0);
    browser.press("Groups").await;
    browser.sees("<b>'; rm -rf /").await;

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn events_are_filtered_and_followed() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("en").await;

    browser.open("/admin/events/").await;
    browser.sees("login.succeeded").await;
    browser.press("Follow live").await;
    root.post("/auth/admin/users/", &json!({ "email": ADA })).await.expect(201);
    browser.sees("user.created").await;
    browser.sees(ADA).await;
    browser.show("admin-events").await;
    browser.choose("What", "login.failed").await;
    browser.sees("Nothing of the kind happened.").await;
    server.anon().post("/auth/login/", &json!({ "identifier": ADA, "password": "wrong" })).await.expect(401);
    browser.sees("failed").await;
    assert_eq!(browser.path().await, "/admin/events/?kind=login.failed");

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn it_is_used_by_keyboard_alone() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("en").await;
    root.post("/auth/admin/users/", &json!({ "email": ADA })).await.expect(201);

    browser.open("/admin/groups/").await;
    browser.sees("Groups: 1").await;
    browser.key(Key::Tab).await;
    assert_eq!(browser.focused().await, "Skip to the content");
    for _ in 0..3 {
        browser.key(Key::Tab).await;
    }
    assert_eq!(browser.focused().await, "Users");
    browser.key(Key::Enter).await;
    browser.sees("Users: 2").await;
    assert_eq!(browser.focused().await, "Users");
    assert_eq!(browser.run("return document.activeElement.tagName").await, "H1");
    // The dialog takes the focus, keeps it, and gives it back.
    for _ in 0..2 {
        browser.key(Key::Tab).await;
    }
    assert_eq!(browser.focused().await, "New user");
    browser.key(Key::Enter).await;
    browser.sees("An email address or a username is needed.").await;
    assert_eq!(browser.run("return document.activeElement.name").await, "email");
    browser.key(Key::Escape).await;
    browser.sees_no("An email address or a username is needed.").await;
    assert_eq!(browser.focused().await, "New user");
    // Whose button is gone by what it did is not sent back to the beginning.
    browser.press(ADA).await;
    browser.press("Disable").await;
    browser.sees("is disabled").await;
    browser.focuses("H1").await;

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn staff_are_offered_what_they_may_and_others_nothing() {
    if lacks_browser() {
        return;
    }
    let (server, root, mut browser) = with_root("es").await;
    server.staff_with(&root, "staff@example.com", &["users.view_user"]).await;
    server.registered(ADA).await;

    browser.expect_status(400);
    browser.open("/admin/users/").await;
    browser.press("Usuario nuevo").await;
    browser.fill("Correo electrónico", "grace@example.com").await;
    browser.fill("Contraseña", "short").await;
    browser.press("Crear el usuario").await;
    browser.sees("Debe tener al menos 8 caracteres.").await;
    log_in(&browser, "staff@example.com").await;
    browser.open("/admin/users/").await;
    browser.sees("Usuarios: 3").await;
    browser.sees_no("Grupos").await;
    browser.sees_no("Usuario nuevo").await;
    browser.press(ADA).await;
    browser.sees("Acceso").await;
    browser.sees_no("Desactivar").await;
    browser.show("admin-user-es").await;
    browser.open("/admin/groups/").await;
    browser.sees("Aquí no hay nada").await;
    log_in(&browser, ADA).await;
    browser.open("/admin/users/").await;
    browser.sees("Esto es para el personal").await;
    browser.show("admin-not-staff").await;

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_log_in_that_ran_out_is_renewed_once() {
    if lacks_browser() {
        return;
    }
    let (server, _root, mut browser) = with_root("en").await;
    browser.expect_status(401);

    browser.open("/admin/groups/").await;
    browser.sees("Groups: 1").await;
    server.advance(minutes(20));
    browser.press("Users").await;
    browser.sees("Users: 1").await;
    browser.press("Permissions").await;
    browser.sees("28 of 28").await;

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn without_an_administrator_the_page_says_where_the_link_is() {
    if lacks_browser() {
        return;
    }
    let server = served("").await;
    let browser = Browser::start(&server).await;

    browser.open("/admin/").await;
    browser.sees("There is no administrator yet").await;
    browser.show("admin-nobody").await;

    browser.end().await;
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn who_is_given_a_password_chooses_another_one_first() {
    if lacks_browser() {
        return;
    }
    let (server, root, mut browser) = with_root("en").await;
    browser.expect_status(403);
    browser.expect_status(400);
    let staff = json!({ "email": ADA, "is_staff": true, "permissions": ["users.view_user"] });
    let ada = root.post("/auth/admin/users/", &staff).await.expect(201).body;

    browser.open(&format!("/admin/users/{}/", ada["id"])).await;
    browser.press("Set a password…").await;
    browser.sees("All sessions and API keys of ada@example.com end.").await;
    assert_eq!(browser.value("Password").await.len(), 20);
    browser.show("admin-set-password").await;
    browser.fill("Password", "12345").await;
    browser.press("Set the password").await;
    browser.sees("This password is too short").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Set the password").await;
    browser.sees("ada@example.com has another password.").await;
    log_in(&browser, ADA).await;
    browser.open("/admin/users/").await;
    browser.sees("Choose your own password first").await;
    browser.show("admin-own-password").await;

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn the_first_administrator_comes_from_the_link_by_the_log_in_to_where_they_wanted() {
    if lacks_browser() {
        return;
    }
    let server = served("").await;
    let mut browser = Browser::start(&server).await;
    // Somebody who is not logged in, and has nothing to be logged in again with.
    browser.expect_status(401);
    browser.expect_status(400);

    browser.open(&server.setup_link().expect("a link")).await;
    browser.fill("Email address", ROOT).await;
    browser.fill("Password", PASSWORD).await;
    browser.fill("Password (again)", PASSWORD).await;
    browser.press("Make the administrator").await;
    browser.sees("There is an administrator").await;
    browser.open("/admin/users/?search=^root").await;
    browser.sees("Log in").await;
    browser.fill("Email address or username", ROOT).await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Log in").await;
    browser.arrives_at("/admin/users/?search=^root").await;
    browser.sees("Users: 1").await;
    browser.press("Log out").await;
    browser.sees("Email address or username").await;

    browser.end().await;
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_user_is_sent_a_link_and_loses_a_session_and_a_key() {
    if lacks_browser() {
        return;
    }
    let (server, _root, browser) = with_root("en").await;
    let ada = server.registered(ADA).await;
    server.api_key(&ada, &json!({ "name": "Nightly backup" })).await;

    browser.open("/admin/users/?search=ada").await;
    browser.press(ADA).await;
    browser.sees("Nightly backup").await;
    browser.press("End").await;
    browser.sees("The session has ended.").await;
    server.expect_dead(&ada).await;
    browser.sees("Logged in nowhere.").await;
    browser.press("Revoke…").await;
    browser.sees("programs that use it are refused from then on.").await;
    browser.press("Revoke").await;
    browser.sees("The API key is revoked.").await;
    browser.sees_no("last used").await;
    browser.press("Send a reset link").await;
    browser.sees("A link to a new password is on its way to ada@example.com.").await;
    assert!(server.mail_to(ADA).await.text.contains("/account/reset/"));

    browser.end().await;
    drop(server);
}
