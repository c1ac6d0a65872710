//! The native API, one file per noun: together they are the list of all endpoints.

mod admin_events;
mod admin_groups;
mod admin_outbox;
mod admin_page;
mod admin_permissions;
mod admin_registrations;
mod admin_service;
mod admin_users;
mod admin_users_access;
mod admin_users_bulk;
mod admin_users_export;
mod api_keys;
mod documents;
mod emails;
mod forward;
mod health;
mod passwords;
mod profile;
mod registrations;
mod sessions;
mod setup;
mod tokens;

pub(crate) use api_keys::NewApiKey;
pub(crate) use emails::ChangeEmail;
pub(crate) use passwords::{ChangePassword, RequestReset};
pub(crate) use profile::{CloseAccount, UpdateProfile};
pub(crate) use registrations::NewAccount;
pub(crate) use sessions::Present;

use crate::http::endpoint::Endpoint;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        registrations::endpoints(),
        sessions::endpoints(),
        tokens::endpoints(),
        passwords::endpoints(),
        api_keys::endpoints(),
        profile::endpoints(),
        emails::endpoints(),
        forward::endpoints(),
        setup::endpoints(),
        admin_users::endpoints(),
        admin_users_access::endpoints(),
        admin_users_bulk::endpoints(),
        admin_users_export::endpoints(),
        admin_groups::endpoints(),
        admin_permissions::endpoints(),
        admin_events::endpoints(),
        admin_outbox::endpoints(),
        admin_registrations::endpoints(),
        admin_service::endpoints(),
        admin_page::endpoints(),
        documents::endpoints(),
        health::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
