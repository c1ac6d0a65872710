//! Other wires, the same flows: the surfaces of the Django services that Keystead replaces.
//!
//! Each file is the translation of one wire, with its paths, fields, statuses and words; `drf` and `serializer` are what
//! they share, because all three were written with Django REST framework. Must never: decide what only a flow may
//! decide, or be less safe than the native surface because the wire was.

mod all_users;
mod bodies;
mod dj_auth_api;
mod dj_rest_auth;
mod drf;
mod serializer;
mod simplejwt;

use crate::config::CompatConfig;
use crate::http::endpoint::Endpoint;

/// The endpoints of the surfaces that are on.
pub(crate) fn endpoints(config: &CompatConfig) -> Vec<Endpoint> {
    let dj_rest_auth = config.dj_rest_auth.iter().flat_map(|_| dj_rest_auth::endpoints());
    let simplejwt = config.simplejwt.iter().flat_map(simplejwt::endpoints);
    let dj_auth_api = config.dj_auth_api.iter().flat_map(|_| dj_auth_api::endpoints());
    dj_rest_auth.chain(simplejwt).chain(dj_auth_api).collect()
}
