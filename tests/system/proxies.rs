//! Real proxies in front of a program, set up as the README says, with only ports and addresses of the test.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use crate::harness::{
    Answer, Client, PASSWORD, Process, Service, empty_folder, eventually, lacks, program, variable,
};

const README: &str = include_str!("../../README.md");
const AUTH: &str = "auth.example.com";
const APP: &str = "app.example.com";
const NGINX: &str = "/usr/sbin/nginx";

/// The first block of the README that is in this language and has this in it.
fn block(language: &str, part: &str) -> &'static str {
    let opening = format!("```{language}\n");
    let mut blocks = README.split(&opening).skip(1);
    let block = blocks.find_map(|rest| rest.split("```").next().filter(|block| block.contains(part)));
    block.expect("a block of the README")
}

/// A program that answers with the head of the request, and remembers for which paths it was asked.
struct App {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl App {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let head = head_of(&stream);
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                seen.lock().expect("nobody panicked").push(path);
                let length = head.len();
                let answer =
                    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{head}");
                (&stream).write_all(answer.as_bytes()).ok();
            }
        });
        Self { address, asked }
    }

    fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("nobody panicked"))
    }
}

fn head_of(mut stream: &TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Keystead, the program, and a proxy in front of both.
struct Stage {
    service: Service,
    app: App,
    proxy: Client,
    _process: Process,
    _folder: TempDir,
}

impl Stage {
    fn with_nginx() -> Self {
        Self::new(|folder, port, service, app| {
            let servers = block("nginx", "auth_request")
                .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port};"))
                .replace("127.0.0.1:8000", &service.to_string())
                .replace("127.0.0.1:3000", &app.to_string());
            let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|name| format!("{name}_temp_path {name};\n"))
                .concat();
            let config = format!(
                "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\n\
                 http {{\naccess_log off;\n{paths}{servers}}}\n"
            );
            fs::write(folder.join("nginx.conf"), config).expect("writable");
            let prefix = format!("{}/", folder.display());
            program(folder, NGINX, &["-p", &prefix, "-c", "nginx.conf", "-e", "stderr"]).spawn()
        })
    }

    fn with_caddy() -> Self {
        Self::new(|folder, port, service, app| {
            let mut sites = block("caddyfile", "forward_auth")
                .replace("127.0.0.1:8000", &service.to_string())
                .replace("127.0.0.1:3000", &app.to_string());
            for host in [AUTH, APP] {
                sites = sites.replace(&format!("{host} {{"), &format!("http://{host}:{port} {{"));
            }
            let config = format!("{{\nadmin off\nauto_https off\ndefault_bind 127.0.0.1\n}}\n{sites}");
            fs::write(folder.join("Caddyfile"), config).expect("writable");
            let home = folder.display().to_string();
            let arguments = ["run", "--config", "Caddyfile", "--adapter", "caddyfile"];
            program(folder, "caddy", &arguments).env("HOME", &home).env("XDG_DATA_HOME", &home).spawn()
        })
    }

    fn with_traefik() -> Self {
        Self::new(|folder, port, service, app| {
            let routes = block("yaml", "forwardAuth")
                .replace("127.0.0.1:8000", &service.to_string())
                .replace("127.0.0.1:3000", &app.to_string())
                .replace("      tls: {}\n", "");
            fs::write(folder.join("routes.yml"), routes).expect("writable");
            let entrance = format!("--entrypoints.web.address=127.0.0.1:{port}");
            let quiet = ["--global.checknewversion=false", "--global.sendanonymoususage=false"];
            let arguments = [quiet.as_slice(), &["--providers.file.filename=routes.yml", &entrance]].concat();
            program(folder, &traefik(), &arguments).spawn()
        })
    }

    /// Ada is nobody in particular, Ed an editor.
    fn new(proxy: impl FnOnce(&std::path::Path, u16, SocketAddr, SocketAddr) -> Process) -> Self {
        let folder = empty_folder();
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a port");
        let port = address.port();
        let settings = block("toml", "[[forward.rules]]")
            .replace("[server]", "[server]\nlisten = \"127.0.0.1:0\"")
            .replace(&format!("https://{AUTH}"), &format!("http://{AUTH}:{port}"))
            .replace(&format!("https://{APP}"), &format!("http://{APP}:{port}"));
        let people = "[[bootstrap.groups]]\nname = \"Editors\"\n\
            [[bootstrap.users]]\nemail = \"ada@example.com\"\nusername = \"ada\"\nfirst_name = \"Ådä\"\n\
            password_file = \"password\"\n\
            [[bootstrap.users]]\nemail = \"ed@example.com\"\nusername = \"ed\"\ngroups = [\"Editors\"]\n\
            password_file = \"password\"\n";
        let cheap = "passwords.memory_kib = 64\npasswords.iterations = 1\nlimits.enabled = false\n";
        fs::write(folder.path().join("auth.toml"), format!("{cheap}{settings}{people}")).expect("writable");
        fs::write(folder.path().join("password"), PASSWORD).expect("writable");
        let service = Service::start(folder.path());
        let app = App::start();
        let process = proxy(folder.path(), port, service.address, app.address);
        let (proxy, lines) =
            (Client { address }, format!("Host: {AUTH}:{port}\r\nConnection: close\r\n\r\n"));
        let probe = format!("GET /healthz HTTP/1.1\r\n{lines}");
        let is_ready = || {
            TcpStream::connect(address).is_ok()
                && proxy.raw(probe.as_bytes()).is_ok_and(|answer| answer.status == 200)
        };
        eventually("the proxy is ready", || is_ready().then_some(()));
        Self { service, app, proxy, _process: process, _folder: folder }
    }

    /// Through the proxy, with exactly these lines.
    fn raw(&self, request_line: &str, lines: &[String]) -> Answer {
        let head = format!("{request_line} HTTP/1.1\r\nConnection: close\r\n{}\r\n", lines.concat());
        self.proxy.raw(head.as_bytes()).expect("an answer")
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let port = self.proxy.address.port();
        let mut lines = vec![format!("Host: {APP}:{port}\r\n")];
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
        self.raw(&format!("GET {path}"), &lines)
    }

    /// Logs in with cookies where people do: the cookie that programs see.
    fn log_in(&self, name: &str) -> (Answer, String) {
        let body =
            serde_json::json!({ "identifier": name, "password": PASSWORD, "cookies": true }).to_string();
        let head = format!(
            "POST /auth/login/ HTTP/1.1\r\nHost: {AUTH}:{}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.proxy.address.port(),
            body.len()
        );
        let answer = self.proxy.raw(head.as_bytes()).expect("an answer").expect(200);
        let cookie = format!("theme=dark; keystead-forward={}", answer.cookie("keystead-forward"));
        (answer, cookie)
    }
}

