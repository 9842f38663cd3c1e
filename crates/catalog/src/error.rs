//! What can go wrong in the catalog, in terms that the floors above can act on.
//!
//! Messages carry the facts and never a secret; the cause stands apart in `source`, the remedy in
//! the hint.

use std::path::PathBuf;

use model::hint::Hint;

/// Shorthand for answers of the catalog.
pub type Result<T> = std::result::Result<T, CatalogError>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The URL names a database that this build cannot use.
    #[error("`{scheme}` is not a database that the catalog can use")]
    UnsupportedUrl {
        /// The part of the URL before `:`; the rest may hold a password.
        scheme: String,
    },
    /// The database cannot be opened or brought up to date.
    #[error("failed to open the catalog `{place}`")]
    Open {
        /// The file, or `:memory:`.
        place: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The secrets in this catalog were sealed with another master key.
    #[error("the master key from {origin} does not fit the catalog `{place}`")]
    WrongMasterKey {
        /// Where the key came from: `TARN_MASTER_KEY` or a file.
        origin: String,
        /// The catalog's file.
        place: String,
    },
    /// The text is not a master key.
    #[error("the master key from {origin} is not 32 bytes in base64 or hex")]
    MalformedMasterKey {
        /// Where the text came from.
        origin: String,
    },
    /// The file of the master key cannot be read or made.
    #[error("failed to {action} the master key file `{}`", path.display())]
    MasterKeyFile {
        /// `read`, `make` …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A thing that does not exist was named.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// The name it was asked for by.
        id: String,
    },
    /// The change contradicts what is stored.
    #[error("{what} `{id}` {problem}")]
    Conflict {
        /// The kind of thing.
        what: &'static str,
        /// Which one.
        id: String,
        /// How it contradicts, as the end of the sentence.
        problem: String,
    },
    /// The disk is full; nothing was written.
    #[error("failed to {action}: the disk of the catalog is full")]
    DiskFull {
        /// What was being done.
        action: &'static str,
        /// The database's own words.
        #[source]
        source: Cause,
    },
    /// The database does not answer or cannot write now; trying again may help.
    #[error("failed to {action}: the catalog is not available")]
    Unavailable {
        /// What was being done.
        action: &'static str,
        /// The database's own words.
        #[source]
        source: Cause,
    },
    /// What is stored cannot be read back.
    #[error("the catalog is damaged: {what}")]
    Corrupt {
        /// Which value, without showing it.
        what: String,
        /// Why it cannot be read, where something says so.
        #[source]
        source: Option<Cause>,
    },
    /// The database refused a statement.
    #[error("failed to {action}")]
    Database {
        /// What was being done.
        action: &'static str,
        /// The database's own words.
        #[source]
        source: sqlx::Error,
    },
}

/// The closed list of kinds that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The thing does not exist.
    NotFound,
    /// The change contradicts what is stored.
    Conflict,
    /// The database does not answer now.
    Unavailable,
    /// No space left.
    DiskFull,
    /// Stored data cannot be read.
    Corrupt,
    /// The master key does not fit.
    WrongMasterKey,
    /// A setting is unusable.
    Invalid,
    /// Anything else: a fault in Tarn.
    Internal,
}

impl CatalogError {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnsupportedUrl { .. } | Self::MalformedMasterKey { .. } => ErrorKind::Invalid,
            Self::Open { .. } | Self::MasterKeyFile { .. } | Self::Unavailable { .. } => {
                ErrorKind::Unavailable
            }
            Self::WrongMasterKey { .. } => ErrorKind::WrongMasterKey,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::DiskFull { .. } => ErrorKind::DiskFull,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::Database { .. } => ErrorKind::Internal,
        }
    }

    /// Whether the same call may succeed later without anyone changing the call.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::DiskFull { .. } | Self::Unavailable { .. })
    }

    pub(crate) fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    pub(crate) fn conflict(what: &'static str, id: impl ToString, problem: &str) -> Self {
        Self::Conflict { what, id: id.to_string(), problem: problem.to_owned() }
    }

    pub(crate) fn corrupt(what: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::Corrupt { what: what.into(), source: Some(source.into()) }
    }

    /// Sorts a database error by what can be done about it.
    pub(crate) fn of_database(action: &'static str, source: sqlx::Error) -> Self {
        match Trouble::of(&source) {
            Trouble::DiskFull => Self::DiskFull { action, source: source.into() },
            Trouble::Unavailable => Self::Unavailable { action, source: source.into() },
            Trouble::Corrupt => Self::corrupt(format!("found when trying to {action}"), source),
            Trouble::Other => Self::Database { action, source },
        }
    }
}

