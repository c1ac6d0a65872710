//! What the acts of administrators upon accounts share.

use crate::app::App;
use crate::config::LimitKind;
use crate::domain::{
    Directory, Event, EventKind, GroupId, GroupName, Invalid, PermissionId, PermissionName, Timestamp, User,
    UserId,
};
use crate::flows::steps::{Actor, Audit, Authority};
use crate::flows::{Caller, FlowError};
use crate::limiter::Subject;
use crate::store::ReadTx;

/// An event of something that the caller did.
pub(crate) fn act(caller: &Caller, kind: EventKind, now: Timestamp) -> Event {
    let audit = Audit { now, origin: &caller.origin };
    audit.success(kind).by(&*caller.user).in_session(caller.session())
}

/// The actor, who still may, and the account that they change and that is not above them.
pub(crate) fn actor_and_subject(
    authority: &Authority,
    read: &ReadTx,
    subject: UserId,
) -> Result<(Actor, User), FlowError> {
    let actor = authority.actor(read)?;
    let subject = read.user(subject)?.ok_or(FlowError::NotFound)?;
    actor.over(&subject)?;
    Ok((actor, subject))
}

/// Counts a password that the actor makes the service hash: many at once would leave no thread for those who log in. A
/// superuser, who may stop the service anyway, makes as many accounts as they like.
pub(crate) fn spend_a_hash(app: &App, actor: &Actor) -> Result<(), FlowError> {
    if !actor.is_superuser {
        app.limiter.take(LimitKind::Password, Subject::Account(actor.id), app.clock.now())?;
    }
    Ok(())
}

/// What is refused beyond this says nothing new, and makes an answer longer than its question.
const MAX_UNKNOWN: usize = 20;

/// The groups of these names, each once, without `Root`, which is for the caller to judge.
pub(crate) fn groups_named(directory: &Directory, names: &[GroupName]) -> Result<Vec<GroupId>, FlowError> {
    let names = names.iter().filter(|name| !name.is_root()).map(GroupName::as_str);
    all_named("groups", "group", names, |name| directory.group_named(name).map(|group| group.id))
}

/// The permissions of these names, each once.
pub(crate) fn permissions_named(
    directory: &Directory,
    names: &[PermissionName],
) -> Result<Vec<PermissionId>, FlowError> {
    let names = names.iter().map(PermissionName::as_str);
    all_named("permissions", "permission", names, |name| directory.permission_named(name).map(|one| one.id))
}

fn all_named<'a, T: Ord>(
    field: &'static str,
    noun: &str,
    names: impl Iterator<Item = &'a str>,
    find: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, FlowError> {
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    for name in names {
        if unknown.len() == MAX_UNKNOWN {
            break;
        }
        match find(name) {
            Some(one) => found.push(one),
            None => unknown.push(Invalid::new("unknown", format!("There is no {noun} {name}."))),
        }
    }
    found.sort_unstable();
    found.dedup();
    if unknown.is_empty() { Ok(found) } else { Err(FlowError::Invalid(field, unknown)) }
}

/// What one user is given of their own: more belongs into a group, and a user has to go in one write.
pub(crate) fn not_too_many<T>(field: &'static str, found: Vec<T>) -> Result<Vec<T>, FlowError> {
    if found.len() > User::MAX_RIGHTS {
        let most = User::MAX_RIGHTS;
        return Err(too_many(field, format!("No more than {most}: a group can hold more permissions.")));
    }
    Ok(found)
}

/// There is an end to what one thing may hold.
pub(crate) fn too_many(field: &'static str, message: String) -> FlowError {
    FlowError::Invalid(field, vec![Invalid::new("too_many", message)])
}
