//! Expressions between double braces: what a text is made of, and what each comes to in a record.
//!
//! A text is cut into literal parts and expressions before any value is known; a value is never looked
//! through for expressions, so template syntax inside a record stays text.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use minijinja::{Environment, ErrorKind};
use serde_json::{Map, Value};

use super::error::WebhookError;
use super::filters::{Omitted, environment};
use super::lookup::{Missed, watched};
use super::values::{self, Scope};

static LANGUAGE: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// One expression.
pub(crate) struct Expression {
    source: String,
    compiled: minijinja::Expression<'static, 'static>,
    paths: BTreeSet<String>,
}

/// What an expression came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    /// A value that is not empty, or one that is meant to be.
    Value(Value),
    /// Nothing, and that is allowed: the key is left out.
    Nothing,
}

impl Expression {
    /// Reads an expression, without braces.
    pub(crate) fn new(source: &str, place: &str) -> Result<Self, WebhookError> {
        let source = source.trim();
        let compiled = LANGUAGE.compile_expression_owned(source.to_owned()).map_err(|error| {
            let detail = error.detail().unwrap_or("cannot be read").to_owned();
            WebhookError::at(
                place,
                (
                    &format!("has an expression that cannot be read: `{source}`: {detail}"),
                    &format!("の式を読めません: `{source}`: {detail}"),
                ),
                (
                    "write a path such as `tmv1.host_guid`",
                    "`tmv1.host_guid` のようなパスを書いてください",
                ),
            )
        })?;
        let paths = compiled.undeclared_variables(true).into_iter().collect();
        Ok(Self { source: source.to_owned(), compiled, paths })
    }

    /// The variables that it reads, as dotted paths.
    pub(crate) fn paths(&self) -> &BTreeSet<String> {
        &self.paths
    }

    /// What it comes to; empty is an error that names the fields.
    pub(crate) fn find(&self, scope: &Scope, place: &str) -> Result<Found, WebhookError> {
        let missed = Missed::default();
        let found = self.evaluate(scope, place, &missed)?;
        let Some(value) = found else { return Ok(Found::Nothing) };
        if values::is_blank(&value) && !self.is_meant_empty(&value) {
            return Err(self.empty(&missed));
        }
        Ok(Found::Value(value))
    }

    /// Whether it holds: anything that is not false, zero or empty. What is missing does not hold.
    pub(crate) fn holds(&self, scope: &Scope, place: &str) -> Result<bool, WebhookError> {
        Ok(match self.evaluate(scope, place, &Missed::default())? {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => flag,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(value) => !values::is_blank(&value),
        })
    }

    /// `None` for what is left out.
    fn evaluate(
        &self,
        scope: &Scope,
        place: &str,
        missed: &Missed,
    ) -> Result<Option<Value>, WebhookError> {
        let mut seen = Scope::new();
        for path in &self.paths {
            let root = path.split('.').next().unwrap_or_default();
            if !seen.contains_key(root)
                && let Some(value) = scope.get(root)
            {
                seen.insert(root.to_owned(), value.clone());
            }
            values::passable(&mut seen, path);
        }
        let value = match self.compiled.eval(watched(&seen, missed)) {
            Ok(value) => value,
            Err(error) if error.kind() == ErrorKind::UndefinedError => {
                return Err(self.empty(missed));
            }
            Err(error) => {
                let detail = error.detail().unwrap_or("takes too long").to_owned();
                return Err(WebhookError::at(
                    place,
                    (
                        &format!("has an expression that fails: `{}`: {detail}", self.source),
                        &format!("の式が失敗しました: `{}`: {detail}", self.source),
                    ),
                    ("mend the expression", "式を直してください"),
                ));
            }
        };
        if value.downcast_object_ref::<Omitted>().is_some() {
            return Ok(None);
        }
        Ok(Some(values::json(&value)))
    }

