//! A session: one log-in, to which every token that came from it points.

use std::net::IpAddr;
use std::time::Duration;

use crate::domain::{
    AccessClaims, ForwardClaims, Name, OldTokenId, Origin, RefreshClaims, SessionId, Timestamp, TokenHash,
    UserId,
};

/// One log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    pub(crate) created_at: Timestamp,
    pub(crate) last_refreshed_at: Timestamp,
    /// When the present refresh token expires: idle time, bounded by the session's end.
    pub(crate) refresh_expires_at: Timestamp,
    /// No access token of this session is accepted after this.
    pub(crate) access_expires_at: Timestamp,
    /// When the session ends however busy it is.
    pub(crate) expires_at: Timestamp,
    /// How often it was refreshed; a refresh token carries the number it was made at.
    pub(crate) counter: u64,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
    pub(crate) label: Name,
    /// How the user proved who they are: `password`, `code`.
    pub(crate) methods: Vec<String>,
    pub(crate) style: SessionStyle,
}

/// What a log-in gives, as the surface where it happened has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SessionStyle {
    /// Two tokens, of which the refresh token is used once.
    #[default]
    Native,
    /// Two tokens with simplejwt's claims; whether the refresh token is used once, or until the session ends.
    SimpleJwt { rotates: bool },
    /// One key with this hash, which is good until the session ends.
    Key(TokenHash),
    /// Two tokens with simplejwt's claims, for this old refresh token. Until the new one is used, the old one is as good.
    Exchanged(OldTokenId),
}

/// How long the tokens of a session live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionPolicy {
    pub(crate) access_ttl: Duration,
    pub(crate) refresh_ttl: Duration,
    pub(crate) session_ttl: Duration,
    pub(crate) refresh_grace: Duration,
}

/// What opens a session.
#[derive(Debug, Clone)]
pub(crate) struct NewSession {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    pub(crate) label: Name,
    pub(crate) method: &'static str,
    pub(crate) origin: Origin,
    pub(crate) style: SessionStyle,
}

/// What a presented refresh token means for its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshStep {
    /// The newest token: it is used up now, and a successor made.
    Rotate,
    /// The only token of a session that keeps it, or the old one that it was opened for: another access token is made.
    Renew,
    /// The one before, shortly after its rotation: a lost reply or a second tab. It gets the same successor.
    Repeat,
    /// An older one: somebody kept a copy. The session ends.
    Reuse,
    /// The session is over.
    Expired,
}

impl Session {
    pub(crate) fn open(new: NewSession, policy: &SessionPolicy, now: Timestamp) -> Self {
        let mut session = Self {
            id: new.id,
            user: new.user,
            created_at: now,
            last_refreshed_at: now,
            refresh_expires_at: now,
            access_expires_at: now,
            expires_at: now.after(policy.session_ttl).whole_secs(),
            counter: 0,
            ip: new.origin.ip,
            user_agent: new.origin.user_agent,
            label: new.label,
            methods: vec![new.method.to_owned()],
            style: new.style,
        };
        session.extend(policy, now);
        match session.style {
            SessionStyle::Key(_) => session.refresh_expires_at = session.expires_at,
            // It was given for so long.
            SessionStyle::Exchanged(old) => {
                session.expires_at = session.expires_at.max(old.expires_at());
                session.refresh_expires_at = session.refresh_expires_at.max(old.expires_at());
            }
            SessionStyle::Native | SessionStyle::SimpleJwt { .. } => {}
        }
        session
    }

    /// Decides what a refresh token made at `counter` is worth now (RFC 9700, section 4.14.2).
    pub(crate) fn step(&self, counter: u64, policy: &SessionPolicy, now: Timestamp) -> RefreshStep {
        let is_previous = counter.checked_add(1) == Some(self.counter);
        if now >= self.refresh_expires_at || now >= self.expires_at {
            RefreshStep::Expired
        } else if counter == self.counter {
            if self.rotates() { RefreshStep::Rotate } else { RefreshStep::Renew }
        } else if is_previous && apart(now, self.last_refreshed_at) <= policy.refresh_grace {
            RefreshStep::Repeat
        } else {
            RefreshStep::Reuse
        }
    }

