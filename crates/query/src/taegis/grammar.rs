//! From tokens to the syntax tree. A parser that has begun to read a thing fails for good ([`cut`]),
//! so that the message is about the first mistake and not about the last alternative.

use winnow::combinator::{opt, preceded, repeat, separated};
use winnow::error::ErrMode;
use winnow::prelude::*;
use winnow::stream::{Stream, TokenSlice};
use winnow::token::any;

use super::lexer::{Outcome, Token, TokenKind, quoted};
use crate::language::{QueryError, Span};
use crate::syntax::{
    Comparison, Condition, Literal, LiteralValue, Name, Negation, Relation, Setting, SettingKind,
    Spanned, Test, Tree,
};

mod stages;

type Tokens<'t> = TokenSlice<'t, Token>;

/// Deepest nesting of parentheses and `NOT`.
const MAX_DEPTH: usize = 64;

/// Keywords that cannot be the name of a schema.
const RESERVED: [&str; 4] = ["WHERE", "EARLIEST", "LATEST", "FROM"];

/// Words that stand between a field and a value.
const WORD_OPERATORS: [&str; 6] = ["IN", "IS", "CONTAINS", "MATCHES", "MATCHES_REGEX", "NOT"];

/// Reads a whole query.
pub(super) fn query(tokens: &[Token]) -> Result<Tree, QueryError> {
    let mut input = TokenSlice::new(tokens);
    tree(&mut input).map_err(|error| {
        error.into_inner().unwrap_or_else(|_| QueryError::new("the query is cut", 0..0))
    })
}

fn tree(input: &mut Tokens<'_>) -> Outcome<Tree> {
    let from = opt(from_clause).parse_next(input)?.unwrap_or_default();
    let mut settings: Vec<Setting> = repeat(0.., setting).parse_next(input)?;
    let condition = where_clause(input, from.is_empty())?;
    let later: Vec<Setting> = repeat(0.., setting).parse_next(input)?;
    settings.extend(later);
    let stages = repeat(0.., stages::stage).parse_next(input)?;
    end(input, !from.is_empty(), condition.is_some())?;
    Ok(Tree { from, condition, settings, stages })
}

/// The token that comes next; there always is one, because the end is never consumed.
fn next<'t>(input: &Tokens<'t>) -> Option<&'t Token> {
    input.peek_token()
}

fn next_is(input: &Tokens<'_>, index: usize, check: impl Fn(&Token) -> bool) -> bool {
    input.get(index).is_some_and(check)
}

/// Takes the next token when it is this keyword.
fn word<'t>(word: &'static str) -> impl Parser<Tokens<'t>, &'t Token, ErrMode<QueryError>> {
    any.verify(move |token: &Token| token.is_word(word))
}

/// Takes the next token when it is this symbol.
fn symbol<'t>(kind: TokenKind) -> impl Parser<Tokens<'t>, &'t Token, ErrMode<QueryError>> {
    any.verify(move |token: &Token| token.kind == kind)
}

/// A mistake at the next token: what was expected there, and what stands there instead.
fn expected(input: &Tokens<'_>, what: &str) -> QueryError {
    match next(input) {
        Some(token) => QueryError::new(
            format!("expected {what}, found {}", token.describe()),
            token.span.clone(),
        ),
        None => QueryError::new(format!("expected {what}"), 0..0),
    }
}

fn cut<T>(error: QueryError) -> Outcome<T> {
    Err(ErrMode::Cut(error))
}

fn from_clause(input: &mut Tokens<'_>) -> Outcome<Vec<Spanned<String>>> {
    let is_field = |token: &Token| {
        matches!(token.kind, TokenKind::Relation(_) | TokenKind::Bang)
            || WORD_OPERATORS.iter().any(|word| token.is_word(word))
    };
    if next_is(input, 1, is_field) {
        return Err(ErrMode::Backtrack(expected(input, "FROM")));
    }
    preceded(word("FROM"), separated(1.., schema, symbol(TokenKind::Comma))).parse_next(input)
}

