//! What every hunting language takes and gives: the context, the checked query, the error.

use std::ops::Range;

use model::hint::Hint;
use model::source::Sources;
use model::time::Timestamp;

use crate::plan::Query;

/// Bytes of a query text.
pub(crate) type Span = Range<usize>;

/// What a query is read against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The sources that this build knows, with the names that people search them by.
    pub sources: &'a Sources,
    /// The time that relative times count back from.
    pub now: Timestamp,
}

/// A query that may be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What it means.
    pub query: Query,
    /// What its author may not have meant, one sentence each.
    pub warnings: Vec<String>,
}

/// A query text that cannot be run, with the place of the mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What is wrong.
    pub message: String,
    /// Bytes of the text that it is about; empty at the end of the text.
    pub span: Range<usize>,
    /// What to write instead, when that is known.
    pub hint: Option<String>,
}

impl QueryError {
    pub(crate) fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: message.into(), span, hint: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The message, then the line of the text that it is about with carets under the place. The hint
    /// is not part of it.
    pub fn render(&self, text: &str) -> String {
        let start = text.floor_char_boundary(self.span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |index| index + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |index| start + index);
        let end = text.ceil_char_boundary(self.span.end.clamp(start, line_end));
        let line = text[line_start..line_end].trim_end_matches('\r');
        let number = text[..line_start].matches('\n').count() + 1;
        let margin = " ".repeat(number.to_string().len());
        let indent: String = text[line_start..start].chars().map(blank).collect();
        let carets = "^".repeat(text[start..end].chars().map(width).sum::<usize>().max(1));
        format!("{}\n{margin} |\n{number} | {line}\n{margin} | {indent}{carets}", self.message)
    }
}

impl Hint for QueryError {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// White space as wide as a character is in a terminal.
fn blank(character: char) -> char {
    match character {
        '\t' => '\t',
        _ if width(character) == 2 => '\u{3000}',
        _ => ' ',
    }
}

/// Columns of a character in a terminal, near enough: East Asian scripts take two.
fn width(character: char) -> usize {
    match u32::from(character) {
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 => 2,
        0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff01..=0xff60 | 0xffe0..=0xffe6 => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_under_the_place_in_its_line() {
        let text = "FROM email\nWHERE stat = 'x'";
        let error = QueryError::new("unknown field `stat`", 17..21);
        assert_eq!(
            error.render(text),
            "unknown field `stat`\n  |\n2 | WHERE stat = 'x'\n  |       ^^^^"
        );
    }

    #[test]
    fn a_place_at_the_end_or_beyond_it_has_one_caret() {
        let error = QueryError::new("expected a value", 8..8);
        assert_eq!(error.render("status ="), "expected a value\n  |\n1 | status =\n  |         ^");
        assert!(QueryError::new("x", 90..95).render("a").ends_with("|  ^"));
        assert!(QueryError::new("x", 0..0).render("").ends_with("| ^"));
    }

    #[test]
    fn carets_keep_in_line_behind_japanese_text() {
        let error = QueryError::new("x", 9..11);
        assert_eq!(error.render("'経理' OR"), "x\n  |\n1 | '経理' OR\n  |  \u{3000}\u{3000}  ^^");
    }
}
