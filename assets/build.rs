//! Compresses what the pages load, so that nothing is compressed while it is served, gathers their templates, and names
//! the version of it all.

#![expect(clippy::expect_used, reason = "a build stops where its ground gives way")]

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::{Compression, GzBuilder};
use xxhash_rust::xxh3::Xxh3;

const FOLDERS: [&str; 6] = ["pages", "lib", "account", "admin", "docs", "dev"];
const EXTENSIONS: [&str; 6] = ["js", "css", "svg", "json", "png", "html"];

fn main() {
    let out = out_dir();
    // What was removed from the sources is not to stay.
    for folder in ["statics", "templates"] {
        match fs::remove_dir_all(out.join(folder)) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{folder}: {error}"),
            _ => {}
        }
    }
    let mut version = Xxh3::new();
    for folder in FOLDERS {
        let folder = Path::new("assets").join(folder);
        println!("cargo:rerun-if-changed={}", folder.display());
        for file in files_in(&folder) {
            let bytes = fs::read(&file).expect("readable");
            version.update(file.as_os_str().as_encoded_bytes());
            version.update(&bytes);
            let name = file.strip_prefix("assets").expect("it is in there");
            if file.extension().is_some_and(|extension| extension == "html") {
                write(&bytes, &out.join("templates").join(name));
            } else {
                write(&compressed(&bytes), &out.join("statics").join(name));
            }
        }
    }
    println!("cargo:rustc-env=KEYSTEAD_STATICS={:016x}", version.digest());
}

#[expect(clippy::disallowed_methods, reason = "cargo tells a build by its environment alone")]
fn out_dir() -> PathBuf {
    PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"))
}

/// The files that the program holds, in an order that does not depend on the disk.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(files_in(&path));
        } else if EXTENSIONS.iter().any(|one| path.extension().is_some_and(|extension| extension == *one)) {
            files.push(path);
        }
    }
    files
}

fn write(bytes: &[u8], to: &Path) {
    fs::create_dir_all(to.parent().expect("in a folder")).expect("a folder");
    fs::write(to, bytes).expect("written");
}

/// Without a name and a time in it: the same bytes from every build.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    gzip.write_all(bytes).expect("written");
    gzip.finish().expect("written")
}
