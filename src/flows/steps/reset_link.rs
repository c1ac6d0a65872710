//! The link to a new password: what it looks like, whose it is, and the letter that brings it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::app::App;
use crate::crypto::token::{hash_token, new_token};
use crate::domain::{
    CodeHash, CodePurpose, Email, Mail, Origin, PlainToken, Secret, Timestamp, User, UserId,
};
use crate::flows::FlowError;
use crate::flows::steps::letter::post;
use crate::mail::Letter;
use crate::store::ReadTx;

/// The two parts of a link to a new password.
#[derive(Debug, Clone)]
pub(crate) struct ResetLink {
    user: UserId,
    token: PlainToken,
}

impl ResetLink {
    /// `uid` is Django's `uidb64`: the user's number in base64url. None: no link looks like this.
    pub(crate) fn parse(uid: &str, token: &str) -> Option<Self> {
        let digits = URL_SAFE_NO_PAD.decode(uid.trim_end_matches('=')).ok()?;
        let user = std::str::from_utf8(&digits).ok()?.parse().ok()?;
        Some(Self { user, token: PlainToken::parse(token)? })
    }

    /// The same where `uid` may also be what allauth makes of the number: base 36. Both readings are tried.
    pub(crate) fn parse_either(uid: &str, token: &str) -> Vec<Self> {
        let base_36 = u64::from_str_radix(uid, 36).ok().map(UserId);
        let base_36 = base_36.and_then(|user| Some(Self { user, token: PlainToken::parse(token)? }));
        Self::parse(uid, token).into_iter().chain(base_36).collect()
    }

    fn address(&self, base: &str) -> Secret<String> {
        let uid = URL_SAFE_NO_PAD.encode(self.user.to_string());
        Secret::new(format!("{base}/account/reset/?uid={uid}&token={}", self.token.expose()))
    }

    /// Whose password it changes now.
    pub(crate) fn owner(&self, read: &ReadTx, now: Timestamp) -> Result<Option<User>, FlowError> {
        let owner = read.code_owner(&hash_token(&self.token))?;
        if owner != Some((self.user, CodePurpose::ResetPassword)) {
            return Ok(None);
        }
        let is_live =
            read.code(self.user, CodePurpose::ResetPassword)?.is_some_and(|code| code.takes_link(now));
        Ok(if is_live { read.user(self.user)?.filter(|user| user.is_active) } else { None })
    }
}

/// A new link, and the letter that brings it. Made for nobody too, and then thrown away.
pub(crate) fn new_reset_link(
    app: &App,
    origin: &Origin,
    user: Option<&User>,
    asked_for: &Email,
    now: Timestamp,
) -> Result<(CodeHash, Mail), FlowError> {
    let valid_for = app.config.passwords.reset_ttl;
    let (token, long) = new_token();
    // No digits open it: a second token that nobody holds stands in their place.
    let code = CodeHash {
        short: new_token().1,
        long,
        expires_at: now.after(valid_for),
        attempts_left: 0,
        sent_at: now,
    };
    let id = user.map_or(UserId(0), |user| user.id);
    let link = ResetLink { user: id, token }.address(app.config.server.base_url());
    let letter = Letter::ResetPassword { link: &link, valid_for, requested_at: now, ip: origin.ip };
    // To the address as the account has it, never as a stranger spelled it (CVE-2019-19844).
    let to = user.and_then(|user| user.email.as_ref()).unwrap_or(asked_for);
    let languages = user.map_or(origin.languages.as_slice(), User::languages);
    Ok((code, post(app, to, languages, &letter, now)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_back_from_its_address() {
        let link = ResetLink { user: UserId(17), token: new_token().0 };
        let address = link.address("https://id.example.com");
        let query =
            address.expose().strip_prefix("https://id.example.com/account/reset/?uid=").expect("the page");
        let (uid, token) = query.split_once("&token=").expect("two parts");

        assert_eq!(uid, "MTc", "as Django writes it");
        assert_eq!(ResetLink::parse(uid, token).map(|link| link.user), Some(UserId(17)));
        for (uid, token) in
            [("", token), ("MTc", ""), ("MTc", "short"), ("MDE3", token), ("LTE", token), ("é", token)]
        {
            assert!(ResetLink::parse(uid, token).is_none(), "{uid} {token}");
        }
        let users = |uid: &str| -> Vec<UserId> {
            ResetLink::parse_either(uid, token).iter().map(|link| link.user).collect()
        };
        assert_eq!(users("h"), [UserId(17)], "as allauth writes it");
        assert!(users("MTc").contains(&UserId(17)));
        assert_eq!(users("zzzzzzzzzzzzzzzzz"), []);
    }
}
