//! What `[bootstrap]` declares, and how a slip in it is told: by file, line, and the key with its place in the list.

use toml::{Table, Value};

use super::{Setup, with_file, with_var};
use crate::config::{Config, DeclaredPassword};
use crate::domain::{Email, GroupName, PermissionName, Username};

const HASH: &str =
    "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[test]
fn the_defaults_declare_nothing() {
    let declared = Config::from_toml("").expect("the defaults").bootstrap;

    assert!(declared.permissions.is_empty() && declared.groups.is_empty() && declared.users.is_empty());
}

#[test]
fn tables_become_permissions_groups_and_users() {
    let setup = with_file(&format!(
        "[[bootstrap.permissions]]\nlabel = \"blog\"\ncodename = \"add_post\"\nname = \"Can add post\"\n\
         [[bootstrap.groups]]\nname = \"Editors\"\npermissions = [\"blog.add_post\", \"users.view_user\"]\n\
         [[bootstrap.users]]\nemail = \"ada@example.com\"\nusername = \"ada\"\nfirst_name = \"Ada\"\nis_staff = true\n\
         groups = [\"Editors\"]\npermissions = [\"blog.add_post\"]\npassword_file = \"ada.password\"\n\
         [[bootstrap.users]]\nusername = \"root\"\nemail = \"\"\nis_superuser = true\npassword_hash = \"{HASH}\"\n"
    ));

    let declared = setup.loaded().bootstrap;

    let permission = &declared.permissions[0];
    assert_eq!((permission.name.as_str(), permission.title.as_str()), ("blog.add_post", "Can add post"));
    let group = &declared.groups[0];
    let names: Vec<&str> = group.permissions.iter().map(PermissionName::as_str).collect();
    assert_eq!((group.name.as_str(), names), ("Editors", vec!["blog.add_post", "users.view_user"]));
    let [ada, root] = &declared.users[..] else { panic!("two users") };
    assert_eq!(ada.email.as_ref().map(Email::as_str), Some("ada@example.com"));
    assert_eq!((ada.first_name.as_str(), ada.is_staff, ada.is_superuser), ("Ada", true, false));
    assert_eq!(ada.groups.iter().map(GroupName::as_str).collect::<Vec<_>>(), ["Editors"]);
    let file = setup.folder.path().join("ada.password");
    assert!(matches!(&ada.password, Some(DeclaredPassword::File(path)) if *path == file));
    assert_eq!((root.username.as_ref().map(Username::as_str), &root.email), (Some("root"), &None));
    assert!(root.is_staff && root.is_superuser);
    assert!(matches!(&root.password, Some(DeclaredPassword::Hash(hash)) if hash.as_phc() == HASH));
    assert!(ada.place.ends_with("auth.toml:8: bootstrap.users[0]"), "{}", ada.place);
    assert!(root.place.ends_with("auth.toml:16: bootstrap.users[1]"), "{}", root.place);
}

