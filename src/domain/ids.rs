//! Identifiers. None of them is ever a secret.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::domain::Timestamp;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            /// Reads the one spelling that `Display` writes: no sign, no leading zero.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if text.starts_with(['+', '0']) {
                    return "".parse().map(Self);
                }
                text.parse().map(Self)
            }
        }
    )*};
}

// Numbers count from 1, one after the other, and are never given out twice (Django's `pk`).
numbers! {
    UserId
    GroupId
    PermissionId
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) [u8; 16]);

        impl $name {
            /// A `UUIDv7` (RFC 9562): ordered by time, so that new rows land side by side on the disk.
            pub(crate) fn new(now: Timestamp, random: [u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(now.millis(), &random).into_uuid().into_bytes())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Uuid::from_bytes(self.0).hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(|id| Self(id.into_bytes()))
            }
        }
    )*};
}

uuid_ids! {
    /// One log-in: the `sid` of every token that came from it.
    SessionId
    /// One pending registration: the opaque handle that `register/` gives out.
    RegistrationId
    /// A signing key: the `kid` of a token's header.
    KeyId
    /// One row of the audit log.
    EventId
    /// One mail in the outbox.
    MailId
    /// One API key.
    ApiKeyId
}

impl SessionId {
    /// What all old tokens of a user count as: they do not say which log-in they came from. It is no `UUIDv7`, and no
    /// session has it.
    pub(crate) fn of_old_tokens(user: UserId) -> Self {
        Self(u128::from(user.0).to_be_bytes())
    }
}

impl EventId {
    /// The id right after this one.
    pub(crate) fn next(self) -> Self {
        Self(u128::from_be_bytes(self.0).saturating_add(1).to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let early = SessionId::new(Timestamp::from_secs(1_000), [255; 10]);
        let late = SessionId::new(Timestamp::from_secs(1_001), [0; 10]);

        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
    }

    #[test]
    fn what_old_tokens_count_as_is_nobody_elses() {
        let (one, last) = (SessionId::of_old_tokens(UserId(1)), SessionId::of_old_tokens(UserId(u64::MAX)));

        assert_eq!(one.to_string(), "00000000-0000-0000-0000-000000000001");
        assert!(one < last && last < SessionId::new(Timestamp::from_secs(0), [0; 10]));
    }

    #[test]
    fn the_next_event_sorts_right_after_this_one() {
        let this = EventId::new(Timestamp::from_secs(1_000), [255; 10]);

        assert!(this < this.next() && this.next().to_string() > this.to_string());
        assert_eq!(EventId([255; 16]).next(), EventId([255; 16]));
    }

    #[test]
    fn a_user_id_has_one_spelling() {
        assert_eq!("17".parse(), Ok(UserId(17)));
        for text in ["", "+17", "017", "0", "-1", "1e3", "18446744073709551616"] {
            assert!(text.parse::<UserId>().is_err(), "{text}");
        }
    }
}
