//! Keeps mails in memory, where whoever develops reads them, and prints them if somebody watches.
//!
//! Must never: be a way that mails of a real service go, or grow for ever.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::domain::{Content, EmailKey, Mail, MailId};
use crate::mail::console;

/// The newest mails are kept; nobody scrolls further.
const MOST: usize = 1000;

pub(crate) struct Mailbox {
    /// Their ids sort by the moment they were promised at, whatever the order they came in.
    mails: Mutex<BTreeMap<MailId, Arc<KeptMail>>>,
    state: watch::Sender<State>,
    is_printing: bool,
}

/// Told to whoever waits, at each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    /// No more mails come.
    Closed,
}

/// A mail that arrived.
#[derive(Debug)]
pub(crate) struct KeptMail {
    pub(crate) mail: Mail,
    pub(crate) content: Content,
}

impl Mailbox {
    pub(super) fn silent() -> Self {
        Self { mails: Mutex::default(), state: watch::Sender::new(State::Open), is_printing: false }
    }

    pub(super) fn printing() -> Self {
        Self { is_printing: true, ..Self::silent() }
    }

    /// A mail that comes again is the same mail.
    pub(super) async fn keep(&self, mail: &Mail, content: &Content) {
        let kept = KeptMail { mail: mail.clone(), content: content.clone() };
        let is_new = {
            let mut mails = self.mails();
            let is_new = mails.insert(mail.id, Arc::new(kept)).is_none();
            if mails.len() > MOST {
                mails.pop_first();
            }
            is_new
        };
        self.state.send_modify(|_| {});
        if self.is_printing && is_new {
            // It is in the mailbox: nothing is lost if nobody watches any more.
            console::print(mail, content).await.ok();
        }
    }

    /// All mails, the newest first.
    pub(crate) fn all(&self) -> Vec<Arc<KeptMail>> {
        self.mails().values().rev().cloned().collect()
    }

    pub(crate) fn mail(&self, id: MailId) -> Option<Arc<KeptMail>> {
        self.mails().get(&id).cloned()
    }

    /// The newest mail to an address, or to anybody; of those after `after`, if that one is here.
    pub(crate) fn newest(&self, to: Option<&EmailKey>, after: Option<MailId>) -> Option<Arc<KeptMail>> {
        let mails = self.mails();
        let after = after.filter(|id| mails.contains_key(id));
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut newest_first = mails.range((start, Bound::Unbounded)).rev().map(|(_, kept)| kept);
        newest_first.find(|kept| to.is_none_or(|to| kept.mail.to.key() == *to)).cloned()
    }

    /// Lets go of whoever waits for a mail.
    pub(crate) fn close(&self) {
        self.state.send_replace(State::Closed);
    }

    /// Changes with each mail.
    pub(crate) fn changes(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    fn mails(&self) -> MutexGuard<'_, BTreeMap<MailId, Arc<KeptMail>>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptMail {
    /// The digits that stand alone on a line.
    pub(crate) fn code(&self) -> Option<&str> {
        self.lines().find(|line| line.len() == CODE_DIGITS && line.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The link that stands alone on a line.
    pub(crate) fn link(&self) -> Option<&str> {
        let is_link = |line: &str| line.starts_with("http://") || line.starts_with("https://");
        self.lines().find(|line| is_link(line) && !line.contains(char::is_whitespace))
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.content.text.expose().lines().map(str::trim)
    }
}

const CODE_DIGITS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Email, MailContent, MailKind, Secret, Timestamp};

    fn mail(at: u64, to: &str) -> Mail {
        let now = Timestamp::from_millis(at);
        let to = Email::parse(to).unwrap();
        let id = MailId::new(now, [7; 10]);
        Mail::new(id, to, MailKind::VerifyEmail, format!("Mail {at}"), MailContent::Gone, now)
    }

    fn content(text: &str) -> Content {
        Content { text: Secret::new(text.to_owned()), html: None }
    }

    fn subject_of_newest(mailbox: &Mailbox, to: Option<&str>, after: Option<MailId>) -> Option<String> {
        let to = to.map(|to| Email::parse(to).unwrap().key());
        mailbox.newest(to.as_ref(), after).map(|kept| kept.mail.subject.clone())
    }

    #[tokio::test]
    async fn the_newest_mail_is_the_one_promised_last() {
        let mailbox = Mailbox::silent();
        for (at, to) in [(3, "ada@example.com"), (1, "ada@example.com"), (2, "eve@example.com")] {
            mailbox.keep(&mail(at, to), &content("")).await;
        }

        for (to, after, expected) in [
            (None, None, Some("Mail 3")),
            (Some("ADA@example.com"), None, Some("Mail 3")),
            (Some("eve@example.com"), None, Some("Mail 2")),
            (Some("nobody@example.com"), None, None),
            (Some("ada@example.com"), Some(3), None),
            (Some("ada@example.com"), Some(2), Some("Mail 3")),
            (Some("eve@example.com"), Some(2), None),
            // One that was dropped: what is here came later, as far as anybody knows.
            (Some("eve@example.com"), Some(9), Some("Mail 2")),
        ] {
            let after = after.map(|at| mail(at, "ada@example.com").id);
            let newest = subject_of_newest(&mailbox, to, after);
            assert_eq!(newest.as_deref(), expected, "{to:?} {after:?}");
        }
    }

    #[tokio::test]
    async fn the_oldest_mails_make_room() {
        let mailbox = Mailbox::silent();
        for at in 0..=u64::try_from(MOST).unwrap() {
            mailbox.keep(&mail(at, "ada@example.com"), &content("")).await;
            mailbox.keep(&mail(at, "ada@example.com"), &content("")).await;
        }

        let all = mailbox.all();

        assert_eq!(all.len(), MOST);
        assert_eq!(all.last().map(|kept| kept.mail.subject.as_str()), Some("Mail 1"));
    }

    #[test]
    fn a_code_and_a_link_are_picked_out() {
        let kept = |text| KeptMail { mail: mail(1, "ada@example.com"), content: content(text) };
        let both = kept(
            "Hello,\n\n  01234567\r\n\nOr 12345678 at http://x.example/a b\nhttps://x.example/?code=1\n",
        );
        assert_eq!((both.code(), both.link()), (Some("01234567"), Some("https://x.example/?code=1")));
        let neither = kept("Hello 01234567\n0123456\nhttp://x.example/a b\nhttpsx\n");
        assert_eq!((neither.code(), neither.link()), (None, None));
    }
}
