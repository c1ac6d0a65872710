//! The native API, one file per noun: together they are the list of all endpoints.

mod documents;
mod health;
mod passwords;
mod profile;
mod registrations;
mod sessions;
mod tokens;

use crate::http::endpoint::Endpoint;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        registrations::endpoints(),
        sessions::endpoints(),
        tokens::endpoints(),
        passwords::endpoints(),
        profile::endpoints(),
        documents::endpoints(),
        health::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
