//! Password hashes that come with accounts from Django: which of them are kept, and in which form.
//!
//! Must never: take one whose verification would stop the service, or change what it opens for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::legacy::{LegacyHash, NotRead};
use crate::crypto::{password, random};
use crate::domain::PasswordHash;

/// What becomes of hashes by which a stolen file tells the passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WeakHashes {
    Refuse,
    Accept,
}

/// Why a hash is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HashRefusal {
    #[error("its password hash is of no form that can be verified here")]
    Unknown,
    #[error("its password hash costs too much to verify")]
    TooCostly,
    #[error("its password hash is one round of MD5 or SHA-1, which is taken only by choice")]
    Weak,
}

impl From<NotRead> for HashRefusal {
    fn from(why: NotRead) -> Self {
        match why {
            NotRead::Unknown => Self::Unknown,
            NotRead::TooCostly => Self::TooCostly,
        }
    }
}

/// The hash as it is stored, from the text of Django's `password` column; None where no password opens the account.
pub(crate) fn take_over(text: &str, weak: WeakHashes) -> Result<Option<PasswordHash>, HashRefusal> {
    if text.is_empty() || text.starts_with('!') {
        return Ok(None);
    }
    if let Some(phc) = text.strip_prefix("argon2").filter(|rest| rest.starts_with('$')) {
        // Between the two words, Django has one dollar.
        let hash = PasswordHash::from_phc(phc.to_owned());
        password::read_argon2(&hash)?;
        return Ok(Some(hash));
    }
    if LegacyHash::parse(text)?.is_weak() && weak == WeakHashes::Refuse {
        return Err(HashRefusal::Weak);
    }
    Ok(Some(PasswordHash::from_phc(text.to_owned())))
}

/// The way back: what Django has in its column for this hash, or for an account that no password opens.
pub(crate) fn give_back(hash: Option<&PasswordHash>) -> String {
    match hash.map(PasswordHash::as_phc) {
        Some(text) if text.starts_with("$argon2") => format!("argon2{text}"),
        Some(text) => text.to_owned(),
        // Django's mark, and what makes one such column differ from another.
        None => format!("!{}", URL_SAFE_NO_PAD.encode(random::bytes::<30>())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../tests/fixtures/django_hashes.json");

    fn taken(text: &str) -> Result<Option<String>, HashRefusal> {
        Ok(take_over(text, WeakHashes::Refuse)?.map(|hash| hash.as_phc().to_owned()))
    }

    #[test]
    fn what_is_taken_is_given_back_as_it_was() {
        let vectors: Vec<(String, String)> = serde_json::from_str(VECTORS).expect("pairs");
        for (_, text) in vectors {
            let hash = take_over(&text, WeakHashes::Accept).expect(&text).expect("a hash");
            assert_eq!(give_back(Some(&hash)), text);
        }
    }

    #[test]
    fn no_password_is_none() {
        for text in ["", "!", "!uoIFqVpMMMFAsZ2GUfULvYpqm9NlPaWAcbkvBeFH"] {
            assert_eq!(taken(text), Ok(None), "{text}");
        }
        assert_eq!(give_back(None).len(), 41);
        assert_eq!(taken(&give_back(None)), Ok(None));
    }

    #[test]
    fn weak_hashes_are_taken_by_choice_only() {
        for text in ["md5$salt$737410c23d17932272511edc24d343ba", "737410c23d17932272511edc24d343ba"] {
            assert_eq!(taken(text), Err(HashRefusal::Weak), "{text}");
            assert!(take_over(text, WeakHashes::Accept).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_verified_is_not_taken() {
        let output = "VdX8pf1ZVv5eKyoXRTo+pQ";
        for (text, refusal) in [
            (format!("argon2$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ${output}"), HashRefusal::TooCostly),
            (format!("argon2$argon2id$v=19$m=64,t=101,p=1$c29tZXNhbHQ${output}"), HashRefusal::TooCostly),
            (format!("argon2$argon2x$v=19$m=64,t=1,p=1$c29tZXNhbHQ${output}"), HashRefusal::Unknown),
            (format!("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ${output}"), HashRefusal::Unknown),
            ("argon2$".to_owned(), HashRefusal::Unknown),
            ("crypt$$ab1fk".to_owned(), HashRefusal::Unknown),
            ("bcrypt$$2b$20$".to_owned() + &".".repeat(53), HashRefusal::TooCostly),
        ] {
            assert_eq!(taken(&text), Err(refusal), "{text}");
        }
        assert!(taken(&format!("argon2$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ${output}")).is_ok());
    }
}
