//! What several flows share. A flow imports steps, never another flow.

mod audit;
mod letter;
mod opening;
mod verification;

pub(crate) use audit::Audit;
pub(crate) use letter::post;
pub(crate) use opening::{LoggedIn, Opening, sign};
pub(crate) use verification::{Binding, PENDING_FOR, Whose, is_right, new_verification};
