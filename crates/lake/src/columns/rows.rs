//! Rows of one class on their way into a file: our own columns beside those of the event.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use model::batch::{Batch, IdentifiedRecord};
use model::ocsf::{Class, Event};
use std::sync::Arc;

use super::nested::named;
use super::scalar::{Micros, Text};
use super::schema::{
    CONNECTOR_NAME, CONNECTOR_UID, INGEST_TIME, RAW_DATA, SOURCE, TENANT, TIME, UID,
};
use super::{Column as _, EventColumns};
use crate::error::LakeError;

/// Builders for rows of a class. An event is put first, then its record completes the row.
pub(crate) struct Rows {
    class: Class,
    rows: usize,
    event: EventColumns,
    tenant: Text,
    time: Micros,
    uid: Text,
    source: Text,
    connector_uid: Text,
    connector_name: Text,
    ingest_time: Micros,
    raw_data: Text,
}

impl Rows {
    /// Builders without rows.
    pub(crate) fn new(class: Class) -> Self {
        Self {
            class,
            rows: 0,
            event: EventColumns::new(class),
            tenant: Text::default(),
            time: Micros::default(),
            uid: Text::default(),
            source: Text::default(),
            connector_uid: Text::default(),
            connector_name: Text::default(),
            ingest_time: Micros::default(),
            raw_data: Text::default(),
        }
    }

    /// Puts the event of the row under construction.
    pub(crate) fn put_event(&mut self, event: &Event<'_>) {
        self.event.put(self.rows, event);
    }

    /// Completes the row with what the record and its batch say: nothing in the event can change it.
    pub(crate) fn complete(&mut self, batch: &Batch, record: &IdentifiedRecord, raw: &str) {
        let row = self.rows;
        let mut uid = [0; 32];
        let mut connector = [0; 36];
        self.tenant.put(row, batch.tenant.as_str());
        self.time.put(row, record.time.as_micros());
        self.uid.put(row, hex(record.uid.as_bytes(), &mut uid));
        self.source.put(row, &batch.source.id);
        self.connector_uid.put(row, batch.connector.0.as_hyphenated().encode_lower(&mut connector));
        self.connector_name.put(row, &batch.connector_name);
        self.ingest_time.put(row, batch.ingest_time.as_micros());
        self.raw_data.put(row, raw);
        self.rows += 1;
    }

    /// The rows as columns; those that no row uses are left out.
    pub(crate) fn finish(mut self) -> Result<RecordBatch, LakeError> {
        let rows = self.rows;
        let mut columns = vec![
            (TENANT, self.tenant.finish(rows)),
            (TIME, self.time.finish(rows)),
            (UID, self.uid.finish(rows)),
            (SOURCE, self.source.finish(rows)),
            (CONNECTOR_UID, self.connector_uid.finish(rows)),
            (CONNECTOR_NAME, self.connector_name.finish(rows)),
            (INGEST_TIME, self.ingest_time.finish(rows)),
        ];
        columns.extend(self.event.finish(rows));
        columns.push((RAW_DATA, self.raw_data.finish(rows)));
        let (fields, arrays) = named(columns);
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .map_err(|source| LakeError::Columns { class: self.class, source })
    }
}

/// Writes 16 bytes as lower-case hex digits.
fn hex<'b>(bytes: &[u8; 16], text: &'b mut [u8; 32]) -> &'b str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (place, byte) in bytes.iter().enumerate() {
        text[2 * place] = DIGITS[usize::from(byte >> 4)];
        text[2 * place + 1] = DIGITS[usize::from(byte & 15)];
    }
    std::str::from_utf8(text).unwrap_or_default()
}
