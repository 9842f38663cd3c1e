//! The store in memory: for tests of the floors above. It evaluates no filters and never will:
//! meaning belongs to the lake, and two query engines would drift apart. It knows which version of a
//! finding is the newest, because that is a matter of which rows there are. Of maintenance it does
//! retention alone, for it has no files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;
use model::batch::{Batch, CommitReceipt, DeadLetter, IdentifiedRecord, Receipt, TableCommit};
use model::identity::Uid;
use model::ids::{InstallId, TenantId};
use model::mapping::{EventSink, Verdict};
use model::ocsf::{Class, Event};
use model::time::Timestamp;
use serde_json::Value;

use super::maintenance::{Bookmark, Expired, Expiry, MaintenancePlan, MaintenanceReport};
use super::{
    EventStore, Finding, NewRow, Received, Row, Rows, Statement, StoreError, TableStats,
    Verification,
};
use crate::plan::{Filter, Query, Stage};

/// Rows of a page.
const PAGE_ROWS: usize = 1000;

/// Keeps every row in memory, as JSON beside its raw bytes.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    seen: HashSet<Uid>,
    tables: BTreeMap<Class, Table>,
    bookmarks: BTreeMap<InstallId, Bookmark>,
}

#[derive(Debug, Default)]
struct Table {
    version: u64,
    rows: Vec<StoredRow>,
    receipts: Vec<(u64, CommitReceipt)>,
    expired: u64,
}

