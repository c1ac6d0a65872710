//! Passwords that were right a moment ago, so that a page with many pictures does not cost a slow hash for each.
//!
//! What is kept is an HMAC under a key that ends with the process. Whoever reads its memory finds both and can guess fast:
//! hence so few, and so briefly. Must never: keep a password, or be asked about one whose guesses are not counted.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::hmac;
use quick_cache::sync::Cache;

use crate::crypto::random;
use crate::domain::{Password, PasswordHash, Timestamp, UserId};

/// How long a password is known.
const TTL: Duration = Duration::from_secs(300);
/// How many are, at most.
const KNOWN: usize = 1_000;

/// What was right for whom, from where, and until when that is known.
pub(crate) struct KnownPasswords {
    key: hmac::Key,
    known: Cache<[u8; 32], Timestamp>,
}

/// A password as somebody gave it, beside what their account has now.
pub(crate) struct Given<'a> {
    pub(crate) user: UserId,
    /// With another hash it is another password: what is known dies with a change.
    pub(crate) hash: &'a PasswordHash,
    /// What is right from one address is asked again from another.
    pub(crate) ip: Option<IpAddr>,
    pub(crate) password: &'a Password,
}

impl KnownPasswords {
    pub(crate) fn new() -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &random::bytes::<32>());
        Self { key, known: Cache::new(KNOWN) }
    }

    pub(crate) fn knows(&self, given: &Given<'_>, now: Timestamp) -> bool {
        // A clock that was set back makes nothing last longer.
        let is_fresh = |until: Timestamp| now < until && until <= now.after(TTL);
        self.known.get(&self.tag(given)).is_some_and(is_fresh)
    }

    pub(crate) fn learn(&self, given: &Given<'_>, now: Timestamp) {
        self.known.insert(self.tag(given), now.after(TTL));
    }

    fn tag(&self, given: &Given<'_>) -> [u8; 32] {
        let user = given.user.0.to_be_bytes();
        let ip = given.ip.map(|ip| ip.to_string()).unwrap_or_default();
        let parts =
            [&user[..], given.hash.as_phc().as_bytes(), ip.as_bytes(), given.password.expose().as_bytes()];
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    #[test]
    fn only_what_was_right_is_known_and_not_for_long() {
        let (known, other) = (KnownPasswords::new(), KnownPasswords::new());
        let hash = |text: &str| PasswordHash::from_phc(text.to_owned());
        let password = |text: &str| Password::parse(text).expect("a password");
        let (old, new) = (hash("$argon2id$old"), hash("$argon2id$new"));
        let (right, wrong) = (password("right"), password("wrong"));
        let (here, there) = (Some(IpAddr::from([192, 0, 2, 1])), Some(IpAddr::from([192, 0, 2, 2])));
        let given = |user, hash, ip, password| Given { user: UserId(user), hash, ip, password };

        known.learn(&given(1, &old, here, &right), NOW);

        assert!(known.knows(&given(1, &old, here, &right), NOW));
        assert!(known.knows(&given(1, &old, here, &right), NOW.after(TTL).before(Duration::from_secs(1))));
        for unknown in [
            given(1, &old, here, &wrong),
            given(1, &new, here, &right),
            given(1, &old, there, &right),
            given(1, &old, None, &right),
            given(2, &old, here, &right),
        ] {
            assert!(!known.knows(&unknown, NOW));
        }
        for moment in [NOW.after(TTL), NOW.before(Duration::from_secs(1))] {
            assert!(!known.knows(&given(1, &old, here, &right), moment));
        }
        assert!(!other.knows(&given(1, &old, here, &right), NOW));
    }
}
