//! The Lucene-style language: `msg_class: trendmicro_cas_security_events AND -status:delivered`.
//!
//! Text becomes tokens (`lexer`, `values`), whose order is checked (`order`); `tantivy-query-grammar`
//! says what belongs to what, `tree` makes the common syntax tree of it, and the check is that of all
//! languages. The grammar crate sees only numbered stand-ins for fields and values: its own tree has
//! no places for messages, forgets escapes and drops `^1`. The rules for analysts are in
//! `docs/reference/lucene-language.md`.

mod lexer;
mod order;
mod scanner;
mod tree;
mod values;

use crate::check::{self, Words};
use crate::fields::Reads;
pub use crate::language::{Context, Parsed, QueryError};
use crate::plan::{Filter, Predicate, Query, Value};
use crate::syntax::Tree;

static WORDS: Words = Words {
    pattern: "a pattern",
    expression: "a regular expression",
    compare: "write the value as it is, or a range: [1 TO 5], >=5",
    time: "write 2026-03-02, 2026-03-02T08:00:00Z, now-24h, or the number since 1970",
};

/// Reads and checks a query.
///
/// # Errors
/// The text is not a query of this language, or asks for what does not exist; the error knows where.
pub fn parse(text: &str, context: &Context<'_>) -> Result<Parsed, QueryError> {
    order::check_size(text)?;
    let tokens = lexer::tokens(text)?;
    let mut warnings = lexer::warnings(text, &tokens);
    let (tokens, settings) = order::split(tokens)?;
    let condition = tree::condition(&tokens, &mut warnings)?;
    let tree = Tree { from: Vec::new(), condition, settings, stages: Vec::new() };
    let mut query = check::query(&tree, context, &WORDS, &mut warnings)?;
    bound(&mut query);
    Ok(Parsed { query, warnings })
}

/// A text in quotes, which this language reads as that text and nothing else.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// Makes ranges of the event time, where all rows have to lie in them, the time range of the query.
fn bound(query: &mut Query) {
    let filter = std::mem::replace(&mut query.filter, Filter::All);
    let parts = match filter {
        Filter::And(parts) => parts,
        filter => vec![filter],
    };
    let mut rest: Vec<Filter> =
        parts.into_iter().filter(|part| !take_bounds(part, query)).collect();
    query.filter = match rest.len() {
        0 => Filter::All,
        1 => rest.remove(0),
        _ => Filter::And(rest),
    };
}

/// Narrows the time range by a filter that says nothing else.
fn take_bounds(filter: &Filter, query: &mut Query) -> bool {
    let Filter::Test(field, predicate) = filter else { return false };
    let Reads::Columns(by_class) = &field.reads else { return false };
    let is_time = |column: &String| column == "time";
    if !by_class.iter().flat_map(|(_, columns)| columns).all(is_time) {
        return false;
    }
    let (from, to) = match predicate {
        Predicate::GreaterOrEqual(Value::Time(from)) => (Some(*from), None),
        Predicate::Less(Value::Time(to)) => (None, Some(*to)),
        Predicate::Between(from, to) => match (&from.value, &to.value) {
            (Value::Time(from), Value::Time(to)) => (Some(*from), Some(*to)),
            _ => return false,
        },
        _ => return false,
    };
    let range = &mut query.range;
    range.earliest = range.earliest.max(from);
    range.latest = match (range.latest, to) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    true
}
