//! `tarn connector types`: the catalogue, rendered from the manifests.

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use crate::config::Config;
use crate::error::{Failure, Outcome};
use crate::output::{self, Format, column};
use crate::remote::Remote;
use crate::wiring::Local;

/// Flags of `types`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only this integration, in full
    #[arg(value_name = "INTEGRATION")]
    name: Option<String>,
    /// How the list is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints the integrations.
///
/// # Errors
/// There is none of this name, or the server cannot be asked.
pub(super) async fn types(config: &Config, arguments: Arguments) -> Result<Outcome> {
    let mut all = match Remote::from_config(config)? {
        Some(remote) => remote.list(&["integrations"], &[]).await?,
        None => manifests(config).await?,
    };
    if let Some(name) = &arguments.name {
        let names: Vec<String> = all.iter().map(|one| output::csv_text(&one["name"])).collect();
        all.retain(|one| one["name"] == name.as_str());
        if all.is_empty() {
            return Err(Failure::new(format!("there is no integration `{name}`"))
                .hint(format!("write one of: {}", names.join(", ")))
                .into());
        }
    }
    match (arguments.format, all.as_slice()) {
        (Format::Table, [one]) if arguments.name.is_some() => output::line(page(one))?,
        (Format::Table, _) => list(Format::Table, &summaries(&all))?,
        (format, _) => list(format, &all)?,
    }
    Ok(Outcome::Done)
}

fn list(format: Format, rows: &[Value]) -> Result<()> {
    let columns = [
        column("NAME", "name"),
        column("PRODUCT", "title"),
        column("CATEGORY", "category"),
        column("CONTENT TYPES", "content_types"),
        column("CREDENTIAL", "credential"),
        column("PARAMETERS", "parameters"),
    ];
    output::list(format, &columns, rows)
}

/// The manifests as they are, from this build.
async fn manifests(config: &Config) -> Result<Vec<Value>> {
    let local = Local::bare(config).await?;
    let manifests = local.app.registry().iter();
    Ok(manifests.map(|known| serde_json::to_value(known.manifest())).collect::<Result<_, _>>()?)
}

/// Names in place of what they name.
fn summaries(all: &[Value]) -> Vec<Value> {
    let names = |list: &Value| -> Value {
        let items = list.as_array().map_or(&[][..], Vec::as_slice);
        items.iter().map(|item| item["name"].clone()).collect()
    };
    let mut summaries = all.to_vec();
    for summary in &mut summaries {
        for key in ["content_types", "credential", "parameters"] {
            summary[key] = names(&summary[key]);
        }
    }
    summaries
}

/// Everything about one integration that its user needs.
fn page(integration: &Value) -> String {
    let text = |value: &Value| output::table_text("", value);
    let items = |key: &str| integration[key].as_array().cloned().unwrap_or_default();
    let mut page = format!(
        "{} ({})\n{}\n\ncontent types:\n",
        text(&integration["title"]),
        text(&integration["name"]),
        text(&integration["description"])
    );
    for item in items("content_types") {
        let (name, title) = (text(&item["name"]), text(&item["title"]));
        let (every, history) = (text(&item["interval"]), text(&item["history"]));
        page.push_str(&format!("  {name}: {title}, asked every {every}, {history} of history\n"));
    }
    page.push_str("\ncredential:\n");
    for item in items("credential") {
        page.push_str(&format!("  {}: {}\n", text(&item["name"]), text(&item["help"])));
    }
    page.push_str("\nparameters:\n");
    for item in items("parameters") {
        let need = if item["required"] == true { ", required" } else { "" };
        let (name, kind, help) = (text(&item["name"]), text(&item["type"]), text(&item["help"]));
        page.push_str(&format!("  {name} ({kind}{need}): {help}\n"));
        if let [_, ..] = item["values"].as_array().map_or(&[][..], Vec::as_slice) {
            page.push_str(&format!("    one or more of: {}\n", text(&item["values"])));
        }
    }
    page.push_str("\nregions:\n");
    for item in items("regions") {
        let (name, title, url) =
            (text(&item["name"]), text(&item["title"]), text(&item["base_url"]));
        page.push_str(&format!("  {name}: {title}, {url}\n"));
    }
    page.push_str("\nrights that the vendor must grant:\n");
    for item in items("permissions") {
        page.push_str(&format!("  {}\n", text(&item)));
    }
    page.trim_end().to_owned()
}
