//! Mail: what the letters say, and how they leave the house.
//!
//! Must never: decide whether a letter is sent, touch the store, or retry (`jobs/send_mail.rs` does). Nothing a
//! stranger chose goes into a letter as they wrote it: no names, no texts, no headers.

mod templates;
mod text;

pub(crate) use templates::{Letter, Rendered, TemplateError, Templates};
