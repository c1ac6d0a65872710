//! What each section holds, parsed.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::domain::{
    Algorithm, Colour, Email, ForwardRules, GroupName, Name, Password, PasswordHash, PasswordPolicy,
    PermissionName, Rate, Secret, SessionPolicy, Username,
};

/// `[server]`
#[derive(Debug, Clone)]
pub(crate) struct ServerConfig {
    /// Host and port to listen on; port 0 takes a free one.
    pub(crate) listen: String,
    /// Scheme, host and port, no path. For text use [`ServerConfig::base_url`]: `Url` always prints a slash at the end.
    pub(crate) public_url: Url,
    /// Hosts that requests may name besides the one of `public_url` and loopback.
    pub(crate) allowed_hosts: Vec<String>,
    /// Who may say whom a request came from.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Origins (RFC 6454) whose pages may call from a browser, as browsers write them.
    pub(crate) cors_origins: Vec<String>,
}

impl ServerConfig {
    /// Base of every link and issuer of tokens; never ends in a slash.
    pub(crate) fn base_url(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }

    pub(crate) fn is_trusted_proxy(&self, ip: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&ip))
    }
}

/// `[store]`
#[derive(Debug, Clone)]
pub(crate) struct StoreConfig {
    pub(crate) path: PathBuf,
}

/// `[mail]`
#[derive(Debug, Clone)]
pub(crate) struct MailConfig {
    pub(crate) transport: MailTransport,
    pub(crate) directory: PathBuf,
    /// `Keystead <keystead@localhost>` or a bare address.
    pub(crate) from: Mailbox,
    pub(crate) smtp_host: String,
    pub(crate) smtp_port: u16,
    pub(crate) smtp_username: Option<String>,
    pub(crate) smtp_password: Option<Secret<String>>,
    pub(crate) smtp_security: SmtpSecurity,
    /// The operator's own letters.
    pub(crate) templates: Option<PathBuf>,
}

/// A sender: an address, with or without a name.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    pub(crate) name: Option<String>,
    pub(crate) address: Email,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailTransport {
    Console,
    Directory,
    Smtp,
    /// Kept for whoever develops, and sent to nobody. No file says so.
    Mailbox,
    /// The same, and printed.
    MailboxAndConsole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SmtpSecurity {
    /// Upgrade or fail: never in the clear.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// In the clear.
    None,
}

/// `[registration]`
#[derive(Debug, Clone)]
pub(crate) struct RegistrationConfig {
    pub(crate) mode: RegistrationMode,
    pub(crate) verification: Verification,
    pub(crate) code_ttl: Duration,
    pub(crate) code_attempts: u32,
    pub(crate) resend_interval: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RegistrationMode {
    Open,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verification {
    /// No user until the mailed code is confirmed.
    Required,
    /// A user at once; a code is mailed all the same.
    Optional,
    /// A user at once, no mail.
    None,
}

/// `[passwords]`
#[derive(Debug, Clone)]
pub(crate) struct PasswordsConfig {
    pub(crate) policy: PasswordPolicy,
    pub(crate) memory_kib: u32,
    pub(crate) iterations: u32,
    pub(crate) parallelism: u32,
    /// Hashing threads; 0 takes one for each core.
    pub(crate) threads: usize,
    /// How many may wait for a thread before the next is turned away.
    pub(crate) queue: usize,
    /// How long one may wait before it is turned away.
    pub(crate) max_wait: Duration,
    /// How long a link to a new password can be used.
    pub(crate) reset_ttl: Duration,
}

/// `[tokens]`
#[derive(Debug, Clone)]
pub(crate) struct TokensConfig {
    pub(crate) algorithm: Algorithm,
    pub(crate) sessions: SessionPolicy,
    /// The `aud` of access tokens, demanded of every one that comes in.
    pub(crate) audience: Option<String>,
    /// How far the clocks of verifiers may be apart.
    pub(crate) leeway: Duration,
    /// Signs with `algorithm = "HS256"`; at least 32 bytes.
    pub(crate) hs256_secret: Option<Secret<String>>,
    /// What the claim `user_id` is, which tokens of the compatibility surfaces carry.
    pub(crate) user_id: UserIdClaim,
    /// The secrets of the service before, whose tokens count until they expire; each of at least 32 bytes.
    pub(crate) accept: Vec<Secret<String>>,
}

/// The type of simplejwt's `user_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserIdClaim {
    String,
    /// As simplejwt before 5.5.1 writes it.
    Int,
}

impl TokensConfig {
    /// More than this between two clocks is a broken clock. An ended session is remembered this much longer than its
    /// tokens live.
    pub(crate) const MAX_LEEWAY: Duration = Duration::from_secs(300);

    /// How long after its making an access token may be accepted somewhere.
    pub(crate) fn longest_access(&self) -> Duration {
        self.sessions.access_ttl.saturating_add(self.leeway)
    }
}

/// `[cookies]`
#[derive(Debug, Clone)]
pub(crate) struct CookiesConfig {
    /// Whether a log-in that does not say sets cookies.
    pub(crate) enabled: bool,
    /// The names as they are sent, the prefix included.
    pub(crate) access_name: String,
    pub(crate) refresh_name: String,
    /// Names the browser to the limits: whoever logged in with it before has guesses of their own.
    pub(crate) device_name: String,
    /// Whether the names have prefixes that say where browsers take such cookies from.
    pub(crate) has_prefix: bool,
    pub(crate) secure: bool,
    pub(crate) same_site: SameSite,
}

/// `[forward]`
#[derive(Debug, Clone)]
pub(crate) struct ForwardConfig {
    /// None at all: no proxy asks here.
    pub(crate) rules: ForwardRules,
    /// As it is sent, the prefix included.
    pub(crate) cookie_name: String,
    /// None: the cookie is for the host of `public_url` alone.
    pub(crate) cookie_domain: Option<String>,
}

/// RFC 6265bis, section 5.6.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SameSite {
    Lax,
    Strict,
    None,
}

/// `[limits]`: the rules of each kind; none of them if limits are off.
#[derive(Debug, Clone, Default)]
pub(crate) struct LimitsConfig {
    pub(crate) login: Vec<Limit>,
    pub(crate) password: Vec<Limit>,
    pub(crate) register: Vec<Limit>,
    pub(crate) verify: Vec<Limit>,
    pub(crate) reset: Vec<Limit>,
    pub(crate) mail: Vec<Limit>,
    pub(crate) email: Vec<Limit>,
    pub(crate) api_key: Vec<Limit>,
}

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) rate: Rate,
    pub(crate) scope: Scope,
}

