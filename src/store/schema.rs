//! Every table and index on one page, and which rows each index has entries of: this is the database.

use crate::domain::{
    ApiKeyId, CodePurpose, Email, EmailKey, EventId, GroupId, KeyId, Lane, MailId, Name, PermissionId,
    RegistrationId, SessionId, Target, Timestamp, TokenHash, UserId, Username, UsernameKey,
};
use crate::store::codec::{self, CodecError, Flag};
use crate::store::error::Unique;
use crate::store::records::{
    ApiKeyRecord, CodeRecord, CounterRecord, EmailChangeRecord, EventRecord, GroupRecord, GuessesRecord,
    ImportedRecord, LoginCountRecord, MailRecord, MailRecordV1, MailRecordV2, MetaRecord, PermissionRecord,
    RegistrationRecord, RevocationRecord, SessionRecord, SessionRecordV1, SigningKeyRecord, UserRecord,
    UserRecordV1, UserRecordV2,
};
use crate::store::table::{Entry, Index, Row, Table};

/// `service`: that this file is a Keystead store, and which. `backup`: when a copy was made last.
pub(super) const META: Table<MetaRecord> = Table::new("meta");
/// The last number given out of each kind, by the kind's name.
pub(super) const COUNTERS: Table<CounterRecord> = Table::new("counters");

/// User id -> user.
pub(super) const USERS: Table<UserRecord> = Table::new("users");
pub(super) const EMAIL_TO_USER: Index<EmailKey> = Index::unique("email_to_user", Unique::Email);
pub(super) const USERNAME_TO_USER: Index<UsernameKey> = Index::unique("username_to_user", Unique::Username);

/// Which users lists are asked for, and in which orders.
pub(super) const GROUP_TO_USERS: Index<GroupId> = Index::many("group_to_users");
pub(super) const PERMISSION_TO_USERS: Index<PermissionId> = Index::many("permission_to_users");
pub(super) const FLAG_TO_USERS: Index<Flag> = Index::many("flag_to_users");
pub(super) const JOINED_TO_USERS: Index<Timestamp> = Index::many("joined_to_users");
/// Those who never logged in did so at 0.
pub(super) const LAST_LOGIN_TO_USERS: Index<Timestamp> = Index::many("last_login_to_users");
/// First names and last names, folded: who has one that begins so.
pub(super) const NAME_TO_USERS: Index<String> = Index::many("name_to_users");

/// User id: this user came from another service, with the number that they had there.
pub(super) const IMPORTED_USERS: Table<ImportedRecord> = Table::new("imported_users");

/// Group id -> group. `Root` is none of them.
pub(super) const GROUPS: Table<GroupRecord> = Table::new("groups");
pub(super) const NAME_TO_GROUP: Index<String> = Index::unique("name_to_group", Unique::GroupName);
/// Permission id -> permission.
pub(super) const PERMISSIONS: Table<PermissionRecord> = Table::new("permissions");
pub(super) const NAME_TO_PERMISSION: Index<String> =
    Index::unique("name_to_permission", Unique::PermissionName);

/// Registration id -> a registration that waits for its code. Not a user.
pub(super) const REGISTRATIONS: Table<RegistrationRecord> = Table::new("registrations");
pub(super) const EMAIL_TO_REGISTRATIONS: Index<EmailKey> = Index::many("email_to_registrations");
pub(super) const CODE_TO_REGISTRATION: Index<TokenHash> = Index::unique("code_to_registration", Unique::Code);

/// (User id, purpose) -> the one live code that this user has for it.
pub(super) const CODES: Table<CodeRecord> = Table::new("codes");
pub(super) const HASH_TO_CODE: Index<TokenHash> = Index::unique("hash_to_code", Unique::Code);

/// User id -> the address that this user wants to have next.
pub(super) const EMAIL_CHANGES: Table<EmailChangeRecord> = Table::new("email_changes");
/// (Whose password is guessed at, who shares the count) -> the count.
pub(super) const GUESSES: Table<GuessesRecord> = Table::new("guesses");
/// Counts of names that nobody has, by their last failure: these are swept.
pub(super) const FAILED_AT_TO_NOBODY: Index<Timestamp> = Index::many("failed_at_to_nobody");

