//! Reads a text from left to right, and knows where it is.

use crate::language::{QueryError, Span};

/// A place in a text.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    place: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, place: 0 }
    }

    /// Bytes before the place.
    pub(super) fn place(&self) -> usize {
        self.place
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.place..]
    }

    /// The next character.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The character behind the next.
    pub(super) fn peek_second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    /// Takes the next character.
    pub(super) fn advance(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.place += character.len_utf8();
        Some(character)
    }

    /// Takes a text if it comes next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        if is_next {
            self.place += text.len();
        }
        is_next
    }

    /// Takes white space; whether there was any.
    pub(super) fn skip_space(&mut self) -> bool {
        let before = self.place;
        self.place = self.text.len() - self.rest().trim_start().len();
        self.place > before
    }

    /// Whether a value may end here.
    pub(super) fn at_boundary(&self) -> bool {
        self.peek().is_none_or(|character| character.is_whitespace() || character == ')')
    }

    /// What was taken since a place.
    pub(super) fn since(&self, start: usize) -> &'t str {
        &self.text[start..self.place]
    }

    /// From a place to here.
    pub(super) fn span_from(&self, start: usize) -> Span {
        start..self.place
    }

    /// The place of the next character; empty at the end.
    pub(super) fn here(&self) -> Span {
        self.place..self.place + self.peek().map_or(0, char::len_utf8)
    }

    /// A mistake at the next character.
    pub(super) fn unexpected(&self) -> QueryError {
        match self.peek() {
            Some(character) => QueryError::new(format!("unexpected `{character}`"), self.here()),
            None => QueryError::new("unexpected end", self.here()),
        }
    }
}