fn schema(input: &mut Tokens<'_>) -> Outcome<Spanned<String>> {
    let token = next(input);
    match token.map(|token| (&token.kind, token)) {
        Some((TokenKind::Name { logical: false, parts, .. }, token))
            if !RESERVED.iter().any(|word| token.is_word(word)) =>
        {
            any.void().parse_next(input)?;
            Ok(Spanned { value: parts.join("."), span: token.span.clone() })
        }
        Some((TokenKind::Text(text), token)) => {
            cut(QueryError::new("the name of a schema stands without quotes", token.span.clone())
                .with_hint(format!("write FROM {text}")))
        }
        _ => cut(expected(input, "the name of a schema")
            .with_hint("write FROM email, or leave FROM out to look in all schemas")),
    }
}

fn where_clause(input: &mut Tokens<'_>, may_be_bare: bool) -> Outcome<Option<Condition>> {
    if opt(word("WHERE")).parse_next(input)?.is_some() {
        return condition(input, 0).map(Some);
    }
    let begins = |token: &Token| matches!(token.kind, TokenKind::Name { .. } | TokenKind::Open);
    if may_be_bare && next_is(input, 0, begins) {
        return condition(input, 0).map(Some);
    }
    Ok(None)
}

/// Nothing may follow the stages.
fn end(input: &mut Tokens<'_>, has_from: bool, has_condition: bool) -> Outcome<()> {
    let Some(token) = next(input).filter(|token| token.kind != TokenKind::End) else {
        return Ok(());
    };
    let error = expected(input, "a stage or the end");
    cut(match &token.kind {
        TokenKind::Close => error.with_hint("this parenthesis was never opened"),
        TokenKind::Name { .. } if token.is_word("AND") || token.is_word("OR") => error.with_hint(
            "the condition ends at EARLIEST or LATEST: write them last, or join them with AND",
        ),
        TokenKind::Name { .. } if has_from && !has_condition => {
            error.with_hint("write WHERE before the condition")
        }
        TokenKind::Name { .. } if has_condition => {
            error.with_hint("join conditions with AND or OR; a stage begins with `|`")
        }
        _ => error.with_hint("a query is FROM … WHERE … EARLIEST=… LATEST=… | stage"),
    })
}

fn condition(input: &mut Tokens<'_>, depth: usize) -> Outcome<Condition> {
    let alternative = |input: &mut Tokens<'_>| conjunction(input, depth);
    let mut all: Vec<Condition> = separated(1.., alternative, word("OR")).parse_next(input)?;
    if all.len() > 1 {
        return Ok(Condition::Any(all));
    }
    all.pop().ok_or_else(|| ErrMode::Cut(expected(input, "a condition")))
}

fn conjunction(input: &mut Tokens<'_>, depth: usize) -> Outcome<Condition> {
    let part = |input: &mut Tokens<'_>| primary(input, depth);
    let mut all: Vec<Condition> = separated(1.., part, word("AND")).parse_next(input)?;
    if all.len() > 1 {
        return Ok(Condition::All(all));
    }
    all.pop().ok_or_else(|| ErrMode::Cut(expected(input, "a condition")))
}

fn primary(input: &mut Tokens<'_>, depth: usize) -> Outcome<Condition> {
    if depth > MAX_DEPTH {
        return cut(expected(input, "less nesting")
            .with_hint(format!("parentheses and NOT go {MAX_DEPTH} levels deep at most")));
    }
    if let Some(open) = opt(symbol(TokenKind::Open)).parse_next(input)? {
        return group(input, depth, &open.span);
    }
    let is_negation = next_is(input, 0, |token| token.is_word("NOT"))
        && next_is(input, 1, |token| {
            matches!(token.kind, TokenKind::Name { .. } | TokenKind::Open)
        });
    if is_negation {
        any.void().parse_next(input)?;
        let inner = primary(input, depth + 1)?;
        return Ok(Condition::Not(Box::new(inner)));
    }
    if let Some(setting) = opt(setting).parse_next(input)? {
        return Ok(Condition::Setting(setting));
    }
    test(input).map(Condition::Test)
}

