//! The pages in a real browser: Chromium, driven over `WebDriver`, on the real service.
//!
//! Every test ends with `Browser::end`, which fails it if the browser complained of anything on the way. Pictures of what
//! was shown are in `target/screens/`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test stops where its ground gives way"
)]
#![expect(dead_code, reason = "the harness of tests/api can more than is needed here")]

mod admin;
mod admin_system;
mod browser;
#[path = "../api/harness.rs"]
mod harness;

mod account;
mod dev;
mod docs;
mod links;
