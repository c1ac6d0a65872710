//! Hands mails to an SMTP server, one connection a mail.
//!
//! Must never: say a word of a mail or a password in the clear when TLS was asked for.
//!
//! lettre's pooled transport is not used: it waits for replies without end, and cutting it short would put a
//! connection back into the pool in the middle of a conversation.

use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{self, Data, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use crate::config::{MailConfig, SmtpSecurity};
use crate::domain::{Content, Mail, Secret};
use crate::mail::error::{DeliveryError, TransportError};
use crate::mail::message::{self, Sender, Wire};

pub(crate) struct Smtp {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    sender: Sender,
    /// How long all of one delivery may take; some servers greet slowly on purpose.
    patience: Duration,
}

enum Security {
    Clear,
    StartTls(TlsParameters),
    Tls(TlsParameters),
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(60);
const FAREWELL: Duration = Duration::from_secs(2);

impl Smtp {
    pub(super) fn open(config: &MailConfig, sender: Sender) -> Result<Self, TransportError> {
        let host = config.smtp_host.clone();
        let tls = || {
            TlsParameters::new(host.clone())
                .map_err(|error| TransportError::Host { host: host.clone(), reason: error.to_string() })
        };
        let security = match config.smtp_security {
            SmtpSecurity::None => Security::Clear,
            SmtpSecurity::StartTls => Security::StartTls(tls()?),
            SmtpSecurity::Tls => Security::Tls(tls()?),
        };
        let credentials = config.smtp_username.clone().map(|username| {
            let password = config.smtp_password.as_ref().map(Secret::expose).cloned().unwrap_or_default();
            Credentials::new(username, password)
        });
        Ok(Self { host, port: config.smtp_port, security, credentials, sender, patience: PATIENCE })
    }

    pub(super) async fn deliver(&self, mail: &Mail, content: &Content) -> Result<(), DeliveryError> {
        let message = message::compose(&self.sender, mail, content, Wire::SevenBit)?;
        let sent = tokio::time::timeout(self.patience, self.send(&message)).await;
        let mut connection =
            sent.unwrap_or_else(|_| Err(self.transient(&format!("no answer within {:?}", self.patience))))?;
        // The mail is the server's now, so how the farewell goes does not matter; but it must not take for ever.
        drop(tokio::time::timeout(FAREWELL, connection.quit()).await);
        Ok(())
    }

    /// A refusal is final only when it concerns the reader or the mail itself: what the server holds against us
    /// (password, sender, TLS) is a matter for the operator, and the mail waits for them.
    async fn send(&self, message: &Message) -> Result<AsyncSmtpConnection, DeliveryError> {
        let (Some(from), [to]) = (message.envelope().from(), message.envelope().to()) else {
            return Err(DeliveryError::permanent("the mail must have one sender and one reader"));
        };
        let mut server = self.connect().await?;
        let hello = commands::Mail::new(Some(from.clone()), Vec::new());
        server.command(hello).await.map_err(|error| self.transient(&format!("sender refused: {error}")))?;
        let reader = Rcpt::new(to.clone(), Vec::new());
        server.command(reader).await.map_err(|error| self.verdict("reader refused", &error))?;
        server.command(Data).await.map_err(|error| self.verdict("mail refused", &error))?;
        server.message(&message.formatted()).await.map_err(|error| self.verdict("mail refused", &error))?;
        Ok(server)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, DeliveryError> {
        let hello = ClientId::default();
        let tls = match &self.security {
            Security::Tls(tls) => Some(tls.clone()),
            Security::StartTls(_) | Security::Clear => None,
        };
        let place = (self.host.as_str(), self.port);
        let mut server = AsyncSmtpConnection::connect_tokio1(place, Some(CONNECT_TIMEOUT), &hello, tls, None)
            .await
            .map_err(|error| self.transient(&error.to_string()))?;
        if let Security::StartTls(tls) = &self.security {
            let upgraded = server.starttls(tls.clone(), &hello).await;
            upgraded.map_err(|error| self.transient(&format!("no TLS, so nothing was sent: {error}")))?;
        }
        if let Some(credentials) = &self.credentials {
            let known = server.auth(DEFAULT_MECHANISMS, credentials).await;
            known.map_err(|error| self.transient(&format!("log-in refused: {error}")))?;
        }
        Ok(server)
    }

    fn transient(&self, reason: &str) -> DeliveryError {
        DeliveryError::transient(&format!("{}:{}: {reason}", self.host, self.port))
    }

    fn verdict(&self, what: &str, error: &Error) -> DeliveryError {
        let reason = format!("{}:{}: {what}: {error}", self.host, self.port);
        if error.is_permanent() {
            DeliveryError::permanent(&reason)
        } else {
            DeliveryError::transient(&reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use std::sync::Arc;

    use lettre::transport::smtp::client::Certificate;
    use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::aws_lc_rs;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    use super::*;
    use crate::config::{MailTransport, Mailbox};
    use crate::domain::{Email, MailContent, MailId, MailKind, Timestamp};

    /// An SMTP server for one conversation, of which it keeps what the client said.
    struct Sink {
        port: u16,
        heard: JoinHandle<String>,
    }

    impl Sink {
        /// Answers the commands that start with `word` by `reply`, all others kindly.
        async fn answering(word: &'static str, reply: &'static str) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let heard = tokio::spawn(async move {
                let (socket, _) = listener.accept().await.unwrap();
                let mut socket = BufReader::new(socket);
                socket.write_all(b"220 sink\r\n").await.unwrap();
                listen(socket, word, reply).await
            });
            Self { port, heard }
        }

        /// A server whose certificate is of an authority that nobody trusts unasked. Before TLS it takes nothing but
        /// `EHLO` and `STARTTLS`; it keeps what is said after that.
        async fn guarded(security: SmtpSecurity) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let heard = tokio::spawn(async move {
                let mut socket = BufReader::new(listener.accept().await.unwrap().0);
                if security == SmtpSecurity::StartTls {
                    socket.write_all(b"220 sink\r\n").await.unwrap();
                    for (word, reply) in [("EHLO", "250-sink\r\n250 STARTTLS"), ("STARTTLS", "220 go on")] {
                        let mut line = String::new();
                        socket.read_line(&mut line).await.unwrap();
                        assert!(line.starts_with(word), "{line}");
                        socket.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
                    }
                }
                let Ok(tls) = acceptor().accept(socket.into_inner()).await else { return String::new() };
                let mut tls = BufReader::new(tls);
                if security == SmtpSecurity::Tls {
                    tls.write_all(b"220 sink\r\n").await.unwrap();
                }
                listen(tls, "NOOP", "250 fine").await
            });
            Self { port, heard }
        }

        async fn kind() -> Self {
            Self::answering("NOOP", "250 fine").await
        }
    }

    /// Takes one conversation, as [`Sink::answering`] says.
    async fn listen<S>(mut socket: BufReader<S>, word: &str, reply: &str) -> String
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut heard = String::new();
        let mut in_data = false;
        loop {
            let mut line = String::new();
            if socket.read_line(&mut line).await.unwrap_or(0) == 0 {
                return heard;
            }
            heard.push_str(&line);
            let end = in_data && line == ".\r\n";
            let answer = match &line {
                _ if in_data && !end => continue,
                _ if end && word == "." => reply,
                _ if !end && line.starts_with(word) => reply,
                line if line.starts_with("DATA") => "354 go on",
                line if line.starts_with("EHLO") => "250-sink\r\n250 AUTH PLAIN",
                _ => "250 fine",
            };
            in_data = answer.starts_with("354");
            let written = socket.write_all(format!("{answer}\r\n").as_bytes()).await;
            if written.is_err() || socket.flush().await.is_err() {
                return heard;
            }
        }
    }

    fn acceptor() -> TlsAcceptor {
        let pem = include_bytes!("../../tests/fixtures/tls/localhost.pem");
        let chain = CertificateDer::pem_slice_iter(pem).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(pem).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// What the service does, but trusting the authority of these tests too. No configuration can make it do that.
    async fn deliver_trusting(port: u16, security: SmtpSecurity, host: &str) -> Result<(), DeliveryError> {
        let pem = include_bytes!("../../tests/fixtures/tls/authority.pem");
        let authority = Certificate::from_pem(pem).unwrap();
        let tls = TlsParameters::builder(host.to_owned()).add_root_certificate(authority).build().unwrap();
        let mut config = config(port, security);
        config.smtp_username = Some("keystead".to_owned());
        config.smtp_password = Some(Secret::new("hunter2".to_owned()));
        let mut smtp = open(&config);
        smtp.security = match smtp.security {
            Security::StartTls(_) => Security::StartTls(tls),
            Security::Tls(_) | Security::Clear => Security::Tls(tls),
        };
        smtp.deliver(&mail(), &content()).await
    }

    fn config(port: u16, smtp_security: SmtpSecurity) -> MailConfig {
        MailConfig {
            transport: MailTransport::Smtp,
            directory: PathBuf::new(),
            from: Mailbox {
                name: Some("Keystead".to_owned()),
                address: Email::parse("keystead@id.example").unwrap(),
            },
            smtp_host: "127.0.0.1".to_owned(),
            smtp_port: port,
            smtp_username: None,
            smtp_password: None,
            smtp_security,
            templates: None,
        }
    }

    fn mail() -> Mail {
        Mail::new(
            MailId([7; 16]),
            Email::parse("ada@bücher.example").unwrap(),
            MailKind::VerifyEmail,
            "Confirm".to_owned(),
            MailContent::Gone,
            Timestamp::from_secs(1_795_362_180),
        )
    }

    fn content() -> Content {
        Content { text: Secret::new("Hello,\n\n01234567\n.\n".to_owned()), html: None }
    }

    fn open(config: &MailConfig) -> Smtp {
        Smtp::open(config, Sender::new(&config.from).unwrap()).unwrap()
    }

    async fn deliver(config: &MailConfig) -> Result<(), DeliveryError> {
        open(config).deliver(&mail(), &content()).await
    }

    #[tokio::test]
    async fn a_mail_reaches_the_server_once_and_whole() {
        let sink = Sink::kind().await;

        deliver(&config(sink.port, SmtpSecurity::None)).await.unwrap();

        let heard = sink.heard.await.unwrap();
        assert!(heard.contains("MAIL FROM:<keystead@id.example>\r\n"), "{heard}");
        assert!(heard.contains("RCPT TO:<ada@xn--bcher-kva.example>\r\n"), "{heard}");
        assert!(
            heard.contains("Message-ID: <07070707-0707-0707-0707-070707070707@id.example>\r\n"),
            "{heard}"
        );
        assert!(heard.contains("\r\n01234567\r\n..\r\n"), "{heard}");
        assert!(heard.ends_with("\r\n.\r\nQUIT\r\n"), "{heard}");
    }

    #[tokio::test]
    async fn an_unknown_reader_is_refused_for_good() {
        let sink = Sink::answering("RCPT", "550 5.1.1 no\u{1b}[2J such user").await;
        let port = sink.port;

        let refused = deliver(&config(port, SmtpSecurity::None)).await.unwrap_err();

        let reason =
            format!("127.0.0.1:{port}: reader refused: permanent error (550): 5.1.1 no [2J such user");
        assert_eq!(refused, DeliveryError::Permanent(reason));
        assert!(!sink.heard.await.unwrap().contains("DATA"));
    }

    #[tokio::test]
    async fn a_full_mailbox_and_a_refused_mail_are_told_apart() {
        let full = Sink::answering("RCPT", "451 4.2.2 later").await;
        let spam = Sink::answering(".", "554 5.7.1 no thanks").await;

        let later = deliver(&config(full.port, SmtpSecurity::None)).await.unwrap_err();
        let never = deliver(&config(spam.port, SmtpSecurity::None)).await.unwrap_err();

        assert!(!later.is_permanent() && later.to_string().contains("451"), "{later}");
        assert!(never.is_permanent() && never.to_string().contains("554"), "{never}");
    }

    #[tokio::test]
    async fn what_the_server_holds_against_us_is_tried_again() {
        let sink = Sink::answering("AUTH", "535 5.7.8 who are you").await;
        let mut config = config(sink.port, SmtpSecurity::None);
        config.smtp_username = Some("keystead".to_owned());
        config.smtp_password = Some(Secret::new("hunter2".to_owned()));

        let refused = deliver(&config).await.unwrap_err();

        assert!(!refused.is_permanent() && refused.to_string().contains("log-in refused"), "{refused}");
        let heard = sink.heard.await.unwrap();
        assert!(heard.contains("AUTH PLAIN") && !heard.contains("MAIL"), "{heard}");
    }

    #[tokio::test]
    async fn a_dead_server_is_tried_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);

        let refused = deliver(&config(port, SmtpSecurity::None)).await.unwrap_err();

        assert!(!refused.is_permanent() && refused.to_string().contains("refused"), "{refused}");
    }

    #[tokio::test]
    async fn a_silent_server_does_not_hold_the_outbox() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = config(listener.local_addr().unwrap().port(), SmtpSecurity::None);
        let mut smtp = open(&config);
        smtp.patience = Duration::from_millis(50);

        let refused = smtp.deliver(&mail(), &content()).await.unwrap_err();

        assert!(
            !refused.is_permanent() && refused.to_string().contains("no answer within 50ms"),
            "{refused}"
        );
    }

    #[tokio::test]
    async fn nothing_is_said_in_the_clear_when_tls_was_asked_for() {
        for security in [SmtpSecurity::StartTls, SmtpSecurity::Tls] {
            let sink = Sink::kind().await;
            let mut config = config(sink.port, security);
            config.smtp_username = Some("keystead".to_owned());
            config.smtp_password = Some(Secret::new("hunter2".to_owned()));

            let refused = deliver(&config).await.unwrap_err();

            assert!(!refused.is_permanent(), "{refused}");
            let heard = sink.heard.await.unwrap();
            assert!(!heard.contains("AUTH") && !heard.contains("MAIL") && !heard.contains("DATA"), "{heard}");
        }
    }

    #[tokio::test]
    async fn a_server_that_proves_its_name_gets_log_in_and_mail_under_tls() {
        for security in [SmtpSecurity::StartTls, SmtpSecurity::Tls] {
            let sink = Sink::guarded(security).await;

            deliver_trusting(sink.port, security, "localhost").await.unwrap();

            let heard = sink.heard.await.unwrap();
            assert!(heard.contains("AUTH PLAIN") && heard.contains("\r\n01234567\r\n"), "{heard}");
            assert!(heard.ends_with("\r\n.\r\nQUIT\r\n"), "{heard}");
        }
    }

    #[tokio::test]
    async fn a_server_with_a_certificate_for_another_name_hears_nothing() {
        for security in [SmtpSecurity::StartTls, SmtpSecurity::Tls] {
            let sink = Sink::guarded(security).await;

            let refused = deliver_trusting(sink.port, security, "mail.example.com").await.unwrap_err();

            assert!(!refused.is_permanent() && refused.to_string().contains("certificate"), "{refused}");
            assert_eq!(sink.heard.await.unwrap(), "");
        }
    }

    #[tokio::test]
    async fn a_server_of_an_unknown_authority_hears_nothing() {
        for security in [SmtpSecurity::StartTls, SmtpSecurity::Tls] {
            let sink = Sink::guarded(security).await;

            let refused = deliver(&config(sink.port, security)).await.unwrap_err();

            assert!(!refused.is_permanent(), "{refused}");
            assert_eq!(sink.heard.await.unwrap(), "");
        }
    }
}
