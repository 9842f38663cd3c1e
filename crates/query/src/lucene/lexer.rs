//! From text to tokens. What can be told apart without knowing what belongs to what is told here.

use super::quoted;
use super::scanner::Scanner;
use super::values::{self, BARE, SPECIAL, VALUE, Value};
use crate::language::{QueryError, Span};
use crate::syntax::Name;

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Open,
    Close,
    And,
    Or,
    Not,
    Plus,
    Minus,
    /// `field:`; a value or an opening parenthesis follows.
    Field(Name),
    /// A value, with or without a field before it.
    Value(Value),
    /// `_exists_:field`.
    Exists(Name),
    /// `*:*`.
    Everything,
    /// `latest=true`.
    Latest(bool),
}

/// Signs that other languages compare with.
const COMPARISONS: [&str; 8] = ["=", "==", "!=", "<>", ">", "<", ">=", "<="];

/// Cuts a text into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut lexer = Lexer { scanner: Scanner::new(text), tokens: Vec::new(), groups: Vec::new() };
    loop {
        lexer.scanner.skip_space();
        if lexer.scanner.peek().is_none() {
            return Ok(lexer.tokens);
        }
        lexer.token()?;
    }
}

/// What is legal and probably not meant: operators in lower case.
pub(super) fn warnings(text: &str, tokens: &[Token]) -> Vec<String> {
    let mut warnings = Vec::new();
    for token in tokens {
        let word = &text[token.span.clone()];
        let operator = ["AND", "OR", "NOT"].into_iter().find(|o| o.eq_ignore_ascii_case(word));
        if let (TokenKind::Value(_), Some(operator)) = (&token.kind, operator) {
            let warning = format!("`{word}` is searched for as a word: the operator is {operator}");
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
    warnings
}

struct Lexer<'t> {
    scanner: Scanner<'t>,
    tokens: Vec<Token>,
    /// For each open parenthesis, whether a field stands before it or one around it.
    groups: Vec<bool>,
}

impl Lexer<'_> {
    fn push(&mut self, start: usize, kind: TokenKind) {
        let span = self.scanner.span_from(start);
        self.tokens.push(Token { kind, span });
    }

    /// Takes one character as a token.
    fn sign(&mut self, kind: TokenKind) {
        let start = self.scanner.place();
        self.scanner.advance();
        self.push(start, kind);
    }

    fn token(&mut self) -> Result<(), QueryError> {
        let in_field = self.groups.last().copied().unwrap_or(false);
        match (self.scanner.peek(), self.scanner.peek_second()) {
            (Some('('), _) => {
                self.groups.push(in_field);
                self.sign(TokenKind::Open);
            }
            (Some(')'), _) => {
                self.groups.pop();
                self.sign(TokenKind::Close);
                values::end(&self.scanner)?;
            }
            (Some('+'), next) if is_prefix(next) => self.sign(TokenKind::Plus),
            (Some('-'), next) if is_prefix(next) => self.sign(TokenKind::Minus),
            (Some('!'), next) if next != Some('=') => self.sign(TokenKind::Not),
            (Some('+' | '-'), _) => {
                return Err(self.scanner.unexpected().with_hint(
                    "+ and - stand right before a term, without a space; quote them to search for them",
                ));
            }
            (Some('[' | '{'), _) if !in_field => {
                return Err(self.scanner.unexpected().with_hint(
                    "a range needs a field: message_size:[1 TO 5]; a text with brackets stands in quotes",
                ));
            }
            (Some(']' | '}' | '^' | ':'), _) => {
                return Err(self.scanner.unexpected().with_hint("put the text in quotes"));
            }
            _ => return self.term(in_field),
        }
        Ok(())
    }

    /// An operator, a field or a value.
    fn term(&mut self, in_field: bool) -> Result<(), QueryError> {
        let start = self.scanner.place();
        if let Some(is_on) = self.latest() {
            self.push(start, TokenKind::Latest(is_on));
            return Ok(());
        }
        if self.scanner.take("*:*") {
            self.push(start, TokenKind::Everything);
            return values::end(&self.scanner);
        }
        if in_field && let Some(value) = values::only_of_field(&mut self.scanner)? {
            self.push(start, TokenKind::Value(value));
            return Ok(());
        }
        let is_quoted = matches!(self.scanner.peek(), Some('"' | '\'' | '/'));
        if !is_quoted {
            if let Some(operator) = operator(&mut self.scanner) {
                self.push(start, operator);
                return Ok(());
            }
            if let Some(name) = self.field_name()? {
                return self.field(start, name);
            }
            self.refuse_other_languages(start)?;
        }
        let value = values::plain(&mut self.scanner, BARE)?;
        self.push(start, TokenKind::Value(value));
        Ok(())
    }

    /// A word that `:` follows, which is taken too.
    fn field_name(&mut self) -> Result<Option<Name>, QueryError> {
        let mut ahead = self.scanner.clone();
        let Some(written) = written_name(&mut ahead)? else { return Ok(None) };
        ahead.skip_space();
        if !ahead.take(":") {
            return Ok(None);
        }
        let name = written.checked()?;
        if ahead.rest().starts_with("//") {
            let message = format!("`{}:` is read as a field", name.text());
            return Err(QueryError::new(message, name.span)
                .with_hint("put an address of the web in quotes: \"https://…\""));
        }
        self.scanner = ahead;
        Ok(Some(name))
    }

    /// What belongs to a field: its value, or the parenthesis before several.
    fn field(&mut self, start: usize, name: Name) -> Result<(), QueryError> {
        let field_end = self.scanner.place();
        let has_space = self.scanner.skip_space();
        let text = name.text();
        if text.eq_ignore_ascii_case("_exists_") {
            return self.exists(start);
        }
        if text.eq_ignore_ascii_case("latest") {
            let error = QueryError::new("latest takes true or false", name.span);
            return Err(error.with_hint(
                "write latest:true for the newest version of each finding; times are bounded by \
                 time:[now-24h TO *]",
            ));
        }
        let is_operator = operator(&mut self.scanner.clone()).is_some();
        if is_operator || matches!(self.scanner.peek(), None | Some(')')) {
            return Err(QueryError::new(
                format!("expected a value behind `{text}:`"),
                self.scanner.here(),
            )
            .with_hint(format!("write {text}:value, {text}:\"some text\" or {text}:*")));
        }
        self.tokens.push(Token { kind: TokenKind::Field(name), span: start..field_end });
        let start = self.scanner.place();
        if self.scanner.peek() == Some('(') {
            self.groups.push(true);
            self.sign(TokenKind::Open);
            return Ok(());
        }
        let ends = if has_space { BARE } else { VALUE };
        let value = values::of_field(&mut self.scanner, ends)?;
        self.push(start, TokenKind::Value(value));
        Ok(())
    }

    /// The field whose presence is asked for.
    fn exists(&mut self, start: usize) -> Result<(), QueryError> {
        match written_name(&mut self.scanner)? {
            Some(written) => {
                values::end(&self.scanner)?;
                self.push(start, TokenKind::Exists(written.checked()?));
                Ok(())
            }
            None => Err(QueryError::new("expected the name of a field", self.scanner.here())
                .with_hint("write _exists_:subject, or subject:*")),
        }
    }

    /// `latest:true`, `latest = false`.
    fn latest(&mut self) -> Option<bool> {
        let mut ahead = self.scanner.clone();
        let rest = ahead.rest();
        let word = rest.get(..6).filter(|word| word.eq_ignore_ascii_case("latest"))?;
        ahead.take(word);
        ahead.skip_space();
        if !(ahead.take(":") || ahead.take("=")) {
            return None;
        }
        ahead.skip_space();
        let rest = ahead.rest();
        let end = rest.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(rest.len());
        let value = &rest[..end];
        let is_on = ["false", "true"].iter().position(|v| v.eq_ignore_ascii_case(value))? == 1;
        ahead.take(value);
        self.scanner = ahead;
        Some(is_on)
    }

    /// Words that are operators, stages and settings elsewhere, and mean nothing here.
    fn refuse_other_languages(&self, start: usize) -> Result<(), QueryError> {
        let rest = self.scanner.rest();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let word = &rest[..end];
        let span = start..start + end;
        let message = format!("unexpected `{word}`");
        let to_search = format!("to search for it write {}", quoted(word));
        if COMPARISONS.contains(&word) {
            return Err(QueryError::new(message, span)
                .with_hint(format!("write field:value, -field:value or field:>=5; {to_search}")));
        }
        if word.starts_with('|') {
            return Err(QueryError::new(message, span).with_hint(format!(
                "this language has no stages, the Taegis-style one has; {to_search}"
            )));
        }
        let lower = word.to_ascii_lowercase();
        if lower.starts_with("earliest=") || lower.starts_with("latest=") {
            return Err(QueryError::new(message, span).with_hint(format!(
                "bound times by a range such as time:[now-24h TO *]; {to_search}"
            )));
        }
        Ok(())
    }
}

