//! Keystead: accounts in one binary, with the database inside.
//!
//! # The life of a request
//!
//! `server` accepts a connection and bounds what it may cost. `http` takes a request apart, finds its endpoint in one
//! table, decodes the body into types, and makes one call into `flows`. A flow reads the clock and the randomness,
//! does slow work (a password hash) first, and changes state in one write. `store` runs the writes that wait over one
//! write set, makes them durable together, lets memory know, and answers. `http` encodes the result.
//!
//! # Layers
//!
//! `tests/architecture.rs` holds the code to this table, and to "no two files import each other in a loop".
//!
//! | module | may use |
//! |---|---|
//! | `domain` | nothing |
//! | `config` | domain |
//! | `clock` | domain |
//! | `telemetry` | domain config |
//! | `limiter` | domain config |
//! | `store` | domain config |
//! | `crypto` | domain config |
//! | `mail` | domain config |
//! | `django` | domain |
//! | `app` | config clock limiter store crypto mail domain |
//! | `flows` | app config clock limiter store crypto mail domain |
//! | `jobs` | flows app config clock limiter store crypto mail domain |
//! | `http` | flows app config limiter domain |
//! | `server` | http jobs flows app config clock limiter domain |
//! | `dev` | server http jobs flows app config clock crypto domain |
//! | `testing` | dev flows app config domain |
//! | `cli` | dev server flows django app config clock telemetry domain |
//!
//! # Words
//!
//! - **user**: one person's account. **registration**: one that waits for its code, not a user yet.
//! - **session**: one log-in. Every token that came from it points at it.
//! - **access token**: signed, minutes long, sent with each request. **refresh token**: signed, used once.
//! - **old token**: one that the Django service signed which Keystead takes the place of.
//! - **forward token**: signed, in a cookie, seen by the programs behind a proxy and good only where the proxy asks.
//! - **API key**: a user's long-lived credential for programs; belongs to no session.
//! - **lane**: who shares a count of wrong passwords: strangers, or one browser or address that logged in before.
//! - **code**: one-time, mailed; eight digits to type, or a long one in a link.
//! - **event**: a row of the audit log. **letter**: what we write to somebody. **mail**: a letter on its way.
//!   **outbox**: mails that are promised and not delivered.
//! - **roster**: who there is, in memory while administrators filter or search lists of users.
//! - **dev**: a service that is thrown away at its end. **persona**: somebody who is there from its start.
//! - **flow**: what a person does. **job**: what happens by itself. **endpoint**: a path with a method, as a value.
//!
//! # What always holds
//!
//! - An answer that says "done" leaves after the commit, and after every reader sees the change.
//! - Check, consumption and issue (of a code, a refresh token, an address) are one write transaction.
//! - A state change, its mail and its event are rows of the same commit.
//! - Nothing inside a write reads a clock, a random source or a socket.
//! - A token is accepted in one place, `flows/authenticate.rs`; a password in one place, `flows/steps/comparison.rs`.
//! - After a failed commit nothing is written until the process has started again.
//! - No token and no code is in the file as it is: the store has hashes of them, and a mail waits sealed.
//! - Known and unknown accounts cost the same work and get the same bytes.

mod domain;

mod clock;
mod config;
mod telemetry;

mod limiter;

mod crypto;
mod django;
mod mail;
mod store;

mod app;
mod flows;
mod jobs;

mod http;

mod cli;
mod dev;
mod server;

pub mod testing;

#[doc(hidden)]
pub use cli::run as run_cli;
pub use clock::Clock;
pub use config::{Config, ConfigError};
pub use server::{Handle, ServeError, Server, StartError};
