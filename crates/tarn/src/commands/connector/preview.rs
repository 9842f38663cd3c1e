//! `tarn connector preview`: what a transform would do to stored records, before it is applied.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use connectors::transform::Preview;
use model::ids::ConnectorName;
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::Outcome;
use crate::output::{self, Format, column};
use crate::target::Target;

/// Flags of `preview`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Arguments {
    /// The connector
    #[arg(value_name = "NAME")]
    name: ConnectorName,
    /// File with the VRL program; `-` is stdin
    #[arg(long, value_name = "FILE")]
    transform: PathBuf,
    /// How many of the newest records of each content type
    #[arg(long, value_name = "N", default_value_t = 10)]
    count: u64,
    /// How the outcome is printed; json has the events before and after
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Previews a transform.
///
/// # Errors
/// The program does not compile, or there is no such connector.
pub(super) async fn preview(config: &Config, arguments: Arguments) -> Result<Outcome> {
    let Arguments { name, transform, count, format } = arguments;
    let program = if transform.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin()).context("failed to read the program")?
    } else {
        std::fs::read_to_string(&transform)
            .with_context(|| format!("failed to read `{}`", transform.display()))?
    };
    let target = Target::open(config).await?;
    let previewed = match &target {
        Target::Local(local) => {
            let previews =
                local.app.preview_transform(&config.tenant, &name, &program, count).await;
            previews.map(|previews| previews.into_iter().map(item).collect()).map_err(Into::into)
        }
        Target::Remote(remote) => {
            let body = json!({ "transform": program, "count": count });
            let path = ["connectors", name.as_str(), "preview"];
            remote.post(&path, &[], &body).await.map(|mut answer| match answer["items"].take() {
                Value::Array(items) => items,
                _ => Vec::new(),
            })
        }
    };
    target.close().await;
    let mut items: Vec<Value> = previewed?;
    if format == Format::Table {
        items.iter_mut().for_each(name_changes);
    }
    let columns = [
        column("OUTCOME", "outcome"),
        column("EVENT", "before.class_name"),
        column("TIME", "before.time"),
        column("CHANGED", "changed"),
        column("REASON", "reason"),
    ];
    output::list(format, &columns, &items)?;
    Ok(Outcome::Done)
}

/// A preview as the API words it.
fn item(preview: Preview) -> Value {
    match preview {
        Preview::Edited { before, after } => {
            json!({ "outcome": "stored", "before": before, "after": after, "reason": null })
        }
        Preview::Dropped { before } => {
            json!({ "outcome": "filtered", "before": before, "after": null, "reason": null })
        }
        Preview::Failed { before, reason } => {
            json!({ "outcome": "dead_lettered", "before": before, "after": null, "reason": reason })
        }
    }
}

/// Adds the names of the fields that differ between before and after.
fn name_changes(item: &mut Value) {
    let (Some(before), Some(after)) = (item["before"].as_object(), item["after"].as_object())
    else {
        return;
    };
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let changed: Vec<String> =
        names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect();
    item["changed"] = changed.into();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_fields_are_named() {
        let mut edited = item(Preview::Edited {
            before: json!({ "a": 1, "b": 2, "c": 3 }),
            after: json!({ "a": 1, "b": 5, "d": 4 }),
        });
        name_changes(&mut edited);
        assert_eq!(edited["changed"], json!(["b", "c", "d"]));
    }
}
