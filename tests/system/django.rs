//! Coming from Django, and leaving: `keystead import django` and `keystead export`.
//!
//! The files in `tests/fixtures` are made by a real Django project (`fixtures/django_site.py make`), which also reads
//! what is exported: `KEYSTEAD_TEST_PYTHON` names a Python that has Django, argon2-cffi and bcrypt.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Ended, Service, configured, keystead, lacks, program, variable};

/// Of everybody in the files who has one.
const PASSWORD: &str = "s3cr3t-Pä55";
const TOKEN: &str = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b";

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn import(folder: &Path, file: &str, options: &[&str]) -> Ended {
    keystead(folder, &[&["import", "django", file], options].concat()).run()
}

/// Writes rows as `dumpdata` does, and imports them.
fn import_rows(folder: &Path, rows: &Value, options: &[&str]) -> Ended {
    fs::write(folder.join("rows.json"), rows.to_string()).expect("written");
    import(folder, "rows.json", options)
}

fn user(pk: u64, username: &str, more: &Value) -> Value {
    let mut row = json!({ "model": "auth.user", "pk": pk, "fields": {
        "password": "!", "last_login": null, "username": username, "email": "", "date_joined": "2020-01-02T03:04:05Z",
    }});
    let fields = row["fields"].as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    row
}

