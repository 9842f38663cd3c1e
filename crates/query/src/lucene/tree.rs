//! From tokens to the common syntax tree. `tantivy-query-grammar` groups them; a term that it calls
//! optional beside one that must hold would only rank rows, and is refused.

use std::fmt::Write as _;

use tantivy_query_grammar::{Occur, UserInputAst, UserInputLeaf, UserInputLiteral, parse_query};

use super::lexer::{Token, TokenKind};
use super::values::{Piece, Value, Word};
use crate::language::{QueryError, Span};
use crate::syntax::{Comparison, Condition, Literal, LiteralValue, Name, Negation, Test};

/// The condition that well ordered tokens say; `None` for no tokens.
pub(super) fn condition(
    tokens: &[Token],
    warnings: &mut Vec<String>,
) -> Result<Option<Condition>, QueryError> {
    if tokens.is_empty() {
        return Ok(None);
    }
    let grouped = parse_query(&skeleton(tokens)).map_err(|_| misread(tokens))?;
    Builder { tokens, warnings }.condition(&grouped).map(Some)
}

/// The tokens in the grammar's words: `f3` stands for the field that is token 3, `v4` for the value
/// that is token 4.
fn skeleton(tokens: &[Token]) -> String {
    let mut text = String::new();
    for (place, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => text.push('('),
            TokenKind::Close => text.push_str(") "),
            TokenKind::And => text.push_str("AND "),
            TokenKind::Or => text.push_str("OR "),
            TokenKind::Not => text.push_str("NOT "),
            TokenKind::Plus => text.push('+'),
            TokenKind::Minus => text.push('-'),
            TokenKind::Field(_) => drop(write!(text, "f{place}:")),
            _ => drop(write!(text, "v{place} ")),
        }
    }
    text
}

/// The grammar does not take what is well ordered; there is no such text that we know of.
fn misread(tokens: &[Token]) -> QueryError {
    let start = tokens.first().map_or(0, |token| token.span.start);
    let end = tokens.last().map_or(0, |token| token.span.end);
    QueryError::new("the terms cannot be grouped", start..end)
        .with_hint("put parentheses around what belongs together")
}

struct Builder<'t, 'w> {
    tokens: &'t [Token],
    warnings: &'w mut Vec<String>,
}

impl Builder<'_, '_> {
    fn condition(&mut self, grouped: &UserInputAst) -> Result<Condition, QueryError> {
        match grouped {
            UserInputAst::Clause(clauses) => self.clauses(clauses),
            UserInputAst::Leaf(leaf) => match leaf.as_ref() {
                UserInputLeaf::Literal(literal) => self.leaf(literal),
                _ => Err(misread(self.tokens)),
            },
            UserInputAst::Boost(_, _) => Err(misread(self.tokens)),
        }
    }

    /// Terms of one group: all that must hold, none that must not, and any of the others.
    fn clauses(
        &mut self,
        clauses: &[(Option<Occur>, UserInputAst)],
    ) -> Result<Condition, QueryError> {
        let is_optional = |occur: &Option<Occur>| matches!(occur, None | Some(Occur::Should));
        let has_must = clauses.iter().any(|(occur, _)| *occur == Some(Occur::Must));
        let optional: Vec<&(Option<Occur>, UserInputAst)> =
            clauses.iter().filter(|(occur, _)| is_optional(occur)).collect();
        if let Some((_, term)) = optional.first().filter(|_| has_must) {
            return Err(self.only_ranks(term));
        }
        if optional.len() > 1 && optional.iter().any(|(occur, _)| occur.is_none()) {
            self.warn("terms side by side are joined by OR: write AND or OR between them");
        }
        let mut any = Vec::new();
        let mut all = Vec::new();
        for (occur, term) in clauses {
            let condition = self.condition(term)?;
            match occur {
                Some(Occur::Must) => all.push(condition),
                Some(Occur::MustNot) => all.push(Condition::Not(Box::new(condition))),
                None | Some(Occur::Should) => any.push(condition),
            }
        }
        match any.len() {
            0 => {}
            1 => all.insert(0, any.remove(0)),
            _ => all.insert(0, Condition::Any(any)),
        }
        Ok(match all.len() {
            0 => Condition::Everything,
            1 => all.remove(0),
            _ => Condition::All(all),
        })
    }

    fn only_ranks(&self, term: &UserInputAst) -> QueryError {
        let span = self.span(term).unwrap_or_default();
        QueryError::new("beside `+` this term would only rank rows", span).with_hint(
            "rows are not ranked: write + before it too, AND between them, or OR without the +",
        )
    }

    fn warn(&mut self, warning: &str) {
        if self.warnings.iter().all(|said| said != warning) {
            self.warnings.push(warning.to_owned());
        }
    }

