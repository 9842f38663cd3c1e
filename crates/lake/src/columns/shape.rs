//! Files of one table leave out columns that none of their rows uses. Before rows of several files go
//! into one, their columns are brought into one shape.

use arrow::array::new_null_array;
use arrow::array::{Array as _, ArrayRef, AsArray as _, ListArray, RecordBatch, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, SchemaRef};
use arrow::error::ArrowError;
use std::sync::Arc;

/// The columns of a table that any of these has, in the table's order.
///
/// # Errors
/// Names a column that the table does not know: it must not get lost.
pub(crate) fn used(table: &Fields, present: &[&Fields]) -> Result<Fields, String> {
    for field in present.iter().flat_map(|fields| fields.iter()) {
        if table.find(field.name()).is_none() {
            return Err(format!("the column `{}` is unknown to this version", field.name()));
        }
    }
    let fields = table.iter().filter_map(|field| {
        let have = present.iter().filter_map(|fields| Some(fields.find(field.name())?.1));
        let have: Vec<&DataType> = have.map(|field| field.data_type()).collect();
        if have.is_empty() {
            return None;
        }
        let data_type = used_type(field.data_type(), &have);
        Some(data_type.map(|data_type| Arc::new(Field::new(field.name(), data_type, true))))
    });
    fields.collect::<Result<Vec<FieldRef>, String>>().map(Fields::from)
}

fn used_type(table: &DataType, present: &[&DataType]) -> Result<DataType, String> {
    match table {
        DataType::Struct(fields) => {
            let present: Vec<&Fields> = present
                .iter()
                .filter_map(|data_type| match data_type {
                    DataType::Struct(fields) => Some(fields),
                    _ => None,
                })
                .collect();
            used(fields, &present).map(DataType::Struct)
        }
        DataType::List(element) => {
            let present: Vec<&DataType> = present
                .iter()
                .filter_map(|data_type| match data_type {
                    DataType::List(element) => Some(element.data_type()),
                    _ => None,
                })
                .collect();
            let inner = used_type(element.data_type(), &present)?;
            Ok(DataType::List(Arc::new(Field::new(element.name(), inner, true))))
        }
        other => Ok(other.clone()),
    }
}

/// The same rows with these columns; those that were left out are null.
pub(crate) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) => conform_column(column, field.data_type()),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)
}

fn conform_column(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    match (column.data_type(), wanted) {
        (have, wanted) if have == wanted => Ok(Arc::clone(column)),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let rows = column.as_struct();
            let columns = fields.iter().map(|field| match rows.column_by_name(field.name()) {
                Some(column) => conform_column(column, field.data_type()),
                None => Ok(new_null_array(field.data_type(), rows.len())),
            });
            let columns = columns.collect::<Result<_, _>>()?;
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, rows.nulls().cloned())?))
        }
        (DataType::List(_), DataType::List(element)) => {
            let rows = column.as_list::<i32>();
            let items = conform_column(rows.values(), element.data_type())?;
            let (offsets, nulls) = (rows.offsets().clone(), rows.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, items, nulls)?))
        }
        _ => cast(column, wanted),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, StringArray};
    use arrow::datatypes::Schema;

    use super::*;

    fn object(fields: &[(&str, ArrayRef)]) -> ArrayRef {
        let fields = fields.iter().map(|(name, array)| {
            (Arc::new(Field::new(*name, array.data_type().clone(), true)), Arc::clone(array))
        });
        Arc::new(StructArray::from(fields.collect::<Vec<_>>()))
    }

    fn rows(name: &str, array: ArrayRef) -> RecordBatch {
        let schema = Schema::new(vec![Field::new(name, array.data_type().clone(), true)]);
        RecordBatch::try_new(Arc::new(schema), vec![array]).unwrap()
    }

    #[test]
    fn columns_that_either_file_has_are_kept_and_the_others_left_out() {
        let number: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
        let all = object(&[("a", number.clone()), ("b", text.clone()), ("c", text.clone())]);
        let table = rows("o", all).schema();
        let one = rows("o", object(&[("a", number)]));
        let two = rows("o", object(&[("c", text.clone())]));
        let fields =
            used(table.fields(), &[one.schema_ref().fields(), two.schema_ref().fields()]).unwrap();
        let schema = Arc::new(Schema::new(fields));
        let both = [conform(&one, &schema).unwrap(), conform(&two, &schema).unwrap()];
        assert_eq!(both[0].schema(), both[1].schema());
        let names: Vec<_> = both[0].column(0).as_struct().fields().iter().cloned().collect();
        assert_eq!(names.iter().map(|f| f.name().as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert!(both[1].column(0).as_struct().column(0).is_null(0));
        let strange = rows("o", object(&[("z", text)]));
        let problem = used(table.fields(), &[strange.schema_ref().fields()]).unwrap_err();
        assert_eq!(problem, "the column `z` is unknown to this version");
    }
}
