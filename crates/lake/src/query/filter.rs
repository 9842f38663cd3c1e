//! The filter tree of a plan as an expression over the rows of one class.

use ::query::fields::Reads;
use ::query::plan::{Filter, Predicate, TimeRange, Value};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::utils::{conjunction, disjunction};
use datafusion::logical_expr::{Expr, Operator, binary_expr, col, ident, lit, not};
use model::ocsf::Class;
use model::time::Timestamp;

use super::functions::holds;
use super::matcher::{Matcher, Stored};
use super::print::Shape;
use super::values::{Place, one_of, place};
use crate::columns::UTC;
use crate::columns::schema::{RAW_DATA, TIME};

/// The condition for rows of a class. May be null where it means false.
pub(crate) fn condition(class: Class, filter: &Filter) -> Result<Expr> {
    Ok(match filter {
        Filter::All => lit(true),
        Filter::None => lit(false),
        Filter::And(parts) => conjunction(conditions(class, parts)?).unwrap_or_else(|| lit(true)),
        Filter::Or(parts) => disjunction(conditions(class, parts)?).unwrap_or_else(|| lit(false)),
        // Only a negation tells null from false; elsewhere null is left, because it lets files be pruned.
        Filter::Not(inner) => not(coalesce(vec![condition(class, inner)?, lit(false)])),
        Filter::Test(field, predicate) => match &field.reads {
            Reads::Columns(by_class) => {
                let paths = by_class.iter().filter(|(other, _)| *other == class);
                let places =
                    paths.flat_map(|(_, paths)| paths).filter_map(|path| place(class, path));
                let tests: Result<Vec<Expr>> =
                    places.map(|place| at_place(place, predicate)).collect();
                disjunction(tests?).unwrap_or_else(|| lit(false))
            }
            Reads::Raw { sources, path } => {
                one_of(sources).and(holds(col(RAW_DATA), path, predicate)?)
            }
            Reads::SourceName(names) => of_sources(names, predicate)?,
            Reads::Output => return plan_err!("`{}` is no field of an event", field.name),
        },
    })
}

/// The condition that a row's time lies in a range.
pub(crate) fn in_range(range: TimeRange) -> Option<Expr> {
    let from = range.earliest.map(|time| ident(TIME).gt_eq(literal_time(time)));
    let until = range.latest.map(|time| ident(TIME).lt(literal_time(time)));
    conjunction(from.into_iter().chain(until))
}

fn conditions(class: Class, filters: &[Filter]) -> Result<Vec<Expr>> {
    filters.iter().map(|filter| condition(class, filter)).collect()
}

/// Comparisons of single numbers, times and booleans are DataFusion's own, so that statistics of files
/// and pages can rule rows out; everything else asks our function.
fn at_place(place: Place, predicate: &Predicate) -> Result<Expr> {
    if place.rest.is_empty() {
        if *predicate == Predicate::Exists && !matches!(place.data_type, DataType::List(_)) {
            return Ok(place.expr.is_not_null());
        }
        if let Some(native) = native(&place, predicate) {
            return Ok(native);
        }
    }
    if matches!(place.shape, Shape::Json) && place.rest.is_empty() {
        // A JSON column as a whole is searched as the text that it is.
        return holds(place.expr, &[], predicate);
    }
    holds(place.expr, &place.rest, predicate)
}

fn native(place: &Place, predicate: &Predicate) -> Option<Expr> {
    let compare = |operator, value: &Value| {
        let literal = literal(&place.data_type, value)?;
        Some(binary_expr(place.expr.clone(), operator, literal))
    };
    match predicate {
        Predicate::Equals(value) => compare(Operator::Eq, value),
        Predicate::Greater(value) => compare(Operator::Gt, value),
        Predicate::GreaterOrEqual(value) => compare(Operator::GtEq, value),
        Predicate::Less(value) => compare(Operator::Lt, value),
        Predicate::LessOrEqual(value) => compare(Operator::LtEq, value),
        Predicate::Between(from, to) => {
            let from_operator = if from.inclusive { Operator::GtEq } else { Operator::Gt };
            let to_operator = if to.inclusive { Operator::LtEq } else { Operator::Lt };
            let lower = compare(from_operator, &from.value)?;
            Some(lower.and(compare(to_operator, &to.value)?))
        }
        Predicate::In(values) => {
            let literals: Option<Vec<Expr>> =
                values.iter().map(|value| literal(&place.data_type, value)).collect();
            Some(place.expr.clone().in_list(literals?, false))
        }
        _ => None,
    }
}

/// The literal, when DataFusion compares it with the type as we would.
fn literal(data_type: &DataType, value: &Value) -> Option<Expr> {
    match (data_type, value) {
        (DataType::Int32 | DataType::Int64, Value::Integer(number)) => Some(lit(*number)),
        (DataType::Int32 | DataType::Int64 | DataType::Float64, Value::Float(number)) => {
            Some(lit(*number))
        }
        (DataType::Boolean, Value::Boolean(truth)) => Some(lit(*truth)),
        (DataType::Timestamp(_, _), Value::Time(time)) => Some(literal_time(*time)),
        _ => None,
    }
}

fn literal_time(time: Timestamp) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(time.as_micros()), Some(UTC.into())))
}

/// Rows of the sources whose fixed name passes.
fn of_sources(names: &[(String, String)], predicate: &Predicate) -> Result<Expr> {
    let matcher = match Matcher::new(predicate) {
        Ok(matcher) => matcher,
        Err(error) => return plan_err!("`{predicate:?}` cannot be compiled: {error}"),
    };
    let passing = names.iter().filter(|(_, name)| matcher.holds(Stored::Text(name)));
    let sources: Vec<String> = passing.map(|(source, _)| source.clone()).collect();
    Ok(if sources.is_empty() { lit(false) } else { one_of(&sources) })
}
