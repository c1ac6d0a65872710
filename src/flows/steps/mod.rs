//! What several flows share. A flow imports steps, never another flow.

mod audit;
mod endings;
mod even;
mod guess;
mod letter;
mod opening;
mod verification;

pub(crate) use audit::Audit;
pub(crate) use endings::{end_sessions, forget_codes, revoke_api_keys};
pub(crate) use even::{Evenly, evenly};
pub(crate) use guess::{Guess, remember_client};
pub(crate) use letter::{post, takes_mail};
pub(crate) use opening::{LoggedIn, Opening, sign};
pub(crate) use verification::{Binding, PENDING_FOR, Whose, is_right, new_verification};
