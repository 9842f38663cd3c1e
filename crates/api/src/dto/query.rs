//! Searching: the request and the answer in one piece.

use engine::hunt::Language;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A search.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryRequest {
    /// The language of the query.
    #[serde(default)]
    pub(crate) language: QueryLanguage,
    /// The query.
    #[schema(example = "FROM email WHERE subject CONTAINS 'invoice' EARLIEST=-1d")]
    pub(crate) query: String,
    /// Event times from here on: RFC 3339, or how long before now. Not for SQL.
    #[schema(example = "24h")]
    pub(crate) since: Option<String>,
    /// Event times before here: RFC 3339, or how long before now. Not for SQL.
    pub(crate) until: Option<String>,
}

/// A language that a query can be written in.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QueryLanguage {
    /// The Taegis-style language.
    #[default]
    Taegis,
    /// The Lucene-style language.
    Lucene,
    /// SQL over one table per class.
    Sql,
}

impl From<QueryLanguage> for Language {
    fn from(language: QueryLanguage) -> Self {
        match language {
            QueryLanguage::Taegis => Self::Taegis,
            QueryLanguage::Lucene => Self::Lucene,
            QueryLanguage::Sql => Self::Sql,
        }
    }
}

/// The first rows of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueryResult {
    /// Output columns in order.
    pub(crate) columns: Vec<String>,
    /// At most 1,000 rows: column to value, absent values left out.
    pub(crate) rows: Vec<Map<String, Value>>,
    /// Whether there are more rows. Ask for `application/x-ndjson` to get all of them.
    pub(crate) truncated: bool,
    /// Remarks on the query.
    pub(crate) warnings: Vec<String>,
}
