//! A checked query as a short text that people can proofread.

use model::ocsf::Class;
use query::fields::{Field, Reads};
use query::language::Parsed;
use query::plan::{Aggregate, Filter, Predicate, Query, Stage, Value};

pub(crate) fn of(parsed: &Parsed) -> String {
    let Query { classes, latest, filter, range, stages } = &parsed.query;
    let mut lines = Vec::new();
    let names: Vec<&str> = classes.iter().map(|class| class.name()).collect();
    lines.push(format!(
        "  in {}",
        if names.is_empty() { "all".to_owned() } else { names.join(", ") }
    ));
    if *latest {
        lines.push("  newest versions".to_owned());
    }
    outline(filter, 1, &mut lines);
    if let Some(earliest) = range.earliest {
        lines.push(format!("  from {earliest}"));
    }
    if let Some(latest) = range.latest {
        lines.push(format!("  before {latest}"));
    }
    lines.extend(stages.iter().map(stage));
    lines.extend(parsed.warnings.iter().map(|warning| format!("  warning: {warning}")));
    lines.join("\n")
}

fn outline(filter: &Filter, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let mut nest = |word: &str, filters: &[Filter]| {
        lines.push(format!("{indent}{word}"));
        filters.iter().for_each(|filter| outline(filter, depth + 1, lines));
    };
    match filter {
        Filter::All => lines.push(format!("{indent}every row")),
        Filter::None => lines.push(format!("{indent}no row")),
        Filter::And(filters) => nest("and", filters),
        Filter::Or(filters) => nest("or", filters),
        Filter::Not(inner) => nest("not", std::slice::from_ref(inner)),
        Filter::Test(read, test) => {
            lines.push(format!("{indent}{} {}", field(read), predicate(test)));
        }
    }
}

fn predicate(predicate: &Predicate) -> String {
    match predicate {
        Predicate::Equals(other) => format!("= {}", value(other)),
        Predicate::In(values) => {
            format!("in ({})", values.iter().map(value).collect::<Vec<_>>().join(", "))
        }
        Predicate::Greater(other) => format!("> {}", value(other)),
        Predicate::GreaterOrEqual(other) => format!(">= {}", value(other)),
        Predicate::Less(other) => format!("< {}", value(other)),
        Predicate::LessOrEqual(other) => format!("<= {}", value(other)),
        Predicate::Between(from, to) => {
            let (open, close) =
                (if from.inclusive { '[' } else { '{' }, if to.inclusive { ']' } else { '}' });
            format!("in {open}{} to {}{close}", value(&from.value), value(&to.value))
        }
        Predicate::Contains(text) => format!("contains {text:?}"),
        Predicate::Glob(text) => format!("fits {text:?}"),
        Predicate::Regex(text) => format!("matches /{text}/"),
        Predicate::Network(text) => format!("lies in {text}"),
        Predicate::Addresses(first, last) => format!("lies between {first} and {last}"),
        Predicate::Exists => "is there".to_owned(),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(number) => format!("int {number}"),
        Value::Float(number) => format!("float {number}"),
        Value::Boolean(truth) => format!("{truth}"),
        Value::Time(time) => format!("time {time}"),
    }
}

fn field(field: &Field) -> String {
    let name = &field.name;
    match &field.reads {
        Reads::Columns(by_class) => format!("{name}{}", columns(by_class)),
        Reads::Raw { sources, path } => {
            format!("{name} [raw {} of {}]", path.join(" / "), sources.join(", "))
        }
        Reads::SourceName(pairs) => {
            let pairs: Vec<String> =
                pairs.iter().map(|(source, name)| format!("{source}: {name}")).collect();
            format!("{name} {{{}}}", pairs.join(", "))
        }
        Reads::Output => format!("{name} [output]"),
    }
}

/// Classes with the same columns are said once.
fn columns(by_class: &[(Class, Vec<String>)]) -> String {
    let mut groups: Vec<(Vec<&str>, &[String])> = Vec::new();
    for (class, columns) in by_class {
        match groups.iter_mut().find(|(_, known)| known == columns) {
            Some((classes, _)) => classes.push(class.name()),
            None => groups.push((vec![class.name()], columns)),
        }
    }
    let groups: Vec<String> = groups
        .iter()
        .map(|(classes, columns)| format!("{}: {}", classes.join("+"), columns.join(" ")))
        .collect();
    format!(" [{}]", groups.join("; "))
}

fn stage(stage: &Stage) -> String {
    let fields = |fields: &[Field]| fields.iter().map(field).collect::<Vec<_>>().join(", ");
    match stage {
        Stage::Head(rows) => format!("  | head {rows}"),
        Stage::Tail(rows) => format!("  | tail {rows}"),
        Stage::Sort(keys) => {
            let keys: Vec<String> = keys
                .iter()
                .map(|key| {
                    format!("{}{}", if key.descending { "-" } else { "+" }, field(&key.field))
                })
                .collect();
            format!("  | sort {}", keys.join(", "))
        }
        Stage::Fields(chosen) => format!("  | fields {}", fields(chosen)),
        Stage::Aggregate { functions, by } => {
            let names: Vec<String> = functions.iter().map(Aggregate::name).collect();
            format!("  | aggregate {} by {}", names.join(", "), fields(by))
        }
    }
}
