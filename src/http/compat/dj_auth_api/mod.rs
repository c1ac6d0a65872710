//! The wire of dj-auth-api, at `/api/auth/`: everything is `{"message", "data"}`.
//!
//! Safer than it was: no answer tells who has an account (`exact_errors` brings that back); an address is moved by its
//! owner's password and a code; only one's own credentials close one's account; editing a name ends no log-in; only
//! superusers make staff; passwords are held to the rules everywhere.

mod accounts;
mod admin;
mod bodies;
mod envelope;
mod profile;

use crate::http::endpoint::Endpoint;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let endpoints = accounts::endpoints().into_iter().chain(profile::endpoints()).chain(admin::endpoints());
    endpoints.map(|endpoint| endpoint.of(&envelope::SURFACE)).collect()
}
