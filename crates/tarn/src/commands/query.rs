//! `tarn query`: search, print as the rows come. Memory holds one page of rows, whatever is found.

use anyhow::Result;
use clap::Args;
use engine::hunt::{Language, Search};
use futures::StreamExt as _;
use query::store::{Row, Rows};
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::Outcome;
use crate::moment::Moment;
use crate::output::{self, Format, Out};
use crate::remote::Lines;
use crate::target::Target;

/// Rows in a page of an answer that comes line by line.
const PAGE: usize = 1_000;
/// What a table shows of whole events, as far as the first rows have it; the other formats give all.
const SUMMARY: [&str; 12] = [
    "time",
    "class_name",
    "connector_name",
    "severity",
    "disposition",
    "status",
    "actor.user.name",
    "email.from",
    "email.to",
    "email.subject",
    "file.name",
    "message",
];
/// A column that only rows of whole events have beside many others.
const WHOLE_EVENT: &str = "raw_data";

/// Flags of `query`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The language of the query: taegis, lucene or sql
    #[arg(long, value_name = "LANGUAGE", default_value = "taegis", value_parser = language)]
    lang: Spoken,
    /// How rows are printed: table, json, ndjson or csv
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = format)]
    format: Format,
    /// Only events from then on: `24h`, `7d`, or an RFC 3339 time. Not for SQL
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Only events before then. Not for SQL
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// The query
    #[arg(value_name = "QUERY")]
    query: String,
}

/// A language, as the flag names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spoken(Language);

impl Spoken {
    fn as_str(self) -> &'static str {
        match self.0 {
            Language::Taegis => "taegis",
            Language::Lucene => "lucene",
            Language::Sql => "sql",
        }
    }
}

fn language(text: &str) -> Result<Spoken, String> {
    match text {
        "taegis" => Ok(Spoken(Language::Taegis)),
        "lucene" => Ok(Spoken(Language::Lucene)),
        "sql" => Ok(Spoken(Language::Sql)),
        _ => Err("write taegis, lucene or sql".to_owned()),
    }
}

fn format(text: &str) -> Result<Format, String> {
    match text {
        "parquet" => Err("Parquet comes in a later version; write csv or ndjson".to_owned()),
        _ => clap::ValueEnum::from_str(text, true)
            .map_err(|_| "write table, json, ndjson or csv".to_owned()),
    }
}

/// Searches.
///
/// # Errors
/// The query cannot be run, with the place of the mistake; or the lake or server fails.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<Outcome> {
    let target = Target::open_to_read(config).await?;
    let printed = search(&target, config, &arguments).await;
    target.close().await;
    printed.map(|()| Outcome::Done)
}

async fn search(target: &Target, config: &Config, arguments: &Arguments) -> Result<()> {
    let (columns, mut pages) = match target {
        Target::Local(local) => {
            let now = local.app.clock().now();
            let found = local.app.search(&config.tenant, search_of(arguments, now)).await?;
            warn(found.warnings.iter().map(String::as_str));
            let Rows { columns, pages } = found.rows;
            (columns, Pages::Local(pages))
        }
        Target::Remote(remote) => {
            let now = model::clock::Clock::now(&engine::clock::SystemClock);
            let Search { text, since, until, .. } = search_of(arguments, now);
            let body = json!({
                "language": arguments.lang.as_str(), "query": text, "since": since, "until": until,
            });
            let lines = remote.post_for_lines(&["query"], &body).await?;
            warn(lines.warnings.iter().map(String::as_str));
            (lines.columns.clone(), Pages::Remote(lines))
        }
    };
    let mut printer = Printer::new(arguments.format, columns);
    printer.begin()?;
    while let Some(page) = pages.next().await? {
        printer.page(page)?;
    }
    printer.end()
}

fn search_of(arguments: &Arguments, now: model::time::Timestamp) -> Search {
    Search {
        language: arguments.lang.0,
        text: arguments.query.clone(),
        since: arguments.since.map(|moment| moment.resolve(now)),
        until: arguments.until.map(|moment| moment.resolve(now)),
    }
}

fn warn<'a>(warnings: impl Iterator<Item = &'a str>) {
    warnings.for_each(|warning| output::note(format!("warning: {warning}")));
}

