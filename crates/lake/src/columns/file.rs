//! How rows are laid out in a Parquet file: the same for files that are appended and merged.

use arrow::datatypes::Schema;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::schema::{RAW_DATA, TIME, UID, UNMAPPED};

/// Rows after which a new row group begins: readers hold one of each file, and skip by its times.
const GROUP_ROWS: usize = 65_536;

/// Options for a file with these columns, whose rows are sorted by time.
pub(crate) fn options(schema: &Schema) -> Result<ArrowWriterOptions, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from(TIME), EnabledStatistics::Page)
        .set_created_by(concat!("tarn ", env!("CARGO_PKG_VERSION")).to_owned());
    for unique in [UID, RAW_DATA, UNMAPPED] {
        let column = ColumnPath::from(unique);
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
