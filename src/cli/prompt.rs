//! Questions to a person at a terminal, until what they typed makes an account or a password.
//!
//! Must never: show a password, or ask for what an option has said.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use crate::cli::operation::Account;
use crate::cli::outcome::Refusal;
use crate::domain::{Email, Invalid, Name, PasswordPolicy, Secret, Username};
use crate::flows::Activation;

/// Somebody who answers: a person, or a test.
pub(super) trait Prompt {
    /// Shows `question` and reads a line, without its end.
    fn ask(&mut self, question: &str) -> io::Result<String>;
    /// The same, and what is typed is not shown.
    fn ask_hidden(&mut self, question: &str) -> io::Result<String>;
    fn tell(&mut self, text: &str) -> io::Result<()>;
}

/// The terminal that stdin is. Questions go to stderr: stdout is for what the command has to say.
pub(super) struct Terminal;

const PASSWORD_ATTEMPTS: usize = 3;
/// What rpassword needs to give the terminal back as it was.
const RESTORE: Duration = Duration::from_millis(100);

/// Asks for what `account` lacks.
pub(super) fn complete(
    prompt: &mut impl Prompt,
    mut account: Account,
    policy: &PasswordPolicy,
) -> Result<Account, Refusal> {
    let given = (account.email.clone(), account.username.clone());
    loop {
        if given.0.is_none() {
            account.email = ask_email(prompt, account.activation)?;
        }
        if given.1.is_none() {
            account.username = ask_username(prompt, account.email.as_deref())?;
        }
        if account.email.is_some() || account.username.is_some() {
            break;
        }
        tell(prompt, "An account needs an email address or a username.")?;
    }
    if account.first_name.is_none() {
        account.first_name = ask_name(prompt, "First name (optional): ")?;
    }
    if account.last_name.is_none() {
        account.last_name = ask_name(prompt, "Last name (optional): ")?;
    }
    let judge = |password: &Secret<String>| account.new_password(password, policy).map(drop);
    account.password = Some(ask_password(prompt, judge)?);
    Ok(account)
}

/// Asks twice for a password, and again for one that breaks a rule.
pub(super) fn ask_password(
    prompt: &mut impl Prompt,
    judge: impl Fn(&Secret<String>) -> Result<(), Vec<Invalid>>,
) -> Result<Secret<String>, Refusal> {
    for _ in 0..PASSWORD_ATTEMPTS {
        let password = Secret::new(prompt.ask_hidden("Password: ").map_err(|error| gone(&error))?);
        let again = Secret::new(prompt.ask_hidden("Password (again): ").map_err(|error| gone(&error))?);
        if password != again {
            tell(prompt, "The two passwords are not the same.")?;
            continue;
        }
        match judge(&password) {
            Ok(()) => return Ok(password),
            Err(broken) => {
                for invalid in broken {
                    tell(prompt, &invalid.message)?;
                }
            }
        }
    }
    Err(Refusal::new(format!("no password in {PASSWORD_ATTEMPTS} attempts: nothing is changed")))
}

/// Reading the terminal blocks a thread; Ctrl-C is heard meanwhile.
pub(super) async fn at_terminal<T: Send + 'static>(
    questions: impl FnOnce(&mut Terminal) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let answers = tokio::task::spawn_blocking(move || questions(&mut Terminal));
    tokio::select! {
        answers = answers => answers.unwrap_or_else(|error| Err(Refusal::new(error.to_string()))),
        _ = tokio::signal::ctrl_c() => {
            tokio::time::sleep(RESTORE).await;
            // The complaint begins a line of its own.
            Terminal.tell("").ok();
            Err(Refusal::new("interrupted: nothing is changed"))
        }
    }
}

fn ask_email(prompt: &mut impl Prompt, activation: Activation) -> Result<Option<String>, Refusal> {
    loop {
        let text = ask(prompt, "Email: ")?;
        if text.is_empty() && activation == Activation::Now {
            return Ok(None);
        }
        if text.is_empty() {
            tell(prompt, "A new user is mailed a code: give an address, or run this with --active.")?;
            continue;
        }
        match Email::parse(&text) {
            Ok(_) => return Ok(Some(text)),
            Err(invalid) => tell(prompt, &invalid.message)?,
        }
    }
}

fn ask_username(prompt: &mut impl Prompt, email: Option<&str>) -> Result<Option<String>, Refusal> {
    let email = email.and_then(|text| Email::parse(text).ok());
    ask_optional(prompt, "Username (optional): ", |text| {
        Username::parse(text).and_then(|name| name.for_account(email.as_ref())).map(drop)
    })
}

fn ask_name(prompt: &mut impl Prompt, question: &str) -> Result<Option<String>, Refusal> {
    ask_optional(prompt, question, |text| Name::parse(text).map(drop))
}

fn ask_optional(
    prompt: &mut impl Prompt,
    question: &str,
    parse: impl Fn(&str) -> Result<(), Invalid>,
) -> Result<Option<String>, Refusal> {
    loop {
        let text = ask(prompt, question)?;
        if text.is_empty() {
            return Ok(None);
        }
        match parse(&text) {
            Ok(()) => return Ok(Some(text)),
            Err(invalid) => tell(prompt, &invalid.message)?,
        }
    }
}

