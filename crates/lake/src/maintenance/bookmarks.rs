//! Bookmarks of the installs that share a lake: `bookmarks/<install>.json`, one file each.
//!
//! A bookmark that cannot be read stops clean-up and retention: nobody can say what it wants kept.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::TryStreamExt as _;
use model::ids::{InstallId, TenantId};
use model::ocsf::Class;
use model::time::Timestamp;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use query::store::maintenance::{Bookmark, Effort, Hold, MaintenancePlan};
use serde::Deserialize;

use super::clean::MIN_AGE;
use crate::durable::Durable;
use crate::error::LakeError;

/// A bookmark that is older keeps nothing but its holds.
pub(super) const RELEASED_AFTER: Duration = Duration::from_secs(7 * 86_400);

const FOLDER: &str = "bookmarks";

/// Makes a bookmark durable in the place of the one before.
pub(crate) async fn write(store: &Durable, bookmark: &Bookmark) -> Result<(), LakeError> {
    let path = Path::from(FOLDER).join(format!("{}.json", bookmark.install));
    let failed = |source| LakeError::Store { action: format!("write `{path}`"), source };
    let bytes = serde_json::to_vec(bookmark)
        .map_err(|error| LakeError::Read { path: path.to_string(), source: Box::new(error) })?;
    store.put(&path, bytes.into()).await.map(drop).map_err(failed)
}

/// Every bookmark of the lake.
pub(super) async fn read(store: &Durable) -> Result<Vec<Bookmark>, LakeError> {
    let folder = Path::from(FOLDER);
    let failed = |source| LakeError::Store { action: "list the bookmarks".to_owned(), source };
    let listed: Vec<_> = store.list(Some(&folder)).try_collect().await.map_err(failed)?;
    let mut bookmarks = Vec::new();
    for path in listed.into_iter().map(|meta| meta.location) {
        if path.extension() != Some("json") {
            continue;
        }
        let action = || format!("read `{path}`");
        let bytes = match store.get(&path).await {
            Ok(answer) => answer.bytes().await,
            Err(error) => Err(error),
        };
        let bytes = bytes.map_err(|source| LakeError::Store { action: action(), source })?;
        let written: Written = serde_json::from_slice(&bytes)
            .map_err(|error| LakeError::Read { path: path.to_string(), source: Box::new(error) })?;
        bookmarks.push(written.into());
    }
    Ok(bookmarks)
}

/// Every hold of every install, however old its bookmark is.
pub(super) async fn holds(store: &Durable) -> Result<Vec<Hold>, LakeError> {
    Ok(read(store).await?.into_iter().flat_map(|bookmark| bookmark.holds).collect())
}

/// Removes what cut-off writes have left beside the bookmarks. Best effort.
pub(super) async fn remove_staged(store: &Durable, plan: &MaintenancePlan) {
    if plan.dry_run || plan.clean_up == Effort::Skip {
        return;
    }
    let folder = Path::from(FOLDER);
    let Ok(files) = store.files_below(&folder).await else { return };
    for file in files.iter().filter(|file| file.is_staged()) {
        if plan.now.since(file.written_at) >= MIN_AGE
            && let Err(error) = store.remove_found(&folder, file).await
        {
            tracing::debug!(name = %file.name, %error, "left a staged file behind");
        }
    }
}

/// A bookmark as it lies there: another version of Tarn may know tables that this one does not.
#[derive(Deserialize)]
struct Written {
    install: InstallId,
    written_at: Timestamp,
    applied: BTreeMap<String, u64>,
    #[serde(default)]
    readers: BTreeMap<String, BTreeMap<String, u64>>,
    #[serde(default)]
    holds: Vec<WrittenHold>,
}

#[derive(Deserialize)]
struct WrittenHold {
    tenant: TenantId,
    class: Option<String>,
}

impl From<Written> for Bookmark {
    fn from(written: Written) -> Self {
        let readers = written.readers.into_iter();
        let holds = written.holds.into_iter().filter_map(|hold| match hold.class {
            None => Some(Hold { tenant: hold.tenant, class: None }),
            Some(name) => Class::from_name(&name)
                .map(|class| Hold { tenant: hold.tenant, class: Some(class) }),
        });
        Self {
            install: written.install,
            written_at: written.written_at,
            applied: known(written.applied),
            readers: readers.map(|(name, versions)| (name, known(versions))).collect(),
            holds: holds.collect(),
        }
    }
}

fn known(versions: BTreeMap<String, u64>) -> BTreeMap<Class, u64> {
    let versions = versions.into_iter();
    versions.filter_map(|(name, version)| Some((Class::from_name(&name)?, version))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_this_version_does_not_know_are_passed_over() {
        let text = r#"{"install":"00000000-0000-0000-0000-000000000001",
            "written_at":"2026-03-02T08:00:00Z","applied":{"email_activity":3,"brain_activity":9},
            "readers":{"detect":{"base_event":1,"brain_activity":2}},
            "holds":[{"tenant":"a","class":null},{"tenant":"b","class":"brain_activity"}]}"#;
        let bookmark = Bookmark::from(serde_json::from_str::<Written>(text).unwrap());
        assert_eq!(bookmark.applied, BTreeMap::from([(Class::EmailActivity, 3)]));
        assert_eq!(bookmark.readers["detect"], BTreeMap::from([(Class::BaseEvent, 1)]));
        assert_eq!(bookmark.holds.len(), 1);
    }
}