#[test]
fn a_slip_in_a_user_is_told_with_its_place() {
    let user = "[[bootstrap.users]]\nusername = \"a\"\n";
    let cases = [
        (
            format!("{user}[[bootstrap.users]]\nusernam = \"b\"\n"),
            "auth.toml:3: unknown key bootstrap.users[1].usernam: did you mean username?",
        ),
        (
            format!("{user}password = \"hunter2hunter2\"\n"),
            "auth.toml:1: unknown key bootstrap.users[0].password: \
             no password is written here: use password_file or password_hash",
        ),
        (
            format!("{user}password_hash = \"hunter2hunter2\"\n"),
            "auth.toml:1: bootstrap.users[0].password_hash: \
             is no argon2id hash: it begins with $argon2id$, and is no password",
        ),
        (
            format!("{user}password_hash = \"{HASH}\"\npassword_file = \"a\"\n"),
            "auth.toml:1: bootstrap.users[0].password_file: password_hash is set too: keep one of the two",
        ),
        (
            "[[bootstrap.users]]\nis_staff = true\n".to_owned(),
            "auth.toml:1: bootstrap.users[0].email: is missing, and so is username: write one of them",
        ),
        (
            "[[bootstrap.users]]\nemail = \"nobody\"\n".to_owned(),
            "auth.toml:1: bootstrap.users[0].email: \"nobody\" is refused: Enter a valid email address.",
        ),
        (format!("{user}is_staff = 1\n"), "auth.toml:1: bootstrap.users[0].is_staff: must be true or false"),
        (
            format!("{user}groups = \"a\"\n"),
            "auth.toml:1: bootstrap.users[0].groups: must be a list of strings",
        ),
        (
            format!("{user}groups = [1]\n"),
            "auth.toml:1: bootstrap.users[0].groups: must be a list of strings",
        ),
        (
            format!("{user}groups = [\"Editors\"]\n"),
            "auth.toml:1: bootstrap.users[0].groups: \"Editors\" is refused: It is not in bootstrap.groups.",
        ),
        (
            format!("{user}groups = [\"root\"]\n"),
            "auth.toml:1: bootstrap.users[0].groups: \"root\" is refused: \
             Nobody is put into Root: write is_superuser = true.",
        ),
        (
            format!("{user}permissions = [\"blog.add_post\"]\n"),
            "auth.toml:1: bootstrap.users[0].permissions: \"blog.add_post\" is refused: \
             It is neither in bootstrap.permissions nor Keystead's own.",
        ),
        (
            format!("{user}[[bootstrap.users]]\nusername = \"A\"\n"),
            "auth.toml:3: bootstrap.users[1].username: is declared twice",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(with_file(&text).refused(), message);
        assert!(!message.contains("hunter2"));
    }
}

#[test]
fn a_slip_elsewhere_is_told_with_its_place() {
    let cases = [
        (
            "[[bootstrap.groups]]\nname = \"ROOT\"\n",
            "auth.toml:1: bootstrap.groups[0].name: Root is the group of every superuser, always: choose another",
        ),
        ("[[bootstrap.groups]]\ndescription = \"x\"\n", "auth.toml:1: bootstrap.groups[0].name: is missing"),
        (
            "[[bootstrap.groups]]\nname = \"a\"\n[[bootstrap.groups]]\nname = \" a\"\n",
            "auth.toml:3: bootstrap.groups[1].name: \"a\" is declared twice",
        ),
        (
            "[[bootstrap.permissions]]\nlabel = \"users\"\ncodename = \"ban_user\"\n",
            "auth.toml:1: bootstrap.permissions[0].label: \"users\" is Keystead's own: choose another",
        ),
        (
            "[[bootstrap.permissions]]\nlabel = \"a.b\"\ncodename = \"c\"\n",
            "auth.toml:1: bootstrap.permissions[0].label: \"a.b\" is refused: \
             Write letters, digits, - and _, at most 100.",
        ),
        (
            "[bootstrap]\nusers = [{ username = \"a\" },\n{ emial = 2 }]\n",
            "auth.toml:3: unknown key bootstrap.users[1].emial: there are email, username, first_name, last_name, \
             is_staff, is_superuser, groups, permissions, password_hash, password_file",
        ),
        (
            "[bootstrap]\nusers = [\"ada\"]\n",
            "auth.toml:2: bootstrap.users: must be a list of tables, not a list of other things: write [[bootstrap.users]]",
        ),
        (
            "[bootstrap.users]\nemail = \"a@example.com\"\n",
            "auth.toml:1: bootstrap.users: must be a list of tables, not a section: write [[bootstrap.users]]",
        ),
        (
            "[[bootstrap.roles]]\nname = \"a\"\n",
            "auth.toml:1: unknown key bootstrap.roles: [bootstrap] has permissions, groups, users",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(with_file(text).refused(), message);
    }
}

#[test]
fn nobody_is_given_more_than_goes_in_one_write() {
    let names: Vec<String> =
        (0..129).map(|n| format!("\"users.view_user\",{}", if n == 128 { "" } else { " " })).collect();
    let text = format!("[[bootstrap.users]]\nusername = \"a\"\npermissions = [{}]\n", names.concat());

    let message = with_file(&text).refused();

    assert_eq!(message, "auth.toml:1: bootstrap.users[0].permissions: has more than 128: use a group");
}

#[test]
fn a_variable_holds_no_tables() {
    let message =
        "bootstrap.users: a variable holds no tables: write [[bootstrap.users]] in the configuration file";
    let refused = with_var("KEYSTEAD_BOOTSTRAP__USERS", "").refused();
    assert_eq!(refused, format!("environment KEYSTEAD_BOOTSTRAP__USERS: {message}"));

    let setup = Setup::new().write(".env", "KEYSTEAD_BOOTSTRAP__USERS_FILE=users").write("users", "ada");
    assert_eq!(setup.refused(), format!("file users (KEYSTEAD_BOOTSTRAP__USERS_FILE): {message}"));
}

#[test]
fn show_masks_hashes_and_can_be_read_again() {
    let setup = with_file(&format!(
        "[[bootstrap.groups]]\nname = \"Editors \\\"#1\\\"\"\n\
         [[bootstrap.users]]\nusername = \"a\"\npassword_hash = \"{HASH}\"\n\
         [[bootstrap.users]]\nusername = \"b\"\npassword_file = \"b\"\n"
    ));

    let shown = setup.loaded().show();

    assert!(
        !shown.contains("argon2id$") && !format!("{:?}", setup.loaded()).contains("argon2id$"),
        "{shown}"
    );
    assert!(shown.contains("permissions = [] # default\n"), "{shown}");
    let line = shown.lines().find(|line| line.starts_with("users = ")).expect("a line");
    assert!(line.ends_with(&format!(" # {}", setup.path().display())), "{line}");
    let table: Table = shown.parse().expect("TOML");
    let users = table["bootstrap"]["users"].as_array().expect("a list");
    assert_eq!(users[0]["password_hash"], Value::from("***"));
    assert_eq!(users[1]["password_file"], Value::from(setup.folder.path().join("b").display().to_string()));
    assert_eq!(table["bootstrap"]["groups"][0]["name"].as_str(), Some("Editors \"#1\""));
}
