//! What administrators see of the service as a whole, in JSON: how it is doing, its keys, its configuration.
//!
//! Must never: hold a private key, or a secret of the configuration.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::config::ShownSetting;
use crate::domain::{Census, LoginBucket, MailCount, SigningKey};
use crate::flows::{Logins, Overview};
use crate::http::views::Time;

/// How the service is doing. What the caller may not view is null.
#[derive(Serialize, ToSchema)]
pub(crate) struct OverviewView {
    service: ServiceView,
    users: Option<CensusView>,
    groups: Option<usize>,
    /// That wait for their code.
    registrations: Option<u64>,
    /// That nobody has ended or swept. Some of them may have run out since.
    sessions: Option<u64>,
    logins: Option<LoginsView>,
    mails: Option<MailCountView>,
    backup: Option<BackupView>,
}

#[derive(Serialize, ToSchema)]
struct ServiceView {
    #[schema(value_type = String)]
    version: &'static str,
    #[schema(value_type = String, format = DateTime)]
    started_at: Time,
    uptime_seconds: u64,
    /// The size of the database file; missing where it has no name, under `keystead dev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    database_bytes: Option<u64>,
}

#[derive(Serialize, ToSchema)]
struct CensusView {
    all: u64,
    active: u64,
    staff: u64,
    superusers: u64,
    joined_last_day: u64,
    joined_last_week: u64,
}

impl From<Census> for CensusView {
    fn from(census: Census) -> Self {
        let Census { all, active, staff, superusers, joined_last_day, joined_last_week } = census;
        Self { all, active, staff, superusers, joined_last_day, joined_last_week }
    }
}

/// Log-ins over time (UTC), the oldest first. The last of each is not over yet.
#[derive(Serialize, ToSchema)]
struct LoginsView {
    /// 24.
    hours: Vec<LoginBucketView>,
    /// 30.
    days: Vec<LoginBucketView>,
}

#[derive(Serialize, ToSchema)]
struct LoginBucketView {
    #[schema(value_type = String, format = DateTime)]
    start: Time,
    succeeded: u64,
    failed: u64,
}

impl From<&LoginBucket> for LoginBucketView {
    fn from(bucket: &LoginBucket) -> Self {
        Self { start: Time(bucket.start), succeeded: bucket.count.succeeded, failed: bucket.count.failed }
    }
}

impl From<Logins> for LoginsView {
    fn from(logins: Logins) -> Self {
        let views = |buckets: &[LoginBucket]| buckets.iter().map(LoginBucketView::from).collect();
        Self { hours: views(&logins.hours), days: views(&logins.days) }
    }
}

/// Mails that are not delivered.
#[derive(Serialize, ToSchema)]
struct MailCountView {
    waiting: u64,
    /// Given up.
    failed: u64,
}

impl From<MailCount> for MailCountView {
    fn from(count: MailCount) -> Self {
        Self { waiting: count.waiting, failed: count.failed }
    }
}

#[derive(Serialize, ToSchema)]
struct BackupView {
    /// Null if none was made by `keystead backup`.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<Time>,
}

impl From<Overview> for OverviewView {
    fn from(seen: Overview) -> Self {
        Self {
            service: ServiceView {
                version: env!("CARGO_PKG_VERSION"),
                started_at: Time(seen.started_at),
                uptime_seconds: seen.now.since(seen.started_at).as_secs(),
                database_bytes: seen.database_bytes,
            },
            users: seen.users.map(CensusView::from),
            groups: seen.groups,
            registrations: seen.registrations,
            sessions: seen.sessions,
            logins: seen.logins.map(LoginsView::from),
            mails: seen.mails.map(MailCountView::from),
            backup: seen.backup.map(|backup| BackupView { last_at: backup.last_at.map(Time) }),
        }
    }
}

/// All keys that still count, the oldest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeysView {
    results: Vec<KeyView>,
}

/// A key that signs tokens, or did and still verifies them.
#[derive(Serialize, ToSchema)]
struct KeyView {
    /// The `kid` of its tokens.
    id: String,
    /// `access` or `refresh`: the tokens that it is for.
    #[schema(value_type = String)]
    r#use: &'static str,
    #[schema(value_type = String)]
    algorithm: &'static str,
    /// Whether it signs now.
    signs: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When its tokens stop counting; null while it signs.
    #[schema(value_type = Option<String>, format = DateTime)]
    retires_at: Option<Time>,
    /// Its public part (RFC 7517); null if it has none.
    #[schema(value_type = Option<Object>)]
    jwk: Option<Value>,
}

impl KeysView {
    /// With the public parts that `/.well-known/jwks.json` has.
    pub(crate) fn new(keys: &[SigningKey], jwks: &Value) -> Self {
        let jwks = jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let view = |key: &SigningKey| {
            let id = key.id.to_string();
            let jwk = jwks.iter().find(|jwk| jwk.get("kid").and_then(Value::as_str) == Some(&id));
            KeyView {
                r#use: key.usage.as_str(),
                algorithm: key.algorithm.as_str(),
                signs: key.signs(),
                created_at: Time(key.created_at),
                retires_at: key.retires_at.map(Time),
                jwk: jwk.cloned(),
                id,
            }
        };
        Self { results: keys.iter().map(view).collect() }
    }
}

/// The effective configuration, in the order of `auth.toml.example`.
#[derive(Serialize, ToSchema)]
pub(crate) struct SettingsView {
    results: Vec<SettingView>,
}

#[derive(Serialize, ToSchema)]
struct SettingView {
    /// `section.key`
    name: String,
    /// A text, a number, a flag or a list; `***` in the place of a secret.
    #[schema(value_type = Object)]
    value: Value,
    /// `default`, a file, or a variable of the environment.
    source: String,
    /// The variable that sets it; null if only a file can.
    variable: Option<String>,
}

impl From<Vec<ShownSetting>> for SettingsView {
    fn from(settings: Vec<ShownSetting>) -> Self {
        let view = |setting: ShownSetting| {
            let ShownSetting { name, value, source, variable } = setting;
            SettingView { name, value, source, variable }
        };
        Self { results: settings.into_iter().map(view).collect() }
    }
}
