//! From the syntax tree to the checked query: schemas, fields, times and types are looked up here.

use model::ocsf::{Class, schema};
use model::source::Sources;

use crate::aliases::schemas::{self, Holds};
use crate::fields::{self, Field, Reads, Resolution, Scope};
use crate::language::{Context, QueryError, Span};
use crate::near;
use crate::plan::{Filter, Query};
use crate::syntax::{
    Comparison, Condition, Literal, Name, Negation, Relation, Spanned, Test, Tree,
};

mod addresses;
mod domain;
mod predicate;
mod range;
mod stages;
mod times;

/// What a language calls things, for messages.
#[derive(Debug)]
pub(crate) struct Words {
    /// The operator that takes a pattern.
    pub(crate) pattern: &'static str,
    /// The operator that takes a regular expression.
    pub(crate) expression: &'static str,
    /// How to compare a field that is no text.
    pub(crate) compare: &'static str,
    /// How to write a time.
    pub(crate) time: &'static str,
}

/// Checks a whole query.
pub(crate) fn query(
    tree: &Tree,
    context: &Context<'_>,
    words: &'static Words,
    warnings: &mut Vec<String>,
) -> Result<Query, QueryError> {
    let classes = classes(&tree.from, warnings)?;
    let is_void = !tree.from.is_empty() && classes.is_empty();
    let searched = if tree.from.is_empty() { Class::ALL.to_vec() } else { classes.clone() };
    let mut settings: Vec<_> = tree.settings.iter().collect();
    let conditions = times::split(tree.condition.as_ref(), &mut settings);
    let (range, latest) = times::settings(&settings, context.now)?;
    if latest && !searched.iter().any(|class| has_versions(*class)) {
        warnings.push("nothing here is a finding: LATEST=true changes nothing".to_owned());
    }
    let mut scope = Scope::new(searched, context.sources);
    if let Some(chosen) = chosen_sources(&conditions, context.sources) {
        scope.choose(chosen);
    }
    let mut checker = Checker {
        scope,
        context: *context,
        words,
        is_single_schema: tree.from.len() == 1,
        warnings,
    };
    let filter = checker.all(&conditions)?;
    let stages = checker.stages(&tree.stages)?;
    let filter = if is_void { Filter::None } else { filter };
    Ok(Query { classes, latest, filter, range, stages })
}

/// Whether rows of a class can be versions of a finding.
fn has_versions(class: Class) -> bool {
    schema::attribute(class, "finding_info.uid").is_some()
}

/// The sources that the conditions leave when all of them hold, where they name sources at all.
fn chosen_sources(conditions: &[&Condition], sources: &Sources) -> Option<Vec<String>> {
    let named = conditions.iter().filter_map(|condition| match condition {
        Condition::All(parts) => chosen_sources(&parts.iter().collect::<Vec<_>>(), sources),
        Condition::Group(inner) => chosen_sources(&[inner], sources),
        Condition::Test(test) => named_sources(test, sources),
        _ => None,
    });
    named.reduce(|one, other| one.into_iter().filter(|source| other.contains(source)).collect())
}

/// The sources that a test names: `sensor_type = 'Mimecast'`.
fn named_sources(test: &Test, sources: &Sources) -> Option<Vec<String>> {
    let literals: &[Literal] = match &test.comparison {
        _ if test.field.logical || test.negation != Negation::None => return None,
        Comparison::Relation(Relation::Equal, literal) => std::slice::from_ref(literal),
        Comparison::In(literals) | Comparison::AnyOf(literals) => literals,
        _ => return None,
    };
    let text = fields::source_text(&test.field.text().to_ascii_lowercase())?;
    let is_named = |source: &&_| {
        literals.iter().any(|literal| text(source).eq_ignore_ascii_case(&literal.text))
    };
    let sources = sources.iter().map(AsRef::as_ref).filter(is_named);
    Some(sources.map(|source| source.id.clone()).collect())
}