/// Rows as they come, from here or from a server.
enum Pages {
    Local(
        std::pin::Pin<
            Box<dyn futures::Stream<Item = Result<Vec<Row>, query::store::StoreError>> + Send>,
        >,
    ),
    Remote(Lines),
}

impl Pages {
    async fn next(&mut self) -> Result<Option<Vec<Row>>> {
        match self {
            Self::Local(pages) => Ok(pages.next().await.transpose()?),
            Self::Remote(lines) => {
                let mut page = Vec::new();
                while page.len() < PAGE {
                    match lines.next().await? {
                        Some(Value::Object(row)) => page.push(row),
                        Some(_) => {}
                        None => break,
                    }
                }
                Ok((!page.is_empty()).then_some(page))
            }
        }
    }
}

/// Prints pages of rows in one of the formats.
struct Printer {
    out: Out,
    format: Format,
    columns: Vec<String>,
    rows: u64,
}

impl Printer {
    fn new(format: Format, columns: Vec<String>) -> Self {
        Self { out: Out::new(), format, columns, rows: 0 }
    }

    /// Leaves the columns out that say little, when whole events are printed for people.
    fn summarise(&mut self, rows: &[Row]) {
        let is_whole =
            self.columns.len() > SUMMARY.len() && self.columns.iter().any(|c| c == WHOLE_EVENT);
        if is_whole {
            let is_there = |column: &&str| rows.iter().any(|row| !value(row, column).is_null());
            self.columns = SUMMARY.into_iter().filter(is_there).map(str::to_owned).collect();
        }
    }

    fn begin(&mut self) -> Result<()> {
        match self.format {
            Format::Json => self.out.text("["),
            Format::Csv => self.out.line(output::csv_line(&self.columns)),
            Format::Table | Format::Ndjson => Ok(()),
        }
    }

    fn page(&mut self, rows: Vec<Row>) -> Result<()> {
        if self.format == Format::Table {
            self.summarise(&rows);
            let columns = &self.columns;
            let cells = rows
                .iter()
                .map(|row| columns.iter().map(|c| output::table_text(c, value(row, c))).collect());
            let table = output::table(columns.clone(), cells);
            self.out.line(table)?;
        }
        for row in &rows {
            match self.format {
                Format::Table => {}
                Format::Json => {
                    self.out.text(if self.rows == 0 { "\n" } else { ",\n" })?;
                    self.out.text(serde_json::to_string(row)?)?;
                }
                Format::Ndjson => self.out.json_line(row)?,
                Format::Csv => {
                    let cells = self.columns.iter().map(|c| output::csv_text(value(row, c)));
                    self.out.line(output::csv_line(cells))?;
                }
            }
            self.rows += 1;
        }
        self.out.flush()
    }

    fn end(mut self) -> Result<()> {
        match self.format {
            Format::Json => self.out.line("\n]")?,
            Format::Table => {
                let plural = if self.rows == 1 { "" } else { "s" };
                output::note(format!("{} row{plural}", self.rows));
            }
            Format::Ndjson | Format::Csv => {}
        }
        self.out.flush()
    }
}

/// The value of a column: under its name, or where the name's path leads in an event.
fn value<'a>(row: &'a Row, column: &str) -> &'a Value {
    if let Some(value) = row.get(column) {
        return value;
    }
    let (first, rest) = column.split_once('.').unwrap_or((column, ""));
    match row.get(first) {
        Some(value) if !rest.is_empty() => output::find(value, rest),
        _ => &Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_by_its_name_or_its_path() {
        let row = json!({ "a.b": 1, "a": { "c": 2 } });
        let Value::Object(row) = row else { unreachable!("an object") };
        assert_eq!(value(&row, "a.b"), &json!(1));
        assert_eq!(value(&row, "a.c"), &json!(2));
        assert_eq!(value(&row, "x.y"), &Value::Null);
    }

    #[test]
    fn a_language_has_the_name_that_the_server_takes() {
        for name in ["taegis", "lucene", "sql"] {
            assert_eq!(language(name).map(Spoken::as_str), Ok(name));
        }
        assert!(language("klingon").is_err_and(|problem| problem.contains("lucene")));
    }

    #[test]
    fn what_comes_later_is_refused_as_such() {
        assert!(format("parquet").is_err_and(|problem| problem.contains("later version")));
        assert_eq!(format("ndjson"), Ok(Format::Ndjson));
    }
}
