//! The query language of `/v3.0/search/*`: `field:value`, `field:"value"`, `*` inside values, `and`, `or`, `not`,
//! brackets. Case does not matter in values.

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SearchQuery {
    Everything,
    /// A word without the operator: finds nothing, and is no mistake.
    Nothing,
    Matches(String, String),
    Not(Box<SearchQuery>),
    All(Vec<SearchQuery>),
    Any(Vec<SearchQuery>),
}

/// Longest query.
const LONGEST: usize = 2_048;
/// Deepest brackets.
const DEEPEST: usize = 64;

impl SearchQuery {
    /// Reads a query.
    ///
    /// # Errors
    /// It is too long, or its brackets, quotes or words do not add up.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > LONGEST {
            return Err(format!("query is longer than {LONGEST} characters"));
        }
        let mut reader = Reader { tokens: tokens(text)?, place: 0, depth: 0 };
        let query = reader.any()?;
        match reader.tokens.get(reader.place) {
            None => Ok(query),
            Some(token) => Err(format!("unexpected {token:?} in query")),
        }
    }

    /// Whether a record passes; `values` gives the values of a field.
    pub(super) fn accepts(&self, values: &impl Fn(&str) -> Vec<String>) -> bool {
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::Matches(field, pattern) => {
                values(field).iter().any(|value| matches_pattern(value, pattern))
            }
            Self::Not(inner) => !inner.accepts(values),
            Self::All(parts) => parts.iter().all(|part| part.accepts(values)),
            Self::Any(parts) => parts.iter().any(|part| part.accepts(values)),
        }
    }
}

/// Whether a value is of a pattern, in which `*` stands for anything.
fn matches_pattern(value: &str, pattern: &str) -> bool {
    let (value, pattern) = (value.to_lowercase(), pattern.to_lowercase());
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = value.strip_prefix(first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(place) => rest = &rest[place + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A word, and whether it was quoted.
    Word(String, bool),
    Colon,
    Open,
    Close,
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            // A second colon belongs to the value: `url:http://…` comes unquoted too.
            ':' => tokens.push(Token::Colon),
            '"' => {
                let mut value = String::new();
                loop {
                    match letters.next() {
                        Some('"') => break,
                        Some('\\') => value.extend(letters.next()),
                        Some(other) => value.push(other),
                        None => return Err("query ends inside a value".to_owned()),
                    }
                }
                tokens.push(Token::Word(value, true));
            }
            _ if letter.is_whitespace() => {}
            _ => {
                let is_value = tokens.last() == Some(&Token::Colon);
                let mut word = String::from(letter);
                let goes_on = |letter: &char| {
                    !letter.is_whitespace()
                        && !"()\"".contains(*letter)
                        && (is_value || *letter != ':')
                };
                while let Some(next) = letters.next_if(goes_on) {
                    word.push(next);
                }
                tokens.push(Token::Word(word, false));
            }
        }
    }
    Ok(tokens)
}

struct Reader {
    tokens: Vec<Token>,
    place: usize,
    depth: usize,
}

impl Reader {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.place).cloned();
        self.place += 1;
        token
    }

    fn takes(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.get(self.place), Some(Token::Word(word, false)) if word.eq_ignore_ascii_case(wanted));
        self.place += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<SearchQuery, String> {
        let mut parts = vec![self.all()?];
        while self.takes("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { SearchQuery::Any(parts) })
    }

    fn all(&mut self) -> Result<SearchQuery, String> {
        let mut parts = vec![self.one()?];
        while self.takes("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { SearchQuery::All(parts) })
    }

    fn one(&mut self) -> Result<SearchQuery, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("query is nested too deeply".to_owned());
        }
        let found = self.term();
        self.depth -= 1;
        found
    }

    fn term(&mut self) -> Result<SearchQuery, String> {
        if self.takes("not") {
            return Ok(SearchQuery::Not(Box::new(self.one()?)));
        }
        match self.next() {
            Some(Token::Open) => {
                let inner = self.any()?;
                match self.next() {
                    Some(Token::Close) => Ok(inner),
                    other => Err(format!("expected a closing bracket in query, found {other:?}")),
                }
            }
            Some(Token::Word(word, _)) if self.tokens.get(self.place) == Some(&Token::Colon) => {
                self.place += 1;
                match self.next() {
                    Some(Token::Word(value, _)) => Ok(SearchQuery::Matches(word, value)),
                    other => Err(format!("expected a value in query, found {other:?}")),
                }
            }
            Some(Token::Word(word, false)) if word == "*" => Ok(SearchQuery::Everything),
            Some(Token::Word(..)) => Ok(SearchQuery::Nothing),
            other => Err(format!("unexpected {other:?} in query")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(text: &str) -> bool {
        let values = |field: &str| match field {
            "mailbox" => vec!["o'neil@tarn.example".to_owned()],
            "link" => vec!["http://bad.example/a".to_owned(), "x".to_owned()],
            _ => Vec::new(),
        };
        SearchQuery::parse(text).unwrap().accepts(&values)
    }

    #[test]
    fn queries_mean_what_they_say() {
        for text in [
            "*",
            "mailbox:o'neil@tarn.example",
            "mailbox:\"O'NEIL@tarn.example\"",
            "mailbox: *",
            "mailbox:*neil*example",
            "link:http://bad.example/a",
            "not colour:red and (mailbox:x or link:x)",
        ] {
            assert!(accepts(text), "{text}");
        }
        for text in
            ["mailbox", "mailbox eq 'x'", "mailbox:o'neil", "not *", "mailbox:*zz*", "colour:*"]
        {
            assert!(SearchQuery::parse(text).is_err() || !accepts(text), "{text}");
        }
        assert!(!accepts("o'neil"), "without the operator nothing is found, and nothing is wrong");
    }

    #[test]
    fn broken_queries_are_refused() {
        for text in ["", "(mailbox:x", "mailbox:", "mailbox:x link:y", "mailbox:\"x", ")"] {
            assert!(SearchQuery::parse(text).is_err(), "{text}");
        }
        assert!(SearchQuery::parse(&"(".repeat(1_000)).is_err());
        assert!(SearchQuery::parse(&"x".repeat(3_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z:\"*() \\\\]{0,40}|\\PC{0,40}") {
            if let Ok(query) = SearchQuery::parse(&text) {
                query.accepts(&|_| vec![text.clone()]);
            }
        }
    }
}
