//! The database below the catalog: how it is opened, and the only place that names its kind.
//!
//! One connection writes, several read. SQLite runs with a write-ahead log that is synced at every
//! commit, so an answered write survives a power cut.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::error::{CatalogError, Result, WhileDoing};

/// The kind of database.
pub(crate) type Database = sqlx::Sqlite;
/// A connection, in or out of a transaction.
pub(crate) type Connection = sqlx::SqliteConnection;
/// A row of an answer.
pub(crate) type Row = sqlx::sqlite::SqliteRow;
/// A write that happens as a whole or not at all.
pub(crate) type Transaction = sqlx::Transaction<'static, Database>;
type Pool = sqlx::SqlitePool;

const READERS: u32 = 4;
/// How long a statement waits for a lock of another process, such as a backup.
const LOCK_PATIENCE: Duration = Duration::from_secs(15);

/// The pools over one database.
#[derive(Debug, Clone)]
pub(crate) struct Pools {
    writer: Pool,
    reader: Pool,
}

impl Pools {
    /// Opens the database at a URL, makes it when it is missing, and brings its tables up to date.
    pub(crate) async fn open(url: &str) -> Result<(Self, String)> {
        let scheme = url.split(':').next().unwrap_or_default();
        if scheme != "sqlite" {
            return Err(CatalogError::UnsupportedUrl { scheme: scheme.to_owned() });
        }
        let in_memory = is_in_memory(url);
        let failed = |place: &str, source: sqlx::Error| CatalogError::Open {
            place: place.to_owned(),
            source: source.into(),
        };
        let options =
            SqliteConnectOptions::from_str(url).map_err(|source| failed("sqlite", source))?;
        let file = options.get_filename().to_owned();
        let place = if in_memory { ":memory:".to_owned() } else { file.display().to_string() };
        if !in_memory {
            make_private(&file).map_err(|source| failed(&place, source.into()))?;
        }
        let pools =
            Self::connect(options, in_memory).await.map_err(|source| failed(&place, source))?;
        if let Err(source) = sqlx::migrate!().run(&pools.writer).await {
            return Err(CatalogError::Open { place, source: source.into() });
        }
        Ok((pools, place))
    }

    async fn connect(options: SqliteConnectOptions, in_memory: bool) -> sqlx::Result<Self> {
        let options = options
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(LOCK_PATIENCE)
            .synchronous(SqliteSynchronous::Full);
        // The database in memory lives as long as its only connection: that one never closes.
        let pool = SqlitePoolOptions::new().idle_timeout(None).max_lifetime(None);
        let single = pool.clone().min_connections(1).max_connections(1);
        if in_memory {
            let writer = single.test_before_acquire(false).connect_with(options).await?;
            return Ok(Self { reader: writer.clone(), writer });
        }
        let options = options.journal_mode(SqliteJournalMode::Wal);
        let writer = single.connect_with(options.clone()).await?;
        let reader = pool.max_connections(READERS).connect_lazy_with(options);
        Ok(Self { writer, reader })
    }

    /// Where reads go. Never used while a transaction of the same task is open: in memory both
    /// share one connection.
    pub(crate) fn reader(&self) -> &Pool {
        &self.reader
    }

    /// Begins a transaction that holds the right to write from its first statement on, so that
    /// what it reads stays true until it commits.
    pub(crate) async fn begin(&self, action: &'static str) -> Result<Transaction> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.while_doing(action)
    }

    /// Closes every connection after the work in hand.
    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

/// The URL of a catalog in a file, whatever characters its path has.
pub fn file_url(path: &Path) -> String {
    let mut url = "sqlite://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                url.push(char::from(*byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _ok = write!(url, "%{byte:02X}");
            }
        }
    }
    url
}

/// Makes the file for its owner only, before the database would make it for everyone.
fn make_private(file: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(made) => {
            made.sync_all()?;
            sync_directory_of(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the entry of a new file durable.
pub(crate) fn sync_directory_of(file: &Path) -> io::Result<()> {
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    #[tokio::test]
    async fn a_file_runs_with_a_log_that_is_synced_at_every_commit() {
        let directory = tempfile::tempdir().unwrap();
        let url = file_url(&directory.path().join("catalog.db"));
        let (pools, _) = Pools::open(&url).await.unwrap();
        for pool in [&pools.writer, &pools.reader] {
            for (pragma, expected) in [("synchronous", 2), ("foreign_keys", 1)] {
                let statement = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
                let row = sqlx::query(statement).fetch_one(pool).await.unwrap();
                assert_eq!(row.get::<i64, _>(0), expected, "{pragma}");
            }
            let row = sqlx::query("PRAGMA journal_mode").fetch_one(pool).await.unwrap();
            assert_eq!(row.get::<String, _>(0), "wal");
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_reported_as_such_and_writing_goes_on_when_there_is_space() {
        let (pools, _) = Pools::open("sqlite::memory:").await.unwrap();
        let insert = "INSERT INTO settings (name, value_json) VALUES ($1, $2)";
        let large = "x".repeat(1_000_000);
        sqlx::query("PRAGMA max_page_count = 1").execute(&pools.writer).await.unwrap();
        let full = sqlx::query(insert).bind("a").bind(&large).execute(&pools.writer).await;
        let error = full.while_doing("store a setting").unwrap_err();
        assert!(matches!(error, CatalogError::DiskFull { .. }), "{error:?}");
        assert!(error.is_retryable());
        sqlx::query("PRAGMA max_page_count = 100000").execute(&pools.writer).await.unwrap();
        sqlx::query(insert).bind("a").bind(&large).execute(&pools.writer).await.unwrap();
    }

    #[test]
    fn a_path_with_any_characters_becomes_a_url() {
        let path = Path::new("/srv/経理 data/a?b#c%.db");
        let url = file_url(path);
        assert!(url.starts_with("sqlite:///srv/%E7%B5%8C"), "{url}");
        let options = SqliteConnectOptions::from_str(&url).map(|o| o.get_filename().to_owned());
        assert_eq!(options.ok().as_deref(), Some(path));
    }
}
