//! What a person does, one file each. HTTP, the command line and every other surface run the same flows.
//!
//! A flow reads like the sentence in its doc: the clock and the randomness first, slow work before the write, one
//! write, done. Must never: know how it was asked (no HTTP, no JSON), or do network work; mail goes to the outbox.

mod act_on_users;
mod activate_user;
mod add_user;
mod api_keys;
mod assign_password;
mod assign_rights;
mod authenticate;
mod bootstrap;
mod change_email;
mod change_password;
mod check_store;
mod close_account;
mod copies;
mod copy_mail_link;
mod create_user;
mod develop;
mod directory;
mod disable_user;
mod email_standing;
mod error;
mod export_users;
mod forward;
mod has_superuser;
mod health;
mod import_rights;
mod import_users;
mod list_events;
mod list_users;
mod log_in;
mod log_out;
mod manage_groups;
mod manage_keys;
mod manage_outbox;
mod manage_permissions;
mod manage_registrations;
mod note_export;
mod operate_users;
mod overview;
mod profile;
mod purge_user;
mod recognize;
mod refresh;
mod register;
mod resend_verification;
mod reset_password;
mod send_reset;
mod sessions;
mod set_password;
mod set_up;
mod steps;
mod update_user;
mod user_api_keys;
mod user_sessions;
mod verify_email;

pub(crate) use crate::crypto::WeakHashes;
pub(crate) use crate::mail::KeptMail;
pub(crate) use act_on_users::{BulkAction, act_on_users};
pub(crate) use activate_user::activate_user;
pub(crate) use add_user::{AddUser, FirstLetter, add_user};
pub(crate) use api_keys::{NewApiKey, create_api_key, list_api_keys, revoke_api_key};
pub(crate) use assign_password::assign_password;
pub(crate) use assign_rights::{assign_groups, assign_permissions};
pub(crate) use authenticate::{
    Caller, Credential, Introspection, TokenFacts, TokenFault, authenticate, authenticate_by_api_key,
    authenticate_by_forward_token, authenticate_by_session_key, inspect_token, introspect, is_api_key,
    is_old_token, is_session_key, token_fault,
};
pub(crate) use bootstrap::{BootstrapError, bootstrap};
pub(crate) use change_email::{confirm_email_change, request_email_change};
pub(crate) use change_password::change_password;
pub(crate) use check_store::{CheckReport, check_closed_store, check_store};
pub(crate) use close_account::close_account;
pub(crate) use copies::{ApiKeys, CopyError, Draft, Existing, back_up, back_up_closed_store, restore};
pub(crate) use copy_mail_link::copy_mail_link;
pub(crate) use create_user::{create_first_superuser, create_user};
pub(crate) use develop::{
    Wanted, advance_clock, close_mailbox, log_in_as, mailbox, newest_mail, personas, start_again,
};
pub(crate) use directory::{directory, is_staff_with};
pub(crate) use disable_user::{disable_user, enable_user};
pub(crate) use email_standing::EmailStanding;
pub(crate) use error::FlowError;
pub(crate) use export_users::{ExportedUser, export_rights, export_users};
pub(crate) use forward::pass;
pub(crate) use has_superuser::has_superuser;
pub(crate) use health::{is_alive, is_ready};
pub(crate) use import_rights::{ImportedGroup, import_groups, import_permissions};
pub(crate) use import_users::{Doubtful, ImportRules, ImportedUser, import_users};
pub(crate) use list_events::{EventFilter, follow_events, list_events, search_events};
pub(crate) use list_users::{ListUsers, ListedUsers, list_users, view_user};
pub(crate) use log_in::{Browser, Credentials, log_in, log_in_for_key};
pub(crate) use log_out::{
    log_out, log_out_by_any_token, log_out_by_refresh_token, log_out_everywhere, owner_of_refresh_token,
    revoke_token,
};
pub(crate) use manage_groups::{
    GroupChange, create_group, delete_group, list_groups, update_group, view_group,
};
pub(crate) use manage_keys::{list_keys, public_keys, rotate_keys, rotate_keys_as};
pub(crate) use manage_outbox::{drop_mail, list_mails, resend_mail, view_mail};
pub(crate) use manage_permissions::{
    PermissionChange, create_permission, delete_permission, list_holders, list_permissions,
    update_permission, view_permission,
};
pub(crate) use manage_registrations::{activate_registration, drop_registration, list_registrations};
pub(crate) use note_export::note_export;
pub(crate) use operate_users::{UserSheet, disable_by_operator, find_users, look_up_user, revoke_all};
pub(crate) use overview::{Logins, Overview, overview};
pub(crate) use profile::update_profile;
pub(crate) use purge_user::purge_user;
pub(crate) use recognize::recognize;
pub(crate) use refresh::refresh;
pub(crate) use register::{Register, Registered, register};
pub(crate) use resend_verification::resend_verification;
pub(crate) use reset_password::{check_reset, request_reset, reset_password};
pub(crate) use send_reset::send_reset;
pub(crate) use sessions::{end_session, list_sessions};
pub(crate) use set_password::{Rules, set_password};
pub(crate) use set_up::{check_setup, offer_setup, set_up};
pub(crate) use steps::{
    Activation, Claim, CreateUser, Fate, Identifier, Listed, LoggedIn, PENDING_FOR, Page, Purpose, Rank,
    ResetLink, Term, Tokens, Whose, open_mail,
};
pub(crate) use update_user::update_user;
pub(crate) use user_api_keys::{list_api_keys_of, revoke_api_key_of};
pub(crate) use user_sessions::{end_session_of, end_sessions_of, list_sessions_of};
pub(crate) use verify_email::{confirm_email, verify_email};