/// Whether a sign before this character belongs to a term.
fn is_prefix(next: Option<char>) -> bool {
    next.is_some_and(|next| !next.is_whitespace() && next != ')')
}

/// `AND`, `OR`, `NOT`, `&&`, `||`.
fn operator(scanner: &mut Scanner<'_>) -> Option<TokenKind> {
    let rest = scanner.rest();
    let end = rest.find(|c: char| c.is_whitespace() || ['(', ')', ':'].contains(&c));
    let word = &rest[..end.unwrap_or(rest.len())];
    let kind = match word {
        "AND" | "&&" => TokenKind::And,
        "OR" | "||" => TokenKind::Or,
        "NOT" => TokenKind::Not,
        _ => return None,
    };
    scanner.take(word);
    Some(kind)
}

/// What may be the name of a field.
struct Written<'t> {
    text: &'t str,
    name: Name,
    is_pattern: bool,
}

/// Reads a name, its parts between dots; a dot with a backslash belongs to its part.
fn written_name<'t>(scanner: &mut Scanner<'t>) -> Result<Option<Written<'t>>, QueryError> {
    let start = scanner.place();
    let logical = scanner.take("@");
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut is_pattern = false;
    while let Some(character) = scanner.peek() {
        if character.is_whitespace() || character == ':' || SPECIAL.contains(&character) {
            break;
        }
        if character == '\\' {
            part.push(values::escape(scanner)?);
            continue;
        }
        scanner.advance();
        match character {
            '.' => parts.push(std::mem::take(&mut part)),
            _ => {
                is_pattern |= ['*', '?'].contains(&character);
                part.push(character);
            }
        }
    }
    parts.push(part);
    let (text, span) = (scanner.since(start), scanner.span_from(start));
    let name = Name { logical, parts, span };
    Ok((!text.is_empty()).then_some(Written { text, name, is_pattern }))
}

impl Written<'_> {
    fn checked(self) -> Result<Name, QueryError> {
        let text = self.text;
        if self.is_pattern {
            let message = format!("a pattern of field names (`{text}`) is not supported");
            return Err(QueryError::new(message, self.name.span).with_hint(
                r"name the fields one by one, joined by OR; the characters are \* and \?",
            ));
        }
        if self.name.parts.iter().any(String::is_empty) {
            let message = format!("`{text}` is not the name of a field");
            return Err(QueryError::new(message, self.name.span).with_hint(
                "names are words with dots between: email.subject; texts stand in quotes",
            ));
        }
        Ok(self.name)
    }
}
