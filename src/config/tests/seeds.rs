//! The names of the services before Keystead.

use super::{Setup, with_file, with_var};
use crate::config::{MailTransport, SmtpSecurity};

#[test]
fn the_env_file_of_a_django_service_is_enough() {
    let config = Setup::new()
        .write(
            ".env",
            "SECRET_KEY='django-insecure-short'\nDEFAULT_ADMIN_EMAIL=admin@example.com\n\
             DEFAULT_ADMIN_PASSWORD=secret\nEMAIL_HOST=smtp.example.com\nEMAIL_PORT=2525\nEMAIL_USE_TLS=True\n\
             EMAIL_HOST_USER=ada\nEMAIL_HOST_PASSWORD=\"pass word\"\n\
             ALLOWED_HOSTS=auth.example.com, .example.org,not a host\n\
             CORS_ALLOWED_ORIGINS=https://a.example,https://B.example:443,*,null,c.example\nDEBUG=False\n",
        )
        .loaded();

    assert_eq!(config.mail.transport, MailTransport::Smtp);
    assert_eq!((config.mail.smtp_host.as_str(), config.mail.smtp_port), ("smtp.example.com", 2525));
    assert_eq!(config.mail.smtp_security, SmtpSecurity::StartTls);
    assert_eq!(config.mail.smtp_username.as_deref(), Some("ada"));
    assert_eq!(config.mail.smtp_password.map(|secret| secret.expose().clone()).as_deref(), Some("pass word"));
    assert_eq!(config.server.allowed_hosts, ["auth.example.com", ".example.org"]);
    assert_eq!(config.server.cors_origins, ["https://a.example", "https://b.example"]);
    assert!(config.tokens.hs256_secret.is_some());
    assert_eq!(config.log.level, "info");

    let kept = with_file("[server]\nallowed_hosts = [\"a\"]\n").var("ALLOWED_HOSTS", "/");
    assert_eq!(kept.loaded().server.allowed_hosts, ["a"]);
}

#[test]
fn a_named_mail_server_sends_unless_the_transport_was_chosen() {
    let transport = |setup: Setup| setup.var("EMAIL_HOST", "smtp.example.com").loaded().mail.transport;

    assert_eq!(transport(Setup::new()), MailTransport::Smtp);
    assert_eq!(transport(with_file("[mail]\ntransport = \"console\"\n")), MailTransport::Console);
    assert_eq!(transport(with_var("KEYSTEAD_MAIL__TRANSPORT", "directory")), MailTransport::Directory);
    assert_eq!(transport(with_var("DEBUG", "True")), MailTransport::Console);
}

#[test]
fn use_tls_follows_the_port() {
    let security = |variables: &[(&str, &str)]| {
        let setup = variables.iter().fold(Setup::new(), |setup, (name, value)| setup.var(name, value));
        setup.loaded().mail.smtp_security
    };

    assert_eq!(security(&[("EMAIL_USE_TLS", "True")]), SmtpSecurity::StartTls);
    assert_eq!(security(&[("EMAIL_USE_TLS", "False")]), SmtpSecurity::None);
    assert_eq!(security(&[("EMAIL_USE_TLS", "True"), ("EMAIL_PORT", "465")]), SmtpSecurity::Tls);
    assert_eq!(
        security(&[("EMAIL_USE_TLS", "True"), ("KEYSTEAD_MAIL__SMTP_PORT", "465")]),
        SmtpSecurity::Tls
    );
    assert_eq!(security(&[("EMAIL_PORT", "465")]), SmtpSecurity::Tls);
    let both = [("EMAIL_USE_TLS", "False"), ("KEYSTEAD_MAIL__SMTP_SECURITY", "tls")];
    assert_eq!(security(&both), SmtpSecurity::Tls);
}

#[test]
fn debug_means_console_mail_and_debug_logs() {
    let setup = with_file("[mail]\ntransport = \"smtp\"\nsmtp_host = \"a\"\n[log]\nlevel = \"warn\"\n");
    let config = setup.var("DEBUG", "True").loaded();
    assert_eq!((config.mail.transport, config.log.level.as_str()), (MailTransport::Console, "debug"));

    let setup = with_var("DEBUG", "True").var("KEYSTEAD_LOG__LEVEL", "warn");
    assert_eq!(setup.loaded().log.level, "warn");
}

#[test]
fn odd_seed_values_are_passed_over_and_unusable_ones_named() {
    for (name, value) in [
        ("DEBUG", "app:*"),
        ("SECRET_KEY", "short"),
        ("EMAIL_PORT", ""),
        ("EMAIL_HOST", ""),
        ("ALLOWED_HOSTS", "/"),
    ] {
        assert!(with_var(name, value).load().is_ok(), "{name}");
    }

    assert_eq!(
        with_var("EMAIL_PORT", "abc").refused(),
        "environment EMAIL_PORT: \"abc\" is not a port: write 587, for instance"
    );
    assert_eq!(
        with_var("EMAIL_USE_TLS", "maybe").refused(),
        "environment EMAIL_USE_TLS: \"maybe\" is neither true nor false: write True or False"
    );
    assert!(with_var("EMAIL_PORT", "abc").var("KEYSTEAD_MAIL__SMTP_PORT", "25").load().is_ok());
    assert_eq!(
        with_var("SECRET_KEY", "short").var("KEYSTEAD_TOKENS__ALGORITHM", "HS256").refused(),
        "environment SECRET_KEY: tokens.hs256_secret: \"HS256\" needs a secret of at least 32 bytes: \
         set KEYSTEAD_TOKENS__HS256_SECRET"
    );
}
