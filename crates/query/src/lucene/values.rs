//! Values: words with patterns in them, quoted texts, expressions, ranges, lists.

use super::quoted;
use super::scanner::Scanner;
use crate::language::{QueryError, Span};
use crate::syntax::{End, Literal, LiteralValue};

/// Ends words, beside white space.
pub(super) const SPECIAL: [char; 8] = ['(', ')', '"', '[', ']', '{', '}', '^'];

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// `*`: anything that is there.
    Anything,
    /// A word or a quoted text.
    Word(Word),
    /// `/…/`, without the slashes.
    Regex(String),
    /// `[1 TO 5]`, `>5`.
    Between(Option<End>, Option<End>),
    /// `IN [a b c]`.
    AnyOf(Vec<Literal>),
}

/// A text, some of whose characters may stand for others.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Word {
    pub(super) pieces: Vec<Piece>,
    /// Whether it stood in quotes.
    pub(super) quoted: bool,
}

/// A part of a word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// `*`.
    Any,
    /// `?`.
    One,
}

/// What ends a word behind `field:`, beside the special characters.
pub(super) const VALUE: &[char] = &[];
/// What ends a word that could be the name of a field.
pub(super) const BARE: &[char] = &[':'];
/// What ends a word in a list.
const ITEM: &[char] = &[','];

