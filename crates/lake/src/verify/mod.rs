//! Reads everything again and checks what must hold: keys unique, raw records readable, every row
//! under its tenant and day, as many rows as the receipts say. Trusts nothing but the log's list of files
//! and the oldest snapshot that it needs; `books` reads both.

mod books;

use model::causes::chain;
use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::{Array as _, RecordBatch, StringArray, TimestampMicrosecondArray};
use model::identity::Uid;
use model::ocsf::Class;
use model::time::Timestamp;
use query::store::{Finding, Verification};
use serde::de::IgnoredAny;

use self::books::Books;
use crate::columns::schema::{RAW_DATA, SOURCE, TENANT, TIME, UID};
use crate::error::LakeError;
use crate::table::data::{read_columns, texts_of, times_of};
use crate::table::file::DataFile;
use crate::table::tables::Tables;

/// Findings beyond this many are counted nowhere: the lake is broken enough to say so.
const MAX_FINDINGS: usize = 1000;

/// How often books are read that change while they are read.
const ATTEMPTS: usize = 5;

/// Checks every table.
pub(crate) async fn verify(tables: &Tables) -> Result<Verification, LakeError> {
    let mut audit = Audit::default();
    for class in Class::ALL {
        tables.refresh(class).await?;
        // Held so that clean-up leaves the files alone, however long reading them takes.
        let held = tables.state(class).files().to_vec();
        let Some(books) = read_books(tables, class, &mut audit).await? else { continue };
        let mut counted = HashMap::new();
        for file in books.files() {
            let rows = audit.check_file(tables, class, file).await;
            counted.insert(file.path.clone(), rows);
        }
        audit.check_books(class, &books, &counted);
        drop(held);
    }
    Ok(audit.result)
}

/// Reads the books of a table, again when clean-up took away what had just been listed.
async fn read_books(
    tables: &Tables,
    class: Class,
    audit: &mut Audit,
) -> Result<Option<Books>, LakeError> {
    let found = audit.result.findings.len();
    for _ in 1..ATTEMPTS {
        match Books::read(tables, class, audit).await {
            Err(LakeError::Gap { .. } | LakeError::NoBase { .. }) => {
                audit.result.findings.truncate(found);
            }
            read => return read,
        }
    }
    Books::read(tables, class, audit).await
}

#[derive(Default)]
struct Audit {
    result: Verification,
    uids: HashSet<u128>,
}

impl Audit {
    fn find(&mut self, class: Class, place: String, problem: impl Into<String>) {
        if self.result.findings.len() < MAX_FINDINGS {
            self.result.findings.push(Finding { class, place, problem: problem.into() });
        }
    }

    /// Reads a file and checks each row; answers how many rows it has.
    async fn check_file(&mut self, tables: &Tables, class: Class, file: &DataFile) -> u64 {
        self.result.files += 1;
        let columns = [UID, TENANT, SOURCE, TIME, RAW_DATA];
        let batches = match read_columns(tables.store(), class, file, &columns).await {
            Ok(batches) => batches,
            Err(error) => {
                self.find(class, file.path.clone(), format!("cannot be read: {}", chain(&error)));
                return 0;
            }
        };
        let mut rows = 0;
        let mut sources: BTreeMap<String, u64> = BTreeMap::new();
        for batch in &batches {
            match Checked::of(batch) {
                Some(columns) => self.check_rows(class, file, &columns, rows, &mut sources),
                None => {
                    self.find(class, file.path.clone(), "a column of the lake's own is missing")
                }
            }
            rows += batch.num_rows() as u64;
        }
        self.result.rows += rows;
        if rows != file.rows {
            let problem = format!("holds {rows} rows, the log says {}", file.rows);
            self.find(class, file.path.clone(), problem);
        }
        if !file.sources.is_empty() && sources != file.sources {
            self.find(class, file.path.clone(), "rows per source are not what the log says");
        }
        rows
    }

    fn check_rows(
        &mut self,
        class: Class,
        file: &DataFile,
        columns: &Checked<'_>,
        before: u64,
        sources: &mut BTreeMap<String, u64>,
    ) {
        let mut previous = None;
        for row in 0..columns.uids.len() {
            let mut problems = Vec::new();
            let text = columns.uids.value(row);
            match text.parse::<Uid>() {
                Ok(uid) if self.uids.insert(u128::from_le_bytes(*uid.as_bytes())) => {}
                Ok(_) => problems.push(format!("uid {text} is stored twice")),
                Err(_) => problems.push(format!("uid `{text}` is not 32 hex digits")),
            }
            let tenant = columns.tenants.value(row);
            if tenant != file.tenant.as_str() {
                problems
                    .push(format!("belongs to tenant `{tenant}`, lies under `{}`", file.tenant));
            }
            let time = Timestamp::from_micros(columns.times.value(row));
            if time.day() != file.day {
                problems.push(format!("time {time} lies under day {}", file.day));
            }
            if time < file.earliest || time > file.latest {
                problems.push(format!("time {time} is outside what the log says of its file"));
            }
            if previous.is_some_and(|previous| previous > time) {
                problems.push(format!("time {time} is out of order"));
            }
            previous = Some(time);
            if let Err(error) = serde_json::from_str::<IgnoredAny>(columns.raws.value(row)) {
                problems.push(format!("raw_data is not JSON: {error}"));
            }
            match sources.get_mut(columns.sources.value(row)) {
                Some(count) => *count += 1,
                None => {
                    sources.insert(columns.sources.value(row).to_owned(), 1);
                }
            }
            for problem in problems {
                self.find(class, format!("{} row {}", file.path, before + row as u64), problem);
            }
        }
    }

    /// Compares the rows of each version with what the log says of it, and all rows of the table with
    /// all receipts.
    fn check_books(&mut self, class: Class, books: &Books, counted: &HashMap<String, u64>) {
        for (install, streams) in books.tally().installs() {
            let install = self.result.receipts.entry(install.to_string()).or_default();
            for sum in streams {
                let stream = format!("{}/{}", sum.connector, sum.stream);
                *install.entry(stream).or_default() += sum.rows;
            }
        }
        self.result.expired += books.tally().expired();
        let problems = books.problems(counted);
        let total: u64 = counted.values().sum();
        if problems.is_empty() && total != books.tally().rows() {
            let problem = format!("holds {total} rows, the receipts say {}", books.tally().rows());
            self.find(class, class.name().to_owned(), problem);
        }
        for (version, problem) in problems {
            self.find(class, format!("version {version}"), problem);
        }
    }
}

/// The columns that are checked, all without nulls.
struct Checked<'b> {
    uids: &'b StringArray,
    tenants: &'b StringArray,
    sources: &'b StringArray,
    times: &'b TimestampMicrosecondArray,
    raws: &'b StringArray,
}

impl<'b> Checked<'b> {
    fn of(batch: &'b RecordBatch) -> Option<Self> {
        let text = |name| texts_of(batch, name).filter(|column| column.null_count() == 0);
        Some(Self {
            uids: text(UID)?,
            tenants: text(TENANT)?,
            sources: text(SOURCE)?,
            times: times_of(batch, TIME)?,
            raws: text(RAW_DATA)?,
        })
    }
}