/// Session id -> session.
pub(super) const SESSIONS: Table<SessionRecord> = Table::new("sessions");
pub(super) const USER_TO_SESSIONS: Index<UserId> = Index::many("user_to_sessions");
/// Sessions whose holder has a key in place of tokens, or an old refresh token.
pub(super) const KEY_TO_SESSION: Index<TokenHash> = Index::unique("key_to_session", Unique::Code);

/// Key id -> API key.
pub(super) const API_KEYS: Table<ApiKeyRecord> = Table::new("api_keys");
pub(super) const HASH_TO_API_KEY: Index<TokenHash> = Index::unique("hash_to_api_key", Unique::Code);
pub(super) const USER_TO_API_KEYS: Index<UserId> = Index::many("user_to_api_keys");

/// (Time, session id): this session has ended, and until then a token of it may be about. Old tokens count as sessions.
pub(super) const REVOKED_UNTIL: Table<RevocationRecord> = Table::new("revoked_until");

/// Key id -> signing key, and the one key that seals.
pub(super) const SIGNING_KEYS: Table<SigningKeyRecord> = Table::new("signing_keys");

/// Mail id -> a mail that is not delivered yet.
pub(super) const OUTBOX: Table<MailRecord> = Table::new("outbox");
pub(super) const DUE_TO_MAILS: Index<Timestamp> = Index::many("due_to_mails");

/// Event id -> a row of the audit log.
pub(super) const EVENTS: Table<EventRecord> = Table::new("events");
/// When an hour began -> how many log-ins it had.
pub(super) const LOGIN_COUNTS: Table<LoginCountRecord> = Table::new("login_counts");

/// The names of all tables, which a new file starts with.
pub(super) fn tables() -> Vec<&'static str> {
    vec![
        MetaRecord::TABLE.name,
        CounterRecord::TABLE.name,
        UserRecord::TABLE.name,
        ImportedRecord::TABLE.name,
        GroupRecord::TABLE.name,
        PermissionRecord::TABLE.name,
        RegistrationRecord::TABLE.name,
        CodeRecord::TABLE.name,
        EmailChangeRecord::TABLE.name,
        GuessesRecord::TABLE.name,
        SessionRecord::TABLE.name,
        ApiKeyRecord::TABLE.name,
        RevocationRecord::TABLE.name,
        SigningKeyRecord::TABLE.name,
        MailRecord::TABLE.name,
        EventRecord::TABLE.name,
        LoginCountRecord::TABLE.name,
        EMAIL_TO_USER.name,
        USERNAME_TO_USER.name,
        GROUP_TO_USERS.name,
        PERMISSION_TO_USERS.name,
        FLAG_TO_USERS.name,
        JOINED_TO_USERS.name,
        LAST_LOGIN_TO_USERS.name,
        NAME_TO_USERS.name,
        NAME_TO_GROUP.name,
        NAME_TO_PERMISSION.name,
        EMAIL_TO_REGISTRATIONS.name,
        CODE_TO_REGISTRATION.name,
        HASH_TO_CODE.name,
        FAILED_AT_TO_NOBODY.name,
        USER_TO_SESSIONS.name,
        KEY_TO_SESSION.name,
        HASH_TO_API_KEY.name,
        USER_TO_API_KEYS.name,
        DUE_TO_MAILS.name,
    ]
}

/// `NewRecord(TABLE, Key) was 1: OldRecord => entries;` is a record of version 2 that still reads version 1.
macro_rules! rows {
    ($($record:ident($table:ident, $key:ty) $(was $version:literal: $older:ident)* $(=> $entries:expr)?;)*) => {$(
        impl Row for $record {
            type Key = $key;
            const TABLE: Table<Self> = $table;
            const VERSION: u8 = version_after(&[$($version),*]);

            fn decode(version: u8, payload: &[u8]) -> Result<Self, CodecError> {
                match version {
                    $($version => codec::decode::<$older>(payload).map(Self::from),)*
                    _ => codec::decode(payload),
                }
            }

            $(fn entries(&self, key: &Self::Key) -> Vec<Entry> {
                let entries: fn(&Self, &Self::Key) -> Vec<Entry> = $entries;
                entries(self, key)
            })?
        }
    )*};
}

