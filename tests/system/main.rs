//! The real binary as its operators and users meet it: processes, signals, files, sockets, disks and mail servers.
//!
//! Waits are generous and end early; how long something takes decides nothing.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops where its ground gives way")]

mod harness;

mod backup;
mod bootstrap;
mod commands;
mod configuration;
mod dev;
mod disks;
mod django;
mod durability;
mod journey;
mod logs;
mod mail;
mod operator;
mod proxies;
mod serve;
mod setup;
mod simplejwt;
mod tour;
mod users;
