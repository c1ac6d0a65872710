//! `[forward]`: what may pass to the programs behind a proxy, rule by rule.

use serde::Deserialize;
use toml::Table;
use url::{Host, Url};

use crate::config::entries::{Entry, entries};
use crate::config::error::ConfigError;
use crate::config::settings::Settings;
use crate::config::values::{cookie_name, set};
use crate::config::{CookiesConfig, ForwardConfig, ServerConfig};
use crate::domain::{
    ForwardPolicy, ForwardRule, ForwardRules, GroupName, HostPattern, Invalid, PathPattern, PermissionName,
    RequestMethod,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawForward {
    rules: Vec<Table>,
    cookie_name: String,
    cookie_domain: String,
}

const RULES: &str = "forward.rules";
const NAME: &str = "forward.cookie_name";
const DOMAIN: &str = "forward.cookie_domain";
const RULE_KEYS: &[&str] = &["hosts", "paths", "methods", "policy", "groups", "permissions"];

impl RawForward {
    pub(super) fn parse(
        self,
        settings: &Settings,
        server: &ServerConfig,
        cookies: &CookiesConfig,
    ) -> Result<ForwardConfig, ConfigError> {
        let rules = entries(settings, RULES, self.rules, RULE_KEYS)?;
        let rules = rules.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        if !rules.is_empty() && server.trusted_proxies.is_empty() {
            let reason = "only proxies may ask: name yours in server.trusted_proxies";
            return Err(settings.refuse(RULES, reason));
        }
        let domain = set(self.cookie_domain);
        if domain.as_deref().is_some_and(|domain| !is_above(domain, &server.public_url)) {
            let reason =
                "is neither the host of server.public_url nor a domain that it is in: write example.com";
            return Err(settings.refuse_pair([DOMAIN, "server.public_url"], reason));
        }
        // As the names of the others: where no other host can set a cookie, or none without TLS, its name says so.
        let prefix = match (cookies.has_prefix, &domain) {
            (false, _) => "",
            (true, None) => "__Host-",
            (true, Some(_)) => "__Secure-",
        };
        let name = cookie_name(settings, NAME, &self.cookie_name)?;
        let name = format!("{prefix}{name}");
        if [&cookies.access_name, &cookies.refresh_name].contains(&&name) {
            return Err(settings.refuse(NAME, "is the name of another cookie too: write another"));
        }
        Ok(ForwardConfig { rules: ForwardRules::new(rules), cookie_name: name, cookie_domain: domain })
    }
}

/// Whether browsers take a cookie for this domain from the service. (That nobody owns a domain like `co.uk`, they know.)
fn is_above(domain: &str, public_url: &Url) -> bool {
    let Some(Host::Domain(host)) = public_url.host() else { return false };
    let is_below = host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    is_below && domain.contains('.') && !domain.starts_with('.')
}

fn rule(entry: &Entry) -> Result<ForwardRule, ConfigError> {
    Ok(ForwardRule {
        hosts: entry.list("hosts", host)?,
        paths: entry.list("paths", path)?,
        methods: entry.list("methods", method)?,
        policy: policy(entry)?,
    })
}

fn policy(entry: &Entry) -> Result<ForwardPolicy, ConfigError> {
    let groups = entry.list("groups", GroupName::parse)?;
    let permissions = entry.list("permissions", PermissionName::parse)?;
    let is_for_anybody = groups.is_empty() && permissions.is_empty();
    match entry.required("policy", |text| Ok(text.to_owned()))?.as_str() {
        "signed_in" => Ok(ForwardPolicy::SignedIn { groups, permissions }),
        "public" if is_for_anybody => Ok(ForwardPolicy::Public),
        "deny" if is_for_anybody => Ok(ForwardPolicy::Deny),
        "public" | "deny" => {
            Err(entry.refuse("policy", "groups and permissions are for \"signed_in\": leave them out"))
        }
        other => Err(entry.refuse("policy", &format!("{other:?} is not one of public, signed_in, deny"))),
    }
}

fn host(text: &str) -> Result<HostPattern, Invalid> {
    let refused =
        || Invalid::new("host", "Write app.example.com, or *.example.com for all below it, without a port.");
    HostPattern::parse(text).ok_or_else(refused)
}

fn path(text: &str) -> Result<PathPattern, Invalid> {
    let refused =
        || Invalid::new("path", "Write /health, or /admin/* for /admin and all below it, without encoding.");
    PathPattern::parse(text).ok_or_else(refused)
}

fn method(text: &str) -> Result<RequestMethod, Invalid> {
    RequestMethod::parse(text).ok_or_else(|| Invalid::new("method", "Write GET, in capital letters."))
}
