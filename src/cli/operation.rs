//! What a command asks of the store, in a form that can be handed to the process that has it open.
//!
//! The same code runs whether the command opened the store itself or a server does it for it. Must never: trust that
//! the asking side has checked anything, or show a password in its `Debug` form.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::app::App;
use crate::cli::accounts::{self, UsersWish};
use crate::cli::export_rows::{self, ExportWish};
use crate::cli::import_rows::{self, ImportWish};
use crate::cli::outcome::{Outcome, Refusal};
use crate::domain::{
    Algorithm, Code, Email, Invalid, Name, NewPassword, Origin, Password, PasswordPolicy, PersonalFacts,
    Secret, SigningKey, User, Username, escaped,
};
use crate::flows::{
    self, Activation, CheckReport, CopyError, CreateUser, Existing, FlowError, Identifier, Rank, Rules, Whose,
};
use crate::server::{self, Swept};

/// One wish, as it goes over the control socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub(super) enum Operation {
    CreateUser(Account),
    InitDefaultAdmin(Account),
    ChangePassword(PasswordChange),
    ActivateUser(Activate),
    Users(UsersWish),
    Check,
    BackUp(BackUp),
    Import(ImportWish),
    Export(ExportWish),
    Sweep,
    ListKeys,
    RotateKeys,
}

/// An account as somebody typed it. None is "not given".
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) email: Option<String>,
    pub(super) username: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    #[serde(serialize_with = "send_password", deserialize_with = "receive_password")]
    pub(super) password: Option<Secret<String>>,
    pub(super) allow_weak_password: bool,
    #[serde(with = "RankName")]
    pub(super) rank: Rank,
    #[serde(with = "ActivationName")]
    pub(super) activation: Activation,
}

/// Another password for the account that `user` names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChange {
    pub(super) user: String,
    #[serde(serialize_with = "send_secret", deserialize_with = "receive_secret")]
    pub(super) password: Secret<String>,
    pub(super) allow_weak_password: bool,
}

/// Whom to activate, and the code if there is one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Activate {
    pub(super) user: Option<String>,
    pub(super) code: Option<String>,
}

/// Where to write a copy; an absolute path.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackUp {
    pub(super) file: String,
    pub(super) force: bool,
}

/// Does it, and says what to print.
pub(super) async fn run(app: &Arc<App>, operation: Operation) -> Result<Outcome, Refusal> {
    match operation {
        Operation::CreateUser(account) => create_user(app, &account).await,
        Operation::InitDefaultAdmin(account) => init_default_admin(app, account).await,
        Operation::ChangePassword(change) => change_password(app, &change).await,
        Operation::ActivateUser(activate) => activate_user(app, &activate).await,
        Operation::Users(wish) => accounts::run(app, &wish).await,
        Operation::Check => tell_check(&flows::check_store(app).await?, &app.config.store.path),
        Operation::BackUp(wish) => tell_backup(
            &wish,
            flows::back_up(app, wish.path(), wish.existing()).await,
            &app.config.store.path,
        ),
        Operation::Import(wish) => import_rows::run(app, wish).await,
        Operation::Export(wish) => export_rows::run(app, wish).await,
        Operation::Sweep => Ok(Outcome::saying(tell_sweep(&server::sweep(app).await?))),
        Operation::ListKeys => Ok(Outcome::saying(table_of_keys(&flows::list_keys(app)?))),
        Operation::RotateKeys => rotate_keys(app).await,
    }
}

impl Operation {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::CreateUser(_) => "create_user",
            Self::InitDefaultAdmin(_) => "init_default_admin",
            Self::ChangePassword(_) => "change_password",
            Self::ActivateUser(_) => "activate_user",
            Self::Users(_) => "users",
            Self::Check => "check",
            Self::BackUp(_) => "back_up",
            Self::Import(_) => "import",
            Self::Export(_) => "export",
            Self::Sweep => "sweep",
            Self::ListKeys => "list_keys",
            Self::RotateKeys => "rotate_keys",
        }
    }

    /// Whether a command makes many of it.
    pub(super) fn is_a_part(&self) -> bool {
        matches!(self, Self::Import(_) | Self::Export(_))
    }

    /// Whether it reads the whole store.
    pub(super) fn takes_long(&self) -> bool {
        matches!(self, Self::Check | Self::BackUp(_) | Self::Sweep)
    }
}

