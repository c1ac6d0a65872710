//! The five minutes of the README, its throw-away service, and its way from a Django project to here, word for word.
//!
//! The shell blocks under a heading run in one `bash -eu`, in a folder, with `keystead` on the PATH. A line
//! `# -> text` expects the output of the command above it to contain the text. Only the port is another one, so that
//! a service on the reader's own port is in nobody's way.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::harness::{Ended, empty_folder, lacks, program, variable};

const HEADING: &str = "## Five minutes";
const TESTS: &str = "## In your tests";
const GUIDE: &str = "## Coming from Django";
const ADDRESS: &str = "127.0.0.1:8000";

/// What `expect` looks at: the output since the last `mark`.
const PREAMBLE: &str = r#"
exec > .output 2>&1
trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
from=0
mark() { from=$(wc -c < .output); }
expect() {
    tail -c "+$((from + 1))" .output | grep -qF -- "$1" && return
    echo "NOT AS THE TOUR SAYS, expected: $1"
    exit 1
}
"#;

/// The lines of the shell blocks under a heading, up to the next heading of its kind.
fn tour_of<'a>(readme: &'a str, heading: &str) -> Vec<&'a str> {
    let mut lines = Vec::new();
    let (mut is_under, mut block) = (false, None);
    for line in readme.lines() {
        match (line.trim_end(), block) {
            (line, None) if line.starts_with("## ") => is_under = line == heading,
            (line, None) if line.starts_with("```") => block = Some(line == "```sh"),
            ("```", Some(_)) => block = None,
            (line, Some(true)) if is_under => lines.push(line),
            _ => {}
        }
    }
    lines
}

/// The lines as a program that stops at the first one that does not do what is expected.
fn script(tour: &[&str]) -> String {
    let mut script = PREAMBLE.to_owned();
    let mut is_expecting = false;
    for line in tour {
        if let Some(text) = line.trim_start().strip_prefix("# -> ") {
            script = format!("{script}expect '{}'\n", text.replace('\'', r"'\''"));
            is_expecting = true;
        } else {
            if std::mem::take(&mut is_expecting) {
                script.push_str("mark\n");
            }
            script.push_str(line);
            script.push('\n');
        }
    }
    script
}

/// Runs the tour in an empty folder, and returns how it ended with all that it printed.
fn take(readme: &str) -> (Ended, String) {
    let folder = empty_folder();
    take_in(folder.path(), &tour_of(readme, HEADING), "")
}

/// Runs a tour in a folder, with this folder of programs before all others.
fn take_in(folder: &Path, tour: &[&str], programs: &str) -> (Ended, String) {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let address = format!("127.0.0.1:{port}");
    let script = script(tour).replace(ADDRESS, &address);
    let binary = Path::new(env!("CARGO_BIN_EXE_keystead")).parent().expect("a folder").display();
    let path = format!("{programs}:{binary}:{}", variable("PATH").expect("a path"));
    // As a file, so that nothing in the tour reads the lines after it from stdin.
    let file = empty_folder();
    let name = file.path().join("tour.sh");
    fs::write(&name, script).expect("writable");
    let ended = program(folder, "bash", &["-eu", name.to_str().expect("UTF-8")])
        .env("PATH", &path)
        .env("KEYSTEAD_SERVER__LISTEN", &address)
        .env("KEYSTEAD_SERVER__PUBLIC_URL", &format!("http://{address}"))
        .run();
    let output = fs::read_to_string(folder.join(".output")).expect("UTF-8");
    (ended, output)
}

const SAMPLE: &str = r#"
## Before

```sh
exit 7
```

## Five minutes

```sh
keystead serve > keystead.out 2> keystead.log &
until grep -q listening keystead.out; do sleep 0.1; done
curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:8000/healthz
# -> 200
curl -s http://127.0.0.1:8000/auth/profile/
# -> "status":401
# -> "code":"not_authenticated"
```

It's said in words, too.

```json
{"not": "run"}
```

```sh
NAME=$(printf 'it'"'"'s')
echo "$NAME"
# -> it's
```

## After

```sh
exit 7
```
"#;