impl Hint for CatalogError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::UnsupportedUrl { .. } => "use `sqlite://PATH`",
            Self::Open { .. } => {
                "check that the data directory exists, is writable and belongs to this user"
            }
            Self::WrongMasterKey { .. } => {
                "set TARN_MASTER_KEY to the key that this data directory was made with, or put its \
                 `master.key` file back and unset TARN_MASTER_KEY"
            }
            Self::MalformedMasterKey { .. } => {
                "a master key is 32 random bytes: `head -c 32 /dev/urandom | base64` makes one"
            }
            Self::MasterKeyFile { .. } => {
                "check that the file and its directory belong to this user, or set TARN_MASTER_KEY"
            }
            Self::DiskFull { .. } => {
                "free space on the disk of the data directory; collection goes on by itself"
            }
            Self::Unavailable { .. } => {
                "check that the data directory is writable and not held by another program; it is \
                 retried"
            }
            Self::Corrupt { .. } => {
                "stop Tarn, keep a copy of the data directory, and restore the catalog from a backup"
            }
            Self::NotFound { .. } | Self::Conflict { .. } | Self::Database { .. } => return None,
        };
        Some(text.to_owned())
    }
}

/// What a database error comes down to.
enum Trouble {
    DiskFull,
    Unavailable,
    Corrupt,
    Other,
}

impl Trouble {
    fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable,
            sqlx::Error::Database(refusal) => {
                refusal.code().map_or(Self::Other, |code| Self::of_code(&code))
            }
            _ => Self::Other,
        }
    }

    /// SQLite answers numbers whose lowest byte is the primary result code
    /// (<https://sqlite.org/rescode.html>), PostgreSQL answers five characters.
    fn of_code(code: &str) -> Self {
        if code.len() == 5 && !code.starts_with('1') {
            return match &code[..2] {
                "53" if code == "53100" => Self::DiskFull,
                "08" | "53" | "57" | "40" => Self::Unavailable,
                _ => Self::Other,
            };
        }
        match code.parse::<u32>().map(|number| number & 0xff) {
            Ok(13) => Self::DiskFull,
            Ok(5 | 6 | 8 | 10 | 14) => Self::Unavailable,
            Ok(11 | 26) => Self::Corrupt,
            _ => Self::Other,
        }
    }
}

/// Says what was being done when the database failed.
pub(crate) trait WhileDoing<T> {
    /// `action` completes "failed to …".
    fn while_doing(self, action: &'static str) -> Result<T>;
}

impl<T> WhileDoing<T> for std::result::Result<T, sqlx::Error> {
    fn while_doing(self, action: &'static str) -> Result<T> {
        self.map_err(|source| CatalogError::of_database(action, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_from_a_busy_and_from_a_damaged_database() {
        assert!(matches!(Trouble::of_code("13"), Trouble::DiskFull));
        assert!(matches!(Trouble::of_code("53100"), Trouble::DiskFull));
        assert!(matches!(Trouble::of_code("5"), Trouble::Unavailable));
        assert!(matches!(Trouble::of_code("778"), Trouble::Unavailable));
        assert!(matches!(Trouble::of_code("267"), Trouble::Corrupt));
        assert!(matches!(Trouble::of_code("2067"), Trouble::Other));
    }

    #[test]
    fn the_wrong_master_key_names_the_variable_and_the_file() {
        let error = CatalogError::WrongMasterKey {
            origin: "`/data/master.key`".to_owned(),
            place: "/data/catalog.db".to_owned(),
        };
        let text = format!("{error}; {}", error.hint().unwrap_or_default());
        assert!(text.contains("/data/master.key") && text.contains("TARN_MASTER_KEY"), "{text}");
        assert_eq!(error.kind(), ErrorKind::WrongMasterKey);
    }
}