impl BackUp {
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(&self.file)
    }

    pub(super) fn existing(&self) -> Existing {
        if self.force { Existing::Replace } else { Existing::Keep }
    }
}

impl Account {
    /// Makes types of the text, or says the first thing that is wrong with it.
    pub(super) fn parse(&self, policy: &PasswordPolicy) -> Result<CreateUser, Refusal> {
        let email = self.email.as_deref().map(Email::parse).transpose().map_err(refuse("email"))?;
        let username = match self.username.as_deref() {
            Some(text) => {
                let username =
                    Username::parse(text).and_then(|username| username.for_account(email.as_ref()));
                Some(username.map_err(refuse("username"))?)
            }
            None => None,
        };
        if email.is_none() && username.is_none() {
            return Err(Refusal::new(
                "an account needs an email address or a username: give --email or --username",
            ));
        }
        if email.is_none() && self.activation == Activation::ByCode {
            return Err(Refusal::new(
                "a new user is mailed a code and there is no email address: give --email, or --active",
            ));
        }
        let name = |text: &Option<String>| Name::parse(text.as_deref().unwrap_or_default());
        Ok(CreateUser {
            email,
            username,
            first_name: name(&self.first_name).map_err(refuse("first name"))?,
            last_name: name(&self.last_name).map_err(refuse("last name"))?,
            password: self.parse_password(policy)?,
            rank: self.rank,
            activation: self.activation,
        })
    }

    /// The same for an account that must have an address and a password, or nobody could log in to it.
    pub(super) fn parse_default_admin(&self, policy: &PasswordPolicy) -> Result<CreateUser, Refusal> {
        let missing = match (&self.email, &self.password) {
            (Some(_), Some(_)) => return self.parse(policy),
            (None, Some(_)) => "DEFAULT_ADMIN_EMAIL is",
            (Some(_), None) => "DEFAULT_ADMIN_PASSWORD is",
            (None, None) => "DEFAULT_ADMIN_EMAIL and DEFAULT_ADMIN_PASSWORD are",
        };
        Err(Refusal::new(format!("there is no superuser yet, and {missing} not set")))
    }

    fn parse_password(&self, policy: &PasswordPolicy) -> Result<Option<NewPassword>, Refusal> {
        let Some(password) = &self.password else { return Ok(None) };
        match self.new_password(password, policy) {
            Ok(password) => Ok(Some(password)),
            Err(broken) => Err(Refusal::refused("password", &broken)),
        }
    }

    /// Every rule that the password breaks, unless rules do not count for this account.
    pub(super) fn new_password(
        &self,
        password: &Secret<String>,
        policy: &PasswordPolicy,
    ) -> Result<NewPassword, Vec<Invalid>> {
        if self.allow_weak_password {
            Password::parse(password.expose()).map(NewPassword::weak).map_err(|invalid| vec![invalid])
        } else {
            let email = self.email.as_deref().and_then(|text| Email::parse(text).ok());
            let username = self.username.as_deref().and_then(|text| Username::parse(text).ok());
            let name = |text: &Option<String>| Name::parse(text.as_deref().unwrap_or_default());
            let first_name = name(&self.first_name).unwrap_or_default();
            let last_name = name(&self.last_name).unwrap_or_default();
            let about = PersonalFacts::new(username.as_ref(), &first_name, &last_name, email.as_ref());
            NewPassword::parse(password.expose(), policy, &about)
        }
    }
}

fn refuse(what: &'static str) -> impl Fn(Invalid) -> Refusal {
    move |invalid| Refusal::refused(what, &[invalid])
}

async fn activate_user(app: &Arc<App>, activate: &Activate) -> Result<Outcome, Refusal> {
    let (origin, who) = (Origin::default(), activate.user.as_deref());
    let activated = match (&activate.code, who) {
        (None, who) => flows::activate_user(app, &origin, &Identifier::parse(who.unwrap_or_default())).await,
        (Some(code), who) => match Code::parse(code) {
            Some(code) => flows::confirm_email(app, &origin, code, who.and_then(whose)).await,
            None => Err(FlowError::InvalidCode),
        },
    };
    match activated {
        Ok(user) => Ok(Outcome::saying(format!("User {} is active\n", name_of(&user)))),
        Err(FlowError::NotFound) => Err(Refusal::new(format!("no user {}", who.unwrap_or_default()))),
        Err(FlowError::InvalidCode) => Err(Refusal::new(
            "this code is wrong, used or too old, or it is the digits without the email address: give --user",
        )),
        Err(error) => Err(error.into()),
    }
}