fn ask(prompt: &mut impl Prompt, question: &str) -> Result<String, Refusal> {
    prompt.ask(question).map(|text| text.trim().to_owned()).map_err(|error| gone(&error))
}

fn tell(prompt: &mut impl Prompt, text: &str) -> Result<(), Refusal> {
    prompt.tell(text).map_err(|error| gone(&error))
}

fn gone(error: &io::Error) -> Refusal {
    Refusal::new(match error.kind() {
        io::ErrorKind::InvalidData => "what was typed is not UTF-8 text: nothing is changed".to_owned(),
        _ => format!("nothing is changed: {error}"),
    })
}

impl Prompt for Terminal {
    fn ask(&mut self, question: &str) -> io::Result<String> {
        show(question)?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            self.tell("")?;
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "no more answers"));
        }
        Ok(line)
    }

    fn ask_hidden(&mut self, question: &str) -> io::Result<String> {
        show(question)?;
        let config = rpassword::ConfigBuilder::new()
            // The terminal that answered so far: /dev/tty may be another one, or none.
            .input_file_path("/dev/stdin")
            .output_writer(io::stderr())
            .build();
        rpassword::read_password_with_config(config)
    }

    fn tell(&mut self, text: &str) -> io::Result<()> {
        show(&format!("{text}\n"))
    }
}

fn show(text: &str) -> io::Result<()> {
    let mut stderr = io::stderr();
    stderr.write_all(text.as_bytes())?;
    stderr.flush()
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::domain::Validator;
    use crate::flows::Rank;

    fn policy() -> PasswordPolicy {
        PasswordPolicy {
            min_length: 8,
            max_length: 256,
            validators: vec![Validator::Length, Validator::Similarity],
        }
    }

    /// Answers from a list, and writes down what it was shown.
    struct Script {
        answers: VecDeque<&'static str>,
        shown: Vec<String>,
    }

    impl Prompt for Script {
        fn ask(&mut self, question: &str) -> io::Result<String> {
            self.shown.push(question.to_owned());
            self.answers.pop_front().map(str::to_owned).ok_or_else(|| io::Error::other("no more answers"))
        }

        fn ask_hidden(&mut self, question: &str) -> io::Result<String> {
            self.ask(question)
        }

        fn tell(&mut self, text: &str) -> io::Result<()> {
            self.shown.push(text.to_owned());
            Ok(())
        }
    }

    fn account(activation: Activation) -> Account {
        Account {
            email: None,
            username: None,
            first_name: None,
            last_name: None,
            password: None,
            allow_weak_password: false,
            rank: Rank::User,
            activation,
        }
    }

    fn played(account: Account, answers: &[&'static str]) -> (Result<Account, Refusal>, Vec<String>) {
        let mut script = Script { answers: answers.iter().copied().collect(), shown: Vec::new() };
        let end = complete(&mut script, account, &policy());
        (end, script.shown)
    }

    #[test]
    fn asks_for_everything_in_order() {
        let (end, shown) = played(
            account(Activation::Now),
            &["ada@x.example", "ada", "Ada", "", "correct horse", "correct horse"],
        );

        let account = end.expect("an account");
        assert_eq!(account.email.as_deref(), Some("ada@x.example"));
        assert_eq!((account.first_name.as_deref(), account.last_name.as_deref()), (Some("Ada"), None));
        assert_eq!(
            shown,
            [
                "Email: ",
                "Username (optional): ",
                "First name (optional): ",
                "Last name (optional): ",
                "Password: ",
                "Password (again): ",
            ]
        );
    }

    #[test]
    fn asks_only_for_what_is_missing_and_again_for_what_is_wrong() {
        let given = Account {
            username: Some("ada".to_owned()),
            first_name: Some("A".to_owned()),
            last_name: Some("B".to_owned()),
            ..account(Activation::ByCode)
        };

        let (end, shown) = played(
            given,
            &[
                "",
                "nope",
                "ada@x.example",
                "short",
                "short",
                "adaadaada",
                "adaadaada",
                "correct horse",
                "correct horse",
            ],
        );

        assert!(end.is_ok());
        assert_eq!(shown.iter().filter(|text| *text == "Email: ").count(), 3);
        assert!(shown.iter().any(|text| text == "Enter a valid email address."));
        assert!(shown.iter().any(|text| text.contains("at least 8 characters")));
        assert!(shown.iter().any(|text| text.contains("too similar to the username")));
        assert!(!shown.iter().any(|text| text.contains("optional")));
    }

    #[test]
    fn an_address_or_a_name_is_enough() {
        let (end, shown) =
            played(account(Activation::Now), &["", "", "", "ada", "", "", "correct horse", "correct horse"]);

        assert_eq!(end.expect("an account").username.as_deref(), Some("ada"));
        assert!(shown.iter().any(|text| text.starts_with("An account needs")));
    }

    #[test]
    fn three_mismatches_are_the_end() {
        let (end, shown) = played(
            account(Activation::Now),
            &["ada@x.example", "", "", "", "a", "b", "c", "d", "e", "f", "g"],
        );

        assert!(end.expect_err("refused").reason.contains("3 attempts"));
        assert_eq!(shown.iter().filter(|text| *text == "Password: ").count(), 3);
    }
}
