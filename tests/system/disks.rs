//! Files that are no store, and disks that are full, read-only or broken: nothing is served that is not sure, and
//! nothing is written to what is refused.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use crate::harness::{PASSWORD, Service, configure, configured, empty_folder, keystead, lacks, program};

const ADA: &str = "ada@example.com";

/// A database with a user in it, which no process has open.
fn made() -> TempDir {
    let folder = configured("");
    let create = ["createsuperuser", "--email", ADA, "--password-stdin"];
    keystead(folder.path(), &create).stdin(PASSWORD).run().expect(0);
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

/// No command takes what is in the place of the store, and all leave it as it is.
fn assert_refused(folder: &Path, parts: &[&str]) {
    let path = folder.join("keystead.redb");
    let before = (names(folder), fs::read(&path).ok());
    for command in [&["serve"][..], &["check"], &["createsuperuser", "--no-input", "--username", "bob"]] {
        keystead(folder, command).run().expect_complaint(1, parts);
        assert!((names(folder), fs::read(&path).ok()) == before, "{command:?} wrote something");
    }
}

#[test]
fn what_is_no_whole_database_is_refused_and_left_as_it_is() {
    let folder = made();
    let path = folder.path().join("keystead.redb");
    let whole = fs::read(&path).expect("readable");
    let mut without_magic = whole.clone();
    without_magic[..16].fill(0x55);
    let garbage: Vec<u8> = (0..whole.len()).map(|at| u8::try_from(at * 131 % 251).expect("small")).collect();
    for bytes in [
        &[][..],
        b"x",
        &garbage,
        &whole[..whole.len() / 2],
        &whole[..4096],
        &whole[..whole.len() - 1],
        &without_magic,
    ] {
        fs::write(&path, bytes).expect("writable");

        assert_refused(folder.path(), &["keystead.redb", "it is left as it is"]);
    }

    fs::write(&path, whole).expect("writable");
    Service::start(folder.path()).logged_in(ADA);
}

#[test]
fn a_flipped_byte_in_the_header_is_noticed_or_harmless() {
    let folder = made();
    let path = folder.path().join("keystead.redb");
    let whole = fs::read(&path).expect("readable");
    let users = |text: &str| text.lines().any(|line| line.split_whitespace().eq(["users", "1"]));
    let mut refused = 0;
    for at in (0..320).step_by(8) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&path, &bytes).expect("writable");

        let checked = keystead(folder.path(), &["check"]).run();

        if checked.code == Some(0) {
            assert!(users(&checked.stdout), "byte {at}: {checked:?}");
        } else {
            checked.expect_complaint(1, &["keystead.redb"]);
            assert!(fs::read(&path).expect("readable") == bytes, "byte {at}: the file was written to");
            refused += 1;
        }
    }
    assert!(refused > 0);
}

#[test]
fn a_folder_that_is_missing_is_not_made() {
    let folder = configured("store.path = \"data/keystead.redb\"");

    let refused = keystead(folder.path(), &["serve"]).run();

    refused.expect_complaint(1, &["data/keystead.redb"]);
    assert_eq!(names(folder.path()), ["auth.toml", "mail"]);
}

#[test]
fn a_folder_in_the_place_of_the_database_is_refused() {
    let folder = configured("");
    fs::create_dir(folder.path().join("keystead.redb")).expect("made");

    for command in [&["serve"][..], &["check"]] {
        keystead(folder.path(), command).run().expect_complaint(1, &["keystead.redb", "not a file"]);
    }

    assert!(names(&folder.path().join("keystead.redb")).is_empty());
}

#[test]
fn a_database_that_may_only_be_read_is_refused() {
    let folder = made();
    let path = folder.path().join("keystead.redb");
    fs::set_permissions(&path, Permissions::from_mode(0o400)).expect("ours");
    if OpenOptions::new().write(true).open(&path).is_ok() {
        // To root the mode says nothing; a read-only disk below does.
        Service::start(folder.path()).logged_in(ADA);
        return;
    }

    assert_refused(folder.path(), &["keystead.redb"]);
}

/// A small disk of its own.
struct Disk {
    folder: PathBuf,
    _home: TempDir,
}

impl Disk {
    fn of(size: &str) -> Self {
        let home = empty_folder();
        let folder = home.path().join("disk");
        fs::create_dir(&folder).expect("made");
        let disk = Self { folder, _home: home };
        as_root("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", disk.path()]);
        disk
    }

    fn path(&self) -> &str {
        self.folder.to_str().expect("UTF-8")
    }
}

fn as_root(name: &str, arguments: &[&str]) {
    program(Path::new("/"), name, arguments).run().expect(0);
}

impl Drop for Disk {
    fn drop(&mut self) {
        program(Path::new("/"), "umount", &["--lazy", self.path()]).run();
    }
}

