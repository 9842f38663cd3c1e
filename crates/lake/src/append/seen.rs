//! Which uids the lake holds, by class, tenant and hour of event time (I2).
//!
//! The lake is its own index: the uids of an hour are read from the files that cover it when the first
//! record of that hour is looked up, kept while they are used, and extended by every commit.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use model::identity::Uid;
use model::ids::TenantId;
use model::ocsf::Class;
use model::time::Timestamp;

use super::fate::{Fate, Group, Slot};
use crate::error::LakeError;
use crate::table::data::read_keys;
use crate::table::file::DataFile;
use crate::table::tables::Tables;

const MICROS_PER_HOUR: i64 = 3_600_000_000;
/// Files that are read at once.
const READERS: usize = 8;
/// Rough memory of one uid in a set, with the set's spare room.
const BYTES_PER_UID: usize = 28;

/// An hour of event time: hours since 1970.
type Hour = i64;
type UidSet = HashSet<u128, BuildHasherDefault<UidHasher>>;

/// The uids of one class, tenant and hour.
#[derive(Default)]
struct Shelf {
    uids: UidSet,
    last_used: u64,
}

/// The uids that are in memory. Used by the writer alone.
pub(crate) struct Seen {
    shelves: HashMap<TenantId, HashMap<(Class, Hour), Shelf>>,
    /// The version of each table that the shelves agree with.
    versions: HashMap<Class, Option<u64>>,
    /// The newest version of each table that removed rows, as far as the shelves know.
    shrunk: HashMap<Class, Option<u64>>,
    budget_bytes: usize,
    round: u64,
}

impl Seen {
    /// No uids, and room for so many bytes of them between groups.
    pub(crate) fn new(budget_bytes: usize) -> Self {
        Self {
            shelves: HashMap::new(),
            versions: HashMap::new(),
            shrunk: HashMap::new(),
            budget_bytes,
            round: 0,
        }
    }

    /// Marks the open records that are stored already as duplicates.
    pub(crate) async fn mark_duplicates(
        &mut self,
        tables: &Tables,
        group: &mut Group,
    ) -> Result<(), LakeError> {
        self.round += 1;
        self.forget_foreign(tables, &group.classes());
        self.load_missing(tables, group).await?;
        let duplicates: Vec<Slot> = group.open().filter(|slot| self.holds(group, *slot)).collect();
        for slot in duplicates {
            group.decide(slot, Fate::Duplicate);
        }
        Ok(())
    }

    /// The version of a table against which the last records were looked up.
    pub(crate) fn version(&self, class: Class) -> Option<u64> {
        self.versions.get(&class).copied().flatten()
    }

    /// Takes in the uids of a commit of ours, whose version the table's state has reached.
    pub(crate) fn extend<'u>(
        &mut self,
        class: Class,
        version: u64,
        rows: impl IntoIterator<Item = (&'u TenantId, Timestamp, Uid)>,
    ) {
        self.versions.insert(class, Some(version));
        for (tenant, time, uid) in rows {
            let shelves = self.shelves.get_mut(tenant);
            if let Some(shelf) = shelves.and_then(|shelves| shelves.get_mut(&(class, hour(time)))) {
                shelf.uids.insert(key(uid));
            }
        }
    }

    /// Lets go of the hours that were not used for longest, until the rest fits the budget.
    pub(crate) fn trim(&mut self) {
        let size = |shelf: &Shelf| shelf.uids.capacity() * BYTES_PER_UID;
        let all = || self.shelves.values().flat_map(HashMap::values);
        let mut total: usize = all().map(size).sum();
        if total <= self.budget_bytes {
            return;
        }
        let mut ages: Vec<(u64, usize)> =
            all().map(|shelf| (shelf.last_used, size(shelf))).collect();
        ages.sort_unstable();
        let mut oldest_kept = 0;
        for (last_used, size) in ages {
            if total <= self.budget_bytes / 2 {
                break;
            }
            total = total.saturating_sub(size);
            oldest_kept = last_used + 1;
        }
        for shelves in self.shelves.values_mut() {
            shelves.retain(|_, shelf| shelf.last_used >= oldest_kept);
        }
    }

