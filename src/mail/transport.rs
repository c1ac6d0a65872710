//! The ways a mail can leave: printed, written to a folder, handed to an SMTP server, or kept for a developer.
//!
//! Must never: retry, or remember that a mail went. The outbox does both; delivering the same mail twice is harmless here.

use crate::config::{MailConfig, MailTransport};
use crate::domain::{Content, Mail};
use crate::mail::console;
use crate::mail::directory::Directory;
use crate::mail::error::{DeliveryError, TransportError};
use crate::mail::mailbox::Mailbox;
use crate::mail::message::Sender;
use crate::mail::smtp::Smtp;

pub(crate) enum Transport {
    /// Prints mails for the developer who watches.
    Console,
    /// One `.eml` file a mail.
    Directory(Directory),
    Smtp(Box<Smtp>),
    /// Keeps mails in memory.
    Mailbox(Mailbox),
}

impl Transport {
    pub(crate) fn open(config: &MailConfig) -> Result<Self, TransportError> {
        let sender = || Sender::new(&config.from).map_err(TransportError::From);
        match config.transport {
            MailTransport::Console => Ok(Self::Console),
            MailTransport::Directory => {
                Directory::open(config.directory.clone(), sender()?).map(Self::Directory)
            }
            MailTransport::Smtp => Smtp::open(config, sender()?).map(|smtp| Self::Smtp(Box::new(smtp))),
            MailTransport::Mailbox => Ok(Self::Mailbox(Mailbox::silent())),
            MailTransport::MailboxAndConsole => Ok(Self::Mailbox(Mailbox::printing())),
        }
    }

    /// Where mails are kept, if they go nowhere.
    pub(crate) fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            Self::Mailbox(mailbox) => Some(mailbox),
            Self::Console | Self::Directory(_) | Self::Smtp(_) => None,
        }
    }

    /// Returns once the mail is printed, on the disk, or accepted by the server.
    pub(crate) async fn deliver(&self, mail: &Mail, content: &Content) -> Result<(), DeliveryError> {
        match self {
            Self::Console => console::print(mail, content).await,
            Self::Directory(directory) => directory.deliver(mail, content).await,
            Self::Smtp(smtp) => smtp.deliver(mail, content).await,
            Self::Mailbox(mailbox) => {
                mailbox.keep(mail, content).await;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::config::{Mailbox, SmtpSecurity};
    use crate::domain::{Email, MailContent, MailId, MailKind, Secret, Timestamp};

    fn config(transport: MailTransport, directory: &Path) -> MailConfig {
        MailConfig {
            transport,
            directory: directory.to_owned(),
            from: Mailbox { name: None, address: Email::parse("keystead@localhost").unwrap() },
            smtp_host: "localhost".to_owned(),
            smtp_port: 587,
            smtp_username: None,
            smtp_password: None,
            smtp_security: SmtpSecurity::StartTls,
            templates: None,
        }
    }

    fn mail(to: &str) -> Mail {
        Mail::new(
            MailId([7; 16]),
            Email::from_stored(to.to_owned()),
            MailKind::VerifyEmail,
            "Confirm".to_owned(),
            MailContent::Gone,
            Timestamp::from_secs(0),
        )
    }

    fn content() -> Content {
        Content { text: Secret::new("01234567\n".to_owned()), html: None }
    }

    #[tokio::test]
    async fn the_configuration_chooses_the_way() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("mail");

        let console = Transport::open(&config(MailTransport::Console, &folder)).unwrap();
        let smtp = Transport::open(&config(MailTransport::Smtp, &folder)).unwrap();
        assert!(matches!((console, smtp), (Transport::Console, Transport::Smtp(_))));
        assert!(!folder.exists());

        let directory = Transport::open(&config(MailTransport::Directory, &folder)).unwrap();
        directory.deliver(&mail("ada@example.com"), &content()).await.unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn an_address_that_mail_cannot_carry_is_given_up_at_once() {
        let temp = tempfile::tempdir().unwrap();
        let directory = Transport::open(&config(MailTransport::Directory, temp.path())).unwrap();

        let refused = directory.deliver(&mail("ädä@example.com"), &content()).await.unwrap_err();

        assert!(refused.is_permanent(), "{refused}");
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_sender_that_mail_cannot_carry_stops_the_start() {
        let mut config = config(MailTransport::Smtp, Path::new(""));
        config.from.address = Email::from_stored("nobody".to_owned());

        let error = Transport::open(&config).err().unwrap();

        assert!(error.to_string().starts_with("cannot use mail.from: "), "{error}");
    }
}