/// What a rule counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// An IPv4 address, or the /64 of an IPv6 address.
    Ip,
    Account,
    IpAndAccount,
    Mailbox,
}

/// What is limited: a key of `[limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum LimitKind {
    Login,
    Password,
    Register,
    Verify,
    Reset,
    Mail,
    Email,
    ApiKey,
}

impl LimitsConfig {
    pub(crate) fn of(&self, kind: LimitKind) -> &[Limit] {
        match kind {
            LimitKind::Login => &self.login,
            LimitKind::Password => &self.password,
            LimitKind::Register => &self.register,
            LimitKind::Verify => &self.verify,
            LimitKind::Reset => &self.reset,
            LimitKind::Mail => &self.mail,
            LimitKind::Email => &self.email,
            LimitKind::ApiKey => &self.api_key,
        }
    }

    /// The rule for an account's wrong passwords.
    pub(crate) fn guesses(&self, kind: LimitKind) -> Option<Rate> {
        self.of(kind).iter().find(|limit| limit.scope == Scope::Account).map(|limit| limit.rate)
    }
}

/// The superuser that a new service is to have, as `DEFAULT_ADMIN_EMAIL` and `DEFAULT_ADMIN_PASSWORD` say. Nothing makes
/// one but `keystead initdefaultadmin`.
#[derive(Debug, Clone, Default)]
pub(crate) struct DefaultAdmin {
    pub(crate) email: Option<String>,
    pub(crate) password: Option<Secret<String>>,
}

/// `[compat]`: the surfaces that are spoken beside the native API, each with its options.
#[derive(Debug, Clone)]
pub(crate) struct CompatConfig {
    pub(crate) dj_rest_auth: Option<DjRestAuthConfig>,
    pub(crate) simplejwt: Option<SimpleJwtConfig>,
    pub(crate) dj_auth_api: Option<DjAuthApiConfig>,
}

impl CompatConfig {
    /// The names of the surfaces that are on.
    pub(crate) fn profiles(&self) -> Vec<&'static str> {
        let all = [
            ("dj-rest-auth", self.dj_rest_auth.is_some()),
            ("simplejwt", self.simplejwt.is_some()),
            ("dj-auth-api", self.dj_auth_api.is_some()),
        ];
        all.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect()
    }
}

