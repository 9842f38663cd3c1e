//! The syntax tree: what was written, with places, before anything is looked up.

use super::Span;

/// A thing and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// A whole query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    pub(super) from: Vec<Spanned<String>>,
    pub(super) condition: Option<Condition>,
    pub(super) times: Vec<TimeSetting>,
    pub(super) stages: Vec<Stage>,
}

/// A condition on rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
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
pub(super) struct Test {
    pub(super) field: Name,
    pub(super) negation: Negation,
    pub(super) comparison: Comparison,
    /// Where the operator was written.
    pub(super) operator: Span,
}

/// How an operator was turned round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Negation {
    /// It was not.
    None,
    /// By `!`, or by `NOT` in `IS NOT NULL`.
    Plain,
    /// By `NOT` before an operator that should have `!`.
    Word,
}

/// An operator and its right side.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Comparison {
    Relation(Relation, Literal),
    In(Vec<Literal>),
    Contains(Literal),
    Matches(Literal),
    MatchesRegex(Literal),
    IsNull,
}

/// `=`, `>` and their like; `!=` is an equality turned round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Relation {
    /// As it is written.
    pub(super) fn text(self) -> &'static str {
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
pub(super) struct Literal {
    pub(super) value: LiteralValue,
    /// The text of a text, the digits of a number.
    pub(super) text: String,
    pub(super) span: Span,
}

/// What kind of value was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum LiteralValue {
    Text,
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

/// A field name or a logical type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name {
    /// Whether it began with `@`.
    pub(super) logical: bool,
    /// The parts between the dots.
    pub(super) parts: Vec<String>,
    pub(super) span: Span,
}

impl Name {
    /// As written, without backticks.
    pub(super) fn text(&self) -> String {
        format!("{}{}", if self.logical { "@" } else { "" }, self.parts.join("."))
    }
}

/// `EARLIEST=…` or `LATEST=…`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimeSetting {
    pub(super) bound: Bound,
    /// What stands behind the `=`, without quotes.
    pub(super) value: Spanned<String>,
    pub(super) span: Span,
}

/// Which end of the time range is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Earliest,
    Latest,
}

/// A pipe stage.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stage {
    Head(u64),
    Tail(u64),
    Sort(Vec<SortKey>),
    Fields(Vec<Name>),
    Aggregate { functions: Vec<Function>, by: Vec<Name> },
}

/// A key of `sort`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SortKey {
    pub(super) target: Function,
    pub(super) descending: bool,
}

/// A name, or a function of a field: `count`, `sum(message_size)`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Function {
    pub(super) name: Name,
    pub(super) argument: Option<Name>,
    pub(super) span: Span,
}
