//! How rows are laid out in a Parquet file: the same for files that are appended and merged.

use arrow::datatypes::Schema;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::schema::{RAW_DATA, TIME, UID, UNMAPPED};

/// Columns whose values hardly come twice: a dictionary of them is made and thrown away again.
const UNIQUE: [&[&str]; 5] =
    [&[UID], &[RAW_DATA], &[UNMAPPED], &["metadata", "uid"], &["api", "request", "uid"]];

/// Rows after which a new row group begins: readers hold one of each file, and skip by its times.
const GROUP_ROWS: usize = 65_536;

/// Files of fewer rows are what single polls bring, and are merged soon. Each of their hundred column chunks would
/// cost a Zstandard context to write, and one to read, which is more than its values are worth.
const FEW_ROWS: usize = 500;

/// Options for a file with these columns and about so many rows, sorted by time.
pub(crate) fn options(schema: &Schema, rows: usize) -> Result<ArrowWriterOptions, ParquetError> {
    let compression = match rows {
        ..FEW_ROWS => Compression::SNAPPY,
        _ => Compression::ZSTD(ZstdLevel::try_new(1)?),
    };
    let mut properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from(TIME), EnabledStatistics::Page)
        .set_created_by(concat!("tarn ", env!("CARGO_PKG_VERSION")).to_owned());
    for unique in UNIQUE {
        let column = ColumnPath::new(unique.iter().map(|part| (*part).to_owned()).collect());
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column, EnabledStatistics::None);
    }
    if let Ok(place) = schema.index_of(TIME) {
        // `time` is a top-level column before any nested one, so its place among the leaves is the same.
        let column_idx = i32::try_from(place).unwrap_or_default();
        let sorted = SortingColumn { column_idx, descending: false, nulls_first: false };
        properties = properties.set_sorting_columns(Some(vec![sorted]));
    }
    let options = ArrowWriterOptions::new().with_properties(properties.build());
    Ok(options.with_skip_arrow_metadata(true))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, RecordBatch};
    use arrow::datatypes::{DataType, Field};
    use bytes::Bytes;
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    /// The codec of a file of so many rows, as a reader finds it.
    fn codec(rows: usize) -> Compression {
        let schema = Arc::new(Schema::new(vec![Field::new("activity_id", DataType::Int32, false)]));
        let values = Arc::new(Int32Array::from_iter_values(0..i32::try_from(rows).unwrap()));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![values]).unwrap();
        let mut content = Vec::new();
        let options = options(&schema, rows).unwrap();
        let mut writer = ArrowWriter::try_new_with_options(&mut content, schema, options).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let read = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(content)).unwrap();
        read.metadata().row_group(0).column(0).compression()
    }

    #[test]
    fn files_of_few_rows_have_a_codec_that_costs_nothing_to_set_up() {
        assert_eq!(codec(FEW_ROWS - 1), Compression::SNAPPY);
        assert!(matches!(codec(FEW_ROWS), Compression::ZSTD(_)));
    }
}
