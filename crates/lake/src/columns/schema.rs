//! The fixed schema of each class's table: the same for Arrow, Delta and SQL.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use model::ocsf::Class;
use model::ocsf::schema::{Attribute, Kind, attributes};

use super::UTC;

/// Our own columns before the attributes of OCSF. `raw_data` and `day` come behind them.
pub(crate) const LEADING: [&str; 7] =
    [TIME, TENANT, UID, SOURCE, CONNECTOR_UID, CONNECTOR_NAME, INGEST_TIME];

/// What the view over all classes shows of each.
pub(crate) const COMMON: [&str; 13] = [
    TIME,
    TENANT,
    UID,
    SOURCE,
    CONNECTOR_UID,
    CONNECTOR_NAME,
    INGEST_TIME,
    "class_uid",
    "severity_id",
    "metadata",
    UNMAPPED,
    RAW_DATA,
    DAY,
];

/// The owner of the row; also a partition.
pub(crate) const TENANT: &str = "tenant_uid";
/// The UTC day of the row's time; only a partition, not in the files. The last column.
pub(crate) const DAY: &str = "day";
/// The event time that the record's identity gave.
pub(crate) const TIME: &str = "time";
/// The row's key: 32 lower-case hex digits.
pub(crate) const UID: &str = "uid";
/// Where the record comes from.
pub(crate) const SOURCE: &str = "source";
/// The connector's id.
pub(crate) const CONNECTOR_UID: &str = "connector_uid";
/// The connector's name when the record came in.
pub(crate) const CONNECTOR_NAME: &str = "connector_name";
/// When the record came in.
pub(crate) const INGEST_TIME: &str = "ingest_time";
/// The record as served.
pub(crate) const RAW_DATA: &str = "raw_data";
/// What the source said and the schema has no place for, as JSON text.
pub(crate) const UNMAPPED: &str = "unmapped";

/// The columns of a class's table.
pub(crate) fn table_schema(class: Class) -> SchemaRef {
    static SCHEMAS: LazyLock<Vec<(Class, SchemaRef)>> = LazyLock::new(|| {
        Class::ALL.into_iter().map(|class| (class, Arc::new(build(class)))).collect()
    });
    let found = SCHEMAS.iter().find(|(each, _)| *each == class);
    found.map_or_else(|| Arc::new(build(class)), |(_, schema)| Arc::clone(schema))
}

fn build(class: Class) -> Schema {
    let own = |name: &str| {
        let data_type = match name {
            DAY => DataType::Date32,
            TIME | INGEST_TIME => timestamp(),
            _ => DataType::Utf8,
        };
        Arc::new(Field::new(name, data_type, true))
    };
    let mut fields: Vec<FieldRef> = LEADING.into_iter().map(own).collect();
    let shared = attributes(class).iter().filter(|attribute| attribute.name != TIME);
    fields.extend(shared.map(field));
    fields.push(own(RAW_DATA));
    fields.push(own(DAY));
    Schema::new(fields)
}

fn field(attribute: &Attribute) -> FieldRef {
    let single = match attribute.kind {
        Kind::String(_) | Kind::Json => DataType::Utf8,
        Kind::Integer | Kind::Port => DataType::Int32,
        Kind::Long => DataType::Int64,
        Kind::Timestamp => timestamp(),
        Kind::Float => DataType::Float64,
        Kind::Boolean => DataType::Boolean,
        Kind::Object(object) => {
            DataType::Struct(object.attributes.iter().map(field).collect::<Fields>())
        }
    };
    let data_type = if attribute.list {
        DataType::List(Arc::new(Field::new("element", single, true)))
    } else {
        single
    };
    Arc::new(Field::new(attribute.name, data_type, true))
}

/// The type of every point in time.
pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_our_columns_once_and_its_own_attributes() {
        for class in Class::ALL {
            let schema = table_schema(class);
            for name in
                LEADING.into_iter().chain([RAW_DATA, DAY, UNMAPPED, "metadata", "severity_id"])
            {
                let count = schema.fields().iter().filter(|field| field.name() == name).count();
                assert_eq!(count, 1, "{name} in {class}");
            }
        }
        assert!(table_schema(Class::EmailActivity).field_with_name("email").is_ok());
    }
}
