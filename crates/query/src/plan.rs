//! The checked query: what every language means, free of syntax and of execution.
//!
//! Predicates are positive and two-valued: on an absent field they are false. A language's negative
//! operators are [`Filter::Not`] around them, hence true on an absent field; on a list field a
//! predicate holds when any element does, so its negation says "no element".

use std::net::IpAddr;

use model::ocsf::Class;
use model::time::Timestamp;

use crate::fields::Field;

/// A query over one tenant's events.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The classes to look in; empty means all.
    pub classes: Vec<Class>,
    /// Whether of every finding only the newest version is there at all: of the rows of a tenant that
    /// have the same `source` and `finding_info.uid`, in whatever class, the one with the latest
    /// `finding_info.modified_time`, then the latest `ingest_time`, then the greatest `uid`. Decided
    /// before classes, times and the filter are looked at. Rows without a finding's uid stay.
    pub latest: bool,
    /// Which rows.
    pub filter: Filter,
    /// Event times to look at; open ends mean all time.
    pub range: TimeRange,
    /// What happens to the rows then, in order.
    pub stages: Vec<Stage>,
}

/// A span of event time with open ends allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeRange {
    /// The first instant inside.
    pub earliest: Option<Timestamp>,
    /// The first instant after.
    pub latest: Option<Timestamp>,
}

/// A tree of conditions.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every row.
    All,
    /// No row: a field that none of the chosen classes has, or a schema that this build has no
    /// class for.
    None,
    /// Rows that pass all of them.
    And(Vec<Filter>),
    /// Rows that pass any of them.
    Or(Vec<Filter>),
    /// Rows that do not pass it.
    Not(Box<Filter>),
    /// Rows for which the predicate holds.
    Test(Field, Predicate),
}

/// A positive condition on one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Equal; texts without regard to case.
    Equals(Value),
    /// Equal to any of them.
    In(Vec<Value>),
    /// Greater than the value (numbers, times).
    Greater(Value),
    /// Greater or equal.
    GreaterOrEqual(Value),
    /// Less than the value.
    Less(Value),
    /// Less or equal.
    LessOrEqual(Value),
    /// Between two values: one and the same element lies behind the first and before the second.
    Between(Limit, Limit),
    /// Holds the text somewhere, without regard to case.
    Contains(String),
    /// The whole value fits a pattern of `*` and `?`, without regard to case.
    Glob(String),
    /// A regular expression (Rust `regex` syntax) matches somewhere, without regard to case.
    /// Checked when the query was made.
    Regex(String),
    /// The value is an address inside the network: `10.0.0.0/8`.
    Network(String),
    /// The value is an address between two of one family, both of them included.
    Addresses(IpAddr, IpAddr),
    /// The field is there: not null, not an empty list.
    Exists,
}

/// An end of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Where the range ends.
    pub value: Value,
    /// Whether the value itself is part of the range.
    pub inclusive: bool,
}

/// A literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A point in time; only ever compared with time columns.
    Time(Timestamp),
}

/// A step after the filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// The first rows.
    Head(u64),
    /// The last rows.
    Tail(u64),
    /// Rows in another order.
    Sort(Vec<SortKey>),
    /// Only these fields.
    Fields(Vec<Field>),
    /// Groups and what is computed of each; rows come by falling count, ties by group key.
    Aggregate {
        /// What is computed.
        functions: Vec<Aggregate>,
        /// What groups are made by; none makes one group of all rows.
        by: Vec<Field>,
    },
}

/// A field to sort by.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// The field.
    pub field: Field,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// What is computed of a group. The output column is called as written: `count`, `sum(message_size)`.
#[derive(Debug, Clone, PartialEq)]
pub enum Aggregate {
    /// Rows.
    Count,
    /// Sum of a number field.
    Sum(Field),
    /// Mean of a number field.
    Average(Field),
    /// Smallest value.
    Minimum(Field),
    /// Largest value.
    Maximum(Field),
    /// Number of different values.
    Cardinality(Field),
}

impl Aggregate {
    /// The name of its output column.
    pub fn name(&self) -> String {
        match self {
            Self::Count => "count".to_owned(),
            Self::Sum(field) => format!("sum({})", field.name),
            Self::Average(field) => format!("avg({})", field.name),
            Self::Minimum(field) => format!("min({})", field.name),
            Self::Maximum(field) => format!("max({})", field.name),
            Self::Cardinality(field) => format!("cardinality({})", field.name),
        }
    }
}