#[derive(Debug)]
struct StoredRow {
    version: u64,
    uid: Uid,
    tenant: TenantId,
    source: String,
    time: Timestamp,
    ingest_time: Timestamp,
    raw: Bytes,
    event: Row,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The newest bookmark of an install.
    pub fn bookmarked(&self, install: InstallId) -> Option<Bookmark> {
        self.state().bookmarks.get(&install).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and half a batch is visible to tests only.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Receipt>, StoreError> {
        let mut state = self.state();
        let mut touched = BTreeMap::new();
        let receipts = batches.iter().map(|batch| state.append(batch, &mut touched)).collect();
        for (class, version) in touched {
            if let Some(table) = state.tables.get_mut(&class) {
                table.version = version;
            }
        }
        Ok(receipts)
    }

    async fn commits(&self, class: Class, after: Option<u64>) -> Result<Vec<NewRow>, StoreError> {
        let state = self.state();
        let rows = state.tables.get(&class).map_or(&[][..], |table| &table.rows);
        let new = rows.iter().filter(|row| after.is_none_or(|after| row.version > after));
        Ok(new.map(StoredRow::to_new_row).collect())
    }

    async fn receipts(
        &self,
        install: InstallId,
        after: &BTreeMap<Class, u64>,
    ) -> Result<Vec<(CommitReceipt, TableCommit)>, StoreError> {
        let state = self.state();
        let mut found = Vec::new();
        for (class, table) in &state.tables {
            let is_new = |version: u64| after.get(class).is_none_or(|after| version > *after);
            for (version, receipt) in &table.receipts {
                if receipt.install == install && is_new(*version) {
                    let commit =
                        TableCommit { class: *class, version: *version, rows: receipt.rows };
                    found.push((receipt.clone(), commit));
                }
            }
        }
        Ok(found)
    }

    async fn received(&self, install: InstallId) -> Result<Vec<Received>, StoreError> {
        let state = self.state();
        let receipts = state.tables.values().flat_map(|table| &table.receipts);
        let mut streams = BTreeMap::new();
        for (_, receipt) in receipts.filter(|(_, receipt)| receipt.install == install) {
            let CommitReceipt { tenant, connector, source, stream, rows, .. } = receipt;
            *streams.entry((tenant, *connector, source, stream)).or_insert(0) += rows;
        }
        let sums =
            streams.into_iter().map(|((tenant, connector, source, stream), rows)| Received {
                tenant: tenant.clone(),
                connector,
                source: source.clone(),
                stream: stream.clone(),
                rows,
            });
        Ok(sums.collect())
    }

    async fn query(&self, tenant: &TenantId, statement: Statement) -> Result<Rows, StoreError> {
        let query = match statement {
            Statement::Query(query) if query.filter == Filter::All => query,
            Statement::Query(_) => {
                return Err(refused("the memory store does not evaluate filters"));
            }
            Statement::Sql(_) => return Err(refused("the memory store does not run SQL")),
        };
        let heads = heads(&query.stages)?;
        let state = self.state();
        let mut rows = state.scan(tenant, &query);
        rows.truncate(heads);
        Ok(pages(rows.into_iter().map(|row| row.event.clone()).collect()))
    }

    async fn stats(&self, tenant: Option<&TenantId>) -> Result<Vec<TableStats>, StoreError> {
        let state = self.state();
        Ok(state.tables.iter().map(|(class, table)| table.stats(*class, tenant)).collect())
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        let state = self.state();
        let mut verification = Verification::default();
        let mut uids = HashSet::new();
        for (class, table) in &state.tables {
            verification.rows += table.rows.len() as u64;
            verification.expired += table.expired;
            for (_, receipt) in &table.receipts {
                let stream = format!("{}/{}", receipt.connector, receipt.stream);
                let install = verification.receipts.entry(receipt.install.to_string()).or_default();
                *install.entry(stream).or_default() += receipt.rows;
            }
            for row in table.rows.iter().filter(|row| !uids.insert(row.uid)) {
                verification.findings.push(Finding {
                    class: *class,
                    place: format!("version {}, {}", row.version, row.uid),
                    problem: "the row is stored twice".to_owned(),
                });
            }
        }
        Ok(verification)
    }

    async fn maintain(&self, plan: &MaintenancePlan) -> Result<MaintenanceReport, StoreError> {
        let mut state = self.state();
        let mut report = MaintenanceReport::default();
        for expiry in &plan.expire {
            let mut holds = state.bookmarks.values().flat_map(|bookmark| &bookmark.holds);
            if holds.any(|hold| hold.covers(&expiry.tenant, expiry.class)) {
                continue;
            }
            let table = state.tables.get_mut(&expiry.class);
            report.expired.extend(table.and_then(|table| table.expire(expiry, plan.dry_run)));
        }
        Ok(report)
    }

    async fn bookmark(&self, bookmark: &Bookmark) -> Result<(), StoreError> {
        self.state().bookmarks.insert(bookmark.install, bookmark.clone());
        Ok(())
    }
}

impl State {
    /// Stores what is new in a batch. All batches of one call share one commit per table, whose
    /// versions are gathered in `touched`.
    fn append(&mut self, batch: &Batch, touched: &mut BTreeMap<Class, u64>) -> Receipt {
        let mut receipt = Receipt {
            batch: batch.id,
            stored: 0,
            duplicate: 0,
            filtered: 0,
            dead_letters: Vec::new(),
            commits: Vec::new(),
            conflicts: 0,
        };
        let mut rows: BTreeMap<Class, u64> = BTreeMap::new();
        for record in &batch.records {
            if self.seen.contains(&record.uid) {
                receipt.duplicate += 1;
                continue;
            }
            let (class, event) = match normalise(batch, record) {
                Ok(Some(normalised)) => normalised,
                Ok(None) => {
                    receipt.filtered += 1;
                    continue;
                }
                Err(reason) => {
                    let raw = record.record.raw().clone();
                    receipt.dead_letters.push(DeadLetter { raw, reason });
                    continue;
                }
            };
            self.seen.insert(record.uid);
            receipt.stored += 1;
            *rows.entry(class).or_default() += 1;
            let table = self.tables.entry(class).or_default();
            let version = *touched.entry(class).or_insert(table.version + 1);
            table.rows.push(StoredRow::new(version, batch, record, event));
        }
        for (class, rows) in rows {
            let table = self.tables.entry(class).or_default();
            let version = table.version + 1;
            table.receipts.push((version, commit_receipt(batch, rows)));
            receipt.commits.push(TableCommit { class, version, rows });
        }
        receipt
    }

