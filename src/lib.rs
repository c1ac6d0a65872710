//! Keystead.
#![expect(dead_code, unused_imports, reason = "the layers above come next")]

mod app;
mod clock;
mod config;
mod crypto;
mod domain;
mod flows;
mod http;
mod jobs;
mod mail;
mod store;

pub use clock::Clock;
pub use config::{Config, ConfigError};
