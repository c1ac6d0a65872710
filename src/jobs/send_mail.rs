//! Delivers what is in the outbox. A mail leaves the outbox once it is delivered, and only then: a crash in between
//! delivers it again, it never loses it.

use futures_util::StreamExt;
use futures_util::stream;

use crate::app::App;
use crate::domain::{Mail, MailId};
use crate::flows::{self, FlowError};
use crate::jobs::Progress;

/// Mails taken in one round, and how many of them are on their way at a time.
const ROUND: usize = 64;
const AT_ONCE: usize = 4;

pub(super) async fn run_once(app: &App) -> Result<Progress, FlowError> {
    // What cannot be taken out of the outbox afterwards would be sent again and again.
    if !app.store.has_space() {
        return Ok(Progress::Idle);
    }
    let due = app.store.read()?.due_mails(app.clock.now(), ROUND)?;
    let is_full = due.len() == ROUND;
    let deliveries = stream::iter(due).map(|mail| deliver(app, mail)).buffer_unordered(AT_ONCE);
    // One that fails keeps none of the others: they may be on their way already.
    let outcomes: Vec<Result<(), FlowError>> = deliveries.collect().await;
    outcomes.into_iter().collect::<Result<(), FlowError>>()?;
    Ok(if is_full { Progress::More } else { Progress::Idle })
}

async fn deliver(app: &App, mut mail: Mail) -> Result<(), FlowError> {
    let id = mail.id;
    if app.delivered().contains(&id) {
        return remove(app, id).await;
    }
    if mail.is_useless(app.clock.now()) {
        mail.expired();
        return put_back(app, mail).await;
    }
    let content = match flows::open_mail(app, &mail) {
        Ok(content) => content,
        Err(reason) => {
            mail.unreadable(reason.to_owned());
            return put_back(app, mail).await;
        }
    };
    match app.transport.deliver(&mail, &content).await {
        Ok(()) => {
            app.delivered().insert(id);
            tracing::info!(mail.id = %id, mail.kind = mail.kind.as_str(), "mail delivered");
            remove(app, id).await?;
        }
        Err(error) => {
            if error.is_permanent() {
                mail.refused(error.to_string());
            } else {
                mail.failed(error.to_string(), app.clock.now());
            }
            put_back(app, mail).await?;
        }
    }
    Ok(())
}

/// Takes a delivered mail out of the outbox. If that fails, it is tried again, and the mail is not sent again.
async fn remove(app: &App, id: MailId) -> Result<(), FlowError> {
    app.store.write(move |tx| tx.remove_mail(id)).await?;
    app.delivered().remove(&id);
    Ok(())
}

