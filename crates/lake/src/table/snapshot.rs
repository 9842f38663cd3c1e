//! Our own account of a table at a version: every active file with all that the log said of it, and
//! the sums of the receipts so far. With it the lake opens without the log entries before.
//!
//! It lies in `_tarn` beside the table's log, where other Delta readers do not look, twice under two
//! names: one broken file must not cost what cannot be had again once the log was cleaned up.

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt as _;
use model::ocsf::Class;
use object_store::path::Path;
use object_store::{Error, ObjectStore as _, ObjectStoreExt as _};
use serde::{Deserialize, Serialize};

use super::file::DataFile;
use super::log::table_path;
use super::tally::Tally;
use crate::durable::Durable;
use crate::error::LakeError;

/// The folder of a table in which snapshots lie.
pub(crate) const FOLDER: &str = "_tarn";
/// What this build writes; it reads nothing newer.
const FORMAT: u32 = 1;

/// A table at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The version.
    pub(crate) version: u64,
    /// Active files in the order they came.
    pub(crate) files: Vec<Arc<DataFile>>,
    /// What receipts and removals add up to.
    pub(crate) tally: Tally,
    /// The newest version that removed rows.
    pub(crate) shrunk: Option<u64>,
}

/// Which file a snapshot lies in. Later ones are better; of two copies the first is read first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SnapshotName {
    /// The version.
    pub(crate) version: u64,
    is_first: bool,
}

/// The first line of the file.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    class: Class,
    version: u64,
    /// Of all that follows the first line.
    checksum: String,
}

#[derive(Serialize, Deserialize)]
struct Body {
    files: Vec<Arc<DataFile>>,
    tally: Tally,
    shrunk: Option<u64>,
}

impl SnapshotName {
    /// The two files of a version.
    pub(crate) fn both(version: u64) -> [Self; 2] {
        [Self { version, is_first: true }, Self { version, is_first: false }]
    }

    /// Reads the name of a file.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("snapshot-")?.strip_suffix(".json")?;
        let (digits, is_first) = match rest.strip_suffix(".copy") {
            Some(digits) => (digits, false),
            None => (rest, true),
        };
        let version = (digits.len() == 20).then(|| digits.parse().ok()).flatten()?;
        Some(Self { version, is_first })
    }

    /// Where the file lies on the store.
    pub(crate) fn path(self, class: Class) -> Path {
        let copy = if self.is_first { "" } else { ".copy" };
        table_path(class).join(FOLDER).join(format!("snapshot-{:020}{copy}.json", self.version))
    }
}

impl Snapshot {
    /// Makes the snapshot durable, both files of it.
    pub(crate) async fn write(&self, store: &Durable, class: Class) -> Result<(), LakeError> {
        let bytes = self.encode(class)?;
        for name in SnapshotName::both(self.version) {
            let path = name.path(class);
            store.put(&path, bytes.clone().into()).await.map_err(|source| LakeError::Store {
                action: format!("write the snapshot `{path}`"),
                source,
            })?;
        }
        Ok(())
    }

    /// Reads a snapshot and checks that it is whole.
    pub(crate) async fn read(
        store: &Durable,
        class: Class,
        name: SnapshotName,
    ) -> Result<Self, LakeError> {
        let path = name.path(class);
        let broken = |problem: Box<dyn std::error::Error + Send + Sync>| LakeError::Read {
            path: path.to_string(),
            source: problem,
        };
        let bytes = match store.get(&path).await {
            Ok(answer) => answer.bytes().await,
            Err(error) => Err(error),
        };
        let snapshot = decode(&bytes.map_err(|error| broken(Box::new(error)))?, class);
        let snapshot = snapshot.map_err(broken)?;
        if snapshot.version != name.version {
            return Err(broken("it is of another version".into()));
        }
        Ok(snapshot)
    }

    fn encode(&self, class: Class) -> Result<Bytes, LakeError> {
        let [name, _] = SnapshotName::both(self.version);
        let path = name.path(class).to_string();
        let failed = |source: serde_json::Error| LakeError::Read {
            path: path.clone(),
            source: Box::new(source),
        };
        let Self { version, files, tally, shrunk } = self.clone();
        let body = serde_json::to_vec(&Body { files, tally, shrunk }).map_err(failed)?;
        let header = Header { format: FORMAT, class, version, checksum: checksum(&body) };
        let mut bytes = serde_json::to_vec(&header).map_err(failed)?;
        bytes.push(b'\n');
        bytes.extend(body);
        Ok(bytes.into())
    }
}

/// The snapshots that lie beside a table, best first.
pub(crate) async fn list(store: &Durable, class: Class) -> Result<Vec<SnapshotName>, LakeError> {
    let folder = table_path(class).join(FOLDER);
    let listed = store.list(Some(&folder)).map_ok(|meta| meta.location);
    let paths: Vec<Path> = match listed.try_collect().await {
        Err(Error::NotFound { .. }) => Vec::new(),
        listed => listed.map_err(|source| LakeError::Store {
            action: format!("list the snapshots of `{class}`"),
            source,
        })?,
    };
    let mut names: Vec<SnapshotName> =
        paths.iter().filter_map(|path| SnapshotName::parse(path.filename()?)).collect();
    names.sort_unstable();
    names.reverse();
    Ok(names)
}

fn decode(
    bytes: &[u8],
    class: Class,
) -> Result<Snapshot, Box<dyn std::error::Error + Send + Sync>> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("it has no first line")?;
    let (header, body) = (&bytes[..end], &bytes[end + 1..]);
    let header: Header = serde_json::from_slice(header)?;
    if header.format != FORMAT {
        return Err(format!("its format {} is unknown to this version", header.format).into());
    }
    if header.class != class {
        return Err(format!("it is of `{}`", header.class).into());
    }
    if header.checksum != checksum(body) {
        return Err("its checksum is wrong".into());
    }
    let Body { files, tally, shrunk } = serde_json::from_slice(body)?;
    Ok(Snapshot { version: header.version, files, tally, shrunk })
}

/// Finds what a disk or an editor did; no defence against forgery.
fn checksum(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_order_by_version_and_prefer_the_first_copy() {
        let [first, copy] = SnapshotName::both(7);
        let parsed = |name: SnapshotName| {
            SnapshotName::parse(name.path(Class::BaseEvent).filename().unwrap()).unwrap()
        };
        assert_eq!((parsed(first), parsed(copy)), (first, copy));
        assert!(first > copy && SnapshotName::both(8)[1] > first);
        for strange in ["snapshot-7.json", "snapshot-x.json", "00000000000000000007.json"] {
            assert_eq!(SnapshotName::parse(strange), None);
        }
    }

    #[test]
    fn a_changed_byte_or_another_table_is_noticed() {
        let snapshot =
            Snapshot { version: 3, files: Vec::new(), tally: Tally::default(), shrunk: Some(1) };
        let bytes = snapshot.encode(Class::BaseEvent).unwrap().to_vec();
        assert_eq!(decode(&bytes, Class::BaseEvent).unwrap(), snapshot);
        assert!(decode(&bytes, Class::FileHosting).is_err());
        assert!(decode(&bytes[..bytes.len() - 1], Class::BaseEvent).is_err());
        let shrunk = bytes.iter().rposition(|byte| *byte == b'1').unwrap();
        let mut other = bytes;
        other[shrunk] = b'2';
        let problem = decode(&other, Class::BaseEvent).unwrap_err().to_string();
        assert_eq!(problem, "its checksum is wrong");
    }
}