/// What follows an opening parenthesis.
fn group(input: &mut Tokens<'_>, depth: usize, open: &Span) -> Outcome<Condition> {
    let inner = condition(input, depth + 1)?;
    if opt(symbol(TokenKind::Close)).parse_next(input)?.is_some() {
        return Ok(Condition::Group(Box::new(inner)));
    }
    if next_is(input, 0, |token| matches!(token.kind, TokenKind::End | TokenKind::Pipe)) {
        return cut(
            QueryError::new("this parenthesis is never closed", open.clone()).with_hint("add `)`")
        );
    }
    cut(expected(input, "AND, OR or `)`")
        .with_hint("join conditions with AND or OR, and close the parenthesis"))
}

fn test(input: &mut Tokens<'_>) -> Outcome<Test> {
    let field = field(input)?;
    let start = next(input).map_or(0..0, |token| token.span.clone());
    let negation = negation(input)?;
    let operator_end = next(input).map_or(start.end, |token| token.span.end);
    let operator = start.start..operator_end;
    if negation == Negation::None {
        if let Some(relation) = opt(relation).parse_next(input)? {
            let comparison = Comparison::Relation(relation, literal(input)?);
            return Ok(Test { field, negation, comparison, operator });
        }
        if opt(word("IS")).parse_next(input)?.is_some() {
            let negated = opt(word("NOT")).parse_next(input)?.is_some();
            if opt(word("NULL")).parse_next(input)?.is_none() {
                let hint = "write IS NULL or IS NOT NULL; for values write = 'held'";
                return cut(expected(input, "NULL").with_hint(hint));
            }
            let negation = if negated { Negation::Plain } else { Negation::None };
            return Ok(Test { field, negation, comparison: Comparison::IsNull, operator });
        }
    }
    let comparison = word_comparison(input, negation, &field)?;
    Ok(Test { field, negation, comparison, operator })
}

fn negation(input: &mut Tokens<'_>) -> Outcome<Negation> {
    if opt(symbol(TokenKind::Bang)).parse_next(input)?.is_some() {
        return Ok(Negation::Plain);
    }
    let negated = opt(word("NOT")).parse_next(input)?.is_some();
    Ok(if negated { Negation::Word } else { Negation::None })
}

fn relation(input: &mut Tokens<'_>) -> Outcome<Relation> {
    any.verify_map(|token: &Token| match token.kind {
        TokenKind::Relation(relation) => Some(relation),
        _ => None,
    })
    .parse_next(input)
}

/// The operators that are words and take a `!`.
fn word_comparison(
    input: &mut Tokens<'_>,
    negation: Negation,
    field: &Name,
) -> Outcome<Comparison> {
    if opt(word("IN")).parse_next(input)?.is_some() {
        return list(input).map(Comparison::In);
    }
    if opt(word("CONTAINS")).parse_next(input)?.is_some() {
        return literal(input).map(Comparison::Contains);
    }
    if opt(word("MATCHES")).parse_next(input)?.is_some() {
        return literal(input).map(Comparison::Matches);
    }
    if opt(word("MATCHES_REGEX")).parse_next(input)?.is_some() {
        return literal(input).map(Comparison::MatchesRegex);
    }
    let what = match negation {
        Negation::None => format!("an operator behind `{}`", field.text()),
        _ => "IN, CONTAINS, MATCHES or MATCHES_REGEX".to_owned(),
    };
    let error = expected(input, &what);
    if next_is(input, 0, |token| token.is_word("LIKE")) {
        return cut(error.with_hint("write MATCHES with * and ?, or CONTAINS"));
    }
    cut(error.with_hint(
        "the operators are = != > >= < <= IN CONTAINS MATCHES MATCHES_REGEX and IS NULL; \
         `!` before a word turns it round",
    ))
}

fn list(input: &mut Tokens<'_>) -> Outcome<Vec<Literal>> {
    if opt(symbol(TokenKind::Open)).parse_next(input)?.is_none() {
        return cut(expected(input, "`(`").with_hint("IN takes a list: IN ('a', 'b')"));
    }
    if next_is(input, 0, |token| token.kind == TokenKind::Close) {
        return cut(expected(input, "a value")
            .with_hint("an empty list matches nothing: write at least one value"));
    }
    let values = separated(1.., literal, symbol(TokenKind::Comma)).parse_next(input)?;
    if opt(symbol(TokenKind::Close)).parse_next(input)?.is_none() {
        return cut(expected(input, "`,` or `)`").with_hint("write IN ('a', 'b')"));
    }
    Ok(values)
}