    /// The tenant's rows of the query's classes and time range, newest first.
    fn scan(&self, tenant: &TenantId, query: &Query) -> Vec<&StoredRow> {
        let superseded = if query.latest { self.superseded(tenant) } else { HashSet::new() };
        let is_asked = |class: &Class| query.classes.is_empty() || query.classes.contains(class);
        let in_range = |row: &&StoredRow| {
            query.range.earliest.is_none_or(|earliest| row.time >= earliest)
                && query.range.latest.is_none_or(|latest| row.time < latest)
        };
        let mut rows: Vec<&StoredRow> = self
            .tables
            .iter()
            .filter(|(class, _)| is_asked(class))
            .flat_map(|(_, table)| &table.rows)
            .filter(|row| row.tenant == *tenant && !superseded.contains(&row.uid))
            .filter(in_range)
            .collect();
        rows.sort_by_key(|row| (std::cmp::Reverse(row.time), row.uid));
        rows
    }

    /// The tenant's rows that are not the newest version of their finding, in whatever class.
    fn superseded(&self, tenant: &TenantId) -> HashSet<Uid> {
        let mut newest: HashMap<(&str, &str), &StoredRow> = HashMap::new();
        let mut superseded = HashSet::new();
        let rows = self.tables.values().flat_map(|table| &table.rows);
        for row in rows.filter(|row| row.tenant == *tenant) {
            let Some(finding) = row.finding("uid").and_then(Value::as_str) else { continue };
            let place = newest.entry((&row.source, finding)).or_insert(row);
            if row.version_order() > place.version_order() {
                superseded.insert(place.uid);
                *place = row;
            } else if row.uid != place.uid {
                superseded.insert(row.uid);
            }
        }
        superseded
    }
}

impl Table {
    /// Removes what has expired, unless it is only asked for.
    fn expire(&mut self, expiry: &Expiry, dry_run: bool) -> Option<Expired> {
        let goes = |row: &StoredRow| {
            row.tenant == expiry.tenant && expiry.reaches(row.time.day(), row.ingest_time)
        };
        let gone: Vec<&StoredRow> = self.rows.iter().filter(|row| goes(row)).collect();
        let rows = gone.len() as u64;
        let mut days: Vec<_> = gone.iter().map(|row| row.time.day()).collect();
        days.sort_unstable();
        days.dedup();
        if rows == 0 {
            return None;
        }
        let mut version = None;
        if !dry_run {
            self.rows.retain(|row| !goes(row));
            self.version += 1;
            self.expired += rows;
            version = Some(self.version);
        }
        let files = days.len() as u64;
        let (class, tenant) = (expiry.class, expiry.tenant.clone());
        Some(Expired { class, tenant, version, days, files, rows })
    }

