//! Predicates with literals of the type that the column has.

use model::ocsf::Class;
use model::time::Timestamp;
use regex::RegexBuilder;

use super::addresses::is_network;
use super::{Words, any, times};
use crate::fields::{ColumnKind, Field, Reads, kind};
use crate::language::QueryError;
use crate::plan::{Filter, Predicate, Value};
use crate::syntax::{Comparison, Literal, LiteralValue, Relation, Test};

/// A test, and what reading its literals needs.
#[derive(Clone, Copy)]
pub(super) struct Asked<'t> {
    pub(super) test: &'t Test,
    pub(super) now: Timestamp,
    pub(super) words: &'static Words,
}

/// The columns of a field that hold the same kind of thing.
pub(super) struct Part {
    pub(super) kind: ColumnKind,
    /// Whether decimal numbers are on the scale from 0 to 1 that Taegis gives severities.
    is_scaled: bool,
    pub(super) field: Field,
}

impl Asked<'_> {
    /// The positive condition of the test on a field; for `IS NULL` that the field is there.
    pub(super) fn of(self, field: &Field) -> Result<Filter, QueryError> {
        if field.reads == Reads::Columns(Vec::new()) {
            return Ok(Filter::None);
        }
        if self.test.comparison == Comparison::IsNull {
            return Ok(Filter::Test(field.clone(), Predicate::Exists));
        }
        let mut filters = Vec::new();
        let mut refusal = None;
        for part in parts(field, is_numeric(&self.test.comparison)) {
            match part.filter(self) {
                Ok(filter) => filters.push(filter),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match refusal {
            Some(error) if filters.is_empty() => Err(error),
            _ => Ok(any(filters)),
        }
    }
}

/// What the columns of a field hold, each kind once.
pub(super) fn kinds(field: &Field) -> Vec<ColumnKind> {
    parts(field, false).into_iter().map(|part| part.kind).collect()
}

fn parts(field: &Field, numeric: bool) -> Vec<Part> {
    let whole = |kind| vec![Part { kind, is_scaled: false, field: field.clone() }];
    let by_class = match &field.reads {
        Reads::Columns(by_class) => by_class,
        Reads::SourceName(_) => return whole(ColumnKind::Text),
        Reads::Raw { .. } | Reads::Output => return whole(ColumnKind::Json),
    };
    let mut parts: Vec<Part> = Vec::new();
    for (class, columns) in by_class {
        for column in columns {
            // A severity is a text and has its number beside it.
            let is_scaled = numeric && column == "severity";
            let column = if is_scaled { "severity_id" } else { column };
            let kind = kind(*class, column).unwrap_or(ColumnKind::Json);
            let known =
                parts.iter().position(|part| part.kind == kind && part.is_scaled == is_scaled);
            let index = known.unwrap_or_else(|| {
                let field = Field { name: field.name.clone(), reads: Reads::Columns(Vec::new()) };
                parts.push(Part { kind, is_scaled, field });
                parts.len() - 1
            });
            parts[index].add(*class, column);
        }
    }
    parts
}

fn is_numeric(comparison: &Comparison) -> bool {
    let is_number = |literal: &Literal| {
        matches!(literal.value, LiteralValue::Integer(_) | LiteralValue::Float(_))
    };
    match comparison {
        Comparison::Relation(_, literal) => is_number(literal),
        Comparison::In(literals) | Comparison::AnyOf(literals) => literals.iter().all(is_number),
        Comparison::Between(lower, upper) => {
            let ends = [lower, upper];
            ends.into_iter().flatten().all(|end| is_number(&end.literal))
        }
        _ => false,
    }
}

impl Part {
    fn add(&mut self, class: Class, column: &str) {
        let Reads::Columns(by_class) = &mut self.field.reads else { return };
        match by_class.iter_mut().find(|(other, _)| *other == class) {
            Some((_, columns)) => columns.push(column.to_owned()),
            None => by_class.push((class, vec![column.to_owned()])),
        }
    }

    /// The condition on a column that is like this.
    fn filter(&self, asked: Asked<'_>) -> Result<Filter, QueryError> {
        let predicate = match &asked.test.comparison {
            Comparison::Relation(relation, literal) => self.relation(*relation, literal, asked)?,
            Comparison::In(literals) => {
                let values: Result<_, _> =
                    literals.iter().map(|literal| self.value(literal, asked)).collect();
                Predicate::In(values?)
            }
            Comparison::Contains(literal) => {
                self.demand_text("CONTAINS", asked)?;
                Predicate::Contains(literal.text.clone())
            }
            Comparison::Matches(literal) => {
                self.demand_text(asked.words.pattern, asked)?;
                return self.pattern(literal);
            }
            Comparison::MatchesRegex(literal) => {
                self.demand_text(asked.words.expression, asked)?;
                Predicate::Regex(regex(literal)?)
            }
            Comparison::WholeRegex(literal) => {
                self.demand_text(asked.words.expression, asked)?;
                Predicate::Regex(format!("^(?:{})$", regex(literal)?))
            }
            Comparison::AnyOf(literals) => return self.any_of(literals, asked),
            Comparison::Between(lower, upper) => {
                return self.between(lower.as_ref(), upper.as_ref(), asked);
            }
            Comparison::IsNull => Predicate::Exists,
        };
        Ok(self.test(predicate))
    }

    pub(super) fn test(&self, predicate: Predicate) -> Filter {
        Filter::Test(self.field.clone(), predicate)
    }

    fn relation(
        &self,
        relation: Relation,
        literal: &Literal,
        asked: Asked<'_>,
    ) -> Result<Predicate, QueryError> {
        let is_order = !matches!(relation, Relation::Equal | Relation::NotEqual);
        let has_order = !matches!(
            self.kind,
            ColumnKind::Text | ColumnKind::Ip | ColumnKind::Boolean | ColumnKind::Object
        );
        if is_order && !has_order {
            let message = format!(
                "`{}` does not work on `{}`, which holds {}",
                relation.text(),
                self.field.name,
                describe(self.kind)
            );
            return Err(QueryError::new(message, asked.test.operator.clone()).with_hint(
                "compare numbers and times with it, texts with =, CONTAINS or MATCHES",
            ));
        }
        let value = self.value(literal, asked)?;
        Ok(match relation {
            Relation::Equal | Relation::NotEqual => Predicate::Equals(value),
            Relation::Greater => Predicate::Greater(value),
            Relation::GreaterOrEqual => Predicate::GreaterOrEqual(value),
            Relation::Less => Predicate::Less(value),
            Relation::LessOrEqual => Predicate::LessOrEqual(value),
        })
    }

    fn demand_text(&self, operator: &str, asked: Asked<'_>) -> Result<(), QueryError> {
        if matches!(self.kind, ColumnKind::Text | ColumnKind::Ip | ColumnKind::Json) {
            return Ok(());
        }
        let message = format!(
            "{operator} does not work on `{}`, which holds {}",
            self.field.name,
            describe(self.kind)
        );
        let hint = match self.kind {
            ColumnKind::Object => object_hint(&self.field.name),
            _ => asked.words.compare.to_owned(),
        };
        Err(QueryError::new(message, asked.test.operator.clone()).with_hint(hint))
    }

    /// `MATCHES`: a pattern of the whole value, and a network where addresses can stand.
    fn pattern(&self, literal: &Literal) -> Result<Filter, QueryError> {
        let text = literal.text.clone();
        match (self.kind, text.contains('/')) {
            (ColumnKind::Ip, true) => self.network(literal),
            (ColumnKind::Json, true) if is_network(&text) => Ok(Filter::Or(vec![
                self.test(Predicate::Glob(text.clone())),
                self.test(Predicate::Network(text)),
            ])),
            _ => Ok(self.test(Predicate::Glob(text))),
        }
    }

    /// Addresses of a network.
    pub(super) fn network(&self, literal: &Literal) -> Result<Filter, QueryError> {
        if is_network(&literal.text) {
            return Ok(self.test(Predicate::Network(literal.text.clone())));
        }
        let message = format!("`{}` is not a network", literal.text);
        Err(QueryError::new(message, literal.span.clone())
            .with_hint("write it as 10.0.0.0/8 or 2001:db8::/32, or as a pattern 10.*"))
    }

    /// The literal as the column's type.
    pub(super) fn value(&self, literal: &Literal, asked: Asked<'_>) -> Result<Value, QueryError> {
        if let (true, LiteralValue::Float(score)) = (self.is_scaled, literal.value) {
            return Ok(severity(score));
        }
        let value = match self.kind {
            ColumnKind::Text | ColumnKind::Ip => Some(Value::Text(literal.text.clone())),
            ColumnKind::Integer(captions) => number(literal, captions),
            ColumnKind::Float => number(literal, &[]),
            ColumnKind::Boolean => boolean(literal),
            ColumnKind::Time => self.time(literal, asked.now),
            ColumnKind::Json => Some(match literal.value {
                LiteralValue::Text => Value::Text(literal.text.clone()),
                LiteralValue::Integer(number) => Value::Integer(number),
                LiteralValue::Float(number) => Value::Float(number),
                LiteralValue::Boolean(truth) => Value::Boolean(truth),
            }),
            ColumnKind::Object => None,
        };
        value.ok_or_else(|| self.refuse(literal, asked))
    }

    /// Numbers are microseconds where the name says so, else milliseconds as in OCSF.
    fn time(&self, literal: &Literal, now: Timestamp) -> Option<Value> {
        let from_number =
            if self.is_in_micros() { Timestamp::from_micros } else { Timestamp::from_millis };
        let time = match literal.value {
            LiteralValue::Integer(number) => from_number(number),
            LiteralValue::Text => match literal.text.parse() {
                Ok(number) => from_number(number),
                Err(_) => times::moment(&literal.text, now)?.start,
            },
            LiteralValue::Float(_) | LiteralValue::Boolean(_) => return None,
        };
        Some(Value::Time(time))
    }

    /// Whether numbers that stand for times are microseconds.
    pub(super) fn is_in_micros(&self) -> bool {
        self.field.name.to_ascii_lowercase().ends_with("_usec")
    }

    pub(super) fn refuse(&self, literal: &Literal, asked: Asked<'_>) -> QueryError {
        let name = &self.field.name;
        let message = format!(
            "`{}` cannot equal `{name}`, which holds {}",
            literal.text,
            describe(self.kind)
        );
        let error = QueryError::new(message, literal.span.clone());
        match self.kind {
            ColumnKind::Integer(captions) if !captions.is_empty() => {
                let all: Vec<&str> = captions.iter().map(|(_, caption)| *caption).collect();
                error.with_hint(format!("write a number or one of: {}", all.join(", ")))
            }
            ColumnKind::Boolean => error.with_hint("write true or false"),
            ColumnKind::Time => error.with_hint(asked.words.time),
            ColumnKind::Object => error.with_hint(object_hint(name)),
            _ => error.with_hint("write a number"),
        }
    }
}

/// What to do with a field that is an object.
pub(super) fn object_hint(name: &str) -> String {
    format!("name one of its attributes: `{name}.…`; docs/reference/ocsf.md lists them")
}

pub(super) fn describe(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "texts",
        ColumnKind::Ip => "addresses",
        ColumnKind::Integer(_) | ColumnKind::Float => "numbers",
        ColumnKind::Boolean => "true or false",
        ColumnKind::Time => "times",
        ColumnKind::Json => "anything",
        ColumnKind::Object => "objects",
    }
}

