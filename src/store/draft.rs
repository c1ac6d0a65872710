//! A file that gets its name when it is whole: made beside its place, synced, and moved there.
//!
//! Must never: be found half-done under the name it is for, or take the place of a file unless told to.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

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

/// Tells the drafts of one process apart.
static DRAFTS: AtomicU32 = AtomicU32::new(0);

impl Draft {
    pub(crate) fn beside(place: &Path) -> io::Result<Self> {
        let mut path = place.as_os_str().to_owned();
        path.push(format!(".new-{}-{}", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed)));
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