    /// Decides the same for the old token that the session was opened for: it comes before the first of ours.
    pub(crate) fn step_of_old_token(&self, now: Timestamp) -> RefreshStep {
        if now >= self.refresh_expires_at || now >= self.expires_at {
            RefreshStep::Expired
        } else if self.counter == 0 {
            RefreshStep::Renew
        } else {
            RefreshStep::Reuse
        }
    }

    /// Whether that old token is good for anything still.
    pub(crate) fn takes_old_token(&self, now: Timestamp) -> bool {
        self.step_of_old_token(now) == RefreshStep::Renew
    }

    pub(crate) fn is_exchanged(&self) -> bool {
        matches!(self.style, SessionStyle::Exchanged(_))
    }

    pub(crate) fn rotate(&mut self, policy: &SessionPolicy, now: Timestamp) {
        self.counter = self.counter.saturating_add(1);
        self.last_refreshed_at = now;
        self.extend(policy, now);
    }

    /// Goes on without another refresh token.
    pub(crate) fn renew(&mut self, policy: &SessionPolicy, now: Timestamp) {
        self.last_refreshed_at = now;
        self.extend_access(policy, now);
    }

    fn rotates(&self) -> bool {
        match self.style {
            SessionStyle::Native | SessionStyle::Exchanged(_) => true,
            SessionStyle::SimpleJwt { rotates } => rotates,
            SessionStyle::Key(_) => false,
        }
    }

    fn extend(&mut self, policy: &SessionPolicy, now: Timestamp) {
        self.refresh_expires_at = now.after(policy.refresh_ttl).whole_secs().min(self.expires_at);
        self.extend_access(policy, now);
    }

    fn extend_access(&mut self, policy: &SessionPolicy, now: Timestamp) {
        // Never earlier than one that was given out: this is how long the end of the session is remembered.
        self.access_expires_at =
            now.after(policy.access_ttl).whole_secs().min(self.expires_at).max(self.access_expires_at);
    }

    /// The claims of the newest access token.
    pub(crate) fn access_claims(&self) -> AccessClaims {
        AccessClaims {
            user: self.user,
            session: self.id,
            issued_at: self.last_refreshed_at,
            expires_at: self.access_expires_at,
            names_user: self.names_user(),
        }
    }

    /// Whether the session goes on: it may be refreshed still.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        now < self.refresh_expires_at && now < self.expires_at
    }

    /// The claims of the newest forward token, which lives as long as the refresh token beside it.
    pub(crate) fn forward_claims(&self) -> ForwardClaims {
        ForwardClaims {
            user: self.user,
            session: self.id,
            issued_at: self.last_refreshed_at,
            expires_at: self.refresh_expires_at,
        }
    }

    /// The claims of the newest refresh token: the same every time, so a repeated answer is the same token.
    pub(crate) fn refresh_claims(&self) -> RefreshClaims {
        RefreshClaims {
            user: self.user,
            session: self.id,
            counter: self.counter,
            // A token that does not rotate is as old as the session.
            issued_at: if self.rotates() { self.last_refreshed_at } else { self.created_at },
            expires_at: self.refresh_expires_at,
            names_user: self.names_user(),
        }
    }

    fn names_user(&self) -> bool {
        matches!(self.style, SessionStyle::SimpleJwt { .. } | SessionStyle::Exchanged(_))
    }
}

