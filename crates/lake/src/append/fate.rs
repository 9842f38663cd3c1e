//! What becomes of each record of a group, and the receipts that follow from it.

use model::batch::{Batch, CommitReceipt, DeadLetter, Receipt, TableCommit};
use model::identity::Uid;
use model::ids::TenantId;
use model::ocsf::Class;
use model::time::Day;

/// A record of a group: which batch, which record in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub(crate) batch: u32,
    pub(crate) record: u32,
}

/// What is decided about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing yet.
    Open,
    /// Its row is committed.
    Stored,
    /// The lake, or an earlier record of the group, has it.
    Duplicate,
    /// Its transform dropped it.
    Filtered,
    /// It cannot become an event.
    Dead(String),
}

/// The batches of a group with the fates of their records.
pub(crate) struct Group {
    /// The batches as they came.
    pub(crate) batches: std::sync::Arc<Vec<Batch>>,
    fates: Vec<Vec<Fate>>,
    commits: Vec<Vec<TableCommit>>,
    conflicts: u32,
}

/// Open records of one tenant and day, by time.
#[derive(Debug)]
pub(crate) struct Portion {
    pub(crate) tenant: TenantId,
    pub(crate) day: Day,
    pub(crate) slots: Vec<Slot>,
}

/// Rows from which on it pays to build a part on its own.
const PART_ROWS: usize = 16_384;

impl Portion {
    /// Cuts a large portion by time into parts that can be built side by side, at most so many. One that
    /// holds a uid twice stays whole, for whoever builds it drops the second.
    pub(crate) fn into_parts(self, batches: &[Batch], most: usize) -> Vec<Self> {
        let parts = (self.slots.len() / PART_ROWS).min(most);
        if parts < 2 || !self.has_each_uid_once(batches) {
            return vec![self];
        }
        let part = |slots: &[Slot]| Self {
            tenant: self.tenant.clone(),
            day: self.day,
            slots: slots.to_vec(),
        };
        self.slots.chunks(self.slots.len().div_ceil(parts)).map(part).collect()
    }

    fn has_each_uid_once(&self, batches: &[Batch]) -> bool {
        let uid = |slot: &Slot| batches[slot.batch as usize].records[slot.record as usize].uid;
        let mut uids: Vec<Uid> = self.slots.iter().map(uid).collect();
        uids.sort_unstable();
        uids.windows(2).all(|pair| pair[0] != pair[1])
    }
}

impl Group {
    /// A group in which nothing is decided.
    pub(crate) fn new(batches: Vec<Batch>) -> Self {
        let fates = batches.iter().map(|batch| vec![Fate::Open; batch.records.len()]).collect();
        let commits = vec![Vec::new(); batches.len()];
        Self { batches: std::sync::Arc::new(batches), fates, commits, conflicts: 0 }
    }

    /// Decides about a record.
    pub(crate) fn decide(&mut self, slot: Slot, fate: Fate) {
        self.fates[slot.batch as usize][slot.record as usize] = fate;
    }

    /// Notes that a commit holds rows of a batch.
    pub(crate) fn note_commit(&mut self, batch: u32, commit: TableCommit) {
        self.commits[batch as usize].push(commit);
    }

    /// Notes that another writer committed first.
    pub(crate) fn note_conflict(&mut self) {
        self.conflicts += 1;
    }

    /// The commits so far that hold rows of the group, batch by batch.
    pub(crate) fn committed(&self) -> Vec<Vec<(CommitReceipt, TableCommit)>> {
        let of_batch = |(batch, commits): (&Batch, &Vec<TableCommit>)| {
            commits.iter().map(|commit| (commit_receipt(batch, commit.rows), *commit)).collect()
        };
        self.batches.iter().zip(&self.commits).map(of_batch).collect()
    }

    /// Every class that records of the group can become.
    pub(crate) fn classes(&self) -> Vec<Class> {
        let mut classes: Vec<Class> =
            self.batches.iter().flat_map(|batch| batch.source.classes.iter().copied()).collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// The records that are still open, in order.
    pub(crate) fn open(&self) -> impl Iterator<Item = Slot> {
        self.fates.iter().enumerate().flat_map(|(batch, fates)| {
            fates
                .iter()
                .enumerate()
                .filter(|(_, fate)| **fate == Fate::Open)
                .map(move |(record, _)| Slot { batch: narrow(batch), record: narrow(record) })
        })
    }

    /// The open records by tenant and day, each portion sorted by time; ties by arrival.
    pub(crate) fn portions(&self) -> Vec<Portion> {
        let mut keyed: Vec<(&TenantId, i64, Slot)> = self
            .open()
            .map(|slot| {
                let batch = &self.batches[slot.batch as usize];
                (&batch.tenant, batch.records[slot.record as usize].time.as_micros(), slot)
            })
            .collect();
        keyed.sort_unstable();
        let mut portions: Vec<Portion> = Vec::new();
        for (tenant, micros, slot) in keyed {
            let day = model::time::Timestamp::from_micros(micros).day();
            match portions.last_mut() {
                Some(last) if last.tenant == *tenant && last.day == day => last.slots.push(slot),
                _ => portions.push(Portion { tenant: tenant.clone(), day, slots: vec![slot] }),
            }
        }
        portions
    }

    /// The receipts of the batches, once every record is decided.
    pub(crate) fn receipts(self) -> Vec<Receipt> {
        let conflicts = self.conflicts;
        let decided = self.fates.into_iter().zip(self.commits);
        self.batches
            .iter()
            .zip(decided)
            .map(|(batch, (fates, commits))| receipt(batch, &fates, commits, conflicts))
            .collect()
    }
}

/// What a commit's metadata keeps of a batch with so many rows in it.
pub(crate) fn commit_receipt(batch: &Batch, rows: u64) -> CommitReceipt {
    CommitReceipt {
        install: batch.install,
        batch: batch.id,
        tenant: batch.tenant.clone(),
        connector: batch.connector,
        source: batch.source.id.clone(),
        stream: batch.stream.clone(),
        interval: batch.interval,
        rows,
    }
}

fn receipt(batch: &Batch, fates: &[Fate], commits: Vec<TableCommit>, conflicts: u32) -> Receipt {
    let mut receipt = Receipt {
        batch: batch.id,
        stored: 0,
        duplicate: 0,
        filtered: 0,
        dead_letters: Vec::new(),
        commits,
        conflicts,
    };
    for (record, fate) in batch.records.iter().zip(fates) {
        match fate {
            Fate::Stored => receipt.stored += 1,
            Fate::Duplicate => receipt.duplicate += 1,
            Fate::Filtered => receipt.filtered += 1,
            Fate::Dead(reason) => receipt
                .dead_letters
                .push(DeadLetter { raw: record.record.raw().clone(), reason: reason.clone() }),
            Fate::Open => debug_assert!(false, "a record without a fate"),
        }
    }
    receipt
}

fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
