//! The architecture as tests: the layer table, no loops, one file for each outside word, and the top level.
//!
//! Reads the sources as text. What it cannot see (a path made by a macro) it does not judge.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops where its ground gives way")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which layers a layer may use, as `src/lib.rs` says it.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("config", &["domain"]),
    ("clock", &["domain"]),
    ("telemetry", &["domain", "config"]),
    ("limiter", &["domain", "config"]),
    ("store", &["domain", "config"]),
    ("crypto", &["domain", "config"]),
    ("mail", &["domain", "config"]),
    ("django", &["domain"]),
    ("app", &["config", "clock", "limiter", "store", "crypto", "mail", "domain"]),
    ("flows", &["app", "config", "clock", "limiter", "store", "crypto", "mail", "domain"]),
    ("jobs", &["flows", "app", "config", "clock", "limiter", "store", "crypto", "mail", "domain"]),
    ("http", &["flows", "app", "config", "limiter", "domain"]),
    ("server", &["http", "jobs", "flows", "app", "config", "clock", "limiter", "domain"]),
    ("dev", &["server", "http", "jobs", "flows", "app", "config", "clock", "crypto", "domain"]),
    ("testing", &["dev", "flows", "app", "config", "domain"]),
    ("cli", &["dev", "server", "flows", "django", "app", "config", "clock", "telemetry", "domain"]),
];

/// Words of the world outside, and where alone they may stand.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("redb::", &["store/engine.rs"]),
    ("bincode::", &["store/codec.rs"]),
    ("xxhash_rust::", &["store/codec.rs"]),
    ("memchr::", &["store/roster/columns.rs"]),
    ("argon2::", &["crypto/password.rs"]),
    ("bcrypt::", &["crypto/legacy.rs"]),
    ("scrypt::", &["crypto/legacy.rs"]),
    ("md5::", &["crypto/legacy.rs"]),
    ("jsonwebtoken::", &["crypto/jwt.rs"]),
    ("aws_lc_rs::", &["crypto/"]),
    ("lettre::", &["mail/"]),
    ("warp::", &["http/"]),
    ("miniz_oxide::", &["domain/password/common.rs"]),
    ("flate2::", &["http/gzip.rs"]),
    ("matchit::", &["http/router.rs"]),
    ("multer::", &["http/compat/serializer.rs"]),
    ("utoipa::", &["http/"]),
    ("hyper::", &["server/", "http/router.rs"]),
    ("hyper_util::", &["server/"]),
    ("clap::", &["cli/"]),
    ("clap_complete::", &["cli/manual.rs"]),
    ("clap_mangen::", &["cli/manual.rs"]),
    ("rpassword::", &["cli/"]),
    ("toml::", &["config/"]),
    ("tracing_subscriber::", &["telemetry.rs"]),
];

/// Folders whose files do not import their neighbours: what they share is in a folder beside them.
const STRANGERS: &[&str] = &["flows", "jobs", "http/routes"];

const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "auth.toml.example",
    "src",
    "assets",
    "tests",
    "benches",
];

const MAX_LINES: usize = 600;

