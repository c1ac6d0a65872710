//! A new password for somebody who has lost theirs, by a link that goes to their address.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::app::App;
use crate::crypto::token::{hash_token, new_token};
use crate::domain::{
    CodeHash, CodePurpose, Email, EventKind, Mail, MailKind, Origin, Password, PlainToken, Secret, Target,
    Timestamp, User, UserId,
};
use crate::flows::FlowError;
use crate::flows::steps::{
    Audit, end_sessions, evenly, forget_codes, judge_new_password, post, post_to_user, remember_client,
    revoke_api_keys, takes_mail,
};
use crate::mail::{Letter, PasswordChange};
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
    fn owner(&self, read: &ReadTx, now: Timestamp) -> Result<Option<User>, FlowError> {
        let owner = read.code_owner(&hash_token(&self.token))?;
        if owner != Some((self.user, CodePurpose::ResetPassword)) {
            return Ok(None);
        }
        let is_live =
            read.code(self.user, CodePurpose::ResetPassword)?.is_some_and(|code| code.takes_link(now));
        Ok(if is_live { read.user(self.user)?.filter(|user| user.is_active) } else { None })
    }
}

/// Mails a link to the owner of an address; the one before dies. Whoever asks learns nothing from the answer: the work
/// is the same for an address that nobody has, and for an account that is disabled or has no password (Django's
/// unusable one), which get no mail.
pub(crate) async fn request_reset(app: &App, origin: &Origin, email: &Email) -> Result<(), FlowError> {
    evenly(request(app, origin, email)).await
}

async fn request(app: &App, origin: &Origin, email: &Email) -> Result<(), FlowError> {
    let now = app.clock.now();
    let user = app.store.read()?.user_by_email(&email.key())?;
    let user = user.filter(|user| user.is_active && user.password.is_some());
    let event = Audit { now, origin }.success(EventKind::ResetRequested);
    let (id, code, mail) = new_link(app, origin, user.as_ref(), email, now)?;
    let event = match &user {
        Some(user) => event.about(user),
        None => event,
    };
    // Counted only if it is sent: else nobody would be mailed who was asked for often enough under names beside theirs.
    let is_sent = user.is_some() && takes_mail(app, email, MailKind::ResetPassword, now);
    let email = user.and_then(|user| user.email);
    app.store
        .write(move |tx| {
            // Looked at again: meanwhile the account may have moved to another address, and then this link is nobody's.
            let may_reset = |now: User| now.is_active && now.password.is_some() && now.email == email;
            if is_sent && tx.user(id)?.is_some_and(may_reset) {
                tx.save_code(id, CodePurpose::ResetPassword, &code)?;
                tx.enqueue_mail(&mail)?;
            }
            Ok(tx.append_event(&event)?)
        })
        .await
}

/// Made for nobody too, and then thrown away.
fn new_link(
    app: &App,
    origin: &Origin,
    user: Option<&User>,
    asked_for: &Email,
    now: Timestamp,
) -> Result<(UserId, CodeHash, Mail), FlowError> {
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
    Ok((id, code, post(app, to, languages, &letter, now)?))
}

/// Whether a link would do now. Changes nothing.
pub(crate) fn check_reset(app: &App, link: &ResetLink) -> Result<(), FlowError> {
    let owner = link.owner(&app.store.read()?, app.clock.now())?;
    owner.map(drop).ok_or(FlowError::InvalidLink)
}

/// Gives the owner of the link a new password, once. Everything that the old one opened ends: all sessions, all API
/// keys, all codes. Wrong passwords are forgotten, and so is who logged in before, but for the one who has the mailbox.
pub(crate) async fn reset_password(
    app: &App,
    origin: &Origin,
    link: ResetLink,
    new: Password,
) -> Result<(), FlowError> {
    let owner = link.owner(&app.store.read()?, app.clock.now())?.ok_or(FlowError::InvalidLink)?;
    let new = judge_new_password(app, &owner, new, "new_password")?;
    let hash = app.passwords.hash(new.as_password()).await?;
    let now = app.clock.now();
    let (at, ip, how) = (now, origin.ip, PasswordChange::ByReset);
    let notice = post_to_user(app, &owner, now, |email| Letter::PasswordChanged { email, how, at, ip })?;
    let event = Audit { now, origin }.success(EventKind::PasswordReset).by(&owner).about(&owner);
    app.store
        .write(move |tx| {
            let mut user = link.owner(tx, now)?.ok_or(FlowError::InvalidLink)?;
            user.password = Some(hash.clone());
            user.password_is_temporary = false;
            // Whoever has the link reads the mail of this address.
            user.email_verified = true;
            user.updated_at = now;
            tx.save_user(&user)?;
            forget_codes(tx, user.id)?;
            tx.remove_code(user.id, CodePurpose::VerifyEmail)?;
            tx.clear_guesses(Target::User(user.id))?;
            remember_client(tx, user.id, ip, None, None, now)?;
            let sessions = end_sessions(tx, user.id, None)?;
            let keys = revoke_api_keys(tx, user.id)?;
            if let Some(notice) = &notice {
                tx.enqueue_mail(notice)?;
            }
            let ended = format!("{sessions} sessions and {keys} API keys ended");
            Ok(tx.append_event(&event.clone().saying(ended))?)
        })
        .await
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
