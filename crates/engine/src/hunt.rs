//! Searching: a query text in one of the languages becomes rows inside one tenant's wall.

use model::ids::TenantId;
use model::time::Timestamp;
use query::language::{Context, Parsed, QueryError};
use query::store::{Rows, Statement};
use query::{lucene, taegis};

use crate::app::App;
use crate::error::EngineError;

/// A language that a query can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The Taegis-style language.
    Taegis,
    /// The Lucene-style language.
    Lucene,
    /// SQL over one table per class.
    Sql,
}

/// A search.
#[derive(Debug, Clone)]
pub struct Search {
    /// The language of the text.
    pub language: Language,
    /// The query.
    pub text: String,
    /// Event times from here on, beside what the text says. Not for SQL.
    pub since: Option<Timestamp>,
    /// Event times before here, beside what the text says. Not for SQL.
    pub until: Option<Timestamp>,
}

/// What a search answers.
pub struct Found {
    /// The rows.
    pub rows: Rows,
    /// Remarks on the query, such as missing parentheses.
    pub warnings: Vec<String>,
}

impl App {
    /// Runs a search in a tenant.
    ///
    /// # Errors
    /// The text is no query (with the place), or the lake cannot answer it.
    pub async fn search(&self, tenant: &TenantId, search: Search) -> Result<Found, EngineError> {
        let (statement, warnings) = match search.language {
            Language::Taegis => self.parse(&search, taegis::parse)?,
            Language::Lucene => self.parse(&search, lucene::parse)?,
            Language::Sql if search.since.is_some() || search.until.is_some() => {
                return Err(EngineError::Invalid {
                    problem: "a time range beside SQL is not possible".to_owned(),
                    hint: "put it into the statement: WHERE time >= TIMESTAMP '2026-03-02'"
                        .to_owned(),
                });
            }
            Language::Sql => (Statement::Sql(search.text), Vec::new()),
        };
        let rows = self.services.store.query(tenant, statement).await?;
        Ok(Found { rows, warnings })
    }

    /// Reads the text of a search in a language that makes plans.
    fn parse(
        &self,
        search: &Search,
        language: fn(&str, &Context<'_>) -> Result<Parsed, QueryError>,
    ) -> Result<(Statement, Vec<String>), EngineError> {
        let now = self.services.clock.now();
        let context = Context { sources: &self.sources, now };
        let mut parsed = language(&search.text, &context).map_err(|error| {
            let hint = model::hint::Hint::hint(&error).unwrap_or_default();
            EngineError::Invalid { problem: error.render(&search.text), hint }
        })?;
        let range = &mut parsed.query.range;
        range.earliest = range.earliest.max(search.since);
        range.latest = match (range.latest, search.until) {
            (Some(own), Some(until)) => Some(own.min(until)),
            (own, until) => own.or(until),
        };
        Ok((Statement::Query(parsed.query), parsed.warnings))
    }
}