    /// The error that names the fields which were looked for in vain, or the expression when it reads none.
    fn empty(&self, missed: &Missed) -> WebhookError {
        let missed = missed.paths();
        let mut names: Vec<String> = self.paths.intersection(&missed).cloned().collect();
        // What a person may leave out is no field of the record.
        let is_field = |name: &String| !name.starts_with("parameters.");
        if names.iter().any(is_field) {
            names.retain(is_field);
        }
        if names.is_empty() {
            names.extend(self.paths.iter().cloned());
        }
        if names.is_empty() {
            names.push(self.source.clone());
        }
        WebhookError::empty(&names)
    }

    /// An empty text is wanted where the expression itself gives it as default.
    fn is_meant_empty(&self, value: &Value) -> bool {
        let spaceless: String =
            self.source.chars().filter(|letter| !letter.is_whitespace()).collect();
        value.is_string()
            && (spaceless.contains("default('')") || spaceless.contains("default(\"\")"))
    }
}

/// A text with expressions in it.
pub(crate) struct Template {
    parts: Vec<Part>,
    place: String,
}

enum Part {
    Literal(String),
    Expression(Expression),
}

impl Template {
    /// Cuts a text into literal parts and expressions.
    pub(crate) fn new(text: &str, place: &str) -> Result<Self, WebhookError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            literal(&rest[..start], place, &mut parts)?;
            let inner = &rest[start + 2..];
            let Some(end) = closing(inner) else {
                return Err(WebhookError::at(
                    place,
                    ("opens `{{` and does not close it", "の `{{` が閉じられていません"),
                    ("close the expression with `}}`", "式を `}}` で閉じてください"),
                ));
            };
            parts.push(Part::Expression(Expression::new(&inner[..end], place)?));
            rest = &inner[end + 2..];
        }
        literal(rest, place, &mut parts)?;
        Ok(Self { parts, place: place.to_owned() })
    }

    /// The expressions in it.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Expression(expression) => Some(expression),
        })
    }

    /// The literal parts of it.
    pub(crate) fn literals(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::Expression(_) => None,
        })
    }

    /// What the text comes to: the value with its type where it is one expression alone, else text.
    pub(crate) fn find(&self, scope: &Scope) -> Result<Found, WebhookError> {
        if let [Part::Expression(expression)] = self.parts.as_slice() {
            return expression.find(scope, &self.place);
        }
        self.text(scope, |value, _| Ok(value.to_owned())).map(|text| Found::Value(text.into()))
    }

    /// The text with every value written by `write`, which is told the literal text before it.
    pub(crate) fn text(
        &self,
        scope: &Scope,
        write: impl Fn(&str, &str) -> Result<String, WebhookError>,
    ) -> Result<String, WebhookError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Expression(expression) => {
                    let value = match expression.find(scope, &self.place)? {
                        Found::Nothing => return Err(self.not_a_key()),
                        Found::Value(value) => {
                            values::text(&value).ok_or_else(|| self.not_a_text())?
                        }
                    };
                    let written = write(&value, &text)?;
                    text.push_str(&written);
                }
            }
        }
        Ok(text)
    }

    /// Whether the text holds: it is one expression that does, or any other text.
    pub(crate) fn holds(&self, scope: &Scope) -> Result<bool, WebhookError> {
        match self.parts.as_slice() {
            [Part::Expression(expression)] => expression.holds(scope, &self.place),
            parts => Ok(!parts.is_empty()),
        }
    }

    fn not_a_key(&self) -> WebhookError {
        WebhookError::at(
            &self.place,
            ("has `optional` inside a longer text", "の長い文の中に `optional` があります"),
            (
                "use `| default('')` inside a text; `| optional` leaves a whole key out",
                "文の中では `| default('')` を使ってください。`| optional` はキー全体を省きます",
            ),
        )
    }

    fn not_a_text(&self) -> WebhookError {
        WebhookError::at(
            &self.place,
            ("has a list or an object inside a text", "の文の中に一覧またはオブジェクトがあります"),
            (
                "take one value of it, or write `| join(', ')`",
                "値を 1 つ選ぶか、`| join(', ')` を書いてください",
            ),
        )
    }
}

