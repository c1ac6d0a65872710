//! Opens a mail that waits in the outbox.
//!
//! Must never: be asked by anybody but who delivers it, and who copies its link for somebody that no mail reaches.

use crate::app::App;
use crate::domain::{Content, Mail, MailContent};

/// What is in a mail, or why nobody can tell.
pub(crate) fn open_mail(app: &App, mail: &Mail) -> Result<Content, &'static str> {
    match &mail.content {
        MailContent::Sealed(sealed) => app
            .sealer
            .open(&mail.id.0, sealed.expose())
            .and_then(|bytes| Content::from_bytes(&bytes))
            .ok_or("what is in it does not open with the key of this store"),
        MailContent::Plain(content) => Ok(content.clone()),
        MailContent::Gone => Err("what was in it is gone"),
    }
}
