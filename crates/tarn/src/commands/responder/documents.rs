//! Files of responders: applied, tested, previewed.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use connectors::webhook::{self, ResponderDocument, Template};
use engine::actions::responders::EditedRequest;
use engine::connectors::document::resolve as resolve_secret;
use model::secret::Secret;
use serde_json::{Map, Value, json};

use super::overview::RESPONDERS;
use crate::commands::action::parameter;
use crate::config::Config;
use crate::env;
use crate::error::{Failure, Outcome};
use crate::output::{self, Column, Format, column};
use crate::target::{ACTOR, Target};
use crate::wiring::Local;

const CHANGE_COLUMNS: [Column; 3] =
    [column("CHANGE", "kind"), column("TENANT", "tenant"), column("RESPONDER", "name")];
const TEST_COLUMNS: [Column; 3] =
    [column("RESPONDER", "responder"), column("TEST", "test"), column("DIFFERENCE", "difference")];

/// Flags of `apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// The file, YAML or JSON
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Print the plan, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Flags of `test`.
#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// Files of responders or templates
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Flags of `preview`.
#[derive(Debug, Args)]
pub(crate) struct PreviewArguments {
    /// The responder's name
    #[arg(value_name = "NAME")]
    name: String,
    /// The uid of the record
    #[arg(long, value_name = "UID")]
    record: Option<String>,
    /// A parameter, as NAME=VALUE
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, Value)>,
    /// Changes of the request, as JSON with `path`, `query`, `body`
    #[arg(long, value_name = "JSON", value_parser = edited)]
    edit: Option<EditedRequest>,
}

pub(super) async fn apply(config: &Config, arguments: ApplyArguments) -> Result<Outcome> {
    let ApplyArguments { file, dry_run, format } = arguments;
    // The parser's snippet is left out: the lines around the place may hold a secret.
    let options = serde_saphyr::options! { with_snippet: false };
    let mut document: Value = serde_saphyr::from_str_with_options(&read(&file)?, options)
        .map_err(|error| Failure::new(format!("`{}` cannot be read: {error}", file.display())))?;
    resolve(&mut document)?;
    let target = Target::open(config).await?;
    let changes = match &target {
        Target::Local(local) => applied(local, &document, dry_run).await,
        Target::Remote(remote) => {
            let flags = [("dry_run", if dry_run { "true" } else { "false" })];
            let applied = remote.post(&[RESPONDERS], &flags, &document).await;
            applied.map(|mut answer| answer["items"].take().as_array().cloned().unwrap_or_default())
        }
    };
    target.close().await;
    output::list(format, &CHANGE_COLUMNS, &changes?)?;
    Ok(Outcome::Done)
}

async fn applied(local: &Local, document: &Value, dry_run: bool) -> Result<Vec<Value>> {
    let documents = local.app.read_responders(&document.to_string())?;
    let changes = local.app.apply_responders(documents, dry_run, ACTOR).await?;
    Ok(changes.iter().map(|change| json!(change)).collect())
}

/// Secrets that are named and not written: `env:NAME` and `file:PATH` are read here, by the process that applies.
fn resolve(value: &mut Value) -> Result<()> {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), &mut *member) {
                    ("auth", Value::Object(auth)) => refer(auth)?,
                    _ => resolve(member)?,
                }
            }
        }
        Value::Array(values) => values.iter_mut().try_for_each(resolve)?,
        _ => {}
    }
    Ok(())
}

fn refer(auth: &mut Map<String, Value>) -> Result<()> {
    for name in ["token", "secret", "password", "client_secret"] {
        if let Some(Value::String(text)) = auth.get_mut(name) {
            let setting = format!("auth.{name}");
            let secret = resolve_secret(&setting, &Secret::new(&**text), &env::look_up)?;
            *text = secret.expose().to_owned();
        }
    }
    Ok(())
}

pub(super) async fn test(config: &Config, arguments: TestArguments) -> Result<Outcome> {
    let local = Local::bare(config).await?;
    let mut rows = Vec::new();
    for file in &arguments.files {
        for document in documents(&local, &read(file)?)? {
            let report = webhook::run_tests(&document, local.app.sources());
            for test in report.tests {
                rows.push(json!({
                    "responder": document.name, "test": test.name,
                    "passed": test.difference.is_none(), "difference": test.difference,
                }));
            }
        }
    }
    local.close().await;
    let is_passed = !rows.is_empty() && rows.iter().all(|row| row["passed"] == true);
    if rows.is_empty() {
        output::note("there are no tests: write some under `tests:`");
    }
    output::list(arguments.format, &TEST_COLUMNS, &rows)?;
    Ok(if is_passed { Outcome::Done } else { Outcome::Failed })
}

/// The documents of a file; of a template a responder with a made-up name and secret.
fn documents(local: &Local, text: &str) -> Result<Vec<ResponderDocument>> {
    let value: Value = serde_saphyr::from_str(text).context("the file is no YAML")?;
    if value.get("responder").is_some() {
        let template: Template = serde_json::from_value(value).context("the template")?;
        return Ok(vec![template.sample()?]);
    }
    Ok(local.app.read_responders(text)?)
}

pub(super) async fn preview(config: &Config, arguments: PreviewArguments) -> Result<Outcome> {
    let PreviewArguments { name, record, parameters, edit } = arguments;
    let parameters: Map<String, Value> = parameters.into_iter().collect();
    let edit = edit.unwrap_or_default();
    let target = Target::open(config).await?;
    let shown = match &target {
        Target::Local(local) => {
            let (tenant, record) = (&config.tenant, record.as_deref());
            let shown = local.app.preview_responder(tenant, &name, record, &parameters, &edit);
            shown.await.map(|shown| json!(shown)).map_err(Into::into)
        }
        Target::Remote(remote) => {
            let body = json!({ "record": record, "parameters": parameters, "edited": edit });
            remote.post(&[RESPONDERS, &name, "preview"], &[], &body).await
        }
    };
    target.close().await;
    output::line(serde_json::to_string_pretty(&shown?)?)?;
    Ok(Outcome::Done)
}

/// Changes of a request, as they are written.
pub(crate) fn edited(text: &str) -> Result<EditedRequest, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn read(file: &PathBuf) -> Result<String> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::new(format!("failed to read `{}`", file.display())).cause(error).into()
    })
}
