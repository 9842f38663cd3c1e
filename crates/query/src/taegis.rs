//! The Taegis-style language: `FROM email WHERE status = 'held' EARLIEST=-1d | head 10`.
//!
//! Text becomes tokens (`lexer`), tokens a syntax tree (`grammar`), and the tree a checked query
//! (`check`, for all languages), with `lint` looking for what its author may not have meant. Keywords,
//! names and values have no case. The rules for analysts are in `docs/reference/taegis-language.md`.

mod grammar;
mod lexer;
mod lint;

use crate::check::{self, Words};
pub use crate::language::{Context, Parsed, QueryError};

static WORDS: Words = Words {
    pattern: "MATCHES",
    expression: "MATCHES_REGEX",
    compare: "compare it with = or with > and <",
    time: "write '2026-03-02T08:00:00Z', or the number since 1970",
};

/// Reads and checks a query.
///
/// # Errors
/// The text is not a query of this language, or asks for what does not exist; the error knows where.
pub fn parse(text: &str, context: &Context<'_>) -> Result<Parsed, QueryError> {
    let tokens = lexer::tokens(text)?;
    let tree = grammar::query(&tokens)?;
    let mut warnings = lint::warnings(&tree);
    let query = check::query(&tree, context, &WORDS, &mut warnings)?;
    Ok(Parsed { query, warnings })
}