/// The classes of the schemas behind `FROM`, each once.
fn classes(from: &[Spanned<String>], warnings: &mut Vec<String>) -> Result<Vec<Class>, QueryError> {
    let mut classes = Vec::new();
    let mut first: Option<(Holds, &str)> = None;
    for Spanned { value: name, span } in from {
        let schema = schemas::find(name).ok_or_else(|| unknown_schema(name, span))?;
        match first {
            None => first = Some((schema.holds, name)),
            Some((holds, _)) if holds == schema.holds => {}
            Some((_, other)) => return Err(mixed(other, name, span)),
        }
        if schema.classes.is_empty() {
            warnings
                .push(format!("no source of this build fills the schema `{name}`: it has no rows"));
        }
        for class in schema.classes {
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
    }
    Ok(classes)
}

fn unknown_schema(name: &str, span: &Span) -> QueryError {
    let known: Vec<&str> = schemas::names().collect();
    let filled: Vec<&str> = schemas::filled().collect();
    let list = format!("schemas with rows are {}; OCSF classes work too", filled.join(", "));
    let hint = match near::slips(name, known.iter().copied()).first() {
        Some(near) => format!("did you mean `{near}`? {list}"),
        None => list,
    };
    QueryError::new(format!("unknown schema `{name}`"), span.clone()).with_hint(hint)
}

fn mixed(one: &str, other: &str, span: &Span) -> QueryError {
    let message = format!("`{one}` and `{other}` mix events and detections in one query");
    QueryError::new(message, span.clone())
        .with_hint("ask for each in a query of its own, or leave FROM out to look in all schemas")
}

/// Walks the tree with all that names are looked up in.
struct Checker<'a, 'w> {
    scope: Scope<'a>,
    context: Context<'a>,
    words: &'static Words,
    is_single_schema: bool,
    warnings: &'w mut Vec<String>,
}

impl Checker<'_, '_> {
    fn all(&mut self, conditions: &[&Condition]) -> Result<Filter, QueryError> {
        let mut filters = Vec::with_capacity(conditions.len());
        for condition in conditions {
            filters.push(self.condition(condition)?);
        }
        Ok(match filters.len() {
            0 => Filter::All,
            1 => filters.remove(0),
            _ => Filter::And(filters),
        })
    }

    fn condition(&mut self, condition: &Condition) -> Result<Filter, QueryError> {
        match condition {
            Condition::All(parts) => self.all(&parts.iter().collect::<Vec<_>>()),
            Condition::Any(parts) => {
                let filters: Result<_, _> = parts.iter().map(|part| self.condition(part)).collect();
                filters.map(Filter::Or)
            }
            Condition::Group(inner) => self.condition(inner),
            Condition::Not(inner) => Ok(Filter::Not(Box::new(self.condition(inner)?))),
            Condition::Test(test) => self.test(test),
            Condition::Setting(setting) => Err(times::misplaced(setting)),
            Condition::Everything => Ok(Filter::All),
        }
    }

    fn test(&mut self, test: &Test) -> Result<Filter, QueryError> {
        let positive = if test.field.logical {
            self.logical(test)?
        } else {
            let field = self.field(&test.field)?;
            self.asked(test).of(&field)?
        };
        let is_negative = match test.comparison {
            Comparison::IsNull => test.negation == Negation::None,
            Comparison::Relation(Relation::NotEqual, _) => true,
            _ => test.negation != Negation::None,
        };
        Ok(if is_negative { Filter::Not(Box::new(positive)) } else { positive })
    }

    fn asked<'t>(&self, test: &'t Test) -> predicate::Asked<'t> {
        predicate::Asked { test, now: self.context.now, words: self.words }
    }

    /// The field of a name. An unknown one is an error in a single schema; in several it is a field
    /// that is never there, with a warning.
    fn field(&mut self, name: &Name) -> Result<Field, QueryError> {
        let text = name.text();
        match self.scope.resolve(&name.parts) {
            Resolution::Known(field) => Ok(field),
            Resolution::Raw(field) => {
                self.warn(format!("`{text}` is no known column: it is read from the raw record"));
                Ok(field)
            }
            Resolution::Unknown { near, prefixes } if self.is_single_schema => {
                let error = QueryError::new(format!("unknown field `{text}`"), name.span.clone());
                let hint = unknown_field_hint(&text, &near, &prefixes);
                Err(if hint.is_empty() { error } else { error.with_hint(hint) })
            }
            Resolution::Unknown { near, prefixes } => {
                let hint = unknown_field_hint(&text, &near, &prefixes);
                self.warn(format!("`{text}` is a field of none of the schemas; {hint}"));
                Ok(Field { name: text, reads: Reads::Columns(Vec::new()) })
            }
        }
    }

    fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

fn unknown_field_hint(name: &str, near: &[String], prefixes: &[String]) -> String {
    let list = |names: Vec<String>| names.join(", ");
    let raw = list(prefixes.iter().map(|prefix| format!("`{prefix}.{name}`")).collect());
    let near = list(near.iter().map(|name| format!("`{name}`")).collect());
    match (near.is_empty(), raw.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("a field of the raw record is written {raw}"),
        (false, true) => format!("did you mean {near}?"),
        (false, false) => format!("did you mean {near}? (a field of the raw record is {raw})"),
    }
}

/// Any of the filters, of which those that never hold are left out.
fn any(mut filters: Vec<Filter>) -> Filter {
    filters.retain(|filter| *filter != Filter::None);
    match filters.len() {
        0 => Filter::None,
        1 => filters.remove(0),
        _ => Filter::Or(filters),
    }
}
