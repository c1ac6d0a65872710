//! Mail: what the letters say, and how they leave the house.
//!
//! Must never: decide whether a letter is sent, touch the store, or retry (`jobs/send_mail.rs` does). Nothing a
//! stranger chose goes into a letter as they wrote it: no names, no texts, no headers.

mod console;
mod directory;
mod error;
mod letter;
mod mailbox;
mod message;
mod samples;
mod smtp;
mod sources;
mod templates;
mod text;
mod transport;

pub(crate) use error::{TemplateError, TransportError};
pub(crate) use letter::{Letter, PasswordChange};
pub(crate) use mailbox::{KeptMail, Mailbox, State as MailboxState};
pub(crate) use templates::Templates;
pub(crate) use transport::Transport;