/// How far two moments are apart, whichever is first: a clock that was set back does not stretch the grace.
fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: SessionPolicy = SessionPolicy {
        access_ttl: Duration::from_secs(900),
        refresh_ttl: Duration::from_secs(30 * 86_400),
        session_ttl: Duration::from_secs(90 * 86_400),
        refresh_grace: Duration::from_secs(10),
    };

    fn session() -> Session {
        let new = NewSession {
            id: SessionId([7; 16]),
            user: UserId(1),
            label: Name::default(),
            method: "password",
            origin: Origin::default(),
            style: SessionStyle::default(),
        };
        Session::open(new, &POLICY, Timestamp::from_secs(1_000))
    }

    #[test]
    fn a_session_that_keeps_its_refresh_token_lives_as_long_as_that() {
        let mut session = Session { style: SessionStyle::SimpleJwt { rotates: false }, ..session() };
        let refresh = session.refresh_claims();

        for secs in [1_001, 1_500, 90_000] {
            let now = Timestamp::from_secs(secs);
            assert_eq!(session.step(0, &POLICY, now), RefreshStep::Renew);
            session.renew(&POLICY, now);
            assert_eq!(session.access_claims().issued_at, now);
            assert_eq!(session.access_claims().expires_at, now.after(POLICY.access_ttl));
            assert_eq!(session.refresh_claims(), refresh, "the same token");
        }
        assert_eq!(session.step(0, &POLICY, refresh.expires_at), RefreshStep::Expired);
    }

    #[test]
    fn an_old_token_is_good_until_the_one_in_its_place_is_used() {
        let end = Timestamp::from_secs(100 * 86_400);
        let old = OldTokenId::new(TokenHash([7; 32]), end);
        let new = NewSession {
            id: SessionId([7; 16]),
            user: UserId(1),
            label: Name::default(),
            method: "old_token",
            origin: Origin::default(),
            style: SessionStyle::Exchanged(old),
        };
        let mut session = Session::open(new, &POLICY, Timestamp::from_secs(1_000));
        assert_eq!((session.refresh_expires_at, session.expires_at), (end, end), "longer than ours");
        assert!(session.access_claims().names_user && session.refresh_claims().names_user);

        for secs in [1_001, 7_000_000] {
            let now = Timestamp::from_secs(secs);
            assert_eq!(session.step_of_old_token(now), RefreshStep::Renew);
            session.renew(&POLICY, now);
        }
        let now = Timestamp::from_secs(8_000_000);
        assert_eq!(session.step(0, &POLICY, now), RefreshStep::Rotate);
        session.rotate(&POLICY, now);
        assert_eq!(session.step_of_old_token(now), RefreshStep::Reuse);
        assert_eq!(session.step_of_old_token(end), RefreshStep::Expired);
    }

    #[test]
    fn a_token_is_used_once_with_ten_seconds_of_grace() {
        let mut session = session();
        assert_eq!(session.step(0, &POLICY, Timestamp::from_secs(1_001)), RefreshStep::Rotate);

        session.rotate(&POLICY, Timestamp::from_secs(1_001));
        assert_eq!(session.step(0, &POLICY, Timestamp::from_secs(1_011)), RefreshStep::Repeat);
        assert_eq!(session.step(0, &POLICY, Timestamp::from_millis(1_011_001)), RefreshStep::Reuse);
        assert_eq!(
            session.step(0, &POLICY, Timestamp::from_secs(500)),
            RefreshStep::Reuse,
            "a clock set back"
        );
        assert_eq!(session.step(1, &POLICY, Timestamp::from_secs(2_000)), RefreshStep::Rotate);

        session.rotate(&POLICY, Timestamp::from_secs(1_002));
        assert_eq!(session.step(0, &POLICY, Timestamp::from_secs(1_002)), RefreshStep::Reuse);
        assert_eq!(session.step(u64::MAX, &POLICY, Timestamp::from_secs(1_002)), RefreshStep::Reuse);
    }

    #[test]
    fn ends_when_idle_and_ends_however_busy() {
        let mut session = session();
        let idle = Timestamp::from_secs(1_000).after(POLICY.refresh_ttl);
        assert_eq!(session.step(0, &POLICY, idle), RefreshStep::Expired);

        for day in 1..=89 {
            session.rotate(&POLICY, Timestamp::from_secs(1_000 + day * 86_400));
        }
        assert_eq!(session.refresh_expires_at, session.expires_at);
        assert_eq!(session.step(89, &POLICY, session.expires_at), RefreshStep::Expired);
    }

    #[test]
    fn shorter_access_tokens_do_not_shorten_the_memory_of_longer_ones() {
        let mut session = session();
        let before = session.access_expires_at;
        let shorter = SessionPolicy { access_ttl: Duration::from_secs(1), ..POLICY };

        session.rotate(&shorter, Timestamp::from_secs(1_001));
        assert_eq!(session.access_expires_at, before);
    }
}
