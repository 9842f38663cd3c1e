//! What expressions read of a record: the event, its columns, and the raw record behind its source's prefix.

use model::source::Source;
use serde_json::{Map, Value, json};

use crate::trend_vision_one::flat_fields;

/// The `msg_origin.source` whose records have helper fields.
pub(crate) const VISION_ONE: &str = "trendmicro_visionone";
/// The prefix of the helper fields.
pub(crate) const HELPERS: &str = "tmv1";
/// Fields of raw records that people know by another name: prefix, that name, the vendor's.
const RAW_NAMES: [(&str, &str, &str); 1] = [(VISION_ONE, "workbenchId", "id")];

/// What a responder may read of a record: the OCSF event with our columns at the top, the raw record as
/// `<msg_origin.source>.…`, and for Trend Vision One the helper fields `tmv1.…`.
pub fn context(source: &Source, raw: &[u8], event: &Value) -> Value {
    let mut top = event.as_object().cloned().unwrap_or_default();
    let origin = &source.msg_origin;
    top.insert("msg_class".to_owned(), source.msg_class.clone().into());
    top.insert("sensor_type".to_owned(), source.sensor_type.clone().into());
    top.insert(
        "msg_origin".to_owned(),
        json!({ "source": origin.source, "vendor": origin.vendor, "category": origin.category }),
    );
    let record: Value = serde_json::from_slice(raw).unwrap_or_default();
    if origin.source == VISION_ONE {
        top.insert(HELPERS.to_owned(), Value::Object(flat_fields::of_record(&record)));
    }
    if let Value::Object(record) = record {
        top.insert(origin.source.clone(), Value::Object(named(record, &origin.source)));
    }
    Value::Object(top)
}

/// The record with the names that people know beside the vendor's.
fn named(mut record: Map<String, Value>, prefix: &str) -> Map<String, Value> {
    for (_, name, vendors) in RAW_NAMES.iter().filter(|(known, ..)| *known == prefix) {
        if let Some(value) = record.get(*vendors).cloned() {
            record.entry(*name).or_insert(value);
        }
    }
    record
}