/// What the program got in a header, if it got it; WSGI and CGI take `Remote_User` for `Remote-User`.
fn got<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let lines = answer.text.lines().filter_map(|line| line.split_once(':'));
    let is_it = |own: &str| own.replace('_', "-").eq_ignore_ascii_case(name);
    lines.filter(|(own, _)| is_it(own)).map(|(_, value)| value.trim()).collect()
}

fn basic(name: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{PASSWORD}")))
}

fn lacks_nginx() -> bool {
    lacks(&[&[NGINX, "-v"]])
}

fn lacks_caddy() -> bool {
    lacks(&[&["caddy", "version"]])
}

fn lacks_traefik() -> bool {
    lacks(&[&[&traefik(), "version"]])
}

/// `KEYSTEAD_TEST_TRAEFIK` names it where it is in no folder of programs.
fn traefik() -> String {
    variable("KEYSTEAD_TEST_TRAEFIK").unwrap_or_else(|| "traefik".to_owned())
}

const SPOOFED: [(&str, &str); 8] = [
    ("Remote-User", "root"),
    ("Remote-Name", "Root"),
    ("Remote-Email", "root@example.com"),
    ("remote-groups", "Root"),
    ("Remote_User", "root"),
    ("REMOTE_NAME", "Root"),
    ("remote_email", "root@example.com"),
    ("Remote_Groups", "Root"),
];

