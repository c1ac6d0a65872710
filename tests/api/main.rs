//! Behaviour through HTTP: the real service on a real socket and a real store, with a mailbox and a clock that moves.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test stops where its ground gives way"
)]

mod harness;
mod operation;

mod access;
mod account;
mod admin_bulk;
mod admin_events;
mod admin_export;
mod admin_groups;
mod admin_page;
mod admin_safety;
mod admin_service;
mod admin_user_access;
mod admin_users;
mod admin_work;
mod api_keys;
mod bootstrap;
mod closing;
mod codes;
mod compat;
mod cookies;
mod dev;
mod emails;
mod enumeration;
mod examples;
mod forward;
mod http;
mod introspection;
mod jobs;
mod letters;
mod limits;
mod matrix;
mod origins;
mod outbox;
mod pages;
mod password_change;
mod password_reset;
mod passwords;
mod profile;
mod races;
mod registrations;
mod sessions;
mod setup;
mod testing;
mod tokens;
