//! One-time codes: eight digits to type, or a long one in a link; what guessing costs.

use std::time::Duration;

use crate::domain::{PlainToken, Secret, Timestamp, TokenHash};

/// A code as somebody typed or clicked it.
#[derive(Debug, Clone)]
pub(crate) enum Code {
    /// Eight digits, for a person to type; needs the address beside it.
    Short(Secret<String>),
    /// 256 random bits, from the link; stands alone.
    Long(PlainToken),
}

const DIGITS: usize = 8;

impl Code {
    /// Takes the digits with spaces or dashes between them, as people type them. None: no code looks like this.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let typed: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if typed.len() == DIGITS && typed.bytes().all(|b| b.is_ascii_digit()) {
            Some(Self::Short(Secret::new(typed)))
        } else {
            PlainToken::parse(text).map(Self::Long)
        }
    }
}

/// What a code is good for, and for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodePurpose {
    /// Proves that the address is the user's, and activates an account that an operator made.
    VerifyEmail,
    /// Gives the account a new password. A link only, no digits.
    ResetPassword,
}

/// What is stored of a code that is out in somebody's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeHash {
    pub(crate) short: TokenHash,
    pub(crate) long: TokenHash,
    pub(crate) expires_at: Timestamp,
    pub(crate) attempts_left: u32,
    pub(crate) sent_at: Timestamp,
}

impl CodeHash {
    /// Digits that are too old, or were guessed at too often, are dead.
    pub(crate) fn takes_digits(&self, now: Timestamp) -> bool {
        self.takes_link(now) && self.attempts_left > 0
    }

    /// The link dies of age alone: nobody guesses it, so nobody can kill it for its owner by guessing digits.
    pub(crate) fn takes_link(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// Whether enough time has passed since the last mail for another.
    pub(crate) fn may_resend(&self, now: Timestamp, interval: Duration) -> bool {
        now >= self.sent_at.after(interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_may_be_grouped() {
        assert!(matches!(Code::parse("1234 5678"), Some(Code::Short(code)) if code.expose() == "12345678"));
        assert!(matches!(Code::parse("12-34-56-78"), Some(Code::Short(_))));
        assert!(matches!(Code::parse(&"aB3_".repeat(11)[..43]), Some(Code::Long(_))));
        for text in ["", "1234567", "123456789", "１２３４５６７８", "abcdefgh"] {
            assert!(Code::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn dies_of_age_and_of_guesses() {
        let hash = TokenHash([0; 32]);
        let code = |attempts_left| CodeHash {
            short: hash,
            long: hash,
            expires_at: Timestamp::from_secs(600),
            attempts_left,
            sent_at: Timestamp::from_secs(0),
        };

        assert!(code(1).takes_digits(Timestamp::from_millis(599_999)));
        assert!(!code(1).takes_digits(Timestamp::from_secs(600)));
        assert!(!code(1).takes_link(Timestamp::from_secs(600)));
        assert!(!code(0).takes_digits(Timestamp::from_secs(0)));
        assert!(code(0).takes_link(Timestamp::from_secs(0)));
    }
}