/// A scope of these names.
pub(crate) fn scope(value: Value) -> Scope {
    match values::pruned(value) {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn literal(text: &str, place: &str, parts: &mut Vec<Part>) -> Result<(), WebhookError> {
    for sign in ["{%", "{#", "}}"] {
        if text.contains(sign) {
            return Err(WebhookError::at(
                place,
                (
                    &format!("has `{sign}`, which is no part of an expression"),
                    &format!("に式の一部でない `{sign}` があります"),
                ),
                (
                    "only expressions such as `{{ tmv1.host_guid }}` can be used",
                    "`{{ tmv1.host_guid }}` のような式だけを使えます",
                ),
            ));
        }
    }
    if !text.is_empty() {
        parts.push(Part::Literal(text.to_owned()));
    }
    Ok(())
}

/// Where the expression ends: the first `}}` outside of quotes and of braces of its own.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_u32;
    let mut is_escaped = false;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            _ if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), letter) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '{') => depth += 1,
            (None, '}') if depth > 0 => depth -= 1,
            (None, '}') if text[at + 1..].starts_with('}') => return Some(at),
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(text: &str, values: Value) -> Result<Value, String> {
        let template = Template::new(text, "request.body").map_err(|error| error.to_string())?;
        match template.find(&scope(values)).map_err(|error| error.to_string())? {
            Found::Value(value) => Ok(value),
            Found::Nothing => Ok(json!("left out")),
        }
    }

    #[test]
    fn one_expression_keeps_its_type_and_a_text_is_text() {
        let values = json!({ "a": { "n": 7, "l": ["x", "y"] }, "t": "{{ a.n }} {% x %}" });
        for (text, expected) in [
            ("{{ a.n }}", json!(7)),
            ("{{a.l}}", json!(["x", "y"])),
            ("{{ a.l[1] }}", json!("y")),
            ("n is {{ a.n }}.", json!("n is 7.")),
            ("{{ t }}", json!("{{ a.n }} {% x %}")),
            ("<{{ t }}>", json!("<{{ a.n }} {% x %}>")),
            ("{{ '}}' ~ t }}", json!("}}{{ a.n }} {% x %}")),
            ("{{ a.x.y.z | default('none') }}", json!("none")),
            ("{{ a.x | default('') }}", json!("")),
            ("{{ a.x or a.n }}", json!(7)),
            ("{{ 'n' if a.n else 'x' }}", json!("n")),
            ("{{ {'k': a.n}['k'] }}", json!(7)),
            ("{{ a.x | optional }}", json!("left out")),
            ("{{ a.l | optional }}", json!(["x", "y"])),
            ("{{ 'https://x/v3/tasks/00041?a=b' | last_segment }}", json!("00041")),
        ] {
            assert_eq!(found(text, values.clone()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_empty_stops_with_its_name() {
        let values = json!({ "a": { "n": null, "l": [""], "s": " " } });
        for (text, expected) in [
            ("{{ a.n }}", "field `a.n` is empty in this record"),
            ("{{ a.l }}", "field `a.l` is empty in this record"),
            ("x {{ a.s }}", "field `a.s` is empty in this record"),
            ("{{ b.c.d }}", "field `b.c.d` is empty in this record"),
            ("{{ 'x' ~ a.n }}", "field `a.n` is empty in this record"),
            ("{{ a.n or b.c }}", "fields `a.n`, `b.c` are empty in this record"),
        ] {
            assert_eq!(found(text, values.clone()), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn only_expressions_are_read() {
        for text in
            ["{% for x in y %}", "{# x #}", "a }} b", "{{ a", "{{ a b }}", "{{ include('x') }}"]
        {
            assert!(found(text, json!({})).is_err(), "{text}");
        }
        assert!(found("{{ 'x' * 100000000000 }}", json!({})).is_err());
    }
}
