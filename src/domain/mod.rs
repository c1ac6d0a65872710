//! What is true: the types and rules of accounts.
//!
//! Must never: do I/O, read a clock or a random source, be async, or derive serde. What is stored has its
//! own shapes in `store/records/`, what is sent has its own in `http/views.rs`.

mod api_key;
mod avatar;
mod changes;
mod code;
mod colour;
mod content;
mod csv;
mod differences;
mod directory;
mod email;
mod email_change;
mod event;
mod forward;
mod group;
mod guesses;
mod ids;
mod invalid;
mod key;
mod language;
mod mail;
mod name;
mod origin;
mod overview;
mod password;
mod permission;
mod rate;
mod registration;
mod secret;
mod session;
mod setup_link;
mod text;
mod time;
mod token;
mod user;
mod user_change;
mod user_list;
mod username;

pub(crate) use api_key::ApiKey;
pub(crate) use avatar::Avatar;
pub(crate) use changes::Changes;
pub(crate) use code::{Code, CodeHash, CodePurpose};
pub(crate) use colour::Colour;
pub(crate) use content::{Content, MailContent};
pub(crate) use csv::append_row;
pub(crate) use directory::Directory;
pub(crate) use email::{Email, EmailKey};
pub(crate) use email_change::EmailChange;
pub(crate) use event::{Event, EventKind, EventResult, Party};
pub(crate) use forward::{
    ForwardPolicy, ForwardRequest, ForwardRule, ForwardRules, HostPattern, PathPattern, RequestHost,
    RequestMethod, RequestPath,
};
pub(crate) use group::{Group, GroupName};
pub(crate) use guesses::{Guesses, Lane, LaneState, Target};
pub(crate) use ids::{
    ApiKeyId, EventId, GroupId, KeyId, MailId, PermissionId, RegistrationId, SessionId, UserId,
};
pub(crate) use invalid::Invalid;
pub(crate) use key::{Algorithm, KeyUse, SealKey, SigningKey};
pub(crate) use language::Language;
pub(crate) use mail::{Mail, MailKind, MailStatus};
pub(crate) use name::Name;
pub(crate) use origin::Origin;
pub(crate) use overview::{Census, LoginBucket, LoginCount, MailCount};
pub(crate) use password::{NewPassword, Password, PasswordHash, PasswordPolicy, PersonalFacts, Validator};
pub(crate) use permission::{Permission, PermissionName, own_permissions, parse_codename, parse_label};
pub(crate) use rate::{Rate, Standing};
pub(crate) use registration::Registration;
pub(crate) use secret::Secret;
pub(crate) use session::{NewSession, RefreshStep, Session, SessionPolicy, SessionStyle};
pub(crate) use setup_link::SetupLink;
pub(crate) use text::{escaped, is_invisible, is_unruly};
pub(crate) use time::Timestamp;
pub(crate) use token::{
    AccessClaims, ForwardClaims, OldClaims, OldTokenId, PlainToken, RefreshClaims, TokenHash,
};
pub(crate) use user::{Change, NewUser, ProfileChange, User};
pub(crate) use user_change::UserChange;
pub(crate) use user_list::{
    Membership, Search, SearchPlace, SearchTexts, Traits, UserFilter, UserOrder, UserOrdering, UserQuery,
};
pub(crate) use username::{Username, UsernameKey};