/// A field or a logical type.
fn field(input: &mut Tokens<'_>) -> Outcome<Name> {
    let Some(token) = next(input) else { return cut(expected(input, "a field")) };
    match &token.kind {
        TokenKind::Name { logical, parts, .. } => {
            any.void().parse_next(input)?;
            Ok(Name { logical: *logical, parts: parts.clone(), span: token.span.clone() })
        }
        TokenKind::Text(_) => {
            cut(expected(input, "a field").with_hint("names of fields stand without quotes"))
        }
        _ => cut(expected(input, "a field").with_hint("name a field, such as subject or time")),
    }
}

fn literal(input: &mut Tokens<'_>) -> Outcome<Literal> {
    let Some(token) = next(input) else { return cut(expected(input, "a value")) };
    let (value, text) = match &token.kind {
        TokenKind::Text(text) => (LiteralValue::Text, text.clone()),
        TokenKind::Bare(text) => (number(text, &token.span)?, text.clone()),
        TokenKind::Name { parts, .. } => match token.word().map(str::to_ascii_lowercase) {
            Some(word) if word == "true" || word == "false" => {
                (LiteralValue::Boolean(word == "true"), word)
            }
            Some(word) if word == "null" => {
                return cut(expected(input, "a value").with_hint("write IS NULL or IS NOT NULL"));
            }
            _ => {
                let hint = format!("texts stand in single quotes: {}", quoted(&parts.join(".")));
                return cut(expected(input, "a value").with_hint(hint));
            }
        },
        _ => {
            let hint = "write a text in single quotes, a number, true or false";
            return cut(expected(input, "a value").with_hint(hint));
        }
    };
    any.void().parse_next(input)?;
    Ok(Literal { value, text, span: token.span.clone() })
}

/// A number, or a mistake: most often a text without its quotes.
fn number(text: &str, span: &Span) -> Outcome<LiteralValue> {
    if let Ok(number) = text.parse::<i64>() {
        return Ok(LiteralValue::Integer(number));
    }
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
    match text.parse::<f64>() {
        Ok(number) if is_decimal && number.is_finite() => Ok(LiteralValue::Float(number)),
        _ => cut(QueryError::new(format!("`{text}` is not a number"), span.clone())
            .with_hint(format!("texts stand in single quotes: {}", quoted(text)))),
    }
}

/// `EARLIEST=-24h`, `LATEST='2026-10-01T23:59:59Z'`, `LATEST=true`.
fn setting(input: &mut Tokens<'_>) -> Outcome<Setting> {
    let bound = any
        .verify_map(|token: &Token| match token.word()? {
            word if word.eq_ignore_ascii_case("EARLIEST") => Some((SettingKind::Earliest, token)),
            word if word.eq_ignore_ascii_case("LATEST") => Some((SettingKind::Latest, token)),
            _ => None,
        })
        .parse_next(input);
    let (mut kind, keyword) = bound?;
    let hint = match kind {
        SettingKind::Earliest => "write EARLIEST=-24h or EARLIEST='2026-03-02T08:00:00Z'",
        _ => {
            "write LATEST=-1h or LATEST='2026-03-02T08:00:00Z'; LATEST=true is for the newest \
             version of each finding"
        }
    };
    if !next_is(input, 0, |token| token.kind == TokenKind::Relation(Relation::Equal)) {
        return cut(expected(input, "`=`").with_hint(hint));
    }
    any.void().parse_next(input)?;
    let Some(token) = next(input) else { return cut(expected(input, "a time").with_hint(hint)) };
    let truth = ["true", "false"].into_iter().find(|truth| token.is_word(truth));
    let value = match (&token.kind, truth) {
        (_, Some(truth)) if kind == SettingKind::Latest => {
            kind = SettingKind::Version;
            truth.to_owned()
        }
        (TokenKind::Text(text) | TokenKind::Bare(text), _) => text.clone(),
        _ => return cut(expected(input, "a time").with_hint(hint)),
    };
    any.void().parse_next(input)?;
    let span = keyword.span.start..token.span.end;
    Ok(Setting { kind, value: Spanned { value, span: token.span.clone() }, span })
}