    /// Drops the hours that other writers' files cover: they are read again when they are needed.
    /// Files whose rows were only moved hold the same uids as before.
    fn forget_foreign(&mut self, tables: &Tables, classes: &[Class]) {
        for class in classes {
            let state = tables.state(*class);
            if self.shrunk.insert(*class, state.shrunk()) != Some(state.shrunk()) {
                self.shelves.values_mut().for_each(|all| all.retain(|(of, _), _| of != class));
            }
            if let Some(known) = self.versions.insert(*class, state.version()) {
                let foreign = |file: &&Arc<DataFile>| Some(file.origin) > known;
                for file in state.since(known).iter().filter(foreign) {
                    if let Some(shelves) = self.shelves.get_mut(&file.tenant) {
                        let hours = hour(file.earliest)..=hour(file.latest);
                        shelves.retain(|(of, hour), _| of != class || !hours.contains(hour));
                    }
                }
            }
        }
    }

    fn holds(&self, group: &Group, slot: Slot) -> bool {
        let batch = &group.batches[slot.batch as usize];
        let record = &batch.records[slot.record as usize];
        let Some(shelves) = self.shelves.get(&batch.tenant) else { return false };
        let (hour, key) = (hour(record.time), key(record.uid));
        let mut classes = batch.source.classes.iter();
        classes.any(|class| shelves.get(&(*class, hour)).is_some_and(|s| s.uids.contains(&key)))
    }

    /// Reads the hours of open records that are not in memory; every file at most once.
    async fn load_missing(&mut self, tables: &Tables, group: &Group) -> Result<(), LakeError> {
        let mut files: BTreeMap<(Class, String), (Arc<DataFile>, Vec<Hour>)> = BTreeMap::new();
        for (tenant, class, hour) in self.take_stock(group) {
            let (first, last) = bounds(hour);
            for file in tables.state(class).covering(&tenant, first.day(), first, last) {
                let place = files.entry((class, file.path.clone()));
                place.or_insert_with(|| (Arc::clone(file), Vec::new())).1.push(hour);
            }
        }
        let reads = files.into_iter().map(|((class, _), (file, hours))| async move {
            let span =
                hours.iter().min().copied().unwrap_or(0)..=hours.iter().max().copied().unwrap_or(0);
            let times = bounds(*span.start()).0..=bounds(*span.end()).1;
            let keys = read_keys(tables.store(), class, &file, times).await?;
            Ok::<_, LakeError>((class, file, hours, keys))
        });
        let mut reads = futures::stream::iter(reads).buffer_unordered(READERS);
        while let Some((class, file, hours, keys)) = self.undo_on_error(reads.try_next().await)? {
            let Some(shelves) = self.shelves.get_mut(&file.tenant) else { continue };
            for (time, uid) in keys {
                let hour = hour(time);
                if hours.contains(&hour)
                    && let Some(shelf) = shelves.get_mut(&(class, hour))
                {
                    shelf.uids.insert(key(uid));
                }
            }
        }
        Ok(())
    }

    /// A shelf that was filled only in part must not be believed.
    fn undo_on_error<T>(&mut self, read: Result<T, LakeError>) -> Result<T, LakeError> {
        if read.is_err() {
            self.shelves.clear();
        }
        read
    }

    /// Touches the shelves that the open records need; makes the missing ones and names them.
    fn take_stock(&mut self, group: &Group) -> Vec<(TenantId, Class, Hour)> {
        let mut missing = Vec::new();
        let mut last = None;
        for slot in group.open() {
            let batch = &group.batches[slot.batch as usize];
            let hour = hour(batch.records[slot.record as usize].time);
            if last == Some((slot.batch, hour)) {
                continue;
            }
            last = Some((slot.batch, hour));
            if !self.shelves.contains_key(&batch.tenant) {
                self.shelves.insert(batch.tenant.clone(), HashMap::new());
            }
            let Some(shelves) = self.shelves.get_mut(&batch.tenant) else { continue };
            for class in &batch.source.classes {
                let shelf = shelves.entry((*class, hour)).or_insert_with(|| {
                    missing.push((batch.tenant.clone(), *class, hour));
                    Shelf::default()
                });
                shelf.last_used = self.round;
            }
        }
        missing
    }
}

fn hour(time: Timestamp) -> Hour {
    time.as_micros().div_euclid(MICROS_PER_HOUR)
}

/// The first and the last instant of an hour.
fn bounds(hour: Hour) -> (Timestamp, Timestamp) {
    let first = hour * MICROS_PER_HOUR;
    (Timestamp::from_micros(first), Timestamp::from_micros(first + MICROS_PER_HOUR - 1))
}

fn key(uid: Uid) -> u128 {
    u128::from_le_bytes(*uid.as_bytes())
}

/// A uid is a hash already: its lower half will do.
#[derive(Default)]
struct UidHasher(u64);

impl Hasher for UidHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
    fn write_u128(&mut self, uid: u128) {
        self.0 = uid as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
