//! `[limits]`: rules as text, `30/m/ip, 5/5m/account`, into rates and what they count by.

use std::time::Duration;

use serde::Deserialize;

use crate::config::error::ConfigError;
use crate::config::settings::Settings;
use crate::config::{Limit, LimitsConfig, Scope, parse};
use crate::domain::Rate;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    enabled: bool,
    login: String,
    password: String,
    register: String,
    verify: String,
    reset: String,
    mail: String,
    email: String,
    api_key: String,
}

const SCOPES: [(&str, Scope); 4] = [
    ("ip", Scope::Ip),
    ("account", Scope::Account),
    ("ip+account", Scope::IpAndAccount),
    ("mailbox", Scope::Mailbox),
];
const LONGEST_PERIOD: Duration = Duration::from_secs(366 * 86_400);
const MOST: u32 = 1_000_000;

impl RawLimits {
    pub(super) fn parse(self, settings: &Settings) -> Result<LimitsConfig, ConfigError> {
        use Scope::{Account, Ip, IpAndAccount, Mailbox};
        let rules = |name: &str, text: &str, scopes: &[Scope]| {
            rules(text, scopes).map_err(|reason| settings.refuse(name, &reason))
        };
        let limits = LimitsConfig {
            login: rules("limits.login", &self.login, &[Ip, Account, IpAndAccount])?,
            password: rules("limits.password", &self.password, &[Ip, Account])?,
            register: rules("limits.register", &self.register, &[Ip])?,
            verify: rules("limits.verify", &self.verify, &[Ip])?,
            reset: rules("limits.reset", &self.reset, &[Ip])?,
            mail: rules("limits.mail", &self.mail, &[Mailbox])?,
            email: rules("limits.email", &self.email, &[Account])?,
            api_key: rules("limits.api_key", &self.api_key, &[Account])?,
        };
        // Wrong passwords are counted on the disk, one count for each account.
        for (name, limits) in [("limits.login", &limits.login), ("limits.password", &limits.password)] {
            if limits.iter().filter(|limit| limit.scope == Account).count() > 1 {
                return Err(settings.refuse(name, "has two rules by account: write one"));
            }
        }
        // Read even if they do not count, so that a slip is found before they are needed.
        Ok(if self.enabled { limits } else { LimitsConfig::default() })
    }
}

fn rules(text: &str, scopes: &[Scope]) -> Result<Vec<Limit>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(|rule| limit(rule.trim(), scopes)).collect()
}

fn limit(text: &str, scopes: &[Scope]) -> Result<Limit, String> {
    let refuse = |what: &str| format!("{text:?} {what}: write 30/m/ip or 5/5m/account");
    let [count, period, whose] = text.split('/').collect::<Vec<_>>()[..] else {
        return Err(refuse("is not count/period/whose"));
    };
    let count = count.parse().ok().filter(|count| (1..=MOST).contains(count));
    let count = count.ok_or_else(|| refuse("has no count between 1 and 1000000"))?;
    let scope = SCOPES.iter().find(|(word, scope)| *word == whose && scopes.contains(scope));
    let (_, scope) = scope.ok_or_else(|| {
        let words = SCOPES.iter().filter(|(_, scope)| scopes.contains(scope)).map(|(word, _)| *word);
        refuse(&format!("counts by {whose:?}, and here it can be {}", words.collect::<Vec<_>>().join(", ")))
    })?;
    let period = if period.starts_with(|c: char| c.is_ascii_digit()) {
        parse::duration(period)
    } else {
        parse::duration(&format!("1{period}"))
    };
    let period = period.ok().filter(|period| (Duration::from_secs(1)..=LONGEST_PERIOD).contains(period));
    let period = period.ok_or_else(|| refuse("has no period between 1s and 366d"))?;
    Ok(Limit { rate: Rate { count, period }, scope: *scope })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_a_count_a_period_and_whose() {
        let scopes = SCOPES.map(|(_, scope)| scope);
        let read = |text: &str| rules(text, &scopes).expect(text);
        let rate = |count, secs| Rate { count, period: Duration::from_secs(secs) };

        assert_eq!(
            read("30/m/ip, 5/5m/account"),
            [
                Limit { rate: rate(30, 60), scope: Scope::Ip },
                Limit { rate: rate(5, 300), scope: Scope::Account },
            ]
        );
        assert_eq!(read("1/300s/mailbox")[0].rate, rate(1, 300));
        assert_eq!(read("20/d/ip+account")[0].rate, rate(20, 86_400));
        assert_eq!(read(" "), []);
    }

    #[test]
    fn what_is_no_rule_is_refused_with_the_reason() {
        for (text, reason) in [
            ("30", "is not count/period/whose"),
            ("0/m/ip", "has no count"),
            ("-1/m/ip", "has no count"),
            ("30/x/ip", "has no period"),
            ("30/0s/ip", "has no period"),
            ("30/m/user", "counts by \"user\", and here it can be ip"),
            ("30/m/account", "counts by \"account\", and here it can be ip"),
            ("30/m/ip,", "is not count/period/whose"),
        ] {
            let refused = rules(text, &[Scope::Ip]).expect_err(text);
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }
}
