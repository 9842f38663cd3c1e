//! `tarn connector create`: one connector from flags.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use engine::connectors::document::ConnectorDocument;
use model::ids::ConnectorName;
use serde_json::{Map, Value, json};

use super::documents;
use crate::config::Config;
use crate::error::{Failure, Outcome};
use crate::output::Format;
use crate::target::Target;

/// Flags of `create`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The connector's name
    #[arg(value_name = "NAME")]
    name: ConnectorName,
    /// The integration; `tarn connector types` lists them
    #[arg(long, value_name = "INTEGRATION")]
    integration: String,
    /// A secret, best as `FIELD=env:VARIABLE` or `FIELD=file:PATH`; again for a pool of keys
    #[arg(long = "credential", value_name = "FIELD=SECRET", value_parser = secret)]
    credentials: Vec<(String, Hidden)>,
    /// A setting of the integration; again for a list
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = pair)]
    parameters: Vec<(String, String)>,
    /// What to collect; again for more, everything when left out
    #[arg(long = "content-type", value_name = "NAME")]
    content_types: Vec<String>,
    /// How often to ask
    #[arg(long, value_name = "SPAN")]
    interval: Option<String>,
    /// How much history the first run reads
    #[arg(long, value_name = "SPAN")]
    backfill: Option<String>,
    /// Requests per span in place of the vendor's usual limit: `20/60s`
    #[arg(long, value_name = "N/SPAN", value_parser = quota)]
    quota: Option<Value>,
    /// File with a VRL program over each event
    #[arg(long, value_name = "FILE")]
    transform: Option<PathBuf>,
    /// Do not check the vendor's certificate
    #[arg(long)]
    no_verify_tls: bool,
    /// Make it without collecting yet
    #[arg(long)]
    disabled: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A secret that was typed: it does not print.
#[derive(Clone)]
struct Hidden(String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(model::secret::MASK)
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

fn secret(text: &str) -> Result<(String, Hidden), String> {
    let (name, value) = text.split_once('=').ok_or("write FIELD=SECRET")?;
    Ok((name.trim().to_owned(), Hidden(value.to_owned())))
}

fn quota(text: &str) -> Result<Value, String> {
    let (requests, per) = text.split_once('/').ok_or("write for instance 20/60s")?;
    let requests: u32 = requests.trim().parse().map_err(|_| "write for instance 20/60s")?;
    Ok(json!({ "requests": requests, "per": per.trim() }))
}

/// Makes the connector.
///
/// # Errors
/// There is one of this name, or a setting cannot be used.
pub(super) async fn create(config: &Config, arguments: Arguments) -> Result<Outcome> {
    let name = arguments.name.clone();
    let (format, dry_run) = (arguments.format, arguments.dry_run);
    let mut document = document(config, arguments)?;
    documents::resolve(&mut document)?;
    let target = Target::open(config).await?;
    let changes = async {
        let plan = documents::send(&target, vec![document.clone()], true).await?;
        if plan.iter().any(|change| change["kind"] != "create") {
            return Err(Failure::new(format!("there is a connector `{name}` already"))
                .hint("change it with `tarn connector apply`, or choose another name")
                .into());
        }
        if dry_run { Ok(plan) } else { documents::send(&target, vec![document], false).await }
    }
    .await;
    target.close().await;
    documents::print(format, &changes?)?;
    Ok(Outcome::Done)
}

fn document(config: &Config, arguments: Arguments) -> Result<ConnectorDocument> {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("name", arguments.name.as_str().into());
    put("tenant", config.tenant.as_str().into());
    put("integration", arguments.integration.into());
    let secrets =
        arguments.credentials.into_iter().map(|(name, Hidden(secret))| (name, secret.into()));
    put("credential", gathered(secrets));
    let parameters = arguments.parameters.into_iter();
    put("parameters", gathered(parameters.map(|(name, value)| (name, typed(&value)))));
    if !arguments.content_types.is_empty() {
        put("content_types", arguments.content_types.into());
    }
    let spans = [("interval", arguments.interval), ("backfill", arguments.backfill)];
    for (key, span) in spans.into_iter().filter_map(|(key, span)| Some((key, span?))) {
        put(key, span.into());
    }
    if let Some(quota) = arguments.quota {
        put("quota", quota);
    }
    if let Some(path) = &arguments.transform {
        let program = std::fs::read_to_string(path)
            .with_context(|| format!("failed to read `{}`", path.display()))?;
        put("transform", program.into());
    }
    put("verify_tls", (!arguments.no_verify_tls).into());
    put("enabled", (!arguments.disabled).into());
    // JSON is YAML, and a file of connectors is what the engine reads.
    let file = json!({ "connectors": [fields] }).to_string();
    let mut documents = documents::parse(&file)?;
    documents.pop().context("the flags make no connector")
}

/// Values by name; a name that comes again makes a list.
fn gathered(pairs: impl Iterator<Item = (String, Value)>) -> Value {
    let mut gathered = Map::new();
    for (name, value) in pairs {
        match gathered.get_mut(&name) {
            None => {
                gathered.insert(name, value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    Value::Object(gathered)
}

/// A value as it was typed: `true`, `5` and `[a, b]` mean what they mean in a file.
fn typed(text: &str) -> Value {
    let read: Option<Value> = serde_saphyr::from_str(text).ok();
    read.filter(|value| !value.is_null() && !value.is_object()).unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_comes_again_makes_a_list() {
        let pairs = [("keys", "a"), ("keys", "b"), ("keys", "c"), ("url", "x")];
        let gathered =
            gathered(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
        assert_eq!(gathered, json!({ "keys": ["a", "b", "c"], "url": "x" }));
    }

    #[test]
    fn values_mean_what_they_mean_in_a_file() {
        assert_eq!(typed("[dlp, ransomware]"), json!(["dlp", "ransomware"]));
        assert_eq!(typed("5"), json!(5));
        assert_eq!(typed("http://127.0.0.1:9001"), json!("http://127.0.0.1:9001"));
        assert_eq!(quota("20/60s"), Ok(json!({ "requests": 20, "per": "60s" })));
    }

    #[test]
    fn typed_secrets_do_not_print() {
        assert!(!format!("{:?}", secret("token=marker")).contains("marker"));
    }
}