impl Word {
    fn push(&mut self, character: char) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(character),
            _ => self.pieces.push(Piece::Text(character.to_string())),
        }
    }

    /// The text, unless it is a pattern.
    pub(super) fn plain(&self) -> Option<&str> {
        match &self.pieces[..] {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text of a plain word with its place, as a number where it is one and has no quotes.
    pub(super) fn literal(&self, span: Span) -> Option<Literal> {
        let text = self.plain()?.to_owned();
        let value = if self.quoted { LiteralValue::Text } else { number(&text) };
        Some(Literal { value, text, span })
    }
}

fn number(text: &str) -> LiteralValue {
    if let Ok(number) = text.parse() {
        return LiteralValue::Integer(number);
    }
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
    match text.parse() {
        Ok(number) if is_decimal => LiteralValue::Float(number),
        _ => LiteralValue::Text,
    }
}

/// Reads the value behind `field:`. White space between is taken already.
pub(super) fn of_field(scanner: &mut Scanner<'_>, ends: &[char]) -> Result<Value, QueryError> {
    if let Some(value) = only_of_field(scanner)? {
        return Ok(value);
    }
    plain(scanner, ends)
}

/// Reads a range or a list, which need a field, if one comes next.
pub(super) fn only_of_field(scanner: &mut Scanner<'_>) -> Result<Option<Value>, QueryError> {
    match scanner.peek() {
        Some('[' | '{') => range(scanner).map(Some),
        Some('<' | '>') => comparison(scanner).map(Some),
        Some('I') => list(scanner),
        _ => Ok(None),
    }
}

/// Reads a value that needs no field.
pub(super) fn plain(scanner: &mut Scanner<'_>, ends: &[char]) -> Result<Value, QueryError> {
    let value = match scanner.peek() {
        Some(quote @ ('"' | '\'')) => Value::Word(phrase(scanner, quote)?),
        Some('‘' | '’' | '“' | '”' | '＇' | '＂') => {
            return Err(scanner.unexpected().with_hint("write straight quotes: \"…\""));
        }
        Some('/') => match regex(scanner) {
            Some(pattern) => Value::Regex(pattern),
            None => Value::Word(word(scanner, ends)?),
        },
        _ => {
            let word = word(scanner, ends)?;
            if word.pieces == [Piece::Any] { Value::Anything } else { Value::Word(word) }
        }
    };
    end(scanner)?;
    Ok(value)
}

/// Nothing may stand right behind a value.
pub(super) fn end(scanner: &Scanner<'_>) -> Result<(), QueryError> {
    if scanner.at_boundary() {
        return Ok(());
    }
    let hint = match scanner.peek() {
        Some('^') => {
            return Err(QueryError::new("a boost (`^`) is not supported", scanner.here())
                .with_hint(r"rows are not ranked: leave it out, or write \^ for the character"));
        }
        Some('~') => {
            let message = "fuzzy terms and slop (`~`) are not supported";
            return Err(QueryError::new(message, scanner.here()).with_hint(
                r"write a pattern such as inv?ice or an expression /…/; the character is \~",
            ));
        }
        Some('*' | '?') => "in quotes * and ? are characters: leave the quotes out for a pattern",
        Some(':') => {
            "put a value with a colon in quotes, or write it right behind the colon of its field"
        }
        Some('[' | ']' | '{' | '}') => "put a text with brackets in quotes",
        _ => "put a space between, or the whole text in quotes",
    };
    Err(scanner.unexpected().with_hint(hint))
}

/// Characters up to white space or one that is special, escapes resolved.
pub(super) fn word(scanner: &mut Scanner<'_>, ends: &[char]) -> Result<Word, QueryError> {
    let mut word = Word::default();
    while let Some(character) = scanner.peek() {
        let is_special = match character {
            '~' => is_fuzzy(scanner.rest()),
            _ if character.is_whitespace() || SPECIAL.contains(&character) => true,
            _ => ends.contains(&character),
        };
        if is_special {
            break;
        }
        match character {
            '\\' => word.push(escape(scanner)?),
            '*' => word.pieces.push(Piece::Any),
            '?' => word.pieces.push(Piece::One),
            _ => word.push(character),
        }
        if character != '\\' {
            scanner.advance();
        }
    }
    Ok(word)
}

/// Whether a text that begins with `~` is Lucene's sign for near terms, and not a part of a name.
fn is_fuzzy(rest: &str) -> bool {
    let behind = rest[1..].trim_start_matches(|digit: char| digit.is_ascii_digit() || digit == '.');
    behind.chars().next().is_none_or(|next| next.is_whitespace() || [')', '^'].contains(&next))
}

/// A backslash and the character that it guards.
pub(super) fn escape(scanner: &mut Scanner<'_>) -> Result<char, QueryError> {
    let start = scanner.place();
    scanner.advance();
    match scanner.advance() {
        Some(character) if !character.is_alphanumeric() => Ok(character),
        Some(character) => {
            let message = format!("unknown escape `\\{character}`");
            Err(QueryError::new(message, scanner.span_from(start)).with_hint(
                r"a backslash is written \\; other escapes stand before signs and spaces only",
            ))
        }
        None => Err(QueryError::new("nothing follows the backslash", scanner.span_from(start))
            .with_hint(r"a backslash is written \\")),
    }
}

/// A text in quotes.
fn phrase(scanner: &mut Scanner<'_>, quote: char) -> Result<Word, QueryError> {
    let start = scanner.place();
    scanner.advance();
    let mut text = String::new();
    loop {
        match scanner.peek() {
            None => {
                let span = scanner.span_from(start);
                return Err(QueryError::new("the text has no closing quote", span).with_hint(
                    format!(r"close it with {quote}; a quote inside is written \{quote}"),
                ));
            }
            Some('\\') => text.push(escape(scanner)?),
            Some(character) => {
                scanner.advance();
                if character == quote {
                    let pieces = if text.is_empty() { vec![] } else { vec![Piece::Text(text)] };
                    return Ok(Word { pieces, quoted: true });
                }
                text.push(character);
            }
        }
    }
}

/// `/…/`, if the text that begins with a slash is closed by one before a boundary; paths are not.
fn regex(scanner: &mut Scanner<'_>) -> Option<String> {
    let mut ahead = scanner.clone();
    ahead.advance();
    let mut pattern = String::new();
    loop {
        match ahead.advance()? {
            '/' => break,
            '\n' => return None,
            '\\' => match ahead.advance()? {
                '/' => pattern.push('/'),
                other => pattern.extend(['\\', other]),
            },
            character => pattern.push(character),
        }
    }
    let is_closed = ahead.at_boundary() || matches!(ahead.peek(), Some('^' | '~'));
    if pattern.is_empty() || !is_closed {
        return None;
    }
    *scanner = ahead;
    Some(pattern)
}

/// `[a TO b]`, `{a TO b}`, and mixed ones.
fn range(scanner: &mut Scanner<'_>) -> Result<Value, QueryError> {
    let lower_in = scanner.advance() == Some('[');
    scanner.skip_space();
    let lower = range_end(scanner)?;
    scanner.skip_space();
    if !(scanner.take("TO") && scanner.skip_space()) {
        return Err(not_a_range(scanner, "`TO`"));
    }
    let upper = range_end(scanner)?;
    scanner.skip_space();
    let upper_in = match scanner.peek() {
        Some(']') => true,
        Some('}') => false,
        _ => return Err(not_a_range(scanner, "`]` or `}`")),
    };
    scanner.advance();
    end(scanner)?;
    let end =
        |literal: Option<Literal>, inclusive| literal.map(|literal| End { literal, inclusive });
    Ok(Value::Between(end(lower, lower_in), end(upper, upper_in)))
}

fn not_a_range(scanner: &Scanner<'_>, expected: &str) -> QueryError {
    let found = scanner.peek().map_or("the end".to_owned(), |found| format!("`{found}`"));
    QueryError::new(format!("expected {expected} in a range, found {found}"), scanner.here())
        .with_hint(
            "write [1 TO 5], {1 TO 5}, [now-24h TO *]; a text with brackets stands in quotes",
        )
}

/// A value in a range; `None` for `*`.
fn range_end(scanner: &mut Scanner<'_>) -> Result<Option<Literal>, QueryError> {
    let start = scanner.place();
    let word = match scanner.peek() {
        Some(quote @ ('"' | '\'')) => phrase(scanner, quote)?,
        _ => word(scanner, VALUE)?,
    };
    let span = scanner.span_from(start);
    match word.literal(span.clone()) {
        _ if word.pieces == [Piece::Any] => Ok(None),
        Some(literal) if !literal.text.is_empty() => Ok(Some(literal)),
        Some(_) => Err(not_a_range(scanner, "a value")),
        None => Err(QueryError::new("a range has no patterns", span)
            .with_hint("an end of a range is a value, or * where it is open")),
    }
}

/// `>5`, `>=5`, `<5`, `<=5`.
fn comparison(scanner: &mut Scanner<'_>) -> Result<Value, QueryError> {
    let is_lower = scanner.advance() == Some('>');
    let inclusive = scanner.take("=");
    scanner.skip_space();
    let start = scanner.place();
    let Some(literal) = range_end(scanner)? else {
        return Err(QueryError::new("nothing compares with `*`", scanner.span_from(start))
            .with_hint("write a value behind the sign: >=5"));
    };
    end(scanner)?;
    let end = Some(End { literal, inclusive });
    Ok(if is_lower { Value::Between(end, None) } else { Value::Between(None, end) })
}

/// `IN [a b c]`, if it comes next.
fn list(scanner: &mut Scanner<'_>) -> Result<Option<Value>, QueryError> {
    let mut ahead = scanner.clone();
    let is_list = ahead.take("IN") && {
        ahead.skip_space();
        matches!(ahead.peek(), Some('[' | '('))
    };
    if !is_list {
        return Ok(None);
    }
    *scanner = ahead;
    let open = scanner.here();
    if !scanner.take("[") {
        return Err(scanner.unexpected().with_hint("a list is written IN [a b c]"));
    }
    let mut literals = Vec::new();
    loop {
        while scanner.skip_space() || scanner.take(",") {}
        if scanner.take("]") {
            break;
        }
        literals.push(list_item(scanner, &open)?);
    }
    if literals.is_empty() {
        return Err(QueryError::new("the list is empty", scanner.span_from(open.start))
            .with_hint("an empty list matches nothing: write at least one value"));
    }
    end(scanner)?;
    Ok(Some(Value::AnyOf(literals)))
}

fn list_item(scanner: &mut Scanner<'_>, open: &Span) -> Result<Literal, QueryError> {
    let start = scanner.place();
    let word = match scanner.peek() {
        None => {
            return Err(
                QueryError::new("this list is never closed", open.clone()).with_hint("add `]`")
            );
        }
        Some(quote @ ('"' | '\'')) => phrase(scanner, quote)?,
        _ => word(scanner, ITEM)?,
    };
    let span = scanner.span_from(start);
    match word.literal(span.clone()) {
        Some(_) if span.is_empty() => {
            Err(scanner.unexpected().with_hint("a list is written IN [a b c]"))
        }
        Some(literal) => Ok(literal),
        None => Err(QueryError::new("a list has no patterns", span.clone()).with_hint(format!(
            "write field:(a* OR b*), or {} for the characters themselves",
            quoted(scanner.since(start))
        ))),
    }
}
