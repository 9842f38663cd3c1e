//! From text to tokens. Keywords are not told from names here: the grammar knows where one can stand.

use winnow::combinator::{alt, opt, preceded, repeat};
use winnow::error::{ErrMode, ParserError};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location, Stream};
use winnow::token::{any, one_of, take_till, take_while};

use crate::language::{QueryError, Span};
use crate::syntax::Relation;

type Input<'t> = LocatingSlice<&'t str>;

/// How parsers answer: a mistake that ends the parse is an [`ErrMode::Cut`].
pub(super) type Outcome<T> = ModalResult<T, QueryError>;

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A keyword, a field, a schema, a function: the parts between the dots.
    Name {
        logical: bool,
        quoted: bool,
        parts: Vec<String>,
    },
    /// A quoted text, escapes resolved.
    Text(String),
    /// Whatever begins with a digit, or with `-` and a digit: numbers, relative times.
    Bare(String),
    Relation(Relation),
    Bang,
    Minus,
    Open,
    Close,
    Comma,
    Pipe,
    End,
}

impl Token {
    /// Whether it is this keyword, in any case.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.word().is_some_and(|text| text.eq_ignore_ascii_case(word))
    }

    /// Its text, when it could be a keyword.
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Name { logical: false, quoted: false, parts } if parts.len() == 1 => {
                Some(&parts[0])
            }
            _ => None,
        }
    }

    /// For "found …" in messages.
    pub(super) fn describe(&self) -> String {
        match &self.kind {
            TokenKind::Name { logical, parts, .. } => {
                format!("`{}{}`", if *logical { "@" } else { "" }, parts.join("."))
            }
            TokenKind::Text(_) => "a quoted text".to_owned(),
            TokenKind::Bare(text) => format!("`{text}`"),
            TokenKind::Relation(relation) => format!("`{}`", relation.text()),
            TokenKind::Bang => "`!`".to_owned(),
            TokenKind::Minus => "`-`".to_owned(),
            TokenKind::Open => "`(`".to_owned(),
            TokenKind::Close => "`)`".to_owned(),
            TokenKind::Comma => "`,`".to_owned(),
            TokenKind::Pipe => "`|`".to_owned(),
            TokenKind::End => "the end".to_owned(),
        }
    }
}

impl Location for Token {
    fn previous_token_end(&self) -> usize {
        self.span.end
    }

    fn current_token_start(&self) -> usize {
        self.span.start
    }
}

impl<I: Stream + Location> ParserError<I> for QueryError {
    type Inner = Self;

    fn from_input(input: &I) -> Self {
        let place = input.current_token_start();
        Self::new("cannot be read from here", place..place)
    }

    fn into_inner(self) -> Result<Self::Inner, Self> {
        Ok(self)
    }
}

/// Cuts a text into tokens; the last one is [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut input = LocatingSlice::new(text);
    let mut tokens = Vec::new();
    let end = text.len();
    let failed = |error: ErrMode<QueryError>| {
        error.into_inner().unwrap_or_else(|_| QueryError::new("the text is cut", end..end))
    };
    loop {
        white_space(&mut input).map_err(failed)?;
        if input.is_empty() {
            tokens.push(Token { kind: TokenKind::End, span: end..end });
            return Ok(tokens);
        }
        tokens.push(token(&mut input).map_err(failed)?);
    }
}

fn white_space(input: &mut Input<'_>) -> Outcome<()> {
    take_while(0.., char::is_whitespace).void().parse_next(input)
}

fn token(input: &mut Input<'_>) -> Outcome<Token> {
    alt((escaped_text, plain_text, bare, name, symbol, foreign))
        .with_span()
        .map(|(kind, span)| Token { kind, span })
        .parse_next(input)
}

/// `'…'`: everything up to the next quote, backslashes as they are.
fn plain_text(input: &mut Input<'_>) -> Outcome<TokenKind> {
    let start = input.current_token_start();
    '\''.parse_next(input)?;
    let text: &str = take_till(0.., '\'').parse_next(input)?;
    if opt('\'').parse_next(input)?.is_none() {
        return Err(unterminated(start, input));
    }
    Ok(TokenKind::Text(text.to_owned()))
}

/// `e'…'`: a text with escapes.
fn escaped_text(input: &mut Input<'_>) -> Outcome<TokenKind> {
    let start = input.current_token_start();
    (one_of(['e', 'E']), '\'').parse_next(input)?;
    let mut text = String::new();
    loop {
        match opt(any).parse_next(input)? {
            None => return Err(unterminated(start, input)),
            Some('\'') => return Ok(TokenKind::Text(text)),
            Some('\\') => text.push(escape(start, input)?),
            Some(character) => text.push(character),
        }
    }
}

/// What follows a backslash.
fn escape(text_start: usize, input: &mut Input<'_>) -> Outcome<char> {
    let start = input.current_token_start() - 1;
    match opt(any).parse_next(input)? {
        None => Err(unterminated(text_start, input)),
        Some(character @ ('\\' | '\'')) => Ok(character),
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('r') => Ok('\r'),
        Some(other) => {
            let span = start..input.current_token_start();
            let error = QueryError::new(format!("unknown escape `\\{other}`"), span).with_hint(
                r"in a text that begins with e' write \\ for a backslash; the others are \' \n \t \r",
            );
            Err(ErrMode::Cut(error))
        }
    }
}

fn unterminated(start: usize, input: &Input<'_>) -> ErrMode<QueryError> {
    let error =
        QueryError::new("the text has no closing quote", start..input.current_token_start())
            .with_hint(r"close it with '; a quote inside is written e'it\'s'");
    ErrMode::Cut(error)
}