async fn put_back(app: &App, mail: Mail) -> Result<(), FlowError> {
    let id = mail.id;
    tracing::warn!(mail.id = %id, attempts = mail.attempts, status = ?mail.status, "mail not delivered");
    let kept = app.store.write(move |tx| match tx.mail(id)? {
        Some(_) => tx.save_mail(&mail),
        None => Ok(()), // An administrator dropped it meanwhile.
    });
    Ok(kept.await?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::crypto::{Sealer, seal};
    use crate::domain::{Content, Email, MailContent, MailKind, MailStatus, Origin, Secret};

    const ID: MailId = MailId([7; 16]);

    /// A service whose mails go to a folder.
    async fn app(folder: &Path) -> App {
        let (store, mail) = (folder.join("k.redb"), folder.join("mail"));
        let text =
            format!("store.path = {store:?}\nmail.transport = \"directory\"\nmail.directory = {mail:?}");
        let config = Config::from_toml(&text).expect("a configuration");
        App::open(config, Clock::system()).await.expect("the store opens")
    }

    #[tokio::test]
    async fn a_mail_that_went_out_is_not_sent_again_because_it_could_not_be_taken_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = app(folder.path()).await;
        promise(&app, MailContent::Plain(content())).await;
        app.delivered().insert(ID);

        run_once(&app).await.expect("a round");

        let sent = fs::read_dir(folder.path().join("mail")).map_or(0, Iterator::count);
        assert_eq!((sent, app.delivered().len()), (0, 0));
        assert_eq!(app.store.read().expect("readable").mail(ID).expect("readable"), None);
    }

    async fn promise(app: &App, content: MailContent) {
        let to = Email::parse("ada@example.com").expect("an address");
        let now = app.clock.now();
        let mail = Mail::new(ID, to, MailKind::PasswordChanged, "Hello".to_owned(), content, now);
        app.store.write(move |tx| tx.enqueue_mail(&mail)).await.expect("queued");
    }

    fn content() -> Content {
        Content { text: Secret::new("12345678\n".to_owned()), html: None }
    }

    fn sealed(sealer: &Sealer, id: MailId, bytes: &[u8]) -> MailContent {
        MailContent::Sealed(Secret::new(sealer.seal(&id.0, bytes)))
    }

    fn delivered(folder: &Path) -> Vec<String> {
        let mails = fs::read_dir(folder.join("mail")).expect("a folder");
        mails.map(|mail| fs::read_to_string(mail.expect("readable").path()).expect("UTF-8")).collect()
    }

    #[tokio::test]
    async fn a_mail_is_delivered_whether_it_is_sealed_or_from_before() {
        for is_sealed in [true, false] {
            let folder = tempfile::tempdir().expect("a folder");
            let app = app(folder.path()).await;
            let plain = MailContent::Plain(content());
            promise(&app, if is_sealed { sealed(&app.sealer, ID, &content().to_bytes()) } else { plain })
                .await;

            run_once(&app).await.expect("the job runs");

            let mails = delivered(folder.path());
            assert!(mails.len() == 1 && mails[0].ends_with("\r\n\r\n12345678\r\n"), "{mails:?}");
            assert_eq!(app.store.read().expect("a view").mail(ID).expect("read"), None);
        }
    }

    #[tokio::test]
    async fn a_mail_that_does_not_open_is_given_up_once() {
        const CLOSED: &str = "what is in it does not open with the key of this store";
        let stranger = Sealer::new(seal::generate(Clock::system().now()).material.expose()).expect("a key");
        let bytes = content().to_bytes();
        for case in 0..5 {
            let folder = tempfile::tempdir().expect("a folder");
            let app = app(folder.path()).await;
            let (content, reason) = match case {
                0 => (sealed(&stranger, ID, &bytes), CLOSED),
                1 => (sealed(&app.sealer, MailId([8; 16]), &bytes), CLOSED),
                2 => (sealed(&app.sealer, ID, b"no content"), CLOSED),
                3 => (MailContent::Sealed(Secret::new(vec![7; 5])), CLOSED),
                _ => (MailContent::Gone, "what was in it is gone"),
            };
            promise(&app, content.clone()).await;

            assert_eq!(run_once(&app).await.expect("the job runs"), Progress::Idle);

            let read = app.store.read().expect("a view");
            let mail = read.mail(ID).expect("read").expect("kept");
            assert_eq!(
                (mail.status, mail.attempts, mail.content),
                (MailStatus::Failed, 0, content),
                "{case}"
            );
            assert_eq!(mail.last_error.as_deref(), Some(reason));
            assert_eq!(read.due_mails(app.clock.now(), 9).expect("read"), []);
            assert_eq!(delivered(folder.path()), [""; 0]);
        }
    }

    #[tokio::test]
    async fn the_key_that_seals_outlives_restarts_and_rotations() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = app(folder.path()).await;
        promise(&first, sealed(&first.sealer, ID, &content().to_bytes())).await;
        let key = |app: &App| app.store.read().expect("a view").seal_key().expect("read").expect("a key");
        let before = key(&first);
        flows::rotate_keys(&first, &Origin::default()).await.expect("rotated");
        first.close().await;
        drop(first);
        let second = app(folder.path()).await;

        run_once(&second).await.expect("the job runs");

        assert_eq!(key(&second), before);
        assert_eq!(delivered(folder.path()).len(), 1);
    }
}