fn whose(text: &str) -> Option<Whose> {
    Email::parse(text).ok().map(Whose::Email)
}

async fn create_user(app: &Arc<App>, account: &Account) -> Result<Outcome, Refusal> {
    let wish = account.parse(&app.config.passwords.policy)?;
    let user = flows::create_user(app, &Origin::default(), wish).await?;
    Ok(Outcome::saying(format!("User {} created\n", name_of(&user))))
}

/// A container runs this at each of its starts: the variables may be gone once there is somebody.
async fn init_default_admin(app: &Arc<App>, account: Account) -> Result<Outcome, Refusal> {
    let nothing_to_do = || Outcome::saying("There is a superuser: nothing to do\n");
    if flows::has_superuser(app).await? {
        return Ok(nothing_to_do());
    }
    let wish = account.parse_default_admin(&app.config.passwords.policy)?;
    match flows::create_first_superuser(app, &Origin::default(), wish).await? {
        Some(user) => Ok(Outcome::saying(format!("User {} created\n", name_of(&user)))),
        None => Ok(nothing_to_do()),
    }
}

async fn change_password(app: &Arc<App>, change: &PasswordChange) -> Result<Outcome, Refusal> {
    let PasswordChange { user, password, allow_weak_password } = change;
    let rules = if *allow_weak_password { Rules::Waived } else { Rules::Hold };
    let password = Password::parse(password.expose()).map_err(refuse("password"))?;
    match flows::set_password(app, &Origin::default(), user, password, rules).await {
        Ok(user) => Ok(Outcome::saying(format!("Password of {} changed\n", name_of(&user)))),
        Err(FlowError::NotFound) => {
            Err(Refusal::new(format!("no user has the email address or username {user:?}")))
        }
        Err(error) => Err(error.into()),
    }
}

/// The address, else the name: what the operator just typed.
fn name_of(user: &User) -> String {
    escaped(&user.email.as_ref().map_or_else(|| user.label(), |email| email.as_str().to_owned()))
}

