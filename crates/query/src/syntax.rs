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
    pub(crate) settings: Vec<Setting>,
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
    /// A setting among conditions; the check allows it at top level only.
    Setting(Setting),
    /// Every row.
    Everything,
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
    /// The whole value is one of these; a time counts for all that it names (a day, a second), and a
    /// network for the addresses in it.
    AnyOf(Vec<Literal>),
    /// The expression matches the whole value.
    WholeRegex(Literal),
    /// The value lies between two ends, at least one of which is there.
    Between(Option<End>, Option<End>),
}

/// An end of a range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct End {
    pub(crate) literal: Literal,
    /// Whether the end is part of the range.
    pub(crate) inclusive: bool,
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

/// `EARLIEST=…`, `LATEST=…` or `LATEST=true`: what holds for the whole query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting {
    pub(crate) kind: SettingKind,
    /// What stands behind the `=`, without quotes.
    pub(crate) value: Spanned<String>,
    pub(crate) span: Span,
}

/// What is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettingKind {
    /// Where the time range begins.
    Earliest,
    /// Where the time range ends.
    Latest,
    /// Whether only the newest version of each finding counts; the value is `true` or `false`.
    Version,
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
