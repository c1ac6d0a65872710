//! Mail: what the letters say, and how they leave the house.
//!
//! Must never: decide whether a letter is sent, touch the store, or retry (`jobs/send_mail.rs` does). Nothing a
//! stranger chose goes into a letter as they wrote it: no names, no texts, no headers.

mod console;
mod directory;
mod error;
mod message;
mod smtp;
mod templates;
mod text;
mod transport;

pub(crate) use error::TransportError;
pub(crate) use templates::{Letter, TemplateError, Templates};
pub(crate) use transport::Transport;