fn tells_the_program_who_comes(stage: &Stage) {
    let (answer, cookie) = stage.log_in("ed");
    let access = answer.tokens().access;
    let key = format!("Token {}", stage.service.api_key(&access, "backup"));
    let bearer = format!("Bearer {access}");

    for shown in [
        ("Cookie", &cookie),
        ("Authorization", &bearer),
        ("Authorization", &key),
        ("Authorization", &basic("ed")),
    ] {
        let headers = [[(shown.0, shown.1.as_str())].as_slice(), &SPOOFED].concat();
        let seen = stage.get("/admin/x?y=%20", &headers).expect(200);
        assert!(seen.text.starts_with("GET /admin/x?y=%20 "), "{}", seen.text);
        assert_eq!((got(&seen, "remote-user"), got(&seen, "remote-groups")), (vec!["ed"], vec!["Editors"]));
        assert!(!seen.text.contains("keystead-") && got(&seen, "authorization").is_empty(), "{}", seen.text);
        let kept = got(&seen, "cookie").concat();
        assert_eq!(kept.trim_end_matches("; keystead="), if shown.0 == "Cookie" { "theme=dark" } else { "" });
    }
    let ada = basic("ada");
    let seen = stage.get("/", &[("Authorization", &ada)]).expect(200);
    assert_eq!((got(&seen, "remote-name"), got(&seen, "remote-user")), (vec!["Ådä"], vec!["ada"]));
    let seen = stage.get("/static/x", &SPOOFED).expect(200);
    for name in ["remote-user", "remote-name", "remote-email", "remote-groups"] {
        assert!(got(&seen, name).iter().all(|value| value.is_empty()), "{}", seen.text);
    }
}

fn keeps_out_who_may_not(stage: &Stage) {
    let port = stage.proxy.address.port();
    let page = ("Accept", "text/html");
    let sent = stage.get("/admin/a%20b?x=1&y", &[page]).expect(302);
    assert_eq!(
        sent.header("location").map(str::to_owned),
        Some(format!(
            "http://{AUTH}:{port}/account/login/?next=http%3A%2F%2F{APP}%3A{port}%2Fadmin%2Fa%2520b%3Fx%3D1%26y"
        ))
    );
    let program = stage.get("/", &[]).expect(401);
    assert!(program.header("www-authenticate").is_some_and(|asked| asked.starts_with("Basic ")));
    stage.get("/", &[("Cookie", "keystead-forward=x")]).expect(401);
    stage.get("/", &[("Authorization", "Basic eDp5")]).expect(401);
    stage.get("/", &[("Authorization", "Bearer x"), page]).expect(401);
    let (_, cookie) = stage.log_in("ada");
    stage.get("/admin/x", &[("Cookie", &cookie), page]).expect(403);
    assert_eq!(stage.app.take_asked(), Vec::<String>::new());

    stage.get("/x", &[("Cookie", &cookie)]).expect(200);
    let (other, _) = stage.log_in("ada");
    let line =
        format!("Cookie: keystead-refresh={}\r\nContent-Length: 0\r\n", other.cookie("keystead-refresh"));
    let host = format!("Host: {AUTH}:{port}\r\nSec-Fetch-Site: same-origin\r\n");
    stage.raw("POST /auth/logout/", &[host.clone(), line]).expect(204);
    stage.get("/x", &[("Cookie", &cookie)]).expect(200);
    let everywhere = format!("Authorization: Bearer {}\r\n", stage.service.logged_in("ada").access);
    stage.raw("DELETE /auth/logout/", &[host, everywhere]).expect(204);
    stage.get("/x", &[("Cookie", &cookie)]).expect(401);
    assert_eq!(stage.app.take_asked(), ["/x", "/x"]);
}