/// What a check found, in words.
pub(super) fn tell_check(report: &CheckReport, store: &Path) -> Result<Outcome, Refusal> {
    let width = report.counts.keys().map(|table| table.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (table, count) in &report.counts {
        line(&mut text, format_args!("{table:width$} {count:>10}"));
    }
    if report.is_sound() {
        line(&mut text, format_args!("sound"));
        return Ok(Outcome::saying(text));
    }
    for problem in &report.problems {
        line(&mut text, format_args!("{}", problem.escape_debug()));
    }
    let path = store.display();
    let count = report.problems.len();
    let reason =
        format!("store {path} is damaged ({count} problems): stop the service and put a backup in its place");
    Err(Refusal { reason, details: text })
}

/// What became of a backup, in words.
pub(super) fn tell_backup(
    wish: &BackUp,
    copied: Result<u64, CopyError>,
    store: &Path,
) -> Result<Outcome, Refusal> {
    let rows = copied.map_err(|error| Refusal::new(error.to_string()))?;
    let store = store.display();
    Ok(Outcome::saying(format!("Backup of {store} written to {} ({rows} rows)\n", wish.file)))
}

fn tell_sweep(swept: &Swept) -> String {
    let mut text = String::new();
    for (what, count) in [
        ("sessions that ran out", swept.sessions),
        ("revocations of tokens that expired", swept.revocations),
        ("registrations that nobody confirmed", swept.registrations),
        ("codes that are too old", swept.codes),
        ("changes of address that nobody confirmed", swept.email_changes),
        ("wrong passwords for names that nobody has", swept.guesses),
        ("events that are older than events.retention", swept.events),
        ("groups and permissions that are gone, with those who had them", swept.rights),
    ] {
        line(&mut text, format_args!("{count:>10} {what}"));
    }
    text
}

async fn rotate_keys(app: &Arc<App>) -> Result<Outcome, Refusal> {
    let mut text = String::new();
    for key in flows::rotate_keys(app, &Origin::default()).await? {
        let (usage, algorithm) = (key.usage.as_str(), key.algorithm);
        line(
            &mut text,
            format_args!("{usage} tokens are signed by key {} ({algorithm}) from now on", key.id),
        );
    }
    if app.config.tokens.algorithm == Algorithm::Hs256 {
        line(
            &mut text,
            format_args!(
                "access tokens are signed with tokens.hs256_secret (HS256): change it there, which ends them all"
            ),
        );
    }
    Ok(Outcome::saying(text))
}

fn table_of_keys(keys: &[SigningKey]) -> String {
    let mut text = String::new();
    line(
        &mut text,
        format_args!("{:36}  {:7}  {:9}  {:24}  {}", "KEY", "USE", "ALGORITHM", "CREATED", "STATE"),
    );
    for key in keys {
        let state = key.retires_at.map_or_else(|| "signs".to_owned(), |end| format!("verifies until {end}"));
        let (id, created) = (key.id.to_string(), key.created_at.to_string());
        let (usage, algorithm) = (key.usage.as_str(), key.algorithm.as_str());
        line(&mut text, format_args!("{id:36}  {usage:7}  {algorithm:9}  {created:24}  {state}"));
    }
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String never fails.
    writeln!(text, "{line}").ok();
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Rank", rename_all = "snake_case")]
enum RankName {
    User,
    Staff,
    Superuser,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Activation", rename_all = "snake_case")]
enum ActivationName {
    Now,
    ByCode,
}

/// Here alone a password leaves its wrapper: for the socket of the process that hashes it.
fn send_secret<S: Serializer>(password: &Secret<String>, to: S) -> Result<S::Ok, S::Error> {
    password.expose().serialize(to)
}

fn receive_secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret<String>, D::Error> {
    Ok(Secret::new(String::deserialize(from)?))
}

/// The same for an account that may have none.
#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
fn send_password<S: Serializer>(password: &Option<Secret<String>>, to: S) -> Result<S::Ok, S::Error> {
    password.as_ref().map(Secret::expose).serialize(to)
}

fn receive_password<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret<String>>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(Secret::new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Validator;

    fn policy() -> PasswordPolicy {
        let validators = vec![Validator::Length, Validator::Similarity, Validator::Common];
        PasswordPolicy { min_length: 8, max_length: 256, validators }
    }

    fn account() -> Account {
        Account {
            email: Some("ada@example.com".to_owned()),
            username: None,
            first_name: None,
            last_name: None,
            password: Some(Secret::new("short".to_owned())),
            allow_weak_password: true,
            rank: Rank::Superuser,
            activation: Activation::Now,
        }
    }

    fn reason(account: &Account) -> String {
        account.parse(&policy()).expect_err("refused").reason
    }

    #[test]
    fn an_operation_survives_the_socket_and_hides_its_password() {
        let wish = Operation::CreateUser(account());
        assert!(!format!("{wish:?}").contains("short"));

        let json = serde_json::to_string(&wish).expect("JSON");
        let read: Operation = serde_json::from_str(&json).expect("the same");

        let Operation::CreateUser(read) = read else { panic!("another operation: {json}") };
        assert_eq!(read.password.as_ref().map(|password| password.expose().as_str()), Some("short"));
        assert_eq!((read.rank, read.activation), (Rank::Superuser, Activation::Now));
    }

    #[test]
    fn the_rules_hold_unless_they_are_waived_by_name() {
        assert!(account().parse(&policy()).is_ok());

        let strict = Account { allow_weak_password: false, ..account() };
        assert!(reason(&strict).contains("at least 8 characters"));
        let personal = Account {
            password: Some(Secret::new("Lovelace1815".to_owned())),
            last_name: Some("Lovelace".to_owned()),
            ..strict
        };
        assert!(reason(&personal).contains("too similar to the last name"));

        let empty = Account { password: Some(Secret::new(String::new())), ..account() };
        assert!(reason(&empty).contains("blank"));
    }

    #[test]
    fn an_account_can_be_reached() {
        let nobody = Account { email: None, ..account() };
        assert!(reason(&nobody).contains("--email or --username"));

        let unreachable = Account {
            email: None,
            username: Some("ada".to_owned()),
            activation: Activation::ByCode,
            ..account()
        };
        assert!(reason(&unreachable).contains("--active"));

        let posing = Account { username: Some("bob@example.com".to_owned()), ..account() };
        assert!(reason(&posing).starts_with("username is refused"));
    }
}
