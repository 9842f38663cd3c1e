//! Why a use case failed: a closed list of kinds, so that each shell maps them in one place.

use std::time::Duration;

use catalog::CatalogError;
use model::connector::SettingsError;
use model::hint::Hint;
use query::store::StoreError;

use crate::stacks::Refusal;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input is wrong; asking again does not help.
    Invalid,
    /// The input cannot even be read.
    Unreadable,
    /// The input is larger than what is taken.
    TooLarge,
    /// The input has a form that nobody knows here.
    Unsupported,
    /// Nobody knows who asks, or does not any more.
    Unauthenticated,
    /// Who asks may not.
    Forbidden,
    /// Who asks has asked too much for now.
    Throttled,
    /// The thing does not exist in this tenant.
    NotFound,
    /// It clashes with what is there.
    Conflict,
    /// Something below cannot work now; asking again later may help.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A setting of a connector cannot be used.
    #[error("connector `{connector}`: {source}")]
    Settings {
        /// The connector's name.
        connector: String,
        /// The setting and what is wrong with it.
        source: SettingsError,
    },
    /// The text is no file of connectors.
    #[error(transparent)]
    Document(#[from] SettingsError),
    /// There is no such thing.
    #[error("no {kind} `{name}` in tenant `{tenant}`")]
    NotFound {
        /// What was looked for: `connector`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Where.
        tenant: String,
    },
    /// The input is wrong.
    #[error("{problem}")]
    Invalid {
        /// What is wrong.
        problem: String,
        /// What to do instead.
        hint: String,
    },
    /// It clashes with what is there.
    #[error("{problem}")]
    Conflict {
        /// What clashes.
        problem: String,
        /// What to do instead.
        hint: String,
    },
    /// The catalog failed.
    #[error("the catalog failed")]
    Catalog(#[from] CatalogError),
    /// The lake refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be read.
    #[error("failed to read `{path}`")]
    Read {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A stack's client is not served.
    #[error(transparent)]
    Stack(#[from] Refusal),
    /// Reading a file panicked.
    #[error("the thread that reads a file failed")]
    Reader(#[source] tokio::task::JoinError),
}

impl EngineError {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Settings { .. }
            | Self::Document(_)
            | Self::Invalid { .. }
            | Self::Read { .. } => ErrorKind::Invalid,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Reader(_) => ErrorKind::Internal,
            Self::Stack(refusal) => refusal.kind(),
            Self::Store(StoreError::Refused { .. }) => ErrorKind::Invalid,
            Self::Store(StoreError::Forgotten { .. }) => ErrorKind::Conflict,
            Self::Store(StoreError::Failed { .. } | StoreError::Unfinished { .. }) => {
                ErrorKind::Unavailable
            }
            Self::Catalog(error) => match error.kind() {
                catalog::ErrorKind::NotFound => ErrorKind::NotFound,
                catalog::ErrorKind::Conflict => ErrorKind::Conflict,
                catalog::ErrorKind::Invalid => ErrorKind::Invalid,
                catalog::ErrorKind::Unavailable | catalog::ErrorKind::DiskFull => {
                    ErrorKind::Unavailable
                }
                _ => ErrorKind::Internal,
            },
        }
    }

    /// A word for programs, where the kind alone does not tell enough: `stack-revoked`.
    pub fn word(&self) -> Option<&'static str> {
        match self {
            Self::Stack(refusal) => refusal.word(),
            _ => None,
        }
    }

    /// How long to wait before asking again, where somebody knows.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Stack(refusal) => refusal.retry_after(),
            _ => None,
        }
    }
}

impl Hint for EngineError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Settings { source, .. } => source.hint(),
            Self::Document(error) => error.hint(),
            Self::NotFound { kind: "connector", .. } => {
                Some("`tarn connector list` shows the names".to_owned())
            }
            Self::NotFound { kind: "stack", .. } => {
                Some("`tarn cloudtrail list` shows the stacks".to_owned())
            }
            Self::NotFound { kind: "action", .. } => {
                Some("`tarn action list` shows the names".to_owned())
            }
            Self::NotFound { kind: "responder", .. } => {
                Some("`tarn responder list` shows the names".to_owned())
            }
            Self::NotFound { kind: "record", .. } => {
                Some("`tarn query` shows records with their `uid`".to_owned())
            }
            Self::NotFound { kind: "cap", .. } => Some("`tarn action caps` shows them".to_owned()),
            Self::NotFound { kind: "protected entity", .. } => {
                Some("`tarn action protected` shows them".to_owned())
            }
            Self::NotFound { kind: "run" | "run under way", .. } => {
                Some("`tarn action history` shows the runs".to_owned())
            }
            Self::NotFound { .. } | Self::Reader(_) => None,
            Self::Stack(refusal) => Some(refusal.remedy().to_owned()),
            Self::Invalid { hint, .. } | Self::Conflict { hint, .. } => Some(hint.clone()),
            Self::Catalog(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Read { .. } => Some("check the path and its permissions".to_owned()),
        }
    }
}
