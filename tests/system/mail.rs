//! Mail that leaves: into a folder, and through a real mail server.
//!
//! The mail server is aiosmtpd: `KEYSTEAD_TEST_PYTHON` names a Python that has it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use crate::harness::{
    Mail, PASSWORD, Process, Service, configure, configured, empty_folder, eventually, keystead, lacks,
    mails, program, variable,
};

const ADA: &str = "ada@example.com";

#[test]
fn a_folder_keeps_each_mail_as_a_private_file() {
    let folder = configured("mail.directory = \"post\"\nserver.public_url = \"https://id.example.com\"");
    let service = Service::start(folder.path());
    service.register(ADA).expect(202);
    service.register("bob@example.com").expect(202);

    let post = folder.path().join("post");
    eventually("two mails", || (mails(&post).len() == 2).then_some(()));

    for entry in fs::read_dir(&post).expect("readable") {
        let path = entry.expect("readable").path();
        assert!(path.extension().is_some_and(|extension| extension == "eml"), "{path:?}");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }
    let readers: Vec<String> = mails(&post).into_iter().map(|mail| mail.to).collect();
    assert_eq!(readers, [ADA, "bob@example.com"]);
    assert!(mails(&post)[0].link().starts_with("https://id.example.com/auth/register/verify?code="));
}

