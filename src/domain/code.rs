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
/// As far a clock may be set back without a code that is out dying of it.
const CLOCK_STEP: Duration = Duration::from_secs(300);
/// No moment is before it.
const NEVER: Timestamp = Timestamp::from_secs(0);

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

    /// The link dies of age alone: nobody guesses it, so nobody can kill it for its owner by guessing digits. One from
    /// the future is dead too: a clock that is set back revives none.
    pub(crate) fn takes_link(&self, now: Timestamp) -> bool {
        now < self.expires_at && !self.is_from_the_future(now)
    }

    /// Whether enough time has passed since the last mail for another.
    pub(crate) fn may_resend(&self, now: Timestamp, interval: Duration) -> bool {
        now >= self.sent_at.after(interval) || self.is_from_the_future(now)
    }

    /// Whether it is dead whatever a clock says. It only tells then that somebody waits for a code.
    pub(crate) fn is_dead(&self) -> bool {
        self.expires_at == NEVER
    }

    pub(crate) fn kill(&mut self) {
        self.expires_at = NEVER;
        self.attempts_left = 0;
    }

    fn is_from_the_future(&self, now: Timestamp) -> bool {
        self.sent_at > now.after(CLOCK_STEP)
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

    #[test]
    fn a_clock_set_back_revives_no_code_and_keeps_nobody_from_another() {
        let hash = TokenHash([0; 32]);
        let sent_at = Timestamp::from_secs(1_000_000);
        let expires_at = sent_at.after(Duration::from_secs(600));
        let mut code = CodeHash { short: hash, long: hash, expires_at, attempts_left: 5, sent_at };
        let minute = Duration::from_secs(60);

        let a_little = sent_at.before(minute);
        assert!(code.takes_digits(a_little) && !code.may_resend(a_little, minute));
        let far = sent_at.before(minute * 6);
        assert!(!code.takes_link(far) && !code.takes_digits(far) && code.may_resend(far, minute));
        code.kill();
        assert!(code.is_dead() && !code.takes_link(Timestamp::from_secs(0)) && !code.takes_link(sent_at));
    }
}