    /// Where a term stands.
    fn span(&self, term: &UserInputAst) -> Option<Span> {
        match term {
            UserInputAst::Clause(clauses) => {
                let mut spans = clauses.iter().filter_map(|(_, term)| self.span(term));
                let first = spans.next()?;
                Some(
                    spans.fold(first, |all, span| all.start.min(span.start)..all.end.max(span.end)),
                )
            }
            UserInputAst::Boost(term, _) => self.span(term),
            UserInputAst::Leaf(leaf) => match leaf.as_ref() {
                UserInputLeaf::Literal(literal) => {
                    self.token(&literal.phrase).map(|token| token.span.clone())
                }
                _ => None,
            },
        }
    }

    /// The token that a stand-in stands for.
    fn token(&self, stand_in: &str) -> Option<&Token> {
        self.tokens.get(stand_in.get(1..)?.parse::<usize>().ok()?)
    }

    fn leaf(&self, literal: &UserInputLiteral) -> Result<Condition, QueryError> {
        let token = self.token(&literal.phrase).ok_or_else(|| misread(self.tokens))?;
        let field = literal.field_name.as_deref().and_then(|field| self.token(field));
        let field = field.and_then(|token| match &token.kind {
            TokenKind::Field(name) => Some(name),
            _ => None,
        });
        match (&token.kind, field) {
            (TokenKind::Everything, _) => Ok(Condition::Everything),
            (TokenKind::Exists(name), _) => Ok(exists(name, &token.span)),
            (TokenKind::Value(value), Some(name)) => of_field(name, value, &token.span),
            (TokenKind::Value(value), None) => bare(value, &token.span),
            _ => Err(misread(self.tokens)),
        }
    }
}

fn test(name: &Name, comparison: Comparison, span: &Span) -> Condition {
    let (field, operator) = (name.clone(), span.clone());
    Condition::Test(Test { field, negation: Negation::None, comparison, operator })
}

fn exists(name: &Name, span: &Span) -> Condition {
    let (field, operator) = (name.clone(), span.clone());
    let comparison = Comparison::IsNull;
    Condition::Test(Test { field, negation: Negation::Plain, comparison, operator })
}

/// `field:value`: the whole value.
fn of_field(name: &Name, value: &Value, span: &Span) -> Result<Condition, QueryError> {
    let comparison = match value {
        Value::Anything | Value::Between(None, None) => return Ok(exists(name, span)),
        Value::Regex(pattern) => Comparison::WholeRegex(text(pattern.clone(), span)),
        Value::Between(lower, upper) => Comparison::Between(lower.clone(), upper.clone()),
        Value::AnyOf(literals) => Comparison::AnyOf(literals.clone()),
        Value::Word(word) => match word.literal(span.clone()) {
            Some(literal) => Comparison::AnyOf(vec![literal]),
            None => pattern(word, span),
        },
    };
    Ok(test(name, comparison, span))
}

/// A pattern over the whole value. One that holds `*` or `?` as characters too is an expression.
fn pattern(word: &Word, span: &Span) -> Comparison {
    let is_sign = |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains(['*', '?']));
    if word.pieces.iter().any(is_sign) {
        return Comparison::WholeRegex(text(expression(&word.pieces), span));
    }
    let letters = word.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.as_str(),
        Piece::Any => "*",
        Piece::One => "?",
    });
    Comparison::Matches(text(letters.collect(), span))
}

/// A value without a field: it stands somewhere in the record.
fn bare(value: &Value, span: &Span) -> Result<Condition, QueryError> {
    let comparison = match value {
        Value::Anything => return Ok(Condition::Everything),
        Value::Regex(pattern) => Comparison::MatchesRegex(text(pattern.clone(), span)),
        Value::Word(word) => {
            let is_any = |piece: &&Piece| **piece == Piece::Any;
            let start = word.pieces.iter().take_while(is_any).count();
            let end = word.pieces.iter().rev().take_while(is_any).count();
            let inner = word.pieces.get(start..word.pieces.len() - end).unwrap_or_default();
            match inner {
                [] if !word.pieces.is_empty() => return Ok(Condition::Everything),
                [] => return Err(empty(span)),
                [Piece::Text(found)] => Comparison::Contains(text(found.clone(), span)),
                pieces => Comparison::MatchesRegex(text(expression(pieces), span)),
            }
        }
        Value::Between(_, _) | Value::AnyOf(_) => {
            return Err(QueryError::new("a range or a list needs a field", span.clone())
                .with_hint("write message_size:[1 TO 5]; put a text with brackets in quotes"));
        }
    };
    let field = Name { logical: false, parts: vec!["raw_data".to_owned()], span: span.clone() };
    Ok(test(&field, comparison, span))
}

fn empty(span: &Span) -> QueryError {
    QueryError::new("an empty text stands in every record", span.clone())
        .with_hint("write a text in the quotes, or * for every row")
}

/// Pieces as a regular expression.
fn expression(pieces: &[Piece]) -> String {
    let parts = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => regex::escape(text),
        Piece::Any => ".*".to_owned(),
        Piece::One => ".".to_owned(),
    });
    format!("(?s){}", parts.collect::<String>())
}

fn text(text: String, span: &Span) -> Literal {
    Literal { value: LiteralValue::Text, text, span: span.clone() }
}