    fn stats(&self, class: Class, tenant: Option<&TenantId>) -> TableStats {
        let mut stats = TableStats {
            class,
            version: self.version,
            rows: 0,
            files: 0,
            size_bytes: 0,
            earliest: None,
            latest: None,
            sources: BTreeMap::new(),
        };
        let mut versions = HashSet::new();
        let is_asked = |row: &&StoredRow| tenant.is_none_or(|tenant| row.tenant == *tenant);
        for row in self.rows.iter().filter(is_asked) {
            stats.rows += 1;
            stats.size_bytes += row.raw.len() as u64;
            stats.earliest = Some(stats.earliest.map_or(row.time, |time| time.min(row.time)));
            stats.latest = stats.latest.max(Some(row.time));
            *stats.sources.entry(row.source.clone()).or_default() += 1;
            versions.insert(row.version);
        }
        stats.files = versions.len() as u64;
        stats
    }
}

impl StoredRow {
    /// A row with our own columns beside the event; what a mapping may not decide is written over.
    fn new(version: u64, batch: &Batch, record: &IdentifiedRecord, mut event: Row) -> Self {
        let raw = record.record.raw().clone();
        let own = [
            ("time", Value::from(record.time.as_millis())),
            ("tenant_uid", Value::from(batch.tenant.as_str())),
            ("uid", Value::from(record.uid.to_string())),
            ("source", Value::from(batch.source.id.as_str())),
            ("connector_uid", Value::from(batch.connector.to_string())),
            ("connector_name", Value::from(batch.connector_name.as_str())),
            ("ingest_time", Value::from(batch.ingest_time.as_millis())),
            ("day", Value::from(record.time.day().to_string())),
            ("raw_data", Value::from(String::from_utf8_lossy(&raw))),
        ];
        event.extend(own.map(|(name, value)| (name.to_owned(), value)));
        Self {
            version,
            uid: record.uid,
            tenant: batch.tenant.clone(),
            source: batch.source.id.clone(),
            time: record.time,
            ingest_time: batch.ingest_time,
            raw,
            event,
        }
    }

    /// An attribute of the finding that the row is a version of.
    fn finding(&self, attribute: &str) -> Option<&Value> {
        self.event.get("finding_info")?.get(attribute)
    }

    /// What is greater in a newer version of a finding.
    fn version_order(&self) -> (Option<i64>, Timestamp, Uid) {
        let modified = self.finding("modified_time").and_then(Value::as_i64);
        (modified, self.ingest_time, self.uid)
    }

    fn to_new_row(&self) -> NewRow {
        NewRow {
            version: self.version,
            uid: self.uid,
            tenant: self.tenant.clone(),
            source: self.source.clone(),
            time: self.time,
            raw: self.raw.clone(),
        }
    }
}

/// Keeps the event that a mapping gives.
#[derive(Default)]
struct Sink(Option<(Class, Value)>);

impl EventSink for Sink {
    fn push(&mut self, event: &Event<'_>) {
        self.0 = Some((event.class(), event.to_value()));
    }
}

/// The record's event; none when it is filtered, the reason when it is refused.
fn normalise(batch: &Batch, record: &IdentifiedRecord) -> Result<Option<(Class, Row)>, String> {
    let mut sink = Sink::default();
    match batch.mapping.normalise(record.record.raw(), &mut sink) {
        Verdict::Filtered => Ok(None),
        Verdict::Refused(reason) => Err(reason),
        Verdict::Kept => match sink.0 {
            Some((class, Value::Object(event))) => Ok(Some((class, event))),
            _ => Err("the mapping kept the record and gave no event".to_owned()),
        },
    }
}

fn commit_receipt(batch: &Batch, rows: u64) -> CommitReceipt {
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

/// How many rows are left by the stages, of which only `head` is known here.
fn heads(stages: &[Stage]) -> Result<usize, StoreError> {
    let mut rows = usize::MAX;
    for stage in stages {
        match stage {
            Stage::Head(head) => rows = rows.min(usize::try_from(*head).unwrap_or(usize::MAX)),
            _ => return Err(refused("the memory store knows no stage but head")),
        }
    }
    Ok(rows)
}

fn refused(message: &str) -> StoreError {
    StoreError::Refused {
        message: message.to_owned(),
        hint: Some("test this against the lake".to_owned()),
    }
}

fn pages(rows: Vec<Row>) -> Rows {
    let mut columns: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    for name in rows.iter().flat_map(Row::keys) {
        if known.insert(name.as_str()) {
            columns.push(name.clone());
        }
    }
    let pages: Vec<Vec<Row>> = rows.chunks(PAGE_ROWS).map(<[Row]>::to_vec).collect();
    Rows { columns, pages: Box::pin(Pages(pages.into_iter())) }
}

/// Pages that are all there already.
struct Pages(std::vec::IntoIter<Vec<Row>>);

impl Stream for Pages {
    type Item = Result<Vec<Row>, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}
