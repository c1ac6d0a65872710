//! `keystead dev`: a service that is thrown away at its end, and what somebody needs to log in to it at once.
//!
//! Must never: read `./auth.toml`, or print anything before the line that says where the service is.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::sync::watch;

use crate::app::Persona;
use crate::cli::outcome::{Failure, Outcome, Refusal, print};
use crate::cli::signals::Signals;
use crate::config::Config;
use crate::dev::{DevError, DevServer};
use crate::domain::{Email, Password};
use crate::telemetry;

#[derive(Debug, Args)]
pub(super) struct Dev {
    /// Make also the users, groups and permissions of this file, as [bootstrap] has them; a user may have a `password`
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
}

impl Dev {
    pub(super) async fn run(&self, config: Option<&Path>) -> Result<Outcome, Failure> {
        let config = Config::for_dev(config, self.seed.as_deref())?;
        telemetry::init(&config.log);
        // First of all, so that a signal during the start ends in order too.
        let signals = Signals::listen()?;
        let server = DevServer::start(config).await.map_err(|error| cannot_start(&error))?;

        if let Err(error) = print(&greeting(server.address(), server.personas())) {
            tracing::warn!(%error, "stdout takes no line");
        }
        let (stop, mut stopped) = watch::channel(false);
        tokio::spawn(signals.obey(stop));
        let served = server
            .run(async move {
                stopped.wait_for(|stop| *stop).await.ok();
            })
            .await;
        served.map_err(|error| Refusal::new(error.to_string()))?;
        Ok(Outcome::saying(""))
    }
}

fn cannot_start(error: &DevError) -> Failure {
    if error.is_configuration() {
        Failure::Configuration(error.to_string())
    } else {
        Refusal::new(error.to_string()).into()
    }
}

/// The line that every service begins with, then all that is needed to be logged in.
fn greeting(address: SocketAddr, personas: &[Persona]) -> String {
    let mut text = format!(
        "keystead listening on http://{address}\n\n\
         Development mode: nothing here lasts, and everybody knows the passwords.\n\n\
         API      http://{address}/docs/\n\
         Admin    http://{address}/admin/\n\
         Log in   http://{address}/account/login/\n\
         Mailbox  http://{address}/dev/mail/\n"
    );
    for persona in personas {
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n{}\n{}", introduction(persona), persona.access);
    }
    if let Some(persona) = personas.last() {
        let _ = writeln!(
            text,
            "\ncurl -H 'Authorization: Bearer {}' http://{address}/auth/profile/\n",
            persona.access
        );
    }
    text
}

fn introduction(persona: &Persona) -> String {
    let email = persona.user.email.as_ref().map(Email::as_str).unwrap_or_default();
    let rank = if persona.user.is_superuser { "superuser, " } else { "" };
    match persona.password.as_ref().map(Password::expose) {
        Some(password) => format!("{email} ({rank}password {password}), logged in for 12 hours:"),
        None => format!("{email} ({rank}no password), logged in for 12 hours:"),
    }
}
