//! An administrator does one thing to many accounts.

use futures_util::StreamExt;
use futures_util::stream;

use crate::app::App;
use crate::domain::{Directory, GroupId, GroupName, UserId};
use crate::flows::steps::{Authority, Measure, groups_named, not_too_many, take};
use crate::flows::{Caller, FlowError};

/// What is done to each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BulkAction {
    Enable,
    Disable,
    Purge,
    EndSessions,
    /// They stay in the groups that they are in.
    AddToGroups,
    RemoveFromGroups,
}

/// So many writes wait for their commit at a time: they share it, and leave the queue to others.
const TOGETHER: usize = 32;

/// Does it to each account by itself: what is refused for one undoes nothing of the others. The answers are in the order
/// of `ids`. Refused as a whole if the caller may do no such thing, or a group is unknown.
pub(crate) async fn act_on_users(
    app: &App,
    caller: &Caller,
    action: BulkAction,
    ids: Vec<UserId>,
    groups: &[GroupName],
) -> Result<Vec<(UserId, Result<bool, FlowError>)>, FlowError> {
    let measure = action.measure(&app.store.directory(), groups)?;
    Authority::of(app, caller, measure.permission()).actor(&app.store.read()?)?;
    let acts = ids.into_iter().map(|id| {
        let act = take(app, caller, id, measure.clone());
        async move { (id, act.await.map(|taken| taken.is_change)) }
    });
    Ok(stream::iter(acts).buffered(TOGETHER).collect().await)
}

impl BulkAction {
    pub(crate) const fn is_about_groups(self) -> bool {
        matches!(self, Self::AddToGroups | Self::RemoveFromGroups)
    }

    fn measure(self, directory: &Directory, names: &[GroupName]) -> Result<Measure, FlowError> {
        Ok(match self {
            Self::Enable => Measure::Enable,
            Self::Disable => Measure::Disable,
            Self::Purge => Measure::Purge,
            Self::EndSessions => Measure::EndSessions,
            Self::AddToGroups => Measure::AddToGroups(groups(directory, names)?),
            Self::RemoveFromGroups => Measure::RemoveFromGroups(groups(directory, names)?),
        })
    }
}

/// `Root` is not given here, and not taken: it is every superuser's.
fn groups(directory: &Directory, names: &[GroupName]) -> Result<Vec<GroupId>, FlowError> {
    if names.iter().any(GroupName::is_root) {
        return Err(FlowError::PermissionDenied);
    }
    not_too_many("groups", groups_named(directory, names)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::domain::{NewUser, User};

    async fn insert(app: &App, is_superuser: bool) -> User {
        let new = NewUser { is_active: true, is_staff: is_superuser, is_superuser, ..NewUser::default() };
        let now = app.clock.now();
        app.store.write(move |tx| tx.insert_user(&new, now)).await.expect("written")
    }

    #[tokio::test]
    async fn each_user_is_answered_for_even_if_nothing_can_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keystead.redb");
        let config = Config::from_toml(&format!("[store]\npath = {path:?}\n")).expect("valid");
        let app = App::open(config, Clock::system()).await.expect("the store opens");
        let root = insert(&app, true).await;
        let mut ids = vec![UserId(999)];
        for _ in 0..=TOGETHER {
            ids.push(insert(&app, false).await.id);
        }
        let caller = Caller::logged_in(&app, root).await;
        let act = async |ids: &[UserId]| {
            let done =
                act_on_users(&app, &caller, BulkAction::Disable, ids.to_vec(), &[]).await.expect("may");
            assert!(done.iter().map(|(id, _)| id).eq(ids));
            done.into_iter().map(|(_, outcome)| outcome).collect::<Vec<_>>()
        };

        let first = act(&ids[..3]).await;
        app.close().await;
        let rest = act(&ids[3..]).await;

        assert!(matches!(first.as_slice(), [Err(FlowError::NotFound), Ok(true), Ok(true)]));
        assert!(rest.len() == TOGETHER - 1);
        assert!(rest.iter().all(|outcome| matches!(outcome, Err(FlowError::Unavailable(_)))));
    }
}
