//! What is new in the lake since a version: rows for those who judge every row once, receipts for the ledger.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use bytes::Bytes;
use model::batch::{CommitReceipt, TableCommit};
use model::ids::{InstallId, TenantId};
use model::ocsf::Class;
use model::time::Timestamp;
use query::store::{NewRow, Received};

use crate::columns::schema::{RAW_DATA, SOURCE, TIME, UID};
use crate::error::LakeError;
use crate::table::data::{read_columns, texts_of, times_of};
use crate::table::entry::Entry;
use crate::table::file::DataFile;
use crate::table::tables::Tables;

/// The rows that versions after `after` added to a class, oldest version first. Files that only moved
/// rows are skipped; a file that maintenance replaced since is still read, as long as it lies there.
pub(crate) async fn rows(
    tables: &Tables,
    class: Class,
    after: Option<u64>,
) -> Result<Vec<NewRow>, LakeError> {
    tables.refresh(class).await?;
    let Some(newest) = tables.state(class).version() else { return Ok(Vec::new()) };
    // The first version makes the table and has no rows.
    let first = after.map_or(1, |version| version + 1);
    if first > newest {
        return Ok(Vec::new());
    }
    let (oldest, entries) = kept(tables, class, first, newest).await?;
    if oldest > first {
        return Err(LakeError::Forgotten { class, oldest });
    }
    let mut rows = Vec::new();
    for (version, entry) in entries {
        for file in entry.added.iter().filter(|file| file.data_change) {
            let columns = [UID, SOURCE, TIME, RAW_DATA];
            for batch in read_columns(tables.store(), class, file, &columns).await? {
                append_rows(&mut rows, version, file, &batch).ok_or_else(|| LakeError::Read {
                    path: file.path.clone(),
                    source: "a column of the lake's own is missing or has nulls".into(),
                })?;
            }
        }
    }
    Ok(rows)
}

fn append_rows(
    rows: &mut Vec<NewRow>,
    version: u64,
    file: &DataFile,
    batch: &RecordBatch,
) -> Option<()> {
    let (uids, sources) = (texts_of(batch, UID)?, texts_of(batch, SOURCE)?);
    let (times, raws) = (times_of(batch, TIME)?, texts_of(batch, RAW_DATA)?);
    // One copy for the batch; rows share it.
    let offsets = raws.value_offsets();
    let text = Bytes::copy_from_slice(raws.value_data());
    for row in 0..batch.num_rows() {
        let start = usize::try_from(offsets[row]).ok()?;
        let end = usize::try_from(offsets[row + 1]).ok()?;
        rows.push(NewRow {
            version,
            uid: uids.value(row).parse().ok()?,
            tenant: TenantId::clone(&file.tenant),
            source: sources.value(row).to_owned(),
            time: Timestamp::from_micros(times.value(row)),
            raw: text.slice(start..end),
        });
    }
    Some(())
}

/// The entries of a range of versions that clean-up has left, and the first version of them.
async fn kept(
    tables: &Tables,
    class: Class,
    first: u64,
    newest: u64,
) -> Result<(u64, Vec<(u64, Entry)>), LakeError> {
    let log = tables.log(class);
    match log.entries(first..=newest).await {
        Ok(entries) => Ok((first, entries)),
        Err(gap @ LakeError::Gap { .. }) => match log.listing().await?.run() {
            Some((oldest, _)) if oldest > first => {
                Ok((oldest, log.entries(oldest..=newest).await?))
            }
            _ => Err(gap),
        },
        Err(error) => Err(error),
    }
}

/// Receipts of an install in versions after the given ones, of every class.
pub(crate) async fn receipts(
    tables: &Tables,
    install: InstallId,
    after: &BTreeMap<Class, u64>,
) -> Result<Vec<(CommitReceipt, TableCommit)>, LakeError> {
    let mut found = Vec::new();
    for class in Class::ALL {
        tables.refresh(class).await?;
        let (newest, received) = {
            let state = tables.state(class);
            let Some(newest) = state.version() else { continue };
            let received: u64 = state.tally().of(install).iter().map(|sum| sum.rows).sum();
            (newest, received)
        };
        let first = after.get(&class).map_or(0, |version| version + 1);
        if first > newest || received == 0 {
            continue;
        }
        let (oldest, entries) = kept(tables, class, first, newest).await?;
        let before = found.len();
        for (version, entry) in entries {
            for receipt in entry.receipts.into_iter().filter(|receipt| receipt.install == install) {
                let commit = TableCommit { class, version, rows: receipt.rows };
                found.push((receipt, commit));
            }
        }
        let rows: u64 = found[before..].iter().map(|(_, commit)| commit.rows).sum();
        // What was cleaned up matters only when it held receipts of this install.
        if oldest > first && rows < received {
            return Err(LakeError::Forgotten { class, oldest });
        }
    }
    Ok(found)
}

/// What all receipts of an install add up to, over all tables.
pub(crate) async fn received(
    tables: &Tables,
    install: InstallId,
) -> Result<Vec<Received>, LakeError> {
    let mut sums: Vec<Received> = Vec::new();
    for class in Class::ALL {
        tables.refresh(class).await?;
        sums.extend_from_slice(tables.state(class).tally().of(install));
    }
    let key = |sum: &Received| {
        (sum.tenant.clone(), sum.connector, sum.source.clone(), sum.stream.clone())
    };
    sums.sort_by_cached_key(key);
    let mut streams: Vec<Received> = Vec::new();
    for sum in sums {
        match streams.last_mut() {
            Some(last) if key(last) == key(&sum) => last.rows += sum.rows,
            _ => streams.push(sum),
        }
    }
    Ok(streams)
}
