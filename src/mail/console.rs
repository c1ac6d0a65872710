//! Prints mails to standard output, for development.
//!
//! Must never: let a mail command the terminal, or tear a mail apart among other output.

use std::io::{self, Write as _};

use crate::domain::{Content, Mail};
use crate::mail::error::DeliveryError;
use crate::mail::text;

pub(super) async fn print(mail: &Mail, content: &Content) -> Result<(), DeliveryError> {
    let block = block(mail, content);
    // A terminal that stands still (a pager, Ctrl-S) must not hold up the threads that serve requests.
    let printed = tokio::task::spawn_blocking(move || {
        let mut stdout = io::stdout().lock();
        stdout.write_all(block.as_bytes()).and_then(|()| stdout.flush())
    })
    .await;
    match printed.map_err(io::Error::from) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) | Err(error) => {
            Err(DeliveryError::transient(&format!("cannot print the mail: {error}")))
        }
    }
}

fn block(mail: &Mail, content: &Content) -> String {
    let to = text::one_line(mail.to.as_str());
    let opening = format!("---- mail to {to} ----");
    let rule = "-".repeat(opening.chars().count());
    let subject = text::one_line(&mail.subject);
    let body = text::printable(content.text.expose());
    let date = mail.created_at;
    format!("{opening}\nTo: {to}\nSubject: {subject}\nDate: {date}\n\n{}\n{rule}\n", body.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Email, MailContent, MailId, MailKind, Secret, Timestamp};

    fn block_of(subject: &str, text: &str) -> String {
        let mail = Mail::new(
            MailId([7; 16]),
            Email::parse("ada@example.com").unwrap(),
            MailKind::VerifyEmail,
            subject.to_owned(),
            MailContent::Gone,
            Timestamp::from_millis(1_795_362_180_123),
        );
        block(&mail, &Content { text: Secret::new(text.to_owned()), html: None })
    }

    #[test]
    fn a_mail_is_one_readable_block() {
        insta::assert_snapshot!(block_of("Confirm", "Hello,\n\n01234567\n"), @r"
        ---- mail to ada@example.com ----
        To: ada@example.com
        Subject: Confirm
        Date: 2026-11-22T15:43:00.123Z

        Hello,

        01234567
        ---------------------------------
        ");
    }

    #[test]
    fn a_mail_cannot_command_the_terminal() {
        let block = block_of("a\r\nb\u{1b}]0;title\u{7}", "\u{1b}[2Jx\ty\r\n");

        assert!(block.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')), "{block:?}");
        assert_eq!(block.lines().nth(2), Some("Subject: a  b ]0;title"));
    }
}