#[test]
fn a_link_changes_nothing_until_its_button_is_pressed() {
    let folder = configured("");
    let service = Service::start(folder.path());
    service.register(ADA).expect(202);
    let code = service.mail_to(ADA).long_code();

    for _ in 0..2 {
        let page = service.get(&format!("/auth/register/verify?code={code}")).expect(200);
        assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
        service.try_log_in(ADA, PASSWORD).expect(401);
    }

    let form = format!("code={code}");
    let request = format!(
        "POST /auth/register/verify HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    service.client().raw(request.as_bytes()).expect("an answer").expect(200);
    service.logged_in(ADA);
}

#[test]
fn an_operators_own_letters_are_sent() {
    let folder = configured("mail.templates = \"letters\"");
    fs::create_dir_all(folder.path().join("letters/en")).expect("made");
    let text = "Subject: Welcome to Example\n\nYour code:\n\n{{ code }}\n\n{{ link }}\n";
    fs::write(folder.path().join("letters/en/verify_email.txt"), text).expect("written");
    let service = Service::start(folder.path());

    service.register(ADA).expect(202);

    let mail = service.mail_to(ADA);
    assert!(mail.text.starts_with("Your code:\n\n"), "{}", mail.text);
    service.verify(ADA, &mail.code()).expect(200);
}

#[test]
fn a_broken_letter_stops_the_start_with_its_file_and_line() {
    let folder = configured("mail.templates = \"letters\"");
    let start = || keystead(folder.path(), &["serve"]).run();
    start().expect_complaint(2, &["mail templates: letters: cannot be read: "]);

    fs::create_dir_all(folder.path().join("letters/es")).expect("made");
    let file = folder.path().join("letters/es/verify_email.txt");
    fs::write(&file, "Subject: Hola\n\n{{ code }}\n\n{{ enlace }}\n").expect("written");
    start().expect_complaint(2, &["letters/es/verify_email.txt: undefined value", "es/verify_email.txt:5"]);

    fs::write(&file, "Subject: Hola\n\n{{ code }}\n\n{{ link }}\n").expect("written");
    Service::start(folder.path()).terminate();
}

/// A mail server and what came to it.
struct Postbox {
    port: u16,
    folder: TempDir,
    process: Process,
}

/// A Python that has aiosmtpd.
fn python() -> String {
    variable("KEYSTEAD_TEST_PYTHON").unwrap_or_else(|| "python3".to_owned())
}

impl Postbox {
    fn open(mode: &str) -> Self {
        Self::open_at(0, mode)
    }

    fn open_at(port: u16, mode: &str) -> Self {
        let python = python();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/fixtures");
        let path = |name: &str| fixtures.join(name).to_str().expect("UTF-8").to_owned();
        let (folder, port) = (empty_folder(), port.to_string());
        let (script, pem) = (path("smtp_server.py"), path("self_signed.pem"));
        let kept = folder.path().to_str().expect("UTF-8").to_owned();
        let process = program(folder.path(), &python, &[&script, &kept, &port, mode, &pem]).spawn();
        let line = process.stdout.first_line();
        let port = line.and_then(|line| line.parse().ok());
        let port = port.unwrap_or_else(|| panic!("no mail server: {}", process.stderr.text()));
        Self { port, folder, process }
    }

    fn settings(&self, security: &str) -> String {
        format!(
            "mail.transport = \"smtp\"\nmail.smtp_host = \"localhost\"\nmail.smtp_port = {}\n\
             mail.smtp_security = \"{security}\"\nmail.from = \"Keystead <accounts@example.com>\"",
            self.port
        )
    }

    fn mails(&self) -> Vec<Mail> {
        mails(self.folder.path())
    }

    fn mail(&self) -> Mail {
        eventually("a mail", || self.mails().pop())
    }

    fn close(self) -> u16 {
        drop(self.process);
        self.port
    }
}

/// The mail could not leave: the service goes on, and keeps it.
fn assert_kept(service: &Service, postbox: &Postbox) {
    service.process.stderr.wait_for("mail not delivered");
    assert!(postbox.mails().is_empty());
    service.get("/readyz").expect(200);
    service.register("bob@example.com").expect(202);
}

#[test]
#[ignore = "needs python3 with aiosmtpd"]
fn a_mail_server_gets_the_code_and_the_link() {
    if lacks(&[&[&python(), "-c", "import aiosmtpd"]]) {
        return;
    }
    let postbox = Postbox::open("plain");
    let folder = configured(&postbox.settings("none"));
    let service = Service::start(folder.path());

    service.register(ADA).expect(202);

    let mail = postbox.mail();
    assert_eq!(mail.to, ADA);
    assert!(mail.link().starts_with("http://127.0.0.1:8000/auth/register/verify?code="));
    service.verify(ADA, &mail.code()).expect(200);
    service.process.stderr.wait_for("mail delivered");
    service.killed_and_started().terminate();
    assert_eq!(postbox.mails().len(), 1);
}

#[test]
#[ignore = "needs python3 with aiosmtpd"]
fn a_mail_waits_for_the_right_password_of_the_mail_server() {
    if lacks(&[&[&python(), "-c", "import aiosmtpd"]]) {
        return;
    }
    let postbox = Postbox::open("auth");
    let settings = |password: &str| {
        let log_in = format!("mail.smtp_username = \"keystead\"\nmail.smtp_password = \"{password}\"");
        format!("{}\n{log_in}", postbox.settings("none"))
    };
    let folder = configured(&settings("wrong"));
    let service = Service::start(folder.path());
    service.register(ADA).expect(202);
    assert_kept(&service, &postbox);
    service.terminate();

    configure(folder.path(), &settings("hunter22"));
    let service = Service::start(folder.path());

    let mail = eventually("the mail", || postbox.mails().into_iter().find(|mail| mail.to == ADA));
    service.verify(ADA, &mail.code()).expect(200);
    assert!(!service.terminate().stderr.contains("hunter22"));
}

#[test]
#[ignore = "needs python3 with aiosmtpd"]
fn nothing_leaves_in_the_clear_when_tls_is_required() {
    if lacks(&[&[&python(), "-c", "import aiosmtpd"]]) {
        return;
    }
    let postbox = Postbox::open("plain");
    let folder = configured(&postbox.settings("starttls"));
    let service = Service::start(folder.path());
    service.register(ADA).expect(202);
    assert_kept(&service, &postbox);
    service.terminate();

    configure(folder.path(), &postbox.settings("none"));
    let service = Service::start(folder.path());

    let mail = eventually("the mail", || postbox.mails().into_iter().find(|mail| mail.to == ADA));
    service.verify(ADA, &mail.code()).expect(200);
}

#[test]
#[ignore = "needs python3 with aiosmtpd"]
fn a_certificate_of_an_unknown_authority_is_refused() {
    if lacks(&[&[&python(), "-c", "import aiosmtpd"]]) {
        return;
    }
    for security in ["starttls", "tls"] {
        let postbox = Postbox::open(security);
        let folder = configured(&postbox.settings(security));
        let service = Service::start(folder.path());

        service.register(ADA).expect(202);

        assert_kept(&service, &postbox);
        service.terminate();
        assert!(postbox.mails().is_empty());
    }
}

#[test]
#[ignore = "needs python3 with aiosmtpd"]
fn a_mail_arrives_once_the_mail_server_is_back() {
    if lacks(&[&[&python(), "-c", "import aiosmtpd"]]) {
        return;
    }
    let port = Postbox::open("plain").close();
    let gone = TcpListener::bind(("127.0.0.1", port)).expect("free again");
    drop(gone);
    let settings = format!(
        "mail.transport = \"smtp\"\nmail.smtp_host = \"127.0.0.1\"\nmail.smtp_port = {port}\n\
         mail.smtp_security = \"none\""
    );
    let folder = configured(&settings);
    let service = Service::start(folder.path());
    service.register(ADA).expect(202);
    service.process.stderr.wait_for("mail not delivered");

    let postbox = Postbox::open_at(port, "plain");

    let code = postbox.mail().code();
    service.verify(ADA, &code).expect(200);
    service.process.stderr.wait_for("mail delivered");
    assert_eq!(postbox.mails().len(), 1);
}
