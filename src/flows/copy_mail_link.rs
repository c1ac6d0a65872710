//! The link in a mail that waits, for somebody whom no mail reaches: the administrator hands it on themself.
//!
//! Whoever has the link has the account. So it is for superusers who are logged in, who may give that account another
//! password anyway; it opens no superuser's account, not even their own; and the audit log says who took it.

use crate::app::App;
use crate::crypto::token::hash_token;
use crate::domain::{Changes, EventKind, Mail, MailId, Party, PlainToken, Secret, Timestamp};
use crate::flows::steps::{Authority, act, open_mail};
use crate::flows::{Caller, FlowError};
use crate::store::ReadTx;

/// Where the pages are that a link in a mail leads to; what stands behind it is the token.
const PAGES: [&str; 2] = ["/auth/register/verify?code=", "/account/reset/?uid="];

/// Tells the link, as long as it opens something. The mail stays where it is.
pub(crate) async fn copy_mail_link(
    app: &App,
    caller: &Caller,
    id: MailId,
) -> Result<Secret<String>, FlowError> {
    caller.own_session()?;
    let now = app.clock.now();
    let authority = Authority::of(app, caller, "mail.view_message");
    let event = act(caller, EventKind::MailLinkCopied, now);
    let mail = app.store.read()?.mail(id)?.ok_or(FlowError::NotFound)?;
    if !mail.is_worth_sending(now) {
        return Err(FlowError::MailGone);
    }
    let link = link_in(app, &mail)?.ok_or(FlowError::Unfit("There is no link in this mail."))?;
    let token = token_of(&link).ok_or(FlowError::MailGone)?;
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            if !actor.is_superuser || opens_superuser(tx, &token, now)? {
                return Err(FlowError::PermissionDenied);
            }
            let mail = tx.mail(id)?.ok_or(FlowError::NotFound)?;
            let told = Changes::default().fact("kind", mail.kind.as_str());
            let subject = Party { id: id.to_string(), label: mail.to.as_str().to_owned() };
            Ok::<_, FlowError>(tx.append_event(&event.clone().by(&*actor).about(subject).telling(&told))?)
        })
        .await?;
    Ok(link)
}

/// The word of a mail that is a link to one of our pages.
fn link_in(app: &App, mail: &Mail) -> Result<Option<Secret<String>>, FlowError> {
    let content = open_mail(app, mail).map_err(|why| FlowError::Internal(why.to_owned()))?;
    let base = app.config.server.base_url();
    let is_link = |word: &&str| {
        word.strip_prefix(base).is_some_and(|rest| PAGES.iter().any(|page| rest.starts_with(page)))
    };
    Ok(content.text.expose().split_whitespace().find(is_link).map(|link| Secret::new(link.to_owned())))
}

fn token_of(link: &Secret<String>) -> Option<PlainToken> {
    PlainToken::parse(link.expose().rsplit_once('=')?.1)
}

/// Whose account a link opens; an error if it opens none any more.
fn opens_superuser(read: &ReadTx, token: &PlainToken, now: Timestamp) -> Result<bool, FlowError> {
    let hash = hash_token(token);
    if let Some(registration) = read.registration_by_code(&hash)? {
        return if registration.code.takes_link(now) { Ok(false) } else { Err(FlowError::MailGone) };
    }
    let (owner, purpose) = read.code_owner(&hash)?.ok_or(FlowError::MailGone)?;
    let code = read.code(owner, purpose)?.filter(|code| code.takes_link(now));
    let owner = read.user(owner)?.filter(|_| code.is_some()).ok_or(FlowError::MailGone)?;
    Ok(owner.is_superuser)
}