rows! {
    MetaRecord(META, String);
    CounterRecord(COUNTERS, String);
    UserRecord(USERS, UserId) was 1: UserRecordV1 was 2: UserRecordV2 => entries_of_user;
    ImportedRecord(IMPORTED_USERS, UserId);
    GroupRecord(GROUPS, GroupId) => |group, id| vec![NAME_TO_GROUP.entry(&group.name, id)];
    PermissionRecord(PERMISSIONS, PermissionId) => |permission, id| {
        vec![NAME_TO_PERMISSION.entry(&permission.name, id)]
    };
    RegistrationRecord(REGISTRATIONS, RegistrationId) => |registration, id| {
        let email = Email::from_stored(registration.email.clone()).key();
        vec![
            EMAIL_TO_REGISTRATIONS.entry(&email, id),
            CODE_TO_REGISTRATION.entry(&TokenHash(registration.code.long), id),
        ]
    };
    CodeRecord(CODES, (UserId, CodePurpose)) => |code, key| {
        vec![HASH_TO_CODE.entry(&TokenHash(code.code.long), key)]
    };
    EmailChangeRecord(EMAIL_CHANGES, UserId);
    GuessesRecord(GUESSES, (Target, Lane)) => |guesses, key| match key.0 {
        Target::User(_) => Vec::new(),
        Target::Nobody(_) => {
            vec![FAILED_AT_TO_NOBODY.entry(&Timestamp::from_millis(guesses.last_failed_at), key)]
        }
    };
    SessionRecord(SESSIONS, SessionId) was 1: SessionRecordV1 => |session, id| {
        let key = session.key.map(|hash| KEY_TO_SESSION.entry(&TokenHash(hash), id));
        key.into_iter().chain([USER_TO_SESSIONS.entry(&UserId(session.user), id)]).collect()
    };
    ApiKeyRecord(API_KEYS, ApiKeyId) => |key, id| {
        vec![
            HASH_TO_API_KEY.entry(&TokenHash(key.hash), id),
            USER_TO_API_KEYS.entry(&UserId(key.user), id),
        ]
    };
    RevocationRecord(REVOKED_UNTIL, (Timestamp, SessionId));
    SigningKeyRecord(SIGNING_KEYS, KeyId);
    MailRecord(OUTBOX, MailId) was 1: MailRecordV1 was 2: MailRecordV2 => |mail, id| {
        if mail.is_failed {
            return Vec::new();
        }
        vec![DUE_TO_MAILS.entry(&Timestamp::from_millis(mail.next_attempt_at), id)]
    };
    EventRecord(EVENTS, EventId);
    LoginCountRecord(LOGIN_COUNTS, Timestamp);
}

/// Where a user is found.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as every row takes its key")]
fn entries_of_user(user: &UserRecord, id: &UserId) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(8);
    match &user.email {
        Some(email) => entries.push(EMAIL_TO_USER.entry(&Email::from_stored(email.clone()).key(), id)),
        None => entries.push(FLAG_TO_USERS.entry(&Flag::NoEmail, id)),
    }
    match &user.username {
        Some(name) => entries.push(USERNAME_TO_USER.entry(&Username::from_stored(name.clone()).key(), id)),
        None => entries.push(FLAG_TO_USERS.entry(&Flag::NoUsername, id)),
    }
    let flags = [
        (user.is_staff, Flag::Staff),
        (user.is_superuser, Flag::Superuser),
        (!user.is_active, Flag::Inactive),
    ];
    entries.extend(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| FLAG_TO_USERS.entry(flag, id)));
    entries.push(JOINED_TO_USERS.entry(&Timestamp::from_millis(user.date_joined), id));
    let last_login = Timestamp::from_millis(user.last_login.unwrap_or_default());
    entries.push(LAST_LOGIN_TO_USERS.entry(&last_login, id));
    let mut names: Vec<String> = [&user.first_name, &user.last_name]
        .into_iter()
        .map(|name| Name::from_stored(name.clone()).folded())
        .filter(|name| !name.is_empty())
        .collect();
    names.dedup();
    entries.extend(names.iter().map(|name| NAME_TO_USERS.entry(name, id)));
    entries.extend(user.groups.iter().map(|group| GROUP_TO_USERS.entry(&GroupId(*group), id)));
    let permissions = user.permissions.iter();
    entries.extend(permissions.map(|one| PERMISSION_TO_USERS.entry(&PermissionId(*one), id)));
    entries
}

/// The version of a record whose earlier shapes had these.
const fn version_after(older: &[u8]) -> u8 {
    match older.last() {
        Some(last) => *last + 1,
        None => 1,
    }
}
