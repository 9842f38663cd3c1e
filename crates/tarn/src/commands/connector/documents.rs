//! `tarn connector show` and `apply`: connectors as documents.
//!
//! References to secrets (`env:`, `file:`) are read here, where the command runs.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use engine::connectors::document::{ConnectorDocument, ConnectorFile};
use model::connector::OneOrMany;
use model::ids::{ConnectorName, TenantId};
use model::secret::Secret;
use serde_json::{Value, json};

use crate::config::Config;
use crate::env;
use crate::error::{Failure, Outcome};
use crate::output::{self, Format, column};
use crate::target::{ACTOR, Target};

/// Flags of `show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The connector
    #[arg(value_name = "NAME")]
    name: ConnectorName,
    /// How the document is printed
    #[arg(long, value_enum, default_value_t)]
    format: DocumentFormat,
}

/// How a document is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum DocumentFormat {
    /// As a file for `apply`.
    #[default]
    Yaml,
    /// The same as JSON.
    Json,
}

/// Flags of `apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// File of connectors in YAML or JSON; `-` is stdin
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    file: PathBuf,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints a connector's document.
///
/// # Errors
/// There is none of this name, or the catalog or server cannot be asked.
pub(super) async fn show(config: &Config, arguments: ShowArguments) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let name = arguments.name.as_str();
    let document = match &target {
        Target::Local(local) => {
            let stored = local.app.connector(&config.tenant, &arguments.name).await?;
            local.app.document(&stored)?.masked()
        }
        Target::Remote(remote) => remote.get(&["connectors", name], &[]).await?,
    };
    target.close().await;
    let file = json!({ "connectors": [document] });
    let text = match arguments.format {
        DocumentFormat::Yaml => serde_saphyr::to_string(&file)?,
        DocumentFormat::Json => serde_json::to_string_pretty(&file)?,
    };
    output::line(text.trim_end())?;
    Ok(Outcome::Done)
}

/// Applies a file.
///
/// # Errors
/// The file cannot be read, or names a setting that cannot be used; then nothing was changed.
pub(super) async fn apply(config: &Config, arguments: ApplyArguments) -> Result<Outcome> {
    let documents = read(&arguments.file, &config.tenant)?;
    let target = Target::open(config).await?;
    let changes = send(&target, documents, arguments.dry_run).await;
    target.close().await;
    print(arguments.format, &changes?)?;
    if arguments.dry_run {
        output::note("nothing was changed: this is the plan only");
    }
    Ok(Outcome::Done)
}

/// Reads a file of connectors with the secrets that it refers to. A document without a tenant
/// belongs to the command's.
fn read(path: &Path, tenant: &TenantId) -> Result<Vec<ConnectorDocument>> {
    let doing = || format!("failed to read `{}`", path.display());
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).with_context(doing)?;
        text
    } else {
        std::fs::read_to_string(path).with_context(doing)?
    };
    let mut documents = parse(&text)?;
    let plain: Value = serde_saphyr::from_str(&text).unwrap_or_default();
    for (index, document) in documents.iter_mut().enumerate() {
        if plain["connectors"][index]["tenant"].is_null() {
            document.plan.tenant.clone_from(tenant);
        }
        resolve(document)?;
    }
    Ok(documents)
}

/// Reads the text of a file of connectors. The error names the place and never shows the lines
/// around it, for they may hold a secret.
pub(super) fn parse(text: &str) -> Result<Vec<ConnectorDocument>> {
    let options = serde_saphyr::options! { with_snippet: false };
    let file: ConnectorFile =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            Failure::new(format!("the connectors cannot be read: {error}"))
                .hint("`tarn connector types` shows the settings of each integration")
        })?;
    Ok(file.connectors)
}

/// Reads the secrets that a document refers to.
pub(super) fn resolve(document: &mut ConnectorDocument) -> Result<()> {
    let name = document.plan.name.clone();
    document.resolve(&env::look_up).with_context(|| format!("connector `{name}`"))
}

/// Hands documents over; answers the plan as the API words it.
pub(super) async fn send(
    target: &Target,
    documents: Vec<ConnectorDocument>,
    dry_run: bool,
) -> Result<Vec<Value>> {
    match target {
        Target::Local(local) => {
            let changes = local.app.apply(documents, dry_run, ACTOR).await?;
            Ok(changes.iter().map(serde_json::to_value).collect::<Result<_, _>>()?)
        }
        Target::Remote(remote) => {
            let documents: Vec<Value> = documents.iter().map(exposed).collect();
            let body = json!({ "connectors": documents, "dry_run": dry_run });
            let mut answer = remote.post(&["connectors"], &[], &body).await?;
            match answer["changes"].take() {
                Value::Array(changes) => Ok(changes),
                _ => anyhow::bail!("the server's answer has no plan"),
            }
        }
    }
}

/// A document with its secrets, for the server that will keep them and for nothing else.
fn exposed(document: &ConnectorDocument) -> Value {
    let mut value = document.masked();
    for (name, secrets) in &document.credential.0 {
        value["credential"][name] = match secrets {
            OneOrMany::One(secret) => secret.expose().into(),
            OneOrMany::Many(all) => all.iter().map(Secret::expose).collect(),
        };
    }
    value
}

/// Prints a plan.
pub(super) fn print(format: Format, changes: &[Value]) -> Result<()> {
    let columns = [
        column("CHANGE", "kind"),
        column("TENANT", "tenant"),
        column("NAME", "name"),
        column("SETTINGS", "settings"),
    ];
    if format != Format::Table {
        return output::list(format, &columns, changes);
    }
    let mut told = changes.to_vec();
    for change in &mut told {
        let settings = change["settings"].as_array().map_or(&[][..], Vec::as_slice);
        change["settings"] =
            settings.iter().map(|setting| Value::from(sentence(setting))).collect();
    }
    output::list(format, &columns, &told)
}

/// `interval: "5m" -> "10m"`
fn sentence(setting: &Value) -> String {
    let name = output::csv_text(&setting["setting"]);
    match (&setting["from"], &setting["to"]) {
        (Value::Null, to) => format!("{name}: {to}"),
        (from, to) if from == to => format!("{name}: changed"),
        (from, to) => format!("{name}: {from} -> {to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_a_few_words_and_a_secret_not_at_all() {
        let tell =
            |from: Value, to: Value| sentence(&json!({ "setting": "x", "from": from, "to": to }));
        assert_eq!(tell(json!("5m"), json!("10m")), "x: \"5m\" -> \"10m\"");
        assert_eq!(tell(Value::Null, json!(true)), "x: true");
        assert_eq!(tell(json!("********"), json!("********")), "x: changed");
    }
}
