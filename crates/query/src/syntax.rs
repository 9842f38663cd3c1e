//! The syntax tree that every language reads into: what was written, with places, before anything is looked up.

use crate::language::Span;

/// A thing and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// A whole query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    pub(crate) from: Vec<Spanned<String>>,
    pub(crate) condition: Option<Condition>,
    pub(crate) times: Vec<TimeSetting>,
    pub(crate) stages: Vec<Stage>,
}

/// A condition on rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    /// Joined by `AND`; at least two.
    All(Vec<Condition>),
    /// Joined by `OR`; at least two.
    Any(Vec<Condition>),
    /// In parentheses.
    Group(Box<Condition>),
    /// Behind `NOT`.
    Not(Box<Condition>),
    /// A field compared.
    Test(Test),
    /// A time setting among conditions; the check allows it at top level only.
    Time(TimeSetting),
}

/// A field compared with something.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Test {
    pub(crate) field: Name,
    pub(crate) negation: Negation,
    pub(crate) comparison: Comparison,
    /// Where the operator was written.
    pub(crate) operator: Span,
}

/// How an operator was turned round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Negation {
    /// It was not.
    None,
    /// By `!`, or by `NOT` in `IS NOT NULL`.
    Plain,
    /// By `NOT` before an operator that should have `!`.
    Word,
}

/// An operator and its right side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Comparison {
    Relation(Relation, Literal),
    In(Vec<Literal>),
    Contains(Literal),
    Matches(Literal),
    MatchesRegex(Literal),
    IsNull,
}

/// `=`, `>` and their like; `!=` is an equality turned round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Relation {
    /// As it is written.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Literal {
    pub(crate) value: LiteralValue,
    /// The text of a text, the digits of a number.
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// What kind of value was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum LiteralValue {
    Text,
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

/// A field name or a logical type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Name {
    /// Whether it began with `@`.
    pub(crate) logical: bool,
    /// The parts between the dots.
    pub(crate) parts: Vec<String>,
    pub(crate) span: Span,
}

impl Name {
    /// As written, without backticks.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", if self.logical { "@" } else { "" }, self.parts.join("."))
    }
}

/// `EARLIEST=…` or `LATEST=…`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimeSetting {
    pub(crate) bound: Bound,
    /// What stands behind the `=`, without quotes.
    pub(crate) value: Spanned<String>,
    pub(crate) span: Span,
}

/// Which end of the time range is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Earliest,
    Latest,
}

/// A pipe stage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stage {
    Head(u64),
    Tail(u64),
    Sort(Vec<SortKey>),
    Fields(Vec<Name>),
    Aggregate { functions: Vec<Function>, by: Vec<Name> },
}

/// A key of `sort`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SortKey {
    pub(crate) target: Function,
    pub(crate) descending: bool,
}

/// A name, or a function of a field: `count`, `sum(message_size)`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Function {
    pub(crate) name: Name,
    pub(crate) argument: Option<Name>,
    pub(crate) span: Span,
}
