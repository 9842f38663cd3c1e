//! What every command about runs takes: entities, parameters, a language, a way of printing.

use anyhow::Result;
use clap::Args;
use model::action::{Entity, EntityKind, Input, Locale};
use serde_json::{Map, Value};

use crate::error::{Failure, Outcome};
use crate::output::{self, Column, Format, column};

/// A run in a list.
pub(super) const COLUMNS: [Column; 7] = [
    column("ID", "id"),
    column("ACTION", "action"),
    column("CONNECTOR", "connector"),
    column("STATE", "state"),
    column("BY", "actor"),
    column("AT", "created_at"),
    column("MESSAGE", "message"),
];
/// An item of a run.
const ITEM_COLUMNS: [Column; 4] = [
    column("ITEM", "entity.value"),
    column("TYPE", "entity.type"),
    column("STATE", "state"),
    column("DETAIL", "detail"),
];

/// What an action shall work on.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// A thing to work on, as TYPE=VALUE; repeat it for more
    #[arg(long = "entity", value_name = "TYPE=VALUE", value_parser = entity)]
    entities: Vec<Entity>,
    /// A parameter, as NAME=VALUE; what reads as JSON is JSON
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, Value)>,
}

impl Asked {
    /// The input that was written.
    pub(super) fn input(self) -> Input {
        let parameters: Map<String, Value> = self.parameters.into_iter().collect();
        Input { entities: self.entities, parameters }
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.entities.is_empty() && self.parameters.is_empty()
    }
}

/// How the outcome is told.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Told {
    /// The language of messages: en or ja [env: TARN_LOCALE] [default: en]
    #[arg(long, value_name = "LANGUAGE", value_parser = locale)]
    locale: Option<Locale>,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

impl Told {
    /// The language of messages.
    pub(super) fn locale(self) -> Locale {
        self.locale.or_else(crate::env::locale).unwrap_or_default()
    }

    /// The language as a header says it.
    pub(super) fn language(self) -> &'static str {
        match self.locale() {
            Locale::En => "en",
            Locale::Ja => "ja",
        }
    }
}

/// Prints a run; the exit code says how it ended.
pub(super) fn print(told: Told, run: &Value) -> Result<Outcome> {
    if told.format == Format::Table {
        output::note(format!(
            "{}: {}",
            output::csv_text(&run["id"]),
            output::csv_text(&run["state"])
        ));
        output::line(output::csv_text(&run["message"]).trim())?;
        let items = run["items"].as_array().cloned().unwrap_or_default();
        if !items.is_empty() {
            output::list(Format::Table, &ITEM_COLUMNS, &items)?;
        }
        print_steps(run)?;
        if !run["result"].is_null() {
            output::line(serde_json::to_string_pretty(&run["result"])?)?;
        }
    } else {
        output::object(told.format, &COLUMNS, run)?;
    }
    Ok(outcome(run))
}

/// Of a dry run the requests are what was asked for.
fn print_steps(run: &Value) -> Result<()> {
    if run["dry_run"] != true {
        return Ok(());
    }
    let steps = run["steps"].as_array().cloned().unwrap_or_default();
    for step in steps.iter().filter(|step| step["is_change"] == true) {
        let request = &step["request"];
        output::line(format!(
            "{} {}",
            output::csv_text(&request["method"]),
            output::csv_text(&request["url"])
        ))?;
        if !request["body"].is_null() {
            output::line(serde_json::to_string_pretty(&request["body"])?)?;
        }
    }
    Ok(())
}

/// How a run ended, for the shell.
pub(super) fn outcome(run: &Value) -> Outcome {
    match run["state"].as_str().unwrap_or_default() {
        "partial" => Outcome::Partly,
        // One that somebody stopped waiting for has not succeeded either.
        "failed" | "unknown" | "expired" | "cancelled" | "waiting" | "in_progress" | "expiring" => {
            Outcome::Failed
        }
        _ => Outcome::Done,
    }
}

pub(super) fn entity(text: &str) -> Result<Entity, Failure> {
    let written = || {
        Failure::usage(format!("`{text}` is no entity"))
            .hint("write TYPE=VALUE, for instance url=http://bad.example/")
    };
    let (kind, value) = text.split_once('=').ok_or_else(written)?;
    let kind: EntityKind = kind.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    if value.trim().is_empty() {
        return Err(written());
    }
    Ok(Entity::new(kind, value.trim()))
}

/// A parameter as it is written on the command line.
pub(crate) fn parameter(text: &str) -> Result<(String, Value), Failure> {
    let (name, value) = text.split_once('=').ok_or_else(|| {
        Failure::usage(format!("`{text}` is no parameter")).hint("write NAME=VALUE")
    })?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((name.trim().to_owned(), value))
}

fn locale(text: &str) -> Result<Locale, String> {
    Locale::of_tag(text).ok_or_else(|| "write `en` or `ja`".to_owned())
}