/// Numbers, relative times, and what people forget to quote: `10.0.0.1`, `2026-03-02T08:00:00Z`.
fn bare(input: &mut Input<'_>) -> Outcome<TokenKind> {
    let rest = take_while(0.., |character: char| {
        character.is_alphanumeric() || matches!(character, '_' | '.' | ':' | '/' | '-')
    });
    (opt('-'), one_of('0'..='9'), rest)
        .take()
        .map(|text: &str| TokenKind::Bare(text.to_owned()))
        .parse_next(input)
}

/// A dotted name; parts that are no identifiers stand in backticks.
fn name(input: &mut Input<'_>) -> Outcome<TokenKind> {
    let logical = opt('@').parse_next(input)?.is_some();
    let first = alt((quoted_part, first_part)).parse_next(input)?;
    let later = preceded('.', alt((quoted_part, later_part)));
    let parts: Vec<(bool, &str)> = repeat(0.., later).parse_next(input)?;
    let quoted = first.0 || parts.iter().any(|(quoted, _)| *quoted);
    let parts = std::iter::once(first).chain(parts).map(|(_, part)| part.to_owned()).collect();
    Ok(TokenKind::Name { logical, quoted, parts })
}

fn first_part<'t>(input: &mut Input<'t>) -> Outcome<(bool, &'t str)> {
    let start = one_of(|character: char| character.is_alphabetic() || character == '_');
    (start, identifier_rest).take().map(|part| (false, part)).parse_next(input)
}

fn later_part<'t>(input: &mut Input<'t>) -> Outcome<(bool, &'t str)> {
    let character = one_of(|character: char| character.is_alphanumeric() || character == '_');
    (character, identifier_rest).take().map(|part| (false, part)).parse_next(input)
}

fn identifier_rest<'t>(input: &mut Input<'t>) -> Outcome<&'t str> {
    take_while(0.., |character: char| character.is_alphanumeric() || character == '_')
        .parse_next(input)
}

fn quoted_part<'t>(input: &mut Input<'t>) -> Outcome<(bool, &'t str)> {
    let start = input.current_token_start();
    '`'.parse_next(input)?;
    let part: &str = take_till(0.., '`').parse_next(input)?;
    if opt('`').parse_next(input)?.is_none() || part.is_empty() {
        let span = start..input.current_token_start();
        let error = QueryError::new("the field name has no end", span)
            .with_hint("backticks stand around one part of a path: data.`odd key`");
        return Err(ErrMode::Cut(error));
    }
    Ok((true, part))
}

fn symbol(input: &mut Input<'_>) -> Outcome<TokenKind> {
    alt((
        "!=".value(TokenKind::Relation(Relation::NotEqual)),
        ">=".value(TokenKind::Relation(Relation::GreaterOrEqual)),
        "<=".value(TokenKind::Relation(Relation::LessOrEqual)),
        refused_symbol,
        any.verify_map(single_symbol),
    ))
    .parse_next(input)
}

fn single_symbol(character: char) -> Option<TokenKind> {
    Some(match character {
        '=' => TokenKind::Relation(Relation::Equal),
        '>' => TokenKind::Relation(Relation::Greater),
        '<' => TokenKind::Relation(Relation::Less),
        '!' => TokenKind::Bang,
        '-' => TokenKind::Minus,
        '(' => TokenKind::Open,
        ')' => TokenKind::Close,
        ',' => TokenKind::Comma,
        '|' => TokenKind::Pipe,
        _ => return None,
    })
}

/// Symbols of other languages.
fn refused_symbol(input: &mut Input<'_>) -> Outcome<TokenKind> {
    let start = input.current_token_start();
    let written: &str = alt(("==", "<>", "||", "&&")).parse_next(input)?;
    let meant = match written {
        "==" => "=",
        "<>" => "!=",
        "||" => "OR",
        _ => "AND",
    };
    let error = QueryError::new(format!("unknown operator `{written}`"), start..start + 2)
        .with_hint(format!("write `{meant}`"));
    Err(ErrMode::Cut(error))
}

/// A character that begins nothing.
fn foreign(input: &mut Input<'_>) -> Outcome<TokenKind> {
    let start = input.current_token_start();
    let character = any.parse_next(input)?;
    let mut end = input.current_token_start();
    let error = match character {
        '"' => {
            let inside: &str = take_till(0.., '"').parse_next(input)?;
            opt('"').parse_next(input)?;
            end = input.current_token_start();
            QueryError::new("texts stand in single quotes", start..end)
                .with_hint(format!("write {}", quoted(inside)))
        }
        '‘' | '’' | '“' | '”' | '＇' | '＂' => {
            QueryError::new(format!("unexpected `{character}`"), start..end)
                .with_hint("write a straight single quote: '")
        }
        ';' => QueryError::new("unexpected `;`", start..end)
            .with_hint("a query is one statement: leave the `;` out"),
        '@' => QueryError::new("expected the name of a logical type behind `@`", start..end)
            .with_hint("the logical types are @ip, @domain, @hash, @host and @user"),
        _ => QueryError::new(format!("unexpected `{character}`"), start..end)
            .with_hint("texts stand in single quotes, unusual field names in backticks"),
    };
    Err(ErrMode::Cut(error))
}

/// A text as this language writes it.
pub(super) fn quoted(text: &str) -> String {
    if text.contains('\'') {
        format!("e'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
    } else {
        format!("'{text}'")
    }
}
