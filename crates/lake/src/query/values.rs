//! Fields of a plan as expressions over the columns of a class: for output, sorting and grouping.

use ::query::fields::{Field, Reads};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::core::expr_fn::{coalesce, get_field};
use datafusion::logical_expr::{Expr, cast, col, ident, lit, when};
use model::ocsf::Class;

use super::functions::as_json;
use super::print::Shape;
use crate::columns::schema::{RAW_DATA, SOURCE, table_schema, timestamp};

/// A column, or the part of it that lies before the first list or JSON text on a path.
pub(crate) struct Place {
    /// Reads the part.
    pub(crate) expr: Expr,
    /// Its type.
    pub(crate) data_type: DataType,
    /// What lies there beyond the type.
    pub(crate) shape: Shape,
    /// The rest of the path, inside lists or JSON text.
    pub(crate) rest: Vec<String>,
}

/// What the values of a field are in all classes of a query, so that they can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Integer,
    Float,
    Boolean,
    Time,
    Day,
    /// JSON text: lists, parts of raw records, and what differs between classes.
    Json,
}

impl Form {
    /// The type of its column.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Text | Self::Json => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Time => timestamp(),
            Self::Day => DataType::Date32,
        }
    }

    /// How its column is printed.
    pub(crate) fn shape(self) -> Shape {
        if self == Self::Json { Shape::Json } else { Shape::Plain }
    }

    fn of_type(data_type: &DataType) -> Self {
        match data_type {
            DataType::Utf8 => Self::Text,
            DataType::Int32 | DataType::Int64 => Self::Integer,
            DataType::Float64 => Self::Float,
            DataType::Boolean => Self::Boolean,
            DataType::Timestamp(_, _) => Self::Time,
            DataType::Date32 => Self::Day,
            _ => Self::Json,
        }
    }
}

/// Follows a dotted path as far as single objects go; `None` when the class has no such column.
pub(crate) fn place(class: Class, path: &str) -> Option<Place> {
    let mut steps = path.split('.');
    let name = steps.next()?;
    let schema = table_schema(class);
    let column = schema.field_with_name(name).ok()?;
    let mut place = Place {
        expr: ident(name),
        data_type: column.data_type().clone(),
        shape: Shape::of_column(class, name),
        rest: Vec::new(),
    };
    for step in steps {
        let child = match &place.data_type {
            DataType::Struct(fields) if place.rest.is_empty() => {
                let (_, child) = fields.find(step)?;
                Some(child.data_type().clone())
            }
            _ => None,
        };
        match child {
            Some(data_type) => {
                place.expr = get_field(place.expr, step);
                place.data_type = data_type;
                place.shape = place.shape.of_child(step);
            }
            None => place.rest.push(step.to_owned()),
        }
    }
    Some(place)
}

/// What a field's values are over several classes.
pub(crate) fn form(classes: &[Class], field: &Field) -> Form {
    let Reads::Columns(by_class) = &field.reads else {
        return if matches!(field.reads, Reads::SourceName(_)) { Form::Text } else { Form::Json };
    };
    let mut forms = by_class
        .iter()
        .filter(|(class, _)| classes.contains(class))
        .flat_map(|(class, paths)| paths.iter().filter_map(|path| place(*class, path)))
        .map(|place| match place.shape {
            Shape::Plain if place.rest.is_empty() => Form::of_type(&place.data_type),
            _ => Form::Json,
        });
    let Some(first) = forms.next() else { return Form::Text };
    if forms.all(|form| form == first) { first } else { Form::Json }
}

/// A field's value in rows of a class, in a form; null where there is none.
pub(crate) fn value(class: Class, field: &Field, form: Form) -> Result<Expr> {
    let candidates: Vec<Expr> = match &field.reads {
        Reads::Columns(by_class) => by_class
            .iter()
            .filter(|(other, _)| *other == class)
            .flat_map(|(class, paths)| paths.iter().filter_map(|path| place(*class, path)))
            .map(|place| in_form(place, form))
            .collect(),
        Reads::Raw { sources, path } => {
            let found = as_json(col(RAW_DATA), path, Shape::Plain);
            vec![when(one_of(sources), found).end()?]
        }
        Reads::SourceName(names) => {
            let cases = names.iter().rev().map(|(source, name)| {
                when(ident(SOURCE).eq(lit(source.as_str())), lit(name.as_str())).end()
            });
            cases.collect::<Result<Vec<Expr>>>()?
        }
        Reads::Output => return plan_err!("`{}` is no field of an event", field.name),
    };
    Ok(match candidates.len() {
        0 => lit(ScalarValue::try_from(&form.data_type())?),
        1 => candidates.into_iter().next().unwrap_or_else(|| lit(ScalarValue::Null)),
        _ => coalesce(candidates),
    })
}

/// Rows of any of these sources.
pub(crate) fn one_of(sources: &[String]) -> Expr {
    ident(SOURCE).in_list(sources.iter().map(|source| lit(source.as_str())).collect(), false)
}

fn in_form(place: Place, form: Form) -> Expr {
    match form {
        Form::Json => as_json(place.expr, &place.rest, place.shape),
        Form::Integer if place.data_type != DataType::Int64 => cast(place.expr, DataType::Int64),
        _ => place.expr,
    }
}
