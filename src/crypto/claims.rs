//! What signed tokens say (RFC 7519), and what of it is believed.
//!
//! Must never: be lenient. Every token that comes in was written by us; whatever we would not write is refused (RFC 8725).
//! (`old_tokens.rs` has those that were not.)

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::config::UserIdClaim;
use crate::domain::{AccessClaims, ForwardClaims, KeyUse, RefreshClaims, SessionId, Timestamp, UserId};

/// The clock that wrote `iat` may have been set back since by this much, and the configured leeway.
pub(super) const CLOCK_STEP: Duration = Duration::from_secs(5);

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("not a token of this service")]
    Invalid,
    /// Ours in every way, and too old.
    #[error("the token has expired")]
    Expired,
}

/// The kinds of signed token. None passes for another: `typ`, `token_type` and the members differ, and no key that is
/// known outside is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Refresh,
    Forward,
}

impl Kind {
    /// The `typ` of the header.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Access => "at+jwt",
            Self::Refresh => "rt+jwt",
            Self::Forward => "fw+jwt",
        }
    }

    /// Whose keys sign it: what Keystead alone verifies has keys that never leave it.
    pub(crate) const fn keys(self) -> KeyUse {
        match self {
            Self::Access => KeyUse::Access,
            Self::Refresh | Self::Forward => KeyUse::Refresh,
        }
    }

    const fn token_type(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Forward => "forward",
        }
    }
}

/// The claims of an access token as they are written. No member is optional but `aud`, none may come twice.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessPayload {
    iss: String,
    sub: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    exp: u64,
    iat: u64,
    jti: String,
    sid: String,
    token_type: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    user_id: Option<UserIdValue>,
}

/// The claims of a refresh token as they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshPayload {
    iss: String,
    sub: String,
    exp: u64,
    iat: u64,
    jti: String,
    sid: String,
    ctr: u64,
    token_type: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    user_id: Option<UserIdValue>,
}

/// The claims of a forward token as they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForwardPayload {
    iss: String,
    sub: String,
    exp: u64,
    iat: u64,
    sid: String,
    token_type: String,
}

/// simplejwt's name of the user: `sub` again.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum UserIdValue {
    Int(u64),
    String(String),
}

/// What tokens say of this service, and are held to.
pub(crate) struct Rules {
    pub(crate) issuer: String,
    /// One string, exactly; without it no token may name an audience.
    pub(crate) audience: Option<String>,
    pub(crate) leeway: Duration,
    pub(crate) user_id: UserIdClaim,
}

impl Rules {
    /// `jti` only has to be new each time.
    pub(crate) fn access_payload(&self, claims: &AccessClaims, jti: String) -> AccessPayload {
        AccessPayload {
            iss: self.issuer.clone(),
            sub: claims.user.to_string(),
            aud: self.audience.clone(),
            exp: claims.expires_at.secs(),
            iat: claims.issued_at.secs(),
            jti,
            sid: claims.session.to_string(),
            token_type: Kind::Access.token_type().to_owned(),
            user_id: claims.names_user.then(|| self.user_id(claims.user)),
        }
    }

    /// Depends on the claims alone: a repeated answer must be the same token.
    pub(crate) fn refresh_payload(&self, claims: &RefreshClaims) -> RefreshPayload {
        RefreshPayload {
            iss: self.issuer.clone(),
            sub: claims.user.to_string(),
            exp: claims.expires_at.secs(),
            iat: claims.issued_at.secs(),
            jti: refresh_id(claims.session, claims.counter),
            sid: claims.session.to_string(),
            ctr: claims.counter,
            token_type: Kind::Refresh.token_type().to_owned(),
            user_id: claims.names_user.then(|| self.user_id(claims.user)),
        }
    }

    pub(crate) fn forward_payload(&self, claims: &ForwardClaims) -> ForwardPayload {
        ForwardPayload {
            iss: self.issuer.clone(),
            sub: claims.user.to_string(),
            exp: claims.expires_at.secs(),
            iat: claims.issued_at.secs(),
            sid: claims.session.to_string(),
            token_type: Kind::Forward.token_type().to_owned(),
        }
    }