/// A severity of Taegis (0 to 1, in bands of 0.2 from informational on) on the scale of OCSF's ids
/// (1 informational … 5 critical), where a band begins at its id.
fn severity(score: f64) -> Value {
    let id = ((score * 5.0 + 1.0) * 1e9).round() / 1e9;
    whole(id).map_or(Value::Float(id), Value::Integer)
}

/// The whole number that a number is, if it is one.
fn whole(number: f64) -> Option<i64> {
    let is_whole = number.fract() == 0.0 && number.abs() < 9e15;
    // Exact: below 2^53 every whole number of this type is one of the other.
    is_whole.then_some(number as i64)
}

fn number(literal: &Literal, captions: &[(i32, &str)]) -> Option<Value> {
    let of_float = |number: f64| whole(number).map_or(Value::Float(number), Value::Integer);
    match literal.value {
        LiteralValue::Integer(number) => Some(Value::Integer(number)),
        LiteralValue::Float(number) => Some(of_float(number)),
        LiteralValue::Boolean(_) => None,
        LiteralValue::Text => {
            let text = literal.text.trim();
            if let Ok(number) = text.parse() {
                return Some(Value::Integer(number));
            }
            let caption = captions.iter().find(|(_, caption)| caption.eq_ignore_ascii_case(text));
            let decimal = || text.parse().ok().filter(|number: &f64| number.is_finite());
            caption
                .map(|(id, _)| Value::Integer(i64::from(*id)))
                .or_else(|| decimal().map(of_float))
        }
    }
}

fn boolean(literal: &Literal) -> Option<Value> {
    match literal.value {
        LiteralValue::Boolean(truth) => Some(Value::Boolean(truth)),
        LiteralValue::Integer(0) => Some(Value::Boolean(false)),
        LiteralValue::Integer(1) => Some(Value::Boolean(true)),
        LiteralValue::Text => literal.text.to_ascii_lowercase().parse().ok().map(Value::Boolean),
        _ => None,
    }
}

/// The pattern, if it is a regular expression.
fn regex(literal: &Literal) -> Result<String, QueryError> {
    match compiles(&literal.text) {
        Ok(()) => Ok(literal.text.clone()),
        Err(cause) => {
            let message = format!("bad regular expression: {cause}");
            Err(QueryError::new(message, literal.span.clone())
                .with_hint("the syntax is RE2's: no look-around, no back-references"))
        }
    }
}

/// Why a text is no regular expression.
pub(super) fn compiles(pattern: &str) -> Result<(), String> {
    match RegexBuilder::new(pattern).case_insensitive(true).build() {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            let cause = text.rsplit("error: ").next().unwrap_or(&text);
            Err(cause.trim().trim_end_matches('.').to_owned())
        }
    }
}