fn believes_no_client(stage: &Stage) {
    let (_, cookie) = stage.log_in("ada");
    let port = stage.proxy.address.port();
    let url = format!("http://{APP}:{port}/health");
    for (name, value) in [
        ("X-Forwarded-Uri", "/health"),
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Host", "other.example.com"),
        ("X_Forwarded_Uri", "/health"),
        ("X-Original-URL", &url),
        ("X-Original-URL", "http://app.example.com/health"),
        ("X-Original-Uri", "/health"),
        ("X-Rewrite-Url", "/health"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Connection", "X-Forwarded-Method, X-Forwarded-Uri, X-Forwarded-Host, X-Original-URL"),
        ("Connection", "Cookie, Host"),
    ] {
        for who in [("Cookie", cookie.as_str()), ("Accept", "*/*")] {
            let answer = stage.get("/admin/x", &[(name, value), who]);
            assert!([401, 403].contains(&answer.status), "{name}: {value}: {}", answer.status);
        }
    }
    for path in [
        "//admin/x",
        "//x/admin/x",
        "/\\x/admin/x",
        "/%2Fx/admin/x",
        "/admin%3Fx",
        "/admin%23x",
        "/static/..%20/admin/x",
        "/Admin/x",
        "/%61dmin/x",
        "/%2561dmin/x",
        "/admin%2Fx",
        "/admin;x/y",
        "/./admin/x",
        "/x/../admin/x",
        "/x/%2e%2e/admin/x",
        "/static/../admin/x",
        "/static/%2e%2e/admin/x",
        "/static/..%2Fadmin/x",
        "/static/..;/admin/x",
        "/health/../admin",
    ] {
        let answer = stage.get(path, &[("Cookie", &cookie)]);
        // Traefik makes one slash of two, asks about that path, and the program for it.
        let is_another = stage.app.take_asked() == ["/x/admin/x"];
        let is_refused = [301, 302, 308, 400, 403].contains(&answer.status);
        assert!(is_refused || is_another, "{path}: {}", answer.status);
    }
    // One host in the first line, another in the header.
    let line = format!("Host: {AUTH}\r\nCookie: {cookie}\r\n");
    let answer = stage.raw(&format!("GET http://{APP}:{port}/admin/x"), &[line]);
    assert!((400..=404).contains(&answer.status), "{}", answer.status);
    let line = format!("Host: {APP}\r\nCookie: {cookie}\r\n");
    stage.raw(&format!("GET http://{AUTH}:{port}/auth/forward/"), &[line]);
    assert_eq!(stage.app.take_asked(), Vec::<String>::new());

    let told = ["X-Forwarded-Method: GET\r\n", "X-Forwarded-Uri: /\r\n", &format!("Host: {AUTH}:{port}\r\n")];
    for path in ["/auth/forward/", "/auth/forward", "/auth/./forward/", "/auth/%66orward/"] {
        stage.raw(&format!("GET {path}"), &told.map(str::to_owned)).expect(404);
    }
}

#[test]
#[ignore = "needs nginx"]
fn nginx_tells_the_program_who_comes() {
    if !lacks_nginx() {
        tells_the_program_who_comes(&Stage::with_nginx());
    }
}

#[test]
#[ignore = "needs nginx"]
fn nginx_keeps_out_who_may_not() {
    if !lacks_nginx() {
        keeps_out_who_may_not(&Stage::with_nginx());
    }
}

#[test]
#[ignore = "needs nginx"]
fn nginx_believes_no_client() {
    if !lacks_nginx() {
        believes_no_client(&Stage::with_nginx());
    }
}

#[test]
#[ignore = "needs caddy"]
fn caddy_tells_the_program_who_comes() {
    if !lacks_caddy() {
        tells_the_program_who_comes(&Stage::with_caddy());
    }
}

#[test]
#[ignore = "needs caddy"]
fn caddy_keeps_out_who_may_not() {
    if !lacks_caddy() {
        keeps_out_who_may_not(&Stage::with_caddy());
    }
}

#[test]
#[ignore = "needs caddy"]
fn caddy_believes_no_client() {
    if !lacks_caddy() {
        believes_no_client(&Stage::with_caddy());
    }
}

#[test]
#[ignore = "needs traefik"]
fn traefik_tells_the_program_who_comes() {
    if !lacks_traefik() {
        tells_the_program_who_comes(&Stage::with_traefik());
    }
}

#[test]
#[ignore = "needs traefik"]
fn traefik_keeps_out_who_may_not() {
    if !lacks_traefik() {
        keeps_out_who_may_not(&Stage::with_traefik());
    }
}

#[test]
#[ignore = "needs traefik"]
fn traefik_believes_no_client() {
    if !lacks_traefik() {
        believes_no_client(&Stage::with_traefik());
    }
}