#[test]
#[ignore = "mounts a small tmpfs: needs root"]
fn a_full_disk_stops_writes_alone_and_space_brings_them_back() {
    if lacks(&[&["sh", "-c", "test $(id -u) = 0"]]) {
        return;
    }
    let disk = Disk::of("4500k");
    configure(&disk.folder, "registration.verification = \"none\"");
    let service = Service::start(&disk.folder);
    service.register(ADA).expect(201);
    let (ended, kept) = (service.logged_in(ADA), service.logged_in(ADA));
    let log_out = || service.client().send("POST", "/auth/logout/", Some(&ended.access), None);
    log_out().expect("an answer").expect(204);

    let mut ballast = fs::File::create(disk.folder.join("ballast")).expect("made");
    while ballast.write_all(&[0x55; 4096]).is_ok() {}

    let refresh = json!({ "refresh": kept.refresh });
    for _ in 0..20 {
        let refused = service.register("bob@example.com").expect_problem(503, "unavailable");
        assert!(refused.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()));
        service.try_log_in(ADA, PASSWORD).expect_problem(503, "unavailable");
        service.post("/auth/token/refresh/", &refresh).expect_problem(503, "unavailable");
        service.get_as(&kept.access, "/auth/profile/").expect(200);
        service.get_as(&ended.access, "/auth/profile/").expect(401);
    }
    service.get("/readyz").expect(503);
    service.get("/healthz").expect(200);

    drop(ballast);
    fs::remove_file(disk.folder.join("ballast")).expect("removed");
    service.get("/readyz").expect(200);
    service.register("bob@example.com").expect(201);
    let renewed = service.post("/auth/token/refresh/", &refresh).expect(200).tokens();

    // Until it really has no room left for its own users.
    let mut registered = 0;
    loop {
        let answer = service.register(&format!("user{registered}@example.com"));
        if answer.status == 503 {
            break;
        }
        answer.expect(201);
        registered += 1;
    }
    service.get_as(&renewed.access, "/auth/profile/").expect(200);
    let service = service.killed_and_started();
    service.get_as(&renewed.access, "/auth/profile/").expect(200);
    service.get_as(&ended.access, "/auth/profile/").expect(401);
    service.kill();
    let checked = keystead(&disk.folder, &["check"]).run().expect(0);
    let users = (registered + 2).to_string();
    assert!(checked.stdout.lines().any(|line| line.split_whitespace().eq(["users", &users])), "{checked:?}");
}

#[test]
#[ignore = "mounts a small tmpfs: needs root"]
fn a_disk_that_may_only_be_read_is_refused() {
    if lacks(&[&["sh", "-c", "test $(id -u) = 0"]]) {
        return;
    }
    let disk = Disk::of("6m");
    let home = configured(&format!("store.path = \"{}/keystead.redb\"", disk.path()));
    Service::start(home.path()).terminate();
    as_root("mount", &["-o", "remount,ro", disk.path()]);
    let before = fs::read(disk.folder.join("keystead.redb")).expect("readable");

    for command in [&["serve"][..], &["check"]] {
        keystead(home.path(), command).run().expect_complaint(1, &["keystead.redb", "Read-only"]);
    }

    assert!(fs::read(disk.folder.join("keystead.redb")).expect("readable") == before);
    assert_eq!(names(&disk.folder), ["keystead.redb"]);
}

#[test]
#[ignore = "needs strace"]
fn after_a_failing_disk_nothing_is_acknowledged_and_the_process_ends() {
    if lacks(&[&["strace", "-V"]]) {
        return;
    }
    let folder = configured("registration.verification = \"none\"");
    Service::start(folder.path()).terminate();
    // Some syncs belong to the start; from the fortieth on the disk is broken.
    let keystead_serve = [env!("CARGO_BIN_EXE_keystead"), "serve"];
    let options = [
        "-D",
        "-f",
        "-q",
        "-o",
        "trace",
        "-e",
        "trace=fdatasync",
        "-e",
        "inject=fdatasync:error=EIO:when=40+",
    ];
    let arguments = [&options[..], &keystead_serve].concat();
    let service = Service::of(folder.path(), program(folder.path(), "strace", &arguments));

    let mut registered: Vec<String> = Vec::new();
    let refused = loop {
        let email = format!("user{}@example.com", registered.len());
        match service.client().post("/auth/register/", &json!({ "email": email, "password": PASSWORD })) {
            Ok(answer) if answer.status == 201 => registered.push(email),
            other => break other,
        }
    };

    if let Ok(answer) = refused {
        answer.expect_problem(503, "unavailable");
    }
    let client = service.client();
    let ended = service.process.end().expect(1);
    assert!(ended.stderr.lines().last().is_some_and(|line| line.contains("the disk failed")), "{ended:?}");
    assert!(client.get("/healthz").is_err());
    assert!(!registered.is_empty());
    let service = Service::start(folder.path());
    for email in &registered {
        service.logged_in(email);
    }
    service.register("late@example.com").expect(201);
    service.kill();
    keystead(folder.path(), &["check"]).run().expect(0);
}
