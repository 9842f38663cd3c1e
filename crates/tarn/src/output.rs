//! Everything that is printed: data to stdout, everything else to stderr.
//!
//! Tables are for people: times are spelled out and control characters are shown, not sent to the
//! terminal. JSON, NDJSON and CSV give values as they are.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use anyhow::Result;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use model::time::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::error::StdoutClosed;

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// Comma-separated values with a header.
    Csv,
}

/// A column of a printed list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its heading.
    pub(crate) title: &'static str,
    /// Where the value stands in the row: keys joined by dots.
    pub(crate) path: &'static str,
}

/// Shorthand for a table of columns.
pub(crate) const fn column(title: &'static str, path: &'static str) -> Column {
    Column { title, path }
}

/// Standard output, buffered. What is written to it is seen after [`Out::flush`].
pub(crate) struct Out(BufWriter<io::Stdout>);

impl Out {
    /// Opens it.
    pub(crate) fn new() -> Self {
        Self(BufWriter::with_capacity(1 << 16, io::stdout()))
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> Result<()> {
        self.text(text)?;
        self.text("\n")
    }

    /// Writes a text without a line end.
    pub(crate) fn text(&mut self, text: impl AsRef<str>) -> Result<()> {
        self.0.write_all(text.as_ref().as_bytes()).map_err(closed)
    }

    /// Writes a value as JSON on one line.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<()> {
        self.line(serde_json::to_string(value)?)
    }

    /// Sends what was written.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.0.flush().map_err(closed)
    }
}

fn closed(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => StdoutClosed.into(),
        _ => anyhow::Error::new(error).context("failed to write to standard output"),
    }
}

/// Prints one line of data.
pub(crate) fn line(text: impl AsRef<str>) -> Result<()> {
    let mut out = Out::new();
    out.line(text)?;
    out.flush()
}

/// Prints a line that is not data to stderr. Nobody may be reading: that is no failure.
pub(crate) fn note(text: impl AsRef<str>) {
    let text = printable(text.as_ref(), true);
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Prints one value: as JSON, or as a table of its fields.
pub(crate) fn object(format: Format, columns: &[Column], value: &Value) -> Result<()> {
    if format == Format::Json {
        return line(serde_json::to_string_pretty(value)?);
    }
    list(format, columns, std::slice::from_ref(value))
}

/// Prints a list.
pub(crate) fn list(format: Format, columns: &[Column], rows: &[Value]) -> Result<()> {
    let mut out = Out::new();
    match format {
        Format::Json => out.line(serde_json::to_string_pretty(rows)?)?,
        Format::Ndjson => rows.iter().try_for_each(|row| out.json_line(row))?,
        Format::Csv => {
            let titles: Vec<&str> = columns.iter().map(|column| column.path).collect();
            out.line(csv_line(titles))?;
            for row in rows {
                out.line(csv_line(columns.iter().map(|column| csv_text(find(row, column.path)))))?;
            }
        }
        Format::Table => {
            let titles = columns.iter().map(|column| column.title.to_owned()).collect();
            let cells =
                |row| columns.iter().map(|c| table_text(c.path, find(row, c.path))).collect();
            out.line(table(titles, rows.iter().map(cells)))?;
        }
    }
    out.flush()
}

/// A table as text, as wide as the terminal and without colour.
pub(crate) fn table(titles: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.force_no_tty();
    }
    table.set_header(titles);
    table.add_rows(rows);
    table.trim_fmt()
}

/// The value at a path of keys joined by dots.
pub(crate) fn find<'a>(row: &'a Value, path: &str) -> &'a Value {
    let mut value = row;
    for key in path.split('.') {
        value = &value[key];
    }
    value
}

/// A value as a cell of a table.
pub(crate) fn table_text(path: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text, false),
        Value::Number(number) if is_time(path) => {
            let time = number.as_i64().map(Timestamp::from_millis);
            time.map_or_else(|| number.to_string(), Timestamp::to_rfc3339_millis)
        }
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            let texts: Vec<String> = items.iter().map(|item| table_text(path, item)).collect();
            texts.join(", ")
        }
        other => printable(&other.to_string(), false),
    }
}

/// Our times are epoch milliseconds in rows; people read them as text.
fn is_time(path: &str) -> bool {
    path == "time" || path.ends_with("_time")
}

/// A value as a cell of CSV, before it is quoted.
pub(crate) fn csv_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A line of CSV (RFC 4180, without its line end).
pub(crate) fn csv_line(cells: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut line = String::new();
    for (index, cell) in cells.into_iter().enumerate() {
        let cell = cell.as_ref();
        if index > 0 {
            line.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            line.push('"');
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(cell);
        }
    }
    line
}

/// Text from elsewhere made safe for a terminal: control characters are shown as escapes.
fn printable(text: &str, keep_lines: bool) -> String {
    let is_plain = |c: char| !c.is_control() || (keep_lines && (c == '\n' || c == '\t'));
    if text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_spells_times_out_and_never_sends_control_characters() {
        assert_eq!(table_text("time", &json!(1_772_409_600_000_i64)), "2026-03-02T00:00:00.000Z");
        assert_eq!(table_text("subject", &json!("a\u{1b}[2Jb\n")), "a\\u{1b}[2Jb\\n");
        assert_eq!(table_text("names", &json!(["a", 1])), "a, 1");
        assert_eq!(table_text("x", &Value::Null), "");
    }

    #[test]
    fn csv_quotes_what_would_break_it() {
        assert_eq!(
            csv_line(["a", "b,c", "say \"no\"", "1\n2"]),
            "a,\"b,c\",\"say \"\"no\"\"\",\"1\n2\""
        );
        assert_eq!(csv_text(&json!({ "a": 1 })), "{\"a\":1}");
    }

    #[test]
    fn a_path_reaches_into_a_row_and_gives_null_where_nothing_is() {
        let row = json!({ "counts": { "stored": 3 } });
        assert_eq!(find(&row, "counts.stored"), &json!(3));
        assert_eq!(find(&row, "counts.nothing.deeper"), &Value::Null);
    }
}
