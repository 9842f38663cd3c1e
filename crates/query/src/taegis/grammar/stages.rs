//! The stages behind `|`.

use winnow::combinator::{opt, separated};
use winnow::prelude::*;
use winnow::token::any;

use super::{Tokens, cut, expected, field, next, next_is, symbol, word};
use crate::language::QueryError;
use crate::near;
use crate::syntax::{Function, Name, SortKey, Stage};
use crate::taegis::lexer::{Outcome, TokenKind};

/// What may follow `|`.
const STAGES: [&str; 5] = ["head", "tail", "aggregate", "sort", "fields"];

/// Reads `|` and what follows.
pub(super) fn stage(input: &mut Tokens<'_>) -> Outcome<Stage> {
    symbol(TokenKind::Pipe).parse_next(input)?;
    let Some(token) = next(input) else { return cut(expected(input, "a stage")) };
    let name = token.word().map(str::to_ascii_lowercase).unwrap_or_default();
    if !STAGES.contains(&name.as_str()) {
        let near = near::similar(&name, &STAGES);
        let hint = match near.first() {
            _ if name == "latest" => {
                "write LATEST=true before the stages: versions are told apart before all else"
                    .to_owned()
            }
            Some(stage) if !name.is_empty() => format!("did you mean `{stage}`?"),
            _ => format!("the stages are {}", STAGES.join(", ")),
        };
        return cut(expected(input, "a stage").with_hint(hint));
    }
    any.void().parse_next(input)?;
    match name.as_str() {
        "head" => rows(input, "head").map(Stage::Head),
        "tail" => rows(input, "tail").map(Stage::Tail),
        "sort" => {
            separated(1.., sort_key, symbol(TokenKind::Comma)).map(Stage::Sort).parse_next(input)
        }
        "fields" => names(input).map(Stage::Fields),
        _ => aggregate(input),
    }
}

/// The number behind `head` and `tail`.
fn rows(input: &mut Tokens<'_>, stage: &str) -> Outcome<u64> {
    let hint = format!("write `| {stage} 10`: a whole number of rows");
    let token = match next(input) {
        Some(token) if matches!(token.kind, TokenKind::Bare(_)) => token,
        _ => return cut(expected(input, "a number of rows").with_hint(hint)),
    };
    let TokenKind::Bare(text) = &token.kind else { return cut(expected(input, "a number")) };
    any.void().parse_next(input)?;
    match text.parse() {
        Ok(rows) => Ok(rows),
        Err(_) => {
            cut(QueryError::new(format!("`{text}` is not a number of rows"), token.span.clone())
                .with_hint(hint))
        }
    }
}

fn names(input: &mut Tokens<'_>) -> Outcome<Vec<Name>> {
    separated(1.., field, symbol(TokenKind::Comma)).parse_next(input)
}

fn aggregate(input: &mut Tokens<'_>) -> Outcome<Stage> {
    let functions = separated(1.., function, symbol(TokenKind::Comma)).parse_next(input)?;
    let by = match opt(word("BY")).parse_next(input)? {
        Some(_) => names(input)?,
        None => Vec::new(),
    };
    if let Some(token) = next(input).filter(|token| matches!(token.kind, TokenKind::Name { .. })) {
        let error = QueryError::new(format!("unexpected {}", token.describe()), token.span.clone());
        return cut(error.with_hint("write `| aggregate count by field, other_field`"));
    }
    Ok(Stage::Aggregate { functions, by })
}

/// `count`, `sum(message_size)`; also a plain name, for `sort`.
fn function(input: &mut Tokens<'_>) -> Outcome<Function> {
    let name = field(input)?;
    let mut span = name.span.clone();
    if opt(symbol(TokenKind::Open)).parse_next(input)?.is_none() {
        return Ok(Function { name, argument: None, span });
    }
    let is_empty = next_is(input, 0, |token| token.kind == TokenKind::Close);
    let argument = if is_empty { None } else { Some(field(input)?) };
    let Some(close) = opt(symbol(TokenKind::Close)).parse_next(input)? else {
        return cut(
            expected(input, "`)`").with_hint("a function takes one field: sum(message_size)")
        );
    };
    span.end = close.span.end;
    Ok(Function { name, argument, span })
}

/// `time`, `time desc`, `-time`.
fn sort_key(input: &mut Tokens<'_>) -> Outcome<SortKey> {
    let minus = opt(symbol(TokenKind::Minus)).parse_next(input)?.is_some();
    let target = function(input)?;
    let falling = opt(word("DESC")).parse_next(input)?.is_some();
    let rising = !falling && opt(word("ASC")).parse_next(input)?.is_some();
    if let Some(token) = next(input).filter(|token| matches!(token.kind, TokenKind::Name { .. })) {
        let error = QueryError::new(format!("unexpected {}", token.describe()), token.span.clone());
        return cut(error.with_hint("write `| sort field desc`, several keys with commas between"));
    }
    Ok(SortKey { target, descending: falling || (minus && !rising) })
}