/// `[compat.dj-rest-auth]`
#[derive(Debug, Clone)]
pub(crate) struct DjRestAuthConfig {
    pub(crate) tokens: CompatTokens,
    pub(crate) names: CompatNames,
    /// Whether each refresh gives another refresh token.
    pub(crate) rotates: bool,
    /// Whether somebody without credentials is told 403 instead of 401.
    pub(crate) is_forbidden: bool,
    /// The cookies that a log-in sets, by their names as they are sent.
    pub(crate) access_cookie: Option<String>,
    pub(crate) refresh_cookie: Option<String>,
}

/// What a log-in gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompatTokens {
    Jwt,
    /// One opaque key, for `Authorization: Token`.
    Key,
}

/// What the members of answers are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompatNames {
    /// `access`, `refresh`
    Current,
    /// `access_token`, `refresh_token`
    V2,
}

/// `[compat.simplejwt]`
#[derive(Debug, Clone)]
pub(crate) struct SimpleJwtConfig {
    pub(crate) list_users: UsersList,
    /// Whether each refresh gives another refresh token.
    pub(crate) rotates: bool,
}

/// Who may see the list of all users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UsersList {
    /// With the permission to view users.
    Staff,
    /// Whoever logged in.
    Any,
}

/// `[compat.dj-auth-api]`
#[derive(Debug, Clone)]
pub(crate) struct DjAuthApiConfig {
    /// Whether answers tell who has an account, as they did there.
    pub(crate) exact_errors: bool,
}

/// `[site]`: how the pages look, and where they may lead to.
#[derive(Debug, Clone)]
pub(crate) struct SiteConfig {
    /// None: the host of `public_url`.
    pub(crate) name: Option<String>,
    pub(crate) logo: Option<Logo>,
    pub(crate) accent: Colour,
    /// Origins beside our own that a log-in may go on to.
    pub(crate) next_origins: Vec<String>,
}

/// A picture, as it was at the start.
#[derive(Debug, Clone)]
pub(crate) struct Logo {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Arc<[u8]>,
}

/// `[admin]`
#[derive(Debug, Clone)]
pub(crate) struct AdminConfig {
    /// Whether there is an admin page. The admin API is there in any case.
    pub(crate) enabled: bool,
}

/// `[events]`
#[derive(Debug, Clone)]
pub(crate) struct EventsConfig {
    /// How long the audit log remembers. None: for ever.
    pub(crate) retention: Option<Duration>,
}

/// `[bootstrap]`: what is there after every start of the service.
#[derive(Debug, Clone, Default)]
pub(crate) struct BootstrapConfig {
    pub(crate) permissions: Vec<DeclaredPermission>,
    pub(crate) groups: Vec<DeclaredGroup>,
    pub(crate) users: Vec<DeclaredUser>,
}

#[derive(Debug, Clone)]
pub(crate) struct DeclaredPermission {
    /// How a message names the entry: `auth.toml:7: bootstrap.permissions[1]`.
    pub(crate) place: String,
    pub(crate) name: PermissionName,
    pub(crate) title: Name,
}

#[derive(Debug, Clone)]
pub(crate) struct DeclaredGroup {
    pub(crate) place: String,
    pub(crate) name: GroupName,
    pub(crate) description: Name,
    pub(crate) permissions: Vec<PermissionName>,
}

/// Has an address or a username, or both.
#[derive(Debug, Clone)]
pub(crate) struct DeclaredUser {
    pub(crate) place: String,
    pub(crate) email: Option<Email>,
    pub(crate) username: Option<Username>,
    pub(crate) first_name: Name,
    pub(crate) last_name: Name,
    pub(crate) is_staff: bool,
    pub(crate) is_superuser: bool,
    pub(crate) groups: Vec<GroupName>,
    pub(crate) permissions: Vec<PermissionName>,
    /// None: no password opens the account.
    pub(crate) password: Option<DeclaredPassword>,
}

/// Not the password itself: the file is read by more people than one.
#[derive(Debug, Clone)]
pub(crate) enum DeclaredPassword {
    Hash(PasswordHash),
    /// A file that holds the password, read when the account is made.
    File(PathBuf),
    /// As the seed of a throw-away service has it, whatever the rules say.
    Plain(Password),
}

/// What a service has that is thrown away at its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct DevConfig {
    pub(crate) personas: Vec<DeclaredPersona>,
}

/// Somebody who is there from the start, for whoever develops to be.
#[derive(Debug, Clone)]
pub(crate) struct DeclaredPersona {
    pub(crate) email: Email,
    pub(crate) password: Option<Password>,
}

/// `[log]`
#[derive(Debug, Clone)]
pub(crate) struct LogConfig {
    pub(crate) format: LogFormat,
    /// A `tracing` filter: `info`, or `info,keystead=debug`.
    pub(crate) level: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}
