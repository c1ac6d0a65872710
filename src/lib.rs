//! Keystead.
#![expect(dead_code, unused_imports, reason = "the layers above come next")]

mod clock;
mod config;
mod crypto;
mod domain;
mod mail;
mod store;

pub use clock::Clock;
pub use config::{Config, ConfigError};