#[test]
fn each_layer_uses_only_what_lies_below_it() {
    let sources = Sources::read();
    let mut broken = Vec::new();
    for (file, source) in &sources.files {
        let layer = layer_of(file);
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            assert!(["main.rs", "lib.rs"].contains(&file.as_str()), "{file} is in no layer");
            continue;
        };
        for used in source.crate_paths() {
            let used = used.split("::").next().unwrap_or_default().to_owned();
            if used != layer && !allowed.contains(&used.as_str()) && is_module(&used) {
                broken.push(format!("{file} uses {used}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn no_two_files_import_each_other_in_a_loop() {
    let sources = Sources::read();
    let graph: BTreeMap<&str, BTreeSet<String>> =
        sources.files.iter().map(|(file, source)| (file.as_str(), sources.imports(file, source))).collect();
    let mut done = BTreeSet::new();
    for file in graph.keys() {
        let mut path = Vec::new();
        assert!(!reaches_itself(&graph, file, &mut path, &mut done), "a loop: {path:?}");
    }
}

#[test]
fn each_outside_word_has_its_place() {
    let sources = Sources::read();
    let mut broken = Vec::new();
    for (file, source) in &sources.files {
        for (word, places) in OUTSIDE {
            let is_here = places.iter().any(|place| file.starts_with(place));
            if !is_here && source.code.lines().any(|line| names(line, word)) {
                broken.push(format!("{file} names {word}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn neighbours_in_flows_jobs_and_routes_are_strangers() {
    let sources = Sources::read();
    let mut broken = Vec::new();
    for (file, source) in &sources.files {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !STRANGERS.contains(&folder) || file.ends_with("/mod.rs") {
            continue;
        }
        for import in sources.imports(file, source) {
            let is_neighbour = import.rsplit_once('/').is_some_and(|(other, _)| other == folder);
            if is_neighbour
                && !import.ends_with("/mod.rs")
                && !import.ends_with("/error.rs")
                && import != *file
            {
                broken.push(format!("{file} imports {import}"));
            }
        }
    }
    // Who is asking is a question of every flow that has a caller.
    broken.retain(|line| !line.ends_with("imports flows/authenticate.rs"));
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn each_file_says_what_it_is_and_stays_readable() {
    let mut broken = Vec::new();
    for (file, source) in &Sources::read().files {
        if !source.whole.starts_with("//! ") {
            broken.push(format!("{file} does not begin with //!"));
        }
        if source.whole.lines().count() > MAX_LINES {
            broken.push(format!("{file} has more than {MAX_LINES} lines"));
        }
        if source.whole.contains("#[allow(") || source.whole.contains("#![allow(") {
            broken.push(format!("{file} silences a lint without expect and a reason"));
        }
    }
    let main = fs::read_to_string(root().join("src/main.rs")).expect("there");
    if main.lines().count() > 30 {
        broken.push("main.rs has more than 30 lines".to_owned());
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_top_level_is_what_was_agreed() {
    for entry in fs::read_dir(root()).expect("readable") {
        let name = entry.expect("readable").file_name().into_string().expect("UTF-8");
        let is_made = ["target", "keystead.redb", "keystead.redb.control", "mail", "auth.toml"]
            .contains(&name.as_str());
        assert!(
            name.starts_with('.') || is_made || TOP_LEVEL.contains(&name.as_str()),
            "{name} at the top level"
        );
    }
}

#[test]
fn the_layer_table_in_lib_rs_is_this_one() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("there");
    for (layer, allowed) in LAYERS {
        let row = format!(
            "//! | `{layer}` | {} |",
            if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(" ") }
        );
        assert!(lib.contains(&row), "src/lib.rs lacks the row\n{row}");
    }
}

struct Sources {
    /// By path below `src`.
    files: BTreeMap<String, Source>,
}

struct Source {
    whole: String,
    /// Without comments and without the unit tests.
    code: String,
}

impl Sources {
    fn read() -> Self {
        let mut files = BTreeMap::new();
        let src = root().join("src");
        collect(&src, &src, &mut files);
        Self { files }
    }

    /// The files that a file imports from, re-exports followed to where the thing is. A `mod.rs` that re-exports
    /// its own files does not import them.
    fn imports(&self, file: &str, source: &Source) -> BTreeSet<String> {
        let module = module_of(file);
        let absolute =
            source.crate_paths().into_iter().map(|path| path.split("::").map(str::to_owned).collect());
        let relative = source.relative_paths(&module, |path| self.file_of(path).is_some());
        absolute
            .chain(relative)
            .filter_map(|path: Vec<String>| self.resolve(&path, 0))
            .filter(|found| found != file)
            .collect()
    }

    fn resolve(&self, path: &[String], depth: usize) -> Option<String> {
        let at = (0..=path.len()).rev().find(|len| self.file_of(&path[..*len]).is_some())?;
        let file = self.file_of(&path[..at])?;
        let Some(item) = path.get(at) else { return Some(file) };
        let source = self.files.get(&file)?;
        let exported = source.re_exports().into_iter().find(|leaf| leaf.last() == Some(item));
        match exported {
            Some(leaf) if depth < 4 => {
                let mut whole = path[..at].to_vec();
                whole.extend(leaf);
                self.resolve(&whole, depth + 1)
            }
            _ => Some(file),
        }
    }

    fn file_of(&self, path: &[String]) -> Option<String> {
        if path.is_empty() {
            return None;
        }
        let base = path.join("/");
        [format!("{base}.rs"), format!("{base}/mod.rs")]
            .into_iter()
            .find(|file| self.files.contains_key(file))
    }
}

impl Source {
    /// Everything after `crate::`, one path for each thing that is named.
    fn crate_paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for (at, _) in self.code.match_indices("crate::") {
            let rest = &self.code[at + "crate::".len()..];
            expand("", rest, &mut paths);
        }
        paths.into_iter().map(|path| path.trim_start_matches("::").to_owned()).collect()
    }

    /// `use child::Thing` inside a module that has that child.
    fn relative_paths(&self, module: &[String], is_file: impl Fn(&[String]) -> bool) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        for line in self.code.lines().filter_map(|line| line.strip_prefix("use ")) {
            let first = line.split("::").next().unwrap_or_default();
            let mut child = module.to_vec();
            child.push(first.to_owned());
            if is_file(&child) {
                found.push(child);
            }
        }
        found
    }

    /// What `pub(crate) use` and `pub use` of own children hand on.
    fn re_exports(&self) -> Vec<Vec<String>> {
        let mut leaves = Vec::new();
        for start in ["pub(crate) use ", "pub use ", "pub(super) use "] {
            for (at, _) in self.code.match_indices(start) {
                let mut paths = Vec::new();
                expand("", &self.code[at + start.len()..], &mut paths);
                leaves.extend(
                    paths
                        .into_iter()
                        .filter(|path| !path.starts_with("crate::"))
                        .map(|path| path.trim_start_matches("::").split("::").map(str::to_owned).collect()),
                );
            }
        }
        leaves
    }
}

/// Reads one path, braces expanded, from the start of `text`.
fn expand(prefix: &str, text: &str, paths: &mut Vec<String>) -> usize {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let own = text[..end].trim_end_matches(':');
    let whole = if own.is_empty() { prefix.to_owned() } else { format!("{prefix}::{own}") };
    if !text[end..].starts_with('{') {
        paths.push(whole.trim_start_matches("::").to_owned());
        return end;
    }
    let mut at = end + 1;
    while at < text.len() && !text[at..].starts_with('}') {
        let rest = &text[at..];
        let skipped = rest.find(|c: char| !(c.is_whitespace() || c == ',')).unwrap_or(rest.len());
        at += skipped;
        if text[at..].starts_with('}') {
            break;
        }
        let used = expand(&whole, &text[at..], paths);
        at += used.max(1);
    }
    at + 1
}

fn reaches_itself(
    graph: &BTreeMap<&str, BTreeSet<String>>,
    file: &str,
    path: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> bool {
    if path.iter().any(|seen| seen == file) {
        path.push(file.to_owned());
        return true;
    }
    if done.contains(file) {
        return false;
    }
    path.push(file.to_owned());
    for next in graph.get(file).into_iter().flatten() {
        if reaches_itself(graph, next, path, done) {
            return true;
        }
    }
    path.pop();
    done.insert(file.to_owned());
    false
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Source>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned();
            if name.ends_with("tests.rs") {
                continue;
            }
            let whole = fs::read_to_string(&path).expect("UTF-8");
            let code = without_tests(&whole);
            files.insert(name, Source { whole, code });
        }
    }
}

fn without_tests(text: &str) -> String {
    let tests = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\npub(super) mod tests {"];
    let end = tests.iter().filter_map(|start| text.find(start)).min().unwrap_or(text.len());
    let mut code = String::new();
    let mut lines = text[..end].lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            lines.next();
        } else if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

/// Whether a line names the word itself, not one that ends like it.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

fn layer_of(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or_default();
    if ["main.rs", "lib.rs"].contains(&first) { first } else { first.trim_end_matches(".rs") }
}

fn is_module(name: &str) -> bool {
    LAYERS.iter().any(|(layer, _)| *layer == name)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
