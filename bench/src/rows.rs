//! The rows of Parquet files as text, so that what two programs wrote can be compared row by row.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use arrow::array::{Array, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// The rows of all Parquet files under a folder, by the path of their folder below it, in sorted
/// order; and the files' size together.
pub(crate) fn read(root: &Path) -> Result<(BTreeMap<PathBuf, Vec<String>>, u64)> {
    let mut rows: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let mut bytes = 0;
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                let place = folder.strip_prefix(root)?.to_path_buf();
                let found = rows.entry(place).or_default();
                read_file(&path, found)
                    .with_context(|| format!("failed to read `{}`", path.display()))?;
                bytes += path.metadata()?.len();
            }
        }
    }
    rows.values_mut().for_each(|rows| rows.sort_unstable());
    Ok((rows, bytes))
}

/// The size of all Parquet files under a folder.
pub(crate) fn bytes(root: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(root)? {
        let path = entry?.path();
        if path.is_dir() {
            bytes += self::bytes(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            bytes += path.metadata()?.len();
        }
    }
    Ok(bytes)
}

fn read_file(path: &Path, rows: &mut Vec<String>) -> Result<()> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()?;
    for batch in reader {
        let batch: RecordBatch = batch?;
        let fields = batch.schema();
        for row in 0..batch.num_rows() {
            let mut text = String::new();
            let columns = fields.fields().iter().zip(batch.columns());
            object(
                &mut text,
                columns.map(|(field, array)| (field.name().as_str(), array.as_ref())),
                row,
            )?;
            rows.push(text);
        }
    }
    Ok(())
}

/// Writes the members that have a value, in the order of their names.
fn object<'a>(
    out: &mut String,
    members: impl Iterator<Item = (&'a str, &'a dyn Array)>,
    row: usize,
) -> Result<()> {
    let mut members: Vec<_> = members.filter(|(_, array)| array.is_valid(row)).collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    out.push('{');
    for (name, array) in members {
        out.push_str(name);
        out.push('=');
        cell(out, array, row)?;
        out.push(' ');
    }
    out.push('}');
    Ok(())
}

fn cell(out: &mut String, array: &dyn Array, row: usize) -> Result<()> {
    match array.data_type() {
        DataType::Utf8 => write!(out, "{:?}", array.as_string::<i32>().value(row))?,
        DataType::Int32 => write!(out, "{}", array.as_primitive::<Int32Type>().value(row))?,
        DataType::Int64 => write!(out, "{}", array.as_primitive::<Int64Type>().value(row))?,
        DataType::Boolean => write!(out, "{}", array.as_boolean().value(row))?,
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            write!(out, "@{}", array.as_primitive::<TimestampMicrosecondType>().value(row))?;
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            out.push('[');
            for item in 0..items.len() {
                cell(out, items.as_ref(), item)?;
                out.push(',');
            }
            out.push(']');
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let members = fields.iter().zip(columns);
            object(
                out,
                members.map(|(field, array)| (field.name().as_str(), array.as_ref())),
                row,
            )?;
        }
        other => bail!("a column of an unexpected type: {other}"),
    }
    Ok(())
}
