//! Writes mails as `.eml` files: a mailbox for development and tests that any mail program opens.
//!
//! Must never: show a half-written file under its final name, or let other users of the machine read a code.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::domain::{Content, Mail};
use crate::mail::error::{DeliveryError, TransportError};
use crate::mail::message::{self, Sender, Wire};

#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    sender: Sender,
}

impl Directory {
    pub(super) fn open(path: PathBuf, sender: Sender) -> Result<Self, TransportError> {
        match create(&path) {
            Ok(()) => Ok(Self { path, sender }),
            Err(source) => Err(TransportError::Directory { path, source }),
        }
    }

    pub(super) async fn deliver(&self, mail: &Mail, content: &Content) -> Result<(), DeliveryError> {
        let bytes = message::compose(&self.sender, mail, content, Wire::EightBit)?.formatted();
        let folder = self.path.clone();
        let name = file_name(mail);
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &bytes)).await;
        match written.map_err(io::Error::from) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) | Err(error) => {
                let path = self.path.display();
                Err(DeliveryError::transient(&format!("cannot write the mail to {path}: {error}")))
            }
        }
    }
}

/// `20261122T154300.123Z-<id>.eml`: sorts by time, and is the same for every attempt at one mail.
fn file_name(mail: &Mail) -> String {
    let time: String = mail.created_at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{time}-{}.eml", mail.id)
}

/// Ours alone from the first moment. A folder that is already there keeps the rights its owner gave it.
fn create(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    // Again, since developers empty their mailbox by removing the folder.
    create(folder)?;
    let draft = folder.join(format!(".{name}.part"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(name))?;
    // The outbox forgets the mail after this, so the new name must be on the disk too.
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::Mailbox;
    use crate::domain::{Email, MailContent, MailId, MailKind, Secret, Timestamp};

    fn open(path: &Path) -> Directory {
        let from = Mailbox { name: None, address: Email::parse("keystead@localhost").unwrap() };
        Directory::open(path.to_owned(), Sender::new(&from).unwrap()).unwrap()
    }

    fn mail(id: u8, millis: u64) -> Mail {
        Mail::new(
            MailId([id; 16]),
            Email::parse("ada@example.com").unwrap(),
            MailKind::VerifyEmail,
            "Confirm".to_owned(),
            MailContent::Gone,
            Timestamp::from_millis(millis),
        )
    }

    fn content() -> Content {
        Content { text: Secret::new("01234567\n".to_owned()), html: None }
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn each_mail_is_a_private_file_and_names_sort_by_time() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a/mail");
        let directory = open(&path);

        directory.deliver(&mail(1, 1_795_362_180_123), &content()).await.unwrap();
        directory.deliver(&mail(0, 1_795_362_180_124), &content()).await.unwrap();

        assert_eq!(
            names(&path),
            [
                "20261122T154300.123Z-01010101-0101-0101-0101-010101010101.eml",
                "20261122T154300.124Z-00000000-0000-0000-0000-000000000000.eml",
            ]
        );
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join(&names(&path)[0])), 0o600);
    }

    #[tokio::test]
    async fn a_second_delivery_of_a_mail_leaves_one_file() {
        let temp = tempfile::tempdir().unwrap();
        let directory = open(temp.path());

        directory.deliver(&mail(1, 0), &content()).await.unwrap();
        let first = fs::read(temp.path().join(&names(temp.path())[0])).unwrap();
        directory.deliver(&mail(1, 0), &content()).await.unwrap();

        assert_eq!(names(temp.path()).len(), 1);
        assert_eq!(fs::read(temp.path().join(&names(temp.path())[0])).unwrap(), first);
    }

    #[tokio::test]
    async fn a_removed_folder_comes_back() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("mail");
        let directory = open(&path);
        fs::remove_dir(&path).unwrap();

        directory.deliver(&mail(1, 0), &content()).await.unwrap();

        assert_eq!(names(&path).len(), 1);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_stops_the_start() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("file");
        fs::write(&path, "").unwrap();
        let from = Mailbox { name: None, address: Email::parse("keystead@localhost").unwrap() };

        let opened = Directory::open(path, Sender::new(&from).unwrap());

        assert!(opened.unwrap_err().to_string().starts_with("cannot create mail.directory "));
    }
}
