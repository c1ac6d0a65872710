//! A file that gets its name when it is whole: made beside its place, synced, and moved there.
//!
//! Must never: be found half-done under the name it is for, or take the place of a file unless told to.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use rustix::process::Pid;

/// What becomes of a file that has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

/// An empty file of our own. It goes when this is dropped, unless it was placed.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    place: PathBuf,
}

/// What a draft has in its name after the name that it is for; its process and its number follow.
const MARK: &str = ".new-";
/// Tells the drafts of one process apart.
static DRAFTS: AtomicU32 = AtomicU32::new(0);

impl Draft {
    pub(crate) fn beside(place: &Path) -> io::Result<Self> {
        remove_orphans(place);
        let mut path = place.as_os_str().to_owned();
        path.push(format!("{MARK}{}-{}", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed)));
        let path = PathBuf::from(path);
        // Left by a process of the same number that was killed; no living one has it.
        fs::remove_file(&path).ok();
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { path, place: place.to_owned() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it durable under its name.
    pub(crate) fn place(self, existing: Existing) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        match existing {
            Existing::Keep => move_to_free(&self.path, &self.place)?,
            Existing::Replace => fs::rename(&self.path, &self.place)?,
        }
        File::open(folder_of(&self.place))?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

/// Removes the drafts for the same place whose processes were killed. What cannot be removed takes space and does no
/// other harm.
fn remove_orphans(place: &Path) {
    let Some(name) = place.file_name() else { return };
    let Ok(entries) = fs::read_dir(folder_of(place)) else { return };
    for entry in entries.flatten() {
        let owner = entry.file_name().as_bytes().strip_prefix(name.as_bytes()).and_then(process_of_draft);
        if owner.is_some_and(|process| !is_alive(process)) && !is_open(&entry.path()) {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// The process in the rest of a draft's name: `.new-17-0`.
fn process_of_draft(rest: &[u8]) -> Option<Pid> {
    let (process, number) = std::str::from_utf8(rest).ok()?.strip_prefix(MARK)?.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let process = Some(process).filter(|text| is_number(text) && is_number(number))?;
    process.parse().ok().and_then(Pid::from_raw)
}

fn is_alive(process: Pid) -> bool {
    // Somebody else's process is one that may not be asked.
    rustix::process::test_kill_process(process) != Err(Errno::SRCH)
}

/// Whether the engine of some process has the file open, one of another container perhaps, where other numbers count. What
/// is no file is left alone as if it were.
fn is_open(path: &Path) -> bool {
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    !is_file || File::open(path).is_ok_and(|file| file.try_lock().is_err())
}

/// The folder that a path leads to.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn move_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can move without replacing; those that cannot have hard links.
        Err(Errno::INVAL | Errno::NOSYS) => fs::hard_link(from, to),
        moved => moved.map_err(io::Error::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No process has so high a number.
    const NO_PROCESS: u32 = 999_999_999;

    #[test]
    fn only_drafts_for_this_place_that_nobody_works_on_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let orphans = [format!("b.new-{NO_PROCESS}-0"), format!("b.new-{NO_PROCESS}-17")];
        let parent = std::os::unix::process::parent_id();
        let others = [
            "b".to_owned(),
            format!("a.new-{NO_PROCESS}-0"),
            format!("bb.new-{NO_PROCESS}-0"),
            format!("b.new-{NO_PROCESS}-"),
            format!("b.new-{NO_PROCESS}"),
            format!("b.new-{NO_PROCESS}-0x"),
            format!("b.new--{NO_PROCESS}-0"),
            format!("b.new-+{NO_PROCESS}-0"),
            format!("b.new-{NO_PROCESS}-0-0"),
            "b.new-99999999999999-0".to_owned(),
            "b.new-0-0".to_owned(),
            "b.new-old".to_owned(),
            format!("b.new-{parent}-0"),
            format!("b.new-{NO_PROCESS}-1"),
        ];
        for name in orphans.iter().chain(&others) {
            fs::write(path(name), b"").expect("written");
        }
        fs::create_dir(path(&format!("b.new-{NO_PROCESS}-2"))).expect("made");
        std::os::unix::fs::symlink(path("b"), path(&format!("b.new-{NO_PROCESS}-3"))).expect("linked");
        let open = File::open(path(&format!("b.new-{NO_PROCESS}-1"))).expect("there");
        open.lock().expect("ours");

        let draft = Draft::beside(&path("b")).expect("a draft");

        for name in &orphans {
            assert!(!path(name).exists(), "{name}");
        }
        for name in &others {
            assert!(path(name).exists(), "{name}");
        }
        assert!(path(&format!("b.new-{NO_PROCESS}-2")).is_dir());
        assert!(path(&format!("b.new-{NO_PROCESS}-3")).is_symlink() && draft.path().exists());
    }
}
