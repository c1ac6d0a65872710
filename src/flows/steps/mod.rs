//! What several flows share. A flow imports steps, never another flow.

mod administration;
mod api_keys;
mod audit;
mod authority;
mod comparison;
mod endings;
mod even;
mod guess;
mod identifier;
mod import;
mod letter;
mod listing;
mod lost_mails;
mod measure;
mod naming;
mod new_account;
mod new_password;
mod old_token;
mod opening;
mod own_password;
mod page;
mod presence;
mod reset_link;
mod sealed_mail;
mod verification;

pub(crate) use administration::{
    act, actor_and_subject, groups_named, not_too_many, permissions_named, spend_a_hash, too_many,
};
pub(crate) use api_keys::api_keys_of;
pub(crate) use audit::Audit;
pub(crate) use authority::{Actor, Authority};
pub(crate) use comparison::{Claim, Comparison, Late, Right};
pub(crate) use endings::{disable, enable, end_session, end_sessions, forget_codes, revoke_api_keys};
pub(crate) use even::{Evenly, evenly};
pub(crate) use guess::{Guess, remember_client};
pub(crate) use identifier::Identifier;
pub(crate) use import::{Fate, MAX_IMPORTED_ID, Purpose};
pub(crate) use letter::{post_to_user, takes_mail};
pub(crate) use listing::users_page;
pub(crate) use measure::{Measure, take};
pub(crate) use naming::{allow_names, allow_new_names};
pub(crate) use new_account::{Activation, CreateUser, NewAccount, Rank};
pub(crate) use new_password::{Term, judge_new_password};
pub(crate) use old_token::{OldRefresh, Worth, had_old_tokens};
pub(crate) use opening::{LoggedIn, Opening, Tokens, sign};
pub(crate) use own_password::confirm_own_password;
pub(crate) use page::{Listed, Page};
pub(crate) use presence::Presence;
pub(crate) use reset_link::{ResetLink, new_reset_link};
pub(crate) use sealed_mail::open_mail;
pub(crate) use verification::{Binding, PENDING_FOR, Whose, admit, is_right, new_code_for, new_verification};
