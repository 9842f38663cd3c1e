//! The filter language of the `TMV1-Filter` header: `field eq 'value'`, `contains(field,'text')`, `and`, `or`,
//! `not`, brackets. A quote inside a value is doubled.

/// A parsed filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    Equals(String, String),
    Contains(String, String),
    Not(Box<Filter>),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

impl Filter {
    /// Reads a filter over these fields, of at most `most` characters.
    pub(super) fn parse(text: &str, fields: &[&str], most: usize) -> Result<Self, String> {
        if text.chars().count() > most {
            return Err(format!("filter is longer than {most} characters"));
        }
        let mut reader = Reader { tokens: tokens(text)?, place: 0, fields };
        let filter = reader.any()?;
        match reader.next() {
            None => Ok(filter),
            Some(token) => Err(format!("unexpected {token:?} in filter")),
        }
    }

    /// Whether a record passes; `values` gives the values of a field.
    pub(super) fn accepts(&self, values: &impl Fn(&str) -> Vec<String>) -> bool {
        match self {
            Self::Equals(field, wanted) => values(field).iter().any(|value| value == wanted),
            Self::Contains(field, part) => {
                values(field).iter().any(|value| value.contains(part.as_str()))
            }
            Self::Not(inner) => !inner.accepts(values),
            Self::All(parts) => parts.iter().all(|part| part.accepts(values)),
            Self::Any(parts) => parts.iter().any(|part| part.accepts(values)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' => {}
            '(' | ')' | ',' => tokens.push(Token::Mark(letter)),
            '\'' => {
                let mut value = String::new();
                loop {
                    match letters.next() {
                        Some('\'') if letters.peek() == Some(&'\'') => {
                            letters.next();
                            value.push('\'');
                        }
                        Some('\'') => break,
                        Some(other) => value.push(other),
                        None => return Err("filter ends inside a value".to_owned()),
                    }
                }
                tokens.push(Token::Text(value));
            }
            _ if letter.is_ascii_alphanumeric() => {
                let mut word = String::from(letter);
                while let Some(next) = letters.next_if(char::is_ascii_alphanumeric) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            other => return Err(format!("unexpected `{other}` in filter")),
        }
    }
    Ok(tokens)
}

struct Reader<'f> {
    tokens: Vec<Token>,
    place: usize,
    fields: &'f [&'f str],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.place).cloned();
        self.place += 1;
        token
    }

    fn takes(&mut self, word: &str) -> bool {
        let found =
            matches!(self.tokens.get(self.place), Some(Token::Word(found)) if found == word);
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), String> {
        match self.next() {
            Some(token) if token == *wanted => Ok(()),
            other => Err(format!("expected {wanted:?} in filter, found {other:?}")),
        }
    }

    fn any(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.all()?];
        while self.takes("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Any(parts) })
    }

    fn all(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.one()?];
        while self.takes("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts) })
    }

    fn one(&mut self) -> Result<Filter, String> {
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        match self.next() {
            Some(Token::Mark('(')) => {
                let inner = self.any()?;
                self.expect(&Token::Mark(')'))?;
                Ok(inner)
            }
            Some(Token::Word(word)) if word == "contains" => {
                self.expect(&Token::Mark('('))?;
                let field = self.field()?;
                self.expect(&Token::Mark(','))?;
                let text = self.text()?;
                self.expect(&Token::Mark(')'))?;
                Ok(Filter::Contains(field, text))
            }
            Some(Token::Word(_)) => {
                self.place -= 1;
                let field = self.field()?;
                self.expect(&Token::Word("eq".to_owned()))?;
                Ok(Filter::Equals(field, self.text()?))
            }
            other => Err(format!("unexpected {other:?} in filter")),
        }
    }

    fn field(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Word(word)) if self.fields.contains(&word.as_str()) => Ok(word),
            other => Err(format!("{other:?} is no field of this filter")),
        }
    }

    fn text(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Text(text)) => Ok(text),
            other => Err(format!("expected a quoted value in filter, found {other:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[&str] = &["severity", "model"];

    fn accepts(text: &str) -> bool {
        let values = |field: &str| match field {
            "severity" => vec!["high".to_owned()],
            _ => vec!["Odd 'quote'".to_owned(), "second".to_owned()],
        };
        Filter::parse(text, FIELDS, 5_000).unwrap().accepts(&values)
    }

    #[test]
    fn filters_mean_what_they_say() {
        for text in [
            "severity eq 'high'",
            "not (severity eq 'low') and contains(model,'cond')",
            "(severity eq 'low') or (severity eq 'high')",
            "severity eq 'low' and severity eq 'low' or severity eq 'high'",
            "model eq 'Odd ''quote'''",
        ] {
            assert!(accepts(text), "{text}");
        }
        for text in ["severity eq 'low'", "not severity eq 'high'", "contains(model,'x')"] {
            assert!(!accepts(text), "{text}");
        }
    }

    #[test]
    fn broken_filters_are_refused() {
        for text in [
            "",
            "severity",
            "severity eq high",
            "severity eq 'high",
            "severity:'high'",
            "colour eq 'red'",
            "(severity eq 'high'",
            "severity eq 'high' model eq 'x'",
            "contains(model 'x')",
        ] {
            assert!(Filter::parse(text, FIELDS, 5_000).is_err(), "{text}");
        }
        assert!(Filter::parse("severity eq 'high'", FIELDS, 10).is_err());
    }
}
