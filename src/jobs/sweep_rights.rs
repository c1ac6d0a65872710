//! Takes groups and permissions that are gone out of the rows of those who had them. They count for nothing there; they
//! are only clutter, so this runs when something was deleted, and once in a while in case that was never finished.

use crate::app::App;
use crate::flows::FlowError;
use crate::jobs::Progress;
use crate::store::WriteTx;

/// Numbers that one transaction takes out; each is a row and an index entry.
const ROUND: usize = 250;

pub(super) async fn run_once(app: &App) -> Result<Progress, FlowError> {
    Ok(if round(app).await? == ROUND { Progress::More } else { Progress::Idle })
}

/// Takes out all there are now, and says how many.
pub(super) async fn run_all(app: &App) -> Result<usize, FlowError> {
    let mut all = 0;
    loop {
        let count = round(app).await?;
        all += count;
        if count < ROUND {
            return Ok(all);
        }
    }
}

async fn round(app: &App) -> Result<usize, FlowError> {
    let lost = app.store.read()?.lost_rights(&app.store.directory(), ROUND)?;
    let count = lost.len();
    if count > 0 {
        // Each looks again: what is newer than this directory is not gone.
        let dropped = move |tx: &mut WriteTx| lost.iter().try_for_each(|right| tx.drop_lost_right(*right));
        app.store.write(dropped).await?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::domain::{Group, GroupId, GroupName, Name, NewUser, PermissionName, User, UserId};
    use crate::store::StoreError;

    async fn app(folder: &std::path::Path) -> App {
        let text = format!("store.path = {:?}", folder.join("k.redb"));
        App::open(Config::from_toml(&text).expect("valid"), Clock::system()).await.expect("the store opens")
    }

    fn make_group(tx: &mut WriteTx, name: &str) -> Result<GroupId, StoreError> {
        let name = GroupName::parse(name).expect("a name");
        Ok(tx.insert_group(name, Name::default())?.id)
    }

    fn counts(app: &App) -> [u64; 2] {
        let report = app.store.read().expect("readable").check().expect("checked");
        assert!(report.is_sound(), "{:?}", report.problems);
        ["group_to_users", "permission_to_users"].map(|index| report.counts[index])
    }

    #[tokio::test]
    async fn what_is_gone_leaves_no_trace_and_what_is_there_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = app(folder.path()).await;
        let now = app.clock.now();
        let made = app.store.write(move |tx| {
            let [gone, kept] = ["Gone", "Kept"].map(|name| make_group(tx, name));
            let (gone, kept) = (gone?, kept?);
            let [dead, live] = ["a.dead", "a.live"].map(|name| {
                let name = PermissionName::parse(name).expect("a name");
                tx.insert_permission(name, Name::default()).map(|permission| permission.id)
            });
            let (dead, live) = (dead?, live?);
            let group = tx.group(kept)?.expect("made");
            tx.save_group(&Group { permissions: BTreeSet::from([dead, live]), ..group })?;
            Ok::<_, StoreError>((gone, kept, dead, live))
        });
        let (gone, kept, dead, live) = made.await.expect("written");
        for _ in 0..6 {
            let filled = app.store.write(move |tx| {
                for _ in 0..50 {
                    let user = tx.insert_user(&NewUser { is_active: true, ..NewUser::default() }, now)?;
                    let rights = User { groups: vec![gone, kept], permissions: vec![dead, live], ..user };
                    tx.save_user(&rights)?;
                }
                Ok::<_, StoreError>(())
            });
            filled.await.expect("written");
        }
        assert_eq!((run_all(&app).await.expect("swept"), counts(&app)), (0, [600, 600]));

        let deleted = app.store.write(move |tx| {
            tx.remove_group(gone)?;
            tx.remove_permission(dead)
        });
        deleted.await.expect("written");
        assert_eq!(counts(&app), [600, 600]);
        let swept = run_all(&app).await.expect("swept");

        assert_eq!((swept, counts(&app)), (601, [300, 300]));
        let group = app.store.directory().group(kept).cloned().expect("kept");
        assert_eq!(group.permissions, BTreeSet::from([live]));
        let user = app.store.user(UserId(1)).expect("readable").expect("there");
        assert_eq!((&user.groups, &user.permissions), (&vec![kept], &vec![live]));
        assert_eq!(user.updated_at, now);
        app.close().await;
    }

    #[tokio::test]
    async fn what_a_directory_does_not_know_yet_is_not_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = app(folder.path()).await;
        let now = app.clock.now();
        let before = app.store.directory();
        let made = app.store.write(move |tx| {
            let group = make_group(tx, "New")?;
            let user = tx.insert_user(&NewUser { is_active: true, ..NewUser::default() }, now)?;
            tx.save_user(&User { groups: vec![group], ..user })
        });
        made.await.expect("written");

        let lost = app.store.read().expect("readable").lost_rights(&before, ROUND).expect("readable");
        let count = lost.len();
        let dropped = app.store.write(move |tx| lost.iter().try_for_each(|right| tx.drop_lost_right(*right)));
        dropped.await.expect("written");

        assert_eq!((count, counts(&app)), (1, [1, 0]));
        app.close().await;
    }
}
