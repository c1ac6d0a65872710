//! The rules, compared with what Django said about the same passwords.

use serde_json::Value;

use super::*;

/// What `validate_password` of Django 5.2.19 (Python 3.11) with its four validators said: people, and for each password
/// the number of its person and the codes. Made from mutations of the people's own facts and of the common list;
/// repetitions, which are judged differently here, are left out.
const DJANGO: &str = include_str!("../../../tests/fixtures/passwords.json");

fn policy(validators: &[Validator]) -> PasswordPolicy {
    PasswordPolicy { min_length: 8, max_length: 256, validators: validators.to_vec() }
}

fn django() -> PasswordPolicy {
    policy(&[Validator::Length, Validator::Similarity, Validator::Common, Validator::Numeric])
}

fn ada() -> PersonalFacts<'static> {
    PersonalFacts { username: "countess", first_name: "Ada", last_name: "Lovelace", email: "ada@example.com" }
}

fn broken(text: &str, policy: &PasswordPolicy, about: &PersonalFacts<'_>) -> Vec<Invalid> {
    NewPassword::parse(text, policy, about).err().unwrap_or_default()
}

fn codes(text: &str) -> Vec<&'static str> {
    broken(text, &django(), &ada()).into_iter().map(|invalid| invalid.code).collect()
}

#[test]
fn the_rules_are_those_of_django() {
    let golden: Value = serde_json::from_str(DJANGO).expect("JSON");
    let fact = |person: &Value, at: usize| person[at].as_str().expect("text").to_owned();
    let policy = PasswordPolicy { max_length: 1024, ..django() };
    let cases = golden["cases"].as_array().expect("a list");
    assert!(cases.len() > 500);

    for case in cases {
        let text = case[0].as_str().expect("text");
        let person = &golden["people"][usize::try_from(case[1].as_u64().expect("a number")).expect("small")];
        let [username, first_name, last_name, email] = [0, 1, 2, 3].map(|at| fact(person, at));
        let about = PersonalFacts {
            username: &username,
            first_name: &first_name,
            last_name: &last_name,
            email: &email,
        };
        let told: Vec<String> = broken(text, &policy, &about)
            .into_iter()
            .map(|invalid| match invalid.message.strip_prefix("The password is too similar to the ") {
                Some(fact) => format!("{}:{}", invalid.code, fact.trim_end_matches('.')),
                None => invalid.code.to_owned(),
            })
            .collect();
        assert_eq!(serde_json::json!(told), case[2], "{text:?} of {person}");
    }
}

#[test]
fn the_texts_are_those_of_django() {
    let messages = |text: &str, policy: &PasswordPolicy| {
        broken(text, policy, &ada()).into_iter().map(|invalid| invalid.message).collect::<Vec<_>>()
    };

    assert_eq!(
        messages("1234567", &django()),
        [
            "This password is too short. It must contain at least 8 characters.",
            "This password is too common.",
            "This password is entirely numeric.",
        ]
    );
    assert_eq!(messages("lovelace1", &django()), ["The password is too similar to the last name."]);
    let one = PasswordPolicy { min_length: 2, max_length: 1, ..policy(&[Validator::Length]) };
    assert_eq!(messages("é", &one), ["This password is too short. It must contain at least 2 characters."],);
    assert_eq!(messages("éé", &one), ["This password is too long. It must contain at most 1 character."],);
    let all = policy(&Validator::ALL);
    assert_eq!(
        all.rules(),
        [
            "Your password must contain at least 8 characters.",
            "Your password can’t be too similar to your other personal information.",
            "Your password can’t be a commonly used password.",
            "Your password can’t be entirely numeric.",
            "Your password must contain at least one digit.",
            "Your password must contain at most 256 characters.",
        ]
    );
    assert_eq!(
        PasswordPolicy { min_length: 1, ..all }.rules()[0],
        "Your password must contain at least 1 character."
    );
}

#[test]
fn counts_characters_not_bytes() {
    assert!(codes("éééééééé").is_empty());
    assert!(codes(&"😀".repeat(8)).is_empty());
    assert_eq!(codes("ééééééé"), ["password_too_short"]);
}

#[test]
fn refuses_instead_of_cutting() {
    assert!(codes(&"a".repeat(256)).is_empty());
    assert_eq!(codes(&"a".repeat(257)), ["password_too_long"]);
    assert_eq!(codes(&"😀".repeat(257)), ["password_too_long"]);
    assert_eq!(codes(&"a".repeat(1025)), ["password_too_long"]);
    assert_eq!(codes(""), ["blank"]);
}

#[test]
fn spaces_and_spellings_are_part_of_the_password() {
    let accepted = |text: &str| {
        let password = NewPassword::parse(text, &django(), &ada()).expect(text);
        password.as_password().expose().to_owned()
    };
    for text in ["  padded  ", "caf\u{e9} noir", "cafe\u{301} noir", "nul\u{0}inside"] {
        assert_eq!(accepted(text), text);
    }
}

#[test]
fn a_repetition_is_no_better_than_what_it_repeats() {
    for text in ["passwordpassword", "PasswordPassword", "qwertyqwertyqwerty", "keystead", "KeysteadKeystead"]
    {
        assert_eq!(codes(text), ["password_too_common"], "{text}");
    }
    assert_eq!(codes("123456123456"), ["password_too_common", "password_entirely_numeric"]);
    assert_eq!(codes("123456789012345"), ["password_entirely_numeric"]);
    for text in ["countesscountess", "lovelacelovelace", "ada@example.comada@example.com"] {
        assert_eq!(codes(text), ["password_too_similar"], "{text}");
    }
    assert_eq!(codes("adaadaada"), ["password_too_similar", "password_too_common"]);
    assert!(codes("correct horse correct horse ").is_empty());
}

#[test]
fn only_the_rules_that_are_on_count() {
    let codes = |text: &str, validators: &[Validator]| {
        let broken = broken(text, &policy(validators), &ada());
        broken.into_iter().map(|invalid| invalid.code).collect::<Vec<_>>()
    };

    for text in ["x", "passwordpassword", "lovelace", "12345678", "keystead"] {
        assert!(codes(text, &[]).is_empty(), "{text}");
    }
    assert_eq!(codes(&"é".repeat(257), &[]), ["password_too_long"]);
    assert_eq!(codes("correct horse", &[Validator::Digit]), ["password_no_digit"]);
    assert!(codes("correct horse ٣", &[Validator::Digit]).is_empty());
    assert_eq!(codes("1234567", &[Validator::Length, Validator::Similarity]), ["password_too_short"]);
    assert_eq!(codes("passwordpassword", &[Validator::Similarity]), [""; 0]);
}

/// A bound for a debug build on a busy machine; a release build takes a thousandth of it.
#[test]
fn the_worst_password_is_judged_at_once() {
    let words = "ab ".repeat(50);
    let address = format!("{}@{}.example", "a.".repeat(32), "b.".repeat(90));
    let about = PersonalFacts { username: &words, first_name: &words, last_name: &words, email: &address };
    let begun = std::time::Instant::now();

    for text in ["ab".repeat(360), "ab".repeat(512), "xy z".repeat(256), "İ".repeat(512), "a b".repeat(10)] {
        let policy = PasswordPolicy { max_length: 1024, ..policy(&Validator::ALL) };
        broken(&text, &policy, &about);
    }

    assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{:?}", begun.elapsed());
}
