//! Permissions and groups that come from another system. What is here already stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::App;
use crate::domain::{
    EventKind, Group, GroupId, GroupName, Name, Origin, Party, Permission, PermissionId, PermissionName,
};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, Fate, MAX_IMPORTED_ID, Purpose};
use crate::store::{StoreError, WriteTx};

/// A group with the names of what it gives.
#[derive(Debug, Clone)]
pub(crate) struct ImportedGroup {
    /// The number that it should keep, if it is free.
    pub(crate) id: Option<GroupId>,
    pub(crate) name: GroupName,
    pub(crate) permissions: Vec<PermissionName>,
}

/// So many rows go in one write, with their index entries and events.
const ROUND: usize = 100;

/// Makes the permissions that are not here yet.
pub(crate) async fn import_permissions(
    app: &App,
    origin: &Origin,
    purpose: Purpose,
    permissions: Vec<(PermissionName, Name)>,
) -> Result<Vec<Fate>, FlowError> {
    let directory = app.store.directory();
    let mut fates = Vec::with_capacity(permissions.len());
    for round in permissions.chunks(ROUND) {
        if purpose == Purpose::Rehearse {
            let is_here = |name: &PermissionName| directory.permission_named(name.as_str()).is_some();
            fates.extend(round.iter().map(|(name, _)| fate(is_here(name))));
            continue;
        }
        let round = round.to_vec();
        let event = Audit { now: app.clock.now(), origin }.success(EventKind::PermissionCreated);
        let done = app.store.write(move |tx| {
            let mut known: BTreeSet<String> =
                tx.permissions()?.into_iter().map(|one| one.name.to_string()).collect();
            let mut fates = Vec::with_capacity(round.len());
            for (name, title) in &round {
                let is_here = !known.insert(name.to_string());
                if !is_here {
                    let made = tx.insert_permission(name.clone(), title.clone())?;
                    let party = Party { id: made.id.to_string(), label: made.name.to_string() };
                    tx.append_event(&event.clone().about(party).saying("import"))?;
                }
                fates.push(fate(is_here));
            }
            Ok::<_, FlowError>(fates)
        });
        fates.extend(done.await?);
    }
    Ok(fates)
}

const fn fate(is_here: bool) -> Fate {
    if is_here { Fate::Unchanged(Vec::new()) } else { Fate::Imported(Vec::new()) }
}

/// Makes the groups that are not here yet, of permissions that are. One keeps its number if no other group has it.
pub(crate) async fn import_groups(
    app: &App,
    origin: &Origin,
    purpose: Purpose,
    groups: Vec<ImportedGroup>,
) -> Result<Vec<Fate>, FlowError> {
    let mut fates = Vec::with_capacity(groups.len());
    for round in groups.chunks(ROUND) {
        let round = round.to_vec();
        let event = Audit { now: app.clock.now(), origin }.success(EventKind::GroupCreated);
        let done = app.store.write(move |tx| {
            let mut here: BTreeMap<GroupName, BTreeSet<PermissionId>> =
                tx.groups()?.into_iter().map(|group| (group.name, group.permissions)).collect();
            let permissions = tx.permissions()?;
            let mut fates = Vec::with_capacity(round.len());
            for group in &round {
                let wanted = numbers_of(&permissions, &group.permissions);
                if let Some(old) = here.get(&group.name) {
                    let differs = *old != wanted && purpose == Purpose::Import;
                    let note = differs.then(|| "it has other permissions here, and keeps them".to_owned());
                    fates.push(Fate::Unchanged(note.into_iter().collect()));
                    continue;
                }
                here.insert(group.name.clone(), wanted.clone());
                if purpose == Purpose::Import {
                    let made = insert(tx, group, wanted)?;
                    let party = Party { id: made.id.to_string(), label: made.name.as_str().to_owned() };
                    tx.append_event(&event.clone().about(party).saying("import"))?;
                }
                fates.push(fate(false));
            }
            Ok::<_, FlowError>(fates)
        });
        fates.extend(done.await?);
    }
    Ok(fates)
}

fn numbers_of(known: &[Permission], names: &[PermissionName]) -> BTreeSet<PermissionId> {
    known.iter().filter(|one| names.contains(&one.name)).map(|one| one.id).collect()
}

fn insert(
    tx: &mut WriteTx,
    group: &ImportedGroup,
    permissions: BTreeSet<PermissionId>,
) -> Result<Group, StoreError> {
    let is_free = |id: &GroupId| Ok::<_, StoreError>(tx.group(*id)?.is_none());
    let own = group.id.filter(|id| (1..=MAX_IMPORTED_ID).contains(&id.0));
    let (name, description) = (group.name.clone(), Name::default());
    match own {
        Some(id) if is_free(&id)? => {
            let made = Group { id, name, description, permissions };
            tx.insert_group_as(&made)?;
            Ok(made)
        }
        _ => {
            let made = Group { permissions, ..tx.insert_group(name, description)? };
            tx.save_group(&made)?;
            Ok(made)
        }
    }
}