    fn user_id(&self, user: UserId) -> UserIdValue {
        match self.user_id {
            UserIdClaim::Int => UserIdValue::Int(user.0),
            UserIdClaim::String => UserIdValue::String(user.to_string()),
        }
    }

    pub(crate) fn accept_access(
        &self,
        payload: &AccessPayload,
        now: Timestamp,
    ) -> Result<AccessClaims, TokenError> {
        let is_for_us = payload.iss == self.issuer
            && payload.aud == self.audience
            && payload.token_type == Kind::Access.token_type()
            && !payload.jti.is_empty()
            && is_user(payload.user_id.as_ref(), &payload.sub);
        let claims = AccessClaims {
            user: user(&payload.sub)?,
            session: session(&payload.sid)?,
            issued_at: Timestamp::from_secs(payload.iat),
            expires_at: Timestamp::from_secs(payload.exp),
            names_user: payload.user_id.is_some(),
        };
        if !is_for_us {
            return Err(TokenError::Invalid);
        }
        self.accept_times(claims.issued_at, claims.expires_at, now)?;
        Ok(claims)
    }

    pub(crate) fn accept_refresh(
        &self,
        payload: &RefreshPayload,
        now: Timestamp,
    ) -> Result<RefreshClaims, TokenError> {
        let claims = RefreshClaims {
            user: user(&payload.sub)?,
            session: session(&payload.sid)?,
            counter: payload.ctr,
            issued_at: Timestamp::from_secs(payload.iat),
            expires_at: Timestamp::from_secs(payload.exp),
            names_user: payload.user_id.is_some(),
        };
        let is_for_us = payload.iss == self.issuer
            && payload.token_type == Kind::Refresh.token_type()
            && payload.jti == refresh_id(claims.session, claims.counter)
            && is_user(payload.user_id.as_ref(), &payload.sub);
        if !is_for_us {
            return Err(TokenError::Invalid);
        }
        self.accept_times(claims.issued_at, claims.expires_at, now)?;
        Ok(claims)
    }

    pub(crate) fn accept_forward(
        &self,
        payload: &ForwardPayload,
        now: Timestamp,
    ) -> Result<ForwardClaims, TokenError> {
        let claims = ForwardClaims {
            user: user(&payload.sub)?,
            session: session(&payload.sid)?,
            issued_at: Timestamp::from_secs(payload.iat),
            expires_at: Timestamp::from_secs(payload.exp),
        };
        if payload.iss != self.issuer || payload.token_type != Kind::Forward.token_type() {
            return Err(TokenError::Invalid);
        }
        self.accept_times(claims.issued_at, claims.expires_at, now)?;
        Ok(claims)
    }

    /// The leeway counts for the token, as it does wherever else the token is verified.
    pub(crate) fn is_over(&self, expires_at: Timestamp, now: Timestamp) -> bool {
        now >= expires_at.after(self.leeway)
    }

    fn accept_times(&self, iat: Timestamp, exp: Timestamp, now: Timestamp) -> Result<(), TokenError> {
        if iat > now.after(self.leeway).after(CLOCK_STEP) {
            Err(TokenError::Invalid)
        } else if self.is_over(exp, now) {
            Err(TokenError::Expired)
        } else {
            Ok(())
        }
    }
}

/// Whichever type it had when the token was made.
fn is_user(user_id: Option<&UserIdValue>, sub: &str) -> bool {
    match user_id {
        None => true,
        Some(UserIdValue::Int(number)) => number.to_string() == sub,
        Some(UserIdValue::String(text)) => text == sub,
    }
}

fn refresh_id(session: SessionId, counter: u64) -> String {
    format!("{session}.{counter}")
}

fn user(text: &str) -> Result<UserId, TokenError> {
    text.parse().map_err(|_| TokenError::Invalid)
}

/// Only the spelling that we write: a UUID has others.
fn session(text: &str) -> Result<SessionId, TokenError> {
    text.parse().ok().filter(|id: &SessionId| id.to_string() == text).ok_or(TokenError::Invalid)
}

/// A member that may be absent, but not `null`.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}
