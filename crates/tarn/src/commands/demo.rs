//! `tarn demo`: fake vendors over real HTTP, a server and ready-made connectors in one process.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use connectors::client::egress::EgressPolicy;
use engine::app::App;
use engine::connectors::document::ConnectorFile;
use model::ids::TenantId;
use serde_json::json;
use simulators::{Options, Volume};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::error::Outcome;
use crate::hosting::Host;
use crate::output;

/// What each simulator allows, and its connector keeps to; the real quotas would show little at once.
const REQUESTS: &str = "200";
const WINDOW: &str = "10s";

/// A fake vendor and the connector that reads it.
struct Part {
    integration: &'static str,
    connector: &'static str,
    /// The rest of the connector's document; `{url}` is filled in.
    document: &'static str,
    /// Records per stream and hour.
    rate: f64,
}

const PARTS: [Part; 3] = [
    Part {
        integration: "trend_micro_cas",
        connector: "Demo CAS",
        document: "credential: { api_keys: [sim-key] }
    parameters: { base_url: \"{url}\" }
    interval: 10s",
        rate: 30.0,
    },
    Part {
        integration: "trend_vision_one",
        connector: "Demo Vision One",
        document: "credential: { token: sim-key }
    parameters: { base_url: \"{url}\" }
    interval: 30s",
        rate: 30.0,
    },
    Part {
        integration: "mimecast",
        connector: "Demo Mimecast",
        document: "credential: { client_id: sim-client, client_secret: sim-secret }
    parameters: { base_url: \"{url}\" }
    interval: 30s",
        rate: 30.0,
    },
];
const LOOK: Duration = Duration::from_millis(200);

/// Flags of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Address and port to listen on [env: TARN_LISTEN] [default: 127.0.0.1:8717]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
}

/// Runs the demo until it is stopped. `data_dir` and `lake` are what the flags name: what the
/// environment names may be somebody's real data.
///
/// # Errors
/// An address or the data directory is in use, or something cannot be opened.
pub(crate) async fn run(
    mut config: Config,
    data_dir: Option<PathBuf>,
    lake: Option<PathBuf>,
) -> Result<Outcome> {
    let place = Place::new(data_dir)?;
    config.data_dir = place.path();
    config.lake = lake;
    config.tenant = TenantId::default();
    // The fake vendors listen on this machine, where responders may not send to unless somebody says so.
    config.egress.allow.extend(EgressPolicy::allowing(["127.0.0.1"])?.allow);
    let host = Host::open(&config).await?;
    let mut urls = Vec::with_capacity(PARTS.len());
    for part in &PARTS {
        let url = start_vendor(&host, part).await?;
        apply(host.app(), part, &url).await?;
        urls.push(url);
    }
    apply_responders(host.app(), &urls[1]).await?;
    output::line(introduction(&host, &urls, &place))?;
    let first = tokio::spawn(tell_first_records(host.app().clone()));
    let served = host.run().await;
    first.abort();
    served?;
    place.remove()?;
    Ok(Outcome::Done)
}

/// Where the demo keeps its data.
enum Place {
    Named(PathBuf),
    Temporary(TempDir),
}

impl Place {
    fn new(named: Option<PathBuf>) -> Result<Self> {
        if let Some(path) = named {
            return Ok(Self::Named(path));
        }
        let temporary = tempfile::Builder::new().prefix("tarn-demo-").tempdir();
        temporary.map(Self::Temporary).context("failed to make a temporary directory")
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Named(path) => path.clone(),
            Self::Temporary(directory) => directory.path().to_owned(),
        }
    }

    fn remove(self) -> Result<()> {
        match self {
            Self::Named(_) => Ok(()),
            Self::Temporary(directory) => {
                directory.close().context("failed to remove the temporary directory")
            }
        }
    }
}

/// Starts a fake vendor on a port of its own; answers its URL.
async fn start_vendor(host: &Host, part: &Part) -> Result<String> {
    let faults = [("requests", REQUESTS), ("window", WINDOW)];
    let faults = faults.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let options = Options { volume: Volume::PerHour(part.rate), faults, ..Options::default() };
    let simulator = simulators::simulator(part.integration, options)?;
    let listener =
        TcpListener::bind("127.0.0.1:0").await.context("failed to listen for a fake vendor")?;
    let url = format!("http://{}", listener.local_addr()?);
    let stopping = host.stopping();
    tokio::spawn(async move {
        if let Err(error) = simulator.serve(listener, stopping).await {
            tracing::error!(%error, "a fake vendor failed");
        }
    });
    Ok(url)
}

async fn apply(app: &App, part: &Part, url: &str) -> Result<()> {
    let Part { integration, connector, document, .. } = part;
    let rest = document.replace("{url}", url);
    let text = format!(
        "connectors:
  - name: {connector}
    integration: {integration}
    {rest}
    backfill: 24h
    quota: {{ requests: {REQUESTS}, per: {WINDOW} }}
"
    );
    app.apply(ConnectorFile::read(&text)?.connectors, false, "demo").await?;
    Ok(())
}

/// A responder of each built-in template, which sends to the fake Vision One.
async fn apply_responders(app: &App, url: &str) -> Result<()> {
    let address = url.trim_start_matches("http://");
    let templates = app.responder_templates();
    let responders: Vec<_> = templates
        .iter()
        .map(|template| {
            json!({
                "name": template.template, "template": template.template, "tenant": "all",
                "request": { "host": address, "protocol": "http" },
                "auth": { "token": "sim-key" }, "poll": { "every": "1s" },
            })
        })
        .collect();
    let documents = app.read_responders(&json!({ "responders": responders }).to_string())?;
    app.apply_responders(documents, false, "demo").await?;
    Ok(())
}

/// What a person needs to go on, with lines that work when they are pasted.
fn introduction(host: &Host, vendors: &[String], place: &Place) -> String {
    let url = host.url();
    let program = std::env::current_exe()
        .map_or_else(|_| "tarn".to_owned(), |path| quoted(&path.display().to_string()));
    let (told, token) = match &host.token {
        Some(token) => (token.expose().to_owned(), token.expose().to_owned()),
        None => (
            "the one from the first start; put it into TARN_TOKEN".to_owned(),
            "\"$TARN_TOKEN\"".to_owned(),
        ),
    };
    let kept = match place {
        Place::Named(path) => format!("{} (kept)", path.display()),
        Place::Temporary(_) => format!("{} (removed at the end)", place.path().display()),
    };
    let target = format!("--server {url} --token {token}");
    let vendors =
        PARTS.iter().zip(vendors).map(|(part, url)| format!("{} at {url}", part.integration));
    let vendors = vendors.collect::<Vec<_>>().join(", ");
    let [cas, vision, mimecast] = &PARTS;
    let (cas, vision, mimecast) = (cas.connector, vision.connector, mimecast.connector);
    format!(
        "listening on {url}
admin token: {told}
data: {kept}
fake vendors: {vendors}

Try:
  {program} query {target} --since 24h \"FROM email | aggregate count by connector_name\"
  {program} query {target} --since 24h \"FROM detection WHERE sensor_type = 'Trend Vision One' | head 5\"
  {program} connector status {target} '{cas}'
  {program} connector status {target} '{vision}'
  {program} connector status {target} '{mimecast}'
  {program} lake verify {target}
  {program} action run {target} trend_micro_cas.add_entities_to_blocklist --entity url=http://pay.bad.example/login
  {program} action history {target}
  {program} responder list {target}

Ctrl-C ends it."
    )
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Says once that there is something to search.
async fn tell_first_records(app: std::sync::Arc<App>) {
    loop {
        match app.ledger(None, None).await {
            Ok(counts) if counts.stored > 0 => {
                output::note(format!("{} records are searchable, more are coming", counts.stored));
                return;
            }
            Ok(_) => app.clock().sleep_until(app.clock().now() + LOOK).await,
            Err(error) => {
                tracing::warn!(%error, "failed to count the records");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_with_spaces_is_one_word_for_a_shell() {
        assert_eq!(quoted("/opt/tarn-1.0/tarn"), "/opt/tarn-1.0/tarn");
        assert_eq!(quoted("/my apps/it's"), r"'/my apps/it'\''s'");
    }
}
