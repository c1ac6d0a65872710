//! A folder that is gone as soon as nobody needs its name.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::crypto::random;

/// Ours alone. Files that are open outlive it (POSIX `unlink`).
pub(super) struct Folder(PathBuf);

/// Where Linux keeps files in memory: a commit waits for no disk there.
const MEMORY: &str = "/dev/shm";

impl Folder {
    /// In memory if there is such a place, else where the system has what does not last.
    pub(super) fn make() -> io::Result<Self> {
        Self::make_in(Path::new(MEMORY)).or_else(|_| Self::make_in(&std::env::temp_dir()))
    }

    fn make_in(parent: &Path) -> io::Result<Self> {
        let path = parent.join(format!("keystead-dev-{:032x}", u128::from_be_bytes(random::bytes())));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "a temporary folder is left");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_is_ours_alone_and_goes_with_what_is_in_it() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = Folder::make_in(parent.path()).expect("another");
        fs::write(folder.path().join("file"), "x").expect("written");

        let mode = fs::metadata(folder.path()).expect("there").permissions().mode();
        drop(folder);

        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(fs::read_dir(parent.path()).expect("readable").count(), 0);
    }

    #[test]
    fn a_place_that_is_not_there_is_told() {
        assert!(Folder::make_in(Path::new("/nowhere/at/all")).is_err());
    }
}
