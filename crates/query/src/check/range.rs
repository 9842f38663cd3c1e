//! Whole values and ranges as Lucene means them: as wide as they are written.

use std::net::IpAddr;
use std::time::Duration;

use model::time::Timestamp;

use super::addresses::{self, is_network};
use super::any;
use super::predicate::{Asked, Part, describe, object_hint};
use super::times::{Moment, moment_from_now};
use crate::fields::ColumnKind;
use crate::language::QueryError;
use crate::plan::{Filter, Limit, Predicate, Value};
use crate::syntax::{End, Literal, LiteralValue};

impl Part {
    /// The value is one of the literals.
    pub(super) fn any_of(
        &self,
        literals: &[Literal],
        asked: Asked<'_>,
    ) -> Result<Filter, QueryError> {
        let mut filters = Vec::new();
        let mut values = Vec::new();
        for literal in literals {
            match self.kind {
                ColumnKind::Time => filters.push(self.at(self.moment(literal, asked)?)),
                ColumnKind::Ip if literal.text.contains('/') => {
                    filters.push(self.network(literal)?);
                }
                ColumnKind::Json => {
                    if is_network(&literal.text) {
                        filters.push(self.network(literal)?);
                    }
                    // As text it equals numbers too, and keeps their leading zeros apart.
                    values.push(Value::Text(literal.text.clone()));
                }
                _ => values.push(self.value(literal, asked)?),
            }
        }
        match values.len() {
            0 => {}
            1 => filters.insert(0, self.test(Predicate::Equals(values.remove(0)))),
            _ => filters.insert(0, self.test(Predicate::In(values))),
        }
        Ok(any(filters))
    }

    /// The value lies between two ends.
    pub(super) fn between(
        &self,
        lower: Option<&End>,
        upper: Option<&End>,
        asked: Asked<'_>,
    ) -> Result<Filter, QueryError> {
        match self.kind {
            ColumnKind::Time => self.between_times(lower, upper, asked),
            ColumnKind::Ip => self.between_addresses(lower, upper),
            ColumnKind::Integer(_) | ColumnKind::Float | ColumnKind::Json => {
                self.between_numbers(lower, upper, asked)
            }
            ColumnKind::Text | ColumnKind::Boolean | ColumnKind::Object => {
                Err(self.no_range(lower, upper))
            }
        }
    }

    fn no_range(&self, lower: Option<&End>, upper: Option<&End>) -> QueryError {
        let name = &self.field.name;
        let message =
            format!("a range does not work on `{name}`, which holds {}", describe(self.kind));
        let error = QueryError::new(message, span(lower, upper));
        match self.kind {
            ColumnKind::Object => error.with_hint(object_hint(name)),
            _ => error.with_hint(
                "ranges are for numbers, times and addresses; write the value, a pattern such as \
                 inv*, or put a text that begins with < or > in quotes",
            ),
        }
    }

    fn between_numbers(
        &self,
        lower: Option<&End>,
        upper: Option<&End>,
        asked: Asked<'_>,
    ) -> Result<Filter, QueryError> {
        let limit = |end: Option<&End>| {
            let read = |end: &End| {
                let value = self.value(&end.literal, asked)?;
                Ok(Limit { value, inclusive: end.inclusive })
            };
            end.map(read).transpose()
        };
        let (from, to) = (limit(lower)?, limit(upper)?);
        if let (Some(from), Some(to)) = (&from, &to)
            && is_empty(from, to)
        {
            return Err(backward(lower, upper));
        }
        Ok(self.within(from, to))
    }