/// Everybody, by `export`.
fn everybody(folder: &Path) -> Vec<Value> {
    let _ = fs::remove_file(folder.join("all.jsonl"));
    keystead(folder, &["export", "all.jsonl", "--with-hashes"]).run().expect(0);
    let text = fs::read_to_string(folder.join("all.jsonl")).expect("written");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn named(users: &[Value], username: &str) -> Value {
    users.iter().find(|user| user["username"] == username).expect(username).clone()
}

fn imported() -> TempDir {
    let folder = configured("");
    import(folder.path(), &fixture("django.json"), &[]).expect(1);
    folder
}

#[test]
fn whoever_can_be_taken_is_and_the_others_are_told() {
    let folder = configured("");

    let ended = import(folder.path(), &fixture("django.json"), &[])
        .expect_complaint(1, &["5 rows are refused", "the others are imported"]);

    for line in [
        "user 21 (ADA): refused: user 11 of the file has this username, in canonical form\n",
        "user 22 (twin): refused: user 11 of the file has this email address, in canonical form\n",
        "user 23 (weak): refused: its password hash is one round of MD5 or SHA-1, which is taken only by choice\n",
        "user 24 (costly): refused: its password hash costs too much to verify\n",
        "user 25 (eve@example.com): refused: username: A username that is an email address",
        "imported: 10 users, 2 groups, 25 permissions\n",
        "unchanged: 0 users, 0 groups, 12 permissions\n",
        "refused: 5 rows\n",
    ] {
        assert!(ended.stdout.contains(line), "no {line:?} in {ended:?}");
    }
    let users = everybody(folder.path());
    assert_eq!(
        users.iter().map(|user| user["id"].as_u64()).collect::<Vec<_>>(),
        (11..21).map(Some).collect::<Vec<_>>()
    );
    let ada = named(&users, "ada");
    let expected = json!({
        "id": 11, "email": "ada@example.com", "username": "ada", "first_name": "Ada", "last_name": "Lovelace",
        "avatar": null, "is_active": true, "is_staff": true, "is_superuser": true, "email_verified": true,
        "date_joined": "2020-01-02T03:04:05.678Z", "last_login": "2024-05-06T07:08:09.000Z", "groups": [],
        "permissions": [], "password": ada["password"],
    });
    assert_eq!(ada, expected);
    let ed = named(&users, "ed");
    assert_eq!((&ed["groups"], &ed["email_verified"]), (&json!(["Editors"]), &json!(false)));
    assert_eq!(ed["permissions"], json!(["users.add_group", "auth.view_permission", "news.add_item"]));
    assert_eq!(named(&users, "noemail")["email"], Value::Null);
    assert_eq!(named(&users, "gone")["is_active"], false);
    let check = keystead(folder.path(), &["check"]).run().expect(0);
    assert!(check.stdout.ends_with("sound\n"), "{check:?}");
    // Numbers go on after the largest.
    let bob = ["createuser", "--email", "bob@example.com", "--active", "--no-input"];
    keystead(folder.path(), &bob).run().expect(0);
    assert_eq!(everybody(folder.path()).last().expect("bob")["id"], 21);
}

#[test]
fn every_form_of_the_same_site_is_the_same() {
    let from_json = everybody(imported().path());
    let folder = configured("");
    import(folder.path(), &fixture("django.sqlite3"), &[]).expect_complaint(1, &["5 rows"]);
    assert_eq!(everybody(folder.path()), from_json);

    // Natural keys say no numbers.
    let folder = configured("");
    import(folder.path(), &fixture("django_natural.jsonl"), &[]).expect_complaint(1, &["5 rows"]);
    let mut numbered = everybody(folder.path());
    for (user, other) in numbered.iter_mut().zip(&from_json) {
        user["id"] = other["id"].clone();
    }
    assert_eq!(numbered, from_json);
    let again = import(folder.path(), &fixture("django_natural.jsonl"), &[]).expect(1);
    assert!(again.stdout.contains("imported: 0 users, 0 groups, 0 permissions\n"), "{again:?}");
}

#[test]
fn doing_it_again_changes_nothing() {
    let folder = imported();
    let before = everybody(folder.path());

    let again = import(folder.path(), &fixture("django.sqlite3"), &[]).expect(1);

    assert!(again.stdout.contains("imported: 0 users, 0 groups, 0 permissions\n"), "{again:?}");
    assert!(again.stdout.contains("unchanged: 10 users, 2 groups, 37 permissions\n"), "{again:?}");
    assert_eq!(everybody(folder.path()), before);
}

#[test]
fn a_rehearsal_tells_each_row_and_changes_nothing() {
    let folder = configured("");

    let ended = import(folder.path(), &fixture("django.json"), &["--dry-run"])
        .expect_complaint(1, &["5 rows", "nothing was changed"]);

    for line in [
        "permission news.publish: to import\n",
        "permission users.add_user: unchanged\n",
        "group Editors: to import\n",
        "user 11 (ada): to import\n",
        "user 24 (costly): refused: ",
        "to import: 10 users, 2 groups, 25 permissions\n",
    ] {
        assert!(ended.stdout.contains(line), "no {line:?} in {ended:?}");
    }
    assert_eq!(ended.stdout.lines().count(), 37 + 2 + 15 + 3, "{ended:?}");
    assert_eq!(everybody(folder.path()), Vec::<Value>::new());
    assert!(!keystead(folder.path(), &["export", "dump.json"]).run().expect(0).stdout.is_empty());
    assert!(!fs::read_to_string(folder.path().join("dump.json")).expect("written").contains("news"));
}

#[test]
fn what_stands_in_the_way_may_be_left_behind() {
    let folder = configured("");
    let options = ["--drop-duplicate-emails", "--accept-weak-hashes", "--drop-bad-hashes"];

    let ended =
        import(folder.path(), &fixture("django.json"), &options).expect_complaint(1, &["2 rows are refused"]);

    let users = everybody(folder.path());
    assert_eq!(named(&users, "twin")["email"], Value::Null);
    assert!(named(&users, "weak")["password"].as_str().expect("text").starts_with("md5$"));
    assert_eq!(named(&users, "costly")["password"], Value::Null);
    assert!(ended.stdout.contains("user 22 (twin): imported: without its email address: "), "{ended:?}");
    assert!(ended.stdout.contains("user 24 (costly): imported: without its password: "), "{ended:?}");
    // The same again: they are the same people.
    let again = import(folder.path(), &fixture("django.json"), &options).expect(1);
    assert!(again.stdout.contains("unchanged: 13 users,"), "{again:?}");
}

#[test]
fn everybody_logs_in_with_the_password_they_had_and_no_session_ends() {
    let folder = configured("");
    let service = Service::start(folder.path());
    import(folder.path(), &fixture("django.sqlite3"), &["--accept-weak-hashes"]).expect(1);
    let is_django = |user: &Value| {
        !user["password"].as_str().expect("text").starts_with("argon2$argon2id$v=19$m=64,t=1,p=1$")
    };

    for name in ["ada", "ed", "sha1", "bcrypt256", "bcrypt", "scrypt", "żółw", "weak", "noemail"] {
        assert!(is_django(&named(&everybody(folder.path()), name)), "{name}");
        service.try_log_in(name, "another").expect(401);
        let first = service.try_log_in(name, PASSWORD).expect(200).tokens();
        assert!(!is_django(&named(&everybody(folder.path()), name)), "{name} has a hash of today");
        service.try_log_in(name, PASSWORD).expect(200);
        service.get_as(&first.access, "/auth/profile/").expect(200);
    }
    for name in ["nobody", "gone"] {
        service.try_log_in(name, PASSWORD).expect(401);
    }
    service.terminate();
}

#[test]
fn rights_and_tokens_come_along() {
    let folder = imported();
    let service = Service::start(folder.path());

    let ed = service.try_log_in("ed@example.com", PASSWORD).expect(200).tokens();
    let rights = service.get_as(&ed.access, "/auth/profile/permissions/").expect(200).body;
    let expected = json!([
        "auth.view_permission",
        "news.add_item",
        "news.change_item",
        "news.publish",
        "users.add_group",
        "users.view_user"
    ]);
    assert_eq!((&rights["permissions"], &rights["groups"]), (&expected, &json!(["Editors"])));

    for scheme in ["Token", "Bearer"] {
        let request = format!(
            "GET /auth/profile/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {scheme} {TOKEN}\r\n\r\n"
        );
        let profile = service.client().raw(request.as_bytes()).expect("an answer").expect(200).body;
        assert_eq!(profile["id"], 11);
    }
    let wrong = TOKEN.replace("9944", "9945");
    service.get_as(&wrong, "/auth/profile/").expect(401);
    service.terminate();
}

#[test]
fn a_name_that_is_somebody_elses_address_gives_nobody_a_token() {
    let folder = configured("");
    let user = |pk: u64, username: &str, email: &str| {
        let fields = json!({ "username": username, "email": email, "password": "!", "is_active": true,
                             "is_superuser": pk == 1, "is_staff": pk == 1 });
        json!({ "model": "auth.user", "pk": pk, "fields": fields })
    };
    let token = json!({ "user": ["v@example.com"], "created": "2024-05-06T07:08:09Z" });
    let rows = json!([
        { "model": "authtoken.token", "pk": TOKEN, "fields": token },
        user(1, "victim", "v@example.com"),
        user(2, "v@example.com", "eve@example.com"),
    ]);

    import_rows(folder.path(), &rows, &[]);

    let service = Service::start(folder.path());
    service.get_as(TOKEN, "/auth/profile/").expect(401);
}

#[test]
fn a_number_that_nothing_explains_is_told_and_not_guessed() {
    let folder = configured("");
    let permission = |pk: u64, content_type: Value, codename: &str| {
        let fields = json!({ "name": codename, "content_type": content_type, "codename": codename });
        json!({ "model": "auth.permission", "pk": pk, "fields": fields })
    };
    let rows = json!([
        permission(1, json!(4), "add_user"),
        permission(2, json!(["news", "item"]), "publish"),
        { "model": "auth.group", "pk": 1, "fields": { "name": "Editors", "permissions": [1, 2] } },
        user(5, "ada", &json!({ "groups": [1], "user_permissions": [2] })),
        user(6, "bob", &json!({ "groups": [8], "user_permissions": [["change_item", "news", "item"]] })),
    ]);

    let ended = import_rows(folder.path(), &rows, &[]).expect(1);

    for line in [
        "permission 1 (add_user): refused: its content type is the number 4, which this file does not explain",
        "group Editors: imported: without permissions that the file does not explain: 1\n",
        "refused: 1 rows\n",
        "user 6 (bob): imported: without groups that the file does not explain: 8",
    ] {
        assert!(ended.stdout.contains(line), "no {line:?} in {ended:?}");
    }
    let users = everybody(folder.path());
    assert_eq!(named(&users, "ada")["permissions"], json!(["news.publish"]));
    assert_eq!(named(&users, "bob")["permissions"], json!(["news.change_item"]));
}

#[test]
fn nobody_who_is_here_is_touched() {
    let folder = configured("");
    let eve = ["createuser", "--email", "eve@example.com", "--username", "eve", "--active", "--no-input"];
    keystead(folder.path(), &eve).run().expect(0);
    let before = everybody(folder.path());
    let rows = json!([
        user(1, "ada", &json!({})),
        user(2, "EVE", &json!({})),
        user(3, "bob", &json!({ "email": "Eve@EXAMPLE.com" })),
        user(4, "eve@example.com", &json!({ "email": "Eve@example.com" })),
        user(0, "zero", &json!({})),
        user(u64::MAX, "max", &json!({})),
        user(5, "a b", &json!({})),
        user(6, "", &json!({})),
        user(7, "fine", &json!({ "first_name": "\u{1b}[2Jx" })),
        user(8, "odd", &json!({ "is_staff": "yes" })),
        user(9, "late", &json!({ "last_login": "tomorrow" })),
        user(10, "twice", &json!({})),
        user(10, "thrice", &json!({})),
    ]);

    let ended = import_rows(folder.path(), &rows, &["--drop-duplicate-emails"]).expect(1);

    for line in [
        "user 1 (ada): refused: user 1 is here under another address or name\n",
        "user 2 (EVE): refused: user 1 has this username, in canonical form\n",
        "user 3 (bob): imported: without its email address: user 1 has this email address, in canonical form\n",
        "user 4 (eve@example.com): refused: without its email address: user 3 of the file",
        "user 0 (zero): refused: the number 0 is out of range",
        "user 18446744073709551615 (max): refused: the number 18446744073709551615 is out of range",
        "user 5 (a b): refused: username: ",
        "user 6: refused: email: An account needs an email address or a username.\n",
        "user 7 (fine): refused: first_name: ",
        "user 8 (odd): refused: is_staff is neither true nor false\n",
        "user 9 (late): refused: last_login is no moment\n",
        "user 10 (thrice): refused: its primary key is in the file twice\n",
        "imported: 2 users, 0 groups, 0 permissions\n",
    ] {
        assert!(ended.stdout.contains(line), "no {line:?} in {}", ended.stdout);
    }
    assert_eq!(everybody(folder.path())[0], before[0]);
}

#[test]
fn a_project_with_a_user_model_of_its_own_is_taken_too() {
    let folder = configured("");
    let account = |model: &str, pk: u64| {
        let fields = json!({
            "password": "!", "last_login": null, "email": format!("{pk}@example.com"), "phone": "1",
            "avatar": "https://example.com/a.png",
        });
        json!({ "model": model, "pk": pk, "fields": fields })
    };
    let rows = json!([
        { "model": "contenttypes.contenttype", "pk": 3, "fields": { "app_label": "accounts", "model": "person" } },
        { "model": "auth.permission", "pk": 1, "fields": { "name": "x", "content_type": 3, "codename": "view_person" } },
        account("accounts.person", 5),
        account("shop.customer", 5),
    ]);
    import_rows(folder.path(), &rows, &[]).expect_complaint(
        1,
        &["users of more than one model (accounts.person, shop.customer)", "--user-model"],
    );

    let ended = import_rows(folder.path(), &rows, &["--user-model", "accounts.Person"]).expect(0);

    for line in [
        "ignored: phone of accounts.person\n",
        "ignored: shop.customer (1 rows)\n",
        "unchanged: 0 users, 0 groups, 1 permissions\n",
    ] {
        assert!(ended.stdout.contains(line), "no {line:?} in {ended:?}");
    }
    let users = everybody(folder.path());
    assert_eq!(
        (&users[0]["email"], &users[0]["avatar"]),
        (&json!("5@example.com"), &json!("https://example.com/a.png"))
    );
    assert_eq!((&users[0]["username"], &users[0]["is_active"]), (&Value::Null, &json!(true)));

    // Without numbers they are known by their address; with the same once more, it is the same person.
    let mut nameless = account("accounts.person", 6);
    nameless["pk"] = Value::Null;
    for imported in ["imported: 1 users", "imported: 0 users"] {
        let ended = import_rows(folder.path(), &json!([nameless]), &[]).expect(0);
        assert!(ended.stdout.contains(imported), "{ended:?}");
    }
    let group = json!({ "model": "auth.group", "pk": 1, "fields": { "name": "Editors", "permissions": [] } });
    let ended = import_rows(folder.path(), &json!([group, group]), &[]).expect(0);
    assert!(ended.stdout.contains("imported: 0 users, 1 groups"), "{ended:?}");
}

#[test]
fn what_is_no_dump_is_refused_before_anything_is_written() {
    let folder = configured("");
    let path = folder.path();
    let refused = |name: &str, text: &[u8], part: &str| {
        fs::write(path.join(name), text).expect("written");
        import(path, name, &[]).expect_complaint(1, &[name, part]);
    };
    import(path, "missing.json", &[]).expect_complaint(1, &["cannot read missing.json", "No such file"]);
    import(path, ".", &[]).expect_complaint(1, &["no regular file"]);
    refused("text.json", b"hello", "neither JSON of manage.py dumpdata nor an SQLite database");
    refused("half.json", &fs::read(fixture("django.json")).expect("there")[..5000], "EOF");
    refused("object.json", b"[{\"pk\": 1}]", "missing field `model`");
    refused("half.sqlite3", &fs::read(fixture("django.sqlite3")).expect("there")[..5000], "damaged");
    fs::copy(fixture("django.sqlite3"), path.join("busy.sqlite3")).expect("copied");
    fs::write(path.join("busy.sqlite3-wal"), "pending").expect("written");
    import(path, "busy.sqlite3", &[])
        .expect_complaint(1, &["busy.sqlite3-wal holds changes", "stop the site"]);
    assert!(!path.join("keystead.redb").exists());
    // Nobody in it is no mistake.
    import_rows(path, &json!([]), &[]).expect(0);
}

#[test]
fn an_export_is_private_and_replaces_nothing_unasked() {
    let folder = imported();
    let export = |arguments: &[&str]| keystead(folder.path(), &[&["export"], arguments].concat()).run();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("written");

    let ended = export(&["all.json"]).expect(0);
    assert_eq!(ended.stdout, "10 users written to all.json\n");
    let mode = fs::metadata(folder.path().join("all.json")).expect("written").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    export(&["all.json"]).expect_complaint(1, &["all.json exists", "--force"]);
    export(&["all.json", "--force"]).expect(0);
    for held in ["keystead.redb", "."] {
        export(&[held, "--force"]).expect_complaint(1, &[held, "name another file"]);
    }
    export(&["missing/all.json"]).expect_complaint(1, &["cannot write missing/all.json"]);

    export(&["all.csv"]).expect(0);
    export(&["lines.jsonl"]).expect(0);
    for name in ["all.csv", "lines.jsonl"] {
        assert!(read(name).contains("ed@example.com") && !read(name).contains('$'), "{name}");
    }
    let csv = read("all.csv");
    assert!(csv.starts_with("\"id\",\"email\",\"username\","), "{csv}");
    assert!(
        csv.contains(
            "\r\n\"12\",\"ed@example.com\",\"ed\",\"\",\"\",\"\",\"true\",\"false\",\"false\",\"false\",\
             \"2020-01-02T03:04:05.678Z\",\"\",\"Editors\","
        ),
        "{csv}"
    );
    export(&["hashes", "--format", "csv", "--with-hashes"]).expect(0);
    assert!(read("hashes").contains("pbkdf2_sha256$1000$"));

    let empty = configured("");
    keystead(empty.path(), &["export", "all.json"]).run().expect_complaint(1, &["no store at"]);
}

#[test]
fn what_is_exported_is_imported_as_it_was_with_a_server_and_without() {
    let folder = imported();
    let service = Service::start(folder.path());
    keystead(folder.path(), &["export", "all.json", "--allauth"]).run().expect(0);
    service.terminate();
    let file = folder.path().join("all.json");

    let other = configured("");
    import(other.path(), file.to_str().expect("UTF-8"), &[]).expect(0);

    assert_eq!(everybody(other.path()), everybody(folder.path()));
    keystead(other.path(), &["export", "again.json", "--allauth"]).run().expect(0);
    let rows = |path: &Path| fs::read_to_string(path).expect("written").lines().count();
    assert_eq!(rows(&other.path().join("again.json")), rows(&file));
}

#[test]
#[ignore = "needs Python with Django: KEYSTEAD_TEST_PYTHON"]
fn django_takes_back_what_it_gave() {
    let python = variable("KEYSTEAD_TEST_PYTHON").unwrap_or_else(|| "python3".to_owned());
    if lacks(&[&[&python, "-c", "import django, argon2, bcrypt"]]) {
        return;
    }
    let folder = imported();
    let service = Service::start(folder.path());
    // A hash of our own among Django's.
    service.try_log_in("sha1", PASSWORD).expect(200);
    service.terminate();
    keystead(folder.path(), &["export", "all.json"]).run().expect(0);

    let script = format!("{}/tests/system/fixtures/django_site.py", env!("CARGO_MANIFEST_DIR"));
    let loaded = program(folder.path(), &python, &[&script, "load", "all.json"]).run().expect(0);

    let loaded: Value = serde_json::from_str(&loaded.stdout).expect("JSON");
    assert_eq!(loaded["groups"], json!({ "Editors": 7, "Readers": 9 }));
    let users = loaded["users"].as_object().expect("users");
    assert_eq!(users.len(), 10);
    for (name, user) in users {
        assert_eq!(user["password"], name != "nobody", "{name}");
        assert_eq!(user["usable"], name != "nobody", "{name}");
    }
    let expected = json!({
        "id": 11, "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "flags": [true, true, true],
        "date_joined": "2020-01-02T03:04:05.678000+00:00", "last_login": "2024-05-06T07:08:09+00:00", "groups": [],
        "permissions": [], "password": true, "usable": true,
    });
    assert_eq!(users["ada"], expected);
    let rights = json!([
        "auth.add_group",
        "auth.view_permission",
        "auth.view_user",
        "news.add_item",
        "news.change_item",
        "news.publish"
    ]);
    assert_eq!((&users["ed"]["permissions"], &users["ed"]["groups"]), (&rights, &json!(["Editors"])));
    assert_eq!(users["noemail"]["email"], "");
}
