//! The order of tokens: what may follow what, how deep and how many; and settings, which are no terms.

use super::lexer::{Token, TokenKind};
use crate::language::QueryError;
use crate::syntax::{Setting, SettingKind, Spanned};

/// Longest text, in bytes.
const MAX_BYTES: usize = 128 * 1024;
/// Deepest nesting of parentheses and `NOT`.
const MAX_DEPTH: usize = 64;
/// Most terms, as in Lucene itself.
const MAX_TERMS: usize = 1024;

/// Refuses texts that are longer than any question.
pub(super) fn check_size(text: &str) -> Result<(), QueryError> {
    if text.len() <= MAX_BYTES {
        return Ok(());
    }
    let place = text.floor_char_boundary(MAX_BYTES);
    Err(QueryError::new(format!("the query is longer than {MAX_BYTES} bytes"), place..text.len())
        .with_hint("ask in several queries"))
}

/// Takes the settings out of the tokens. What is left is well ordered.
pub(super) fn split(tokens: Vec<Token>) -> Result<(Vec<Token>, Vec<Setting>), QueryError> {
    let mut depth = 0_usize;
    let mut has_or = false;
    let mut joined = None;
    let mut settings = Vec::new();
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            TokenKind::Or => has_or |= depth == 0,
            TokenKind::Latest(is_on) => {
                let before = kept.last().map(|token| &token.kind);
                let behind = tokens.peek().map(|token| &token.kind);
                let is_free = |kind: Option<&TokenKind>| {
                    !matches!(
                        kind,
                        Some(TokenKind::Or | TokenKind::Not | TokenKind::Plus | TokenKind::Minus)
                    )
                };
                if depth > 0 || !is_free(before) || matches!(behind, Some(TokenKind::Or)) {
                    return Err(misplaced(&token));
                }
                if before == Some(&TokenKind::And) {
                    kept.pop();
                    joined = joined.or(Some(token.clone()));
                } else if behind == Some(&TokenKind::And) {
                    tokens.next();
                    joined = joined.or(Some(token.clone()));
                }
                let value = Spanned { value: is_on.to_string(), span: token.span.clone() };
                settings.push(Setting { kind: SettingKind::Version, value, span: token.span });
                continue;
            }
            _ => {}
        }
        kept.push(token);
    }
    if let Some(token) = joined.filter(|_| has_or) {
        return Err(misplaced(&token));
    }
    check(&kept)?;
    Ok((kept, settings))
}

fn misplaced(token: &Token) -> QueryError {
    let message = "latest=true cannot stand inside OR, NOT or parentheses";
    QueryError::new(message, token.span.clone()).with_hint(
        "it holds for the whole query: write it last, and put parentheses around what OR joins",
    )
}

/// Checks that terms and operators follow each other as they should.
fn check(tokens: &[Token]) -> Result<(), QueryError> {
    let mut order = Order::default();
    for (place, token) in tokens.iter().enumerate() {
        let before = place.checked_sub(1).map(|place| &tokens[place]);
        order.take(token, before)?;
    }
    if let Some(open) = order.opened.last() {
        return Err(QueryError::new("this parenthesis is never closed", open.token.span.clone())
            .with_hint("add `)`"));
    }
    match tokens.last() {
        Some(last) if order.wants_term => Err(nothing_follows(last)),
        _ => Ok(()),
    }
}

struct Order<'t> {
    wants_term: bool,
    opened: Vec<Open<'t>>,
    /// `NOT`s around the next term, in all groups that are open.
    negations: usize,
    terms: usize,
}

/// An open parenthesis.
struct Open<'t> {
    token: &'t Token,
    /// `NOT`s around it.
    negations: usize,
}

impl Default for Order<'_> {
    fn default() -> Self {
        Self { wants_term: true, opened: Vec::new(), negations: 0, terms: 0 }
    }
}

impl<'t> Order<'t> {
    fn take(&mut self, token: &'t Token, before: Option<&Token>) -> Result<(), QueryError> {
        let is_sign =
            |kind: &TokenKind| matches!(kind, TokenKind::Not | TokenKind::Plus | TokenKind::Minus);
        let signed = before.filter(|before| is_sign(&before.kind));
        match token.kind {
            TokenKind::And | TokenKind::Or if self.wants_term => {
                return Err(match before {
                    None => nothing_before(token),
                    Some(before) if before.kind == TokenKind::Open => nothing_before(token),
                    Some(before) => nothing_follows(before),
                });
            }
            TokenKind::And | TokenKind::Or => self.wants_term = true,
            TokenKind::Plus | TokenKind::Minus if signed.is_some() => return Err(two_signs(token)),
            TokenKind::Not if signed.is_some_and(|before| before.kind != TokenKind::Not) => {
                return Err(two_signs(token));
            }
            TokenKind::Not => {
                self.wants_term = true;
                self.negations += 1;
            }
            TokenKind::Plus | TokenKind::Minus => self.wants_term = true,
            TokenKind::Open => {
                self.wants_term = true;
                self.opened.push(Open { token, negations: self.negations });
            }
            TokenKind::Close => self.close(token, before)?,
            TokenKind::Field(_) => self.wants_term = true,
            _ => {
                self.wants_term = false;
                self.terms += 1;
                self.negations = self.opened.last().map_or(0, |open| open.negations);
            }
        }
        self.check_limits(token)
    }

    fn close(&mut self, token: &Token, before: Option<&Token>) -> Result<(), QueryError> {
        if self.opened.pop().is_none() {
            return Err(QueryError::new("unexpected `)`", token.span.clone())
                .with_hint("this parenthesis was never opened"));
        }
        if self.wants_term {
            return Err(match before {
                Some(before) if before.kind != TokenKind::Open => nothing_follows(before),
                _ => QueryError::new("nothing stands in these parentheses", token.span.clone())
                    .with_hint("write a term in them, or leave them out"),
            });
        }
        self.negations = self.opened.last().map_or(0, |open| open.negations);
        Ok(())
    }

    fn check_limits(&self, token: &Token) -> Result<(), QueryError> {
        if self.opened.len() + self.negations > MAX_DEPTH {
            let error = QueryError::new("the query is nested too deeply", token.span.clone());
            return Err(
                error.with_hint(format!("parentheses and NOT go {MAX_DEPTH} levels deep at most"))
            );
        }
        if self.terms > MAX_TERMS {
            let message = format!("the query has more than {MAX_TERMS} terms");
            return Err(QueryError::new(message, token.span.clone())
                .with_hint("values of one field are written as a list: field:IN [a b c]"));
        }
        Ok(())
    }
}

fn two_signs(token: &Token) -> QueryError {
    QueryError::new("a term has one sign at most", token.span.clone())
        .with_hint("write NOT, + or -, not two of them; parentheses help: -(-a)")
}

fn nothing_before(token: &Token) -> QueryError {
    QueryError::new(format!("nothing stands before {}", text(token)), token.span.clone())
        .with_hint("it joins two terms: a AND b; quote it to search for it")
}

fn nothing_follows(token: &Token) -> QueryError {
    QueryError::new(format!("no term follows {}", text(token)), token.span.clone())
        .with_hint("write a term behind it; quote it to search for it")
}

fn text(token: &Token) -> &'static str {
    match token.kind {
        TokenKind::And => "AND",
        TokenKind::Or => "OR",
        TokenKind::Not => "NOT",
        TokenKind::Plus => "`+`",
        TokenKind::Minus => "`-`",
        TokenKind::Open => "`(`",
        _ => "the field",
    }
}