    fn between_times(
        &self,
        lower: Option<&End>,
        upper: Option<&End>,
        asked: Asked<'_>,
    ) -> Result<Filter, QueryError> {
        let bound = |end: Option<&End>, whole: bool| {
            let time = |end: &End| {
                let Moment { start, covers } = self.moment(&end.literal, asked)?;
                Ok(if end.inclusive == whole { start + covers } else { start })
            };
            end.map(time).transpose()
        };
        // A lower end that is left out is left out whole, an upper one that is part is so whole.
        let (from, to) = (bound(lower, false)?, bound(upper, true)?);
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            return Err(backward(lower, upper));
        }
        let limit = |time, inclusive| Limit { value: Value::Time(time), inclusive };
        Ok(self.within(from.map(|time| limit(time, true)), to.map(|time| limit(time, false))))
    }

    fn between_addresses(
        &self,
        lower: Option<&End>,
        upper: Option<&End>,
    ) -> Result<Filter, QueryError> {
        let read = |end: &End| {
            let address: IpAddr = end.literal.text.trim().parse().map_err(|_| {
                let message = format!("`{}` is not an address", end.literal.text);
                QueryError::new(message, end.literal.span.clone())
                    .with_hint("write [10.0.0.0 TO 10.0.0.255], or a network: 10.0.0.0/24")
            })?;
            Ok((address, end.inclusive))
        };
        let from = lower.map(read).transpose()?;
        let to = upper.map(read).transpose()?;
        let first = match (from, to) {
            (Some((address, true)), _) => Some(address),
            (Some((address, false)), _) => addresses::next(address),
            (None, to) => to.map(|(address, _)| addresses::first(address)),
        };
        let last = match (to, from) {
            (Some((address, true)), _) => Some(address),
            (Some((address, false)), _) => addresses::previous(address),
            (None, from) => from.map(|(address, _)| addresses::last(address)),
        };
        match first.zip(last) {
            Some((first, last)) if first <= last && first.is_ipv4() == last.is_ipv4() => {
                Ok(self.test(Predicate::Addresses(first, last)))
            }
            _ => Err(backward(lower, upper)),
        }
    }

    /// The value lies between the ends that there are.
    fn within(&self, from: Option<Limit>, to: Option<Limit>) -> Filter {
        self.test(match (from, to) {
            (Some(from), Some(to)) => Predicate::Between(from, to),
            (Some(Limit { value, inclusive: true }), None) => Predicate::GreaterOrEqual(value),
            (Some(Limit { value, inclusive: false }), None) => Predicate::Greater(value),
            (None, Some(Limit { value, inclusive: true })) => Predicate::LessOrEqual(value),
            (None, Some(Limit { value, inclusive: false })) => Predicate::Less(value),
            (None, None) => Predicate::Exists,
        })
    }

    /// All the time that a literal names.
    fn at(&self, Moment { start, covers }: Moment) -> Filter {
        let limit = |time, inclusive| Some(Limit { value: Value::Time(time), inclusive });
        self.within(limit(start, true), limit(start + covers, false))
    }

    /// A literal as a time, which covers at least the smallest step of the clock.
    fn moment(&self, literal: &Literal, asked: Asked<'_>) -> Result<Moment, QueryError> {
        let from_number = |number| match self.is_in_micros() {
            true => (Timestamp::from_micros(number), Duration::from_micros(1)),
            false => (Timestamp::from_millis(number), Duration::from_millis(1)),
        };
        let number = match literal.value {
            LiteralValue::Integer(number) => Some(number),
            _ => literal.text.trim().parse().ok(),
        };
        let moment = match number {
            Some(number) => {
                let (start, covers) = from_number(number);
                Some(Moment { start, covers })
            }
            None => moment_from_now(&literal.text, asked.now),
        };
        let Moment { start, covers } = moment.ok_or_else(|| self.refuse(literal, asked))?;
        Ok(Moment { start, covers: covers.max(Duration::from_micros(1)) })
    }
}

/// Whether nothing lies between two values that can be compared.
fn is_empty(from: &Limit, to: &Limit) -> bool {
    let order = match (&from.value, &to.value) {
        (Value::Integer(from), Value::Integer(to)) => Some(from.cmp(to)),
        (Value::Float(from), Value::Float(to)) => from.partial_cmp(to),
        (Value::Integer(from), Value::Float(to)) => (*from as f64).partial_cmp(to),
        (Value::Float(from), Value::Integer(to)) => from.partial_cmp(&(*to as f64)),
        _ => None,
    };
    let is_closed = from.inclusive && to.inclusive;
    order.is_some_and(|order| order.is_gt() || (order.is_eq() && !is_closed))
}

fn backward(lower: Option<&End>, upper: Option<&End>) -> QueryError {
    QueryError::new("nothing lies in this range", span(lower, upper))
        .with_hint("the lower end comes first: [1 TO 5]; [ ] hold the ends, { } leave them out")
}

/// From the first to the last end that there is.
fn span(lower: Option<&End>, upper: Option<&End>) -> std::ops::Range<usize> {
    let ends = [lower, upper].into_iter().flatten().map(|end| &end.literal.span);
    let start = ends.clone().map(|span| span.start).min().unwrap_or_default();
    let end = ends.map(|span| span.end).max().unwrap_or_default();
    start..end
}