#[test]
fn only_the_shell_under_the_heading_is_taken() {
    let tour = tour_of(SAMPLE, HEADING);

    assert_eq!(tour.len(), 10);
    assert_eq!(tour.first(), Some(&"keystead serve > keystead.out 2> keystead.log &"));
    assert_eq!(tour.last(), Some(&"# -> it's"));
    let script = script(&tour);
    assert!(
        script.contains("\nexpect '\"status\":401'\nexpect '\"code\":\"not_authenticated\"'\nmark\n"),
        "{script}"
    );
    assert!(script.ends_with("expect 'it'\\''s'\n"), "{script}");
}

#[test]
#[ignore = "needs curl and bash"]
fn a_tour_runs_and_stops_where_it_is_wrong() {
    if lacks(&[&["curl", "--version"], &["bash", "--version"]]) {
        return;
    }
    let (ended, output) = take(SAMPLE);
    assert_eq!(ended.code, Some(0), "{output}");

    let (ended, output) = take(&SAMPLE.replace("\"status\":401", "\"status\":200"));
    assert_eq!(ended.code, Some(1), "{output}");
    assert!(output.ends_with("NOT AS THE TOUR SAYS, expected: \"status\":200\n"), "{output}");

    // What an earlier command printed is no answer to a later question.
    let (ended, _) =
        take(&SAMPLE.replace("\"code\":\"not_authenticated\"", "listening").replace("it's\n```", "401\n```"));
    assert_eq!(ended.code, Some(1));
}

#[test]
#[ignore = "needs curl and bash"]
fn the_tour_of_the_readme_works() {
    if lacks(&[&["curl", "--version"], &["bash", "--version"]]) {
        return;
    }
    let readme = readme();
    assert!(!tour_of(&readme, HEADING).is_empty(), "no ```sh block under {HEADING}");

    let (ended, output) = take(&readme);

    assert_eq!(ended.code, Some(0), "{output}");
}

#[test]
#[ignore = "needs curl and bash"]
fn the_throw_away_service_of_the_readme_works() {
    if lacks(&[&["curl", "--version"], &["bash", "--version"]]) {
        return;
    }
    let readme = readme();
    let tour = tour_of(&readme, TESTS);
    assert!(tour.len() > 10, "no tour under {TESTS}");

    let (ended, output) = take_in(empty_folder().path(), &tour, "");

    assert_eq!(ended.code, Some(0), "{output}");
}

/// What the reader of the guide has: a project with simplejwt, and somebody who is logged in to it.
const PROJECT: &str = r#"
django-admin startproject site_of_ada .
cat >> site_of_ada/settings.py <<'END'
INSTALLED_APPS += ["rest_framework", "rest_framework_simplejwt"]
END
python manage.py migrate --verbosity 0
python manage.py shell -c '
from django.contrib.auth.models import Group, User
from rest_framework_simplejwt.tokens import RefreshToken
ada = User.objects.create_user("ada", "ada@example.com", "correct horse battery", id=17)
ada.groups.add(Group.objects.create(name="Editors"))
open("old.token", "w").write(str(RefreshToken.for_user(ada)))
'
"#;

#[test]
#[ignore = "needs curl, bash, and python3 with django and djangorestframework-simplejwt"]
fn the_way_from_a_django_project_to_here_works() {
    let python = variable("KEYSTEAD_TEST_PYTHON").unwrap_or_else(|| "python3".to_owned());
    let modules = [python.as_str(), "-c", "import django, rest_framework_simplejwt"];
    if lacks(&[&["curl", "--version"], &["bash", "--version"], &modules]) {
        return;
    }
    let readme = readme();
    let guide = tour_of(&readme, GUIDE);
    assert!(guide.len() > 10, "no guide under {GUIDE}");
    let programs = Path::new(&python).parent().expect("a folder").display().to_string();
    let folder = empty_folder();
    let (ended, output) = take_in(folder.path(), &PROJECT.lines().collect::<Vec<_>>(), &programs);
    assert_eq!(ended.code, Some(0), "{output}");

    let (ended, output) = take_in(folder.path(), &guide, &programs);

    assert_eq!(ended.code, Some(0), "{output}");
}

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    fs::read_to_string(path).expect("there is a README")
}
