//! The first administrator of a service that nobody ever had an account in, by a link that its operator reads in the log.
//!
//! The link is good while there was never a user, however one could come about; that is asked in the write that makes
//! this one. Must never: be offered where somebody on the way could read it, or be kept on the disk.

use std::net::SocketAddr;

use crate::app::App;
use crate::config::ServerConfig;
use crate::crypto::token::{hash_token, matches, new_token};
use crate::domain::{Origin, PlainToken, Secret, SetupLink, User};
use crate::flows::FlowError;
use crate::flows::steps::{Activation, CreateUser, NewAccount, Rank};

/// A link for a service that listens here; none if it had a user before, or if nobody could follow it unread. The link
/// before it dies.
pub(crate) fn offer_setup(app: &App, address: SocketAddr) -> Result<Option<Secret<String>>, FlowError> {
    let Some(base) = private_base(&app.config.server, address) else { return Ok(None) };
    if app.store.read()?.has_had_users()? {
        return Ok(None);
    }
    let (token, hash) = new_token();
    *app.setup() = Some(SetupLink::new(hash, app.clock.now()));
    Ok(Some(Secret::new(format!("{base}/account/setup/?token={}", token.expose()))))
}

/// Where the link leads: over TLS through a proxy, else to this machine alone.
fn private_base(server: &ServerConfig, address: SocketAddr) -> Option<String> {
    if server.public_url.scheme() == "https" && !server.trusted_proxies.is_empty() {
        return Some(server.base_url().to_owned());
    }
    address.ip().is_loopback().then(|| format!("http://{address}"))
}

/// Whether the link would do now. Changes nothing.
pub(crate) fn check_setup(app: &App, token: &PlainToken) -> Result<(), FlowError> {
    live_link(app, token).map(drop)
}

fn live_link(app: &App, token: &PlainToken) -> Result<SetupLink, FlowError> {
    let (now, hash) = (app.clock.now(), hash_token(token));
    let link = *app.setup();
    match link.filter(|link| link.is_live(now) && matches(&link.hash, &hash)) {
        Some(link) if !app.store.read()?.has_had_users()? => Ok(link),
        _ => Err(FlowError::InvalidLink),
    }
}

/// Makes the first account, a superuser: of several that ask at once, one gets it.
pub(crate) async fn set_up(
    app: &App,
    origin: &Origin,
    token: &PlainToken,
    wish: CreateUser,
) -> Result<User, FlowError> {
    let link = live_link(app, token)?;
    let wish = CreateUser { rank: Rank::Superuser, activation: Activation::Now, ..wish };
    let account = NewAccount::of(app, origin, wish, "set-up link").await?;
    let made = app.store.write(move |tx| {
        // Hashing took its time: the hour may be over, and another account may have come first.
        if tx.has_had_users()? || !link.is_live(account.made_at()) {
            return Err(FlowError::InvalidLink);
        }
        account.insert(tx)
    });
    let user = made.await?;
    *app.setup() = None;
    tracing::info!(user.id = %user.id, "the set-up link was used: there is an administrator");
    Ok(user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_link_leads_where_nobody_reads_along() {
        let base = |settings: &str, address: &str| {
            let config = Config::from_toml(settings).expect(settings);
            private_base(&config.server, address.parse().expect(address))
        };
        let (https, proxies) =
            ("server.public_url = \"https://id.example\"\n", "server.trusted_proxies = [\"10.0.0.1\"]\n");
        let proxied = format!("{https}{proxies}");

        assert_eq!(base("", "127.0.0.1:4000").as_deref(), Some("http://127.0.0.1:4000"));
        assert_eq!(base("", "[::1]:4000").as_deref(), Some("http://[::1]:4000"));
        assert_eq!(base(&proxied, "0.0.0.0:8000").as_deref(), Some("https://id.example"));
        assert_eq!(base(https, "127.0.0.1:8000").as_deref(), Some("http://127.0.0.1:8000"));
        for (settings, address) in [("", "0.0.0.0:8000"), (https, "[::]:8000"), (proxies, "10.0.0.2:8000")] {
            assert_eq!(base(settings, address), None, "{settings} {address}");
        }
    }
}
