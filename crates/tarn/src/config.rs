//! What a process runs with: flags, then environment, then the configuration file, then defaults.
//!
//! Two steps: [`File`] is what was written, [`Config`] is what holds. A key that nobody knows is
//! refused by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use connectors::client::egress::EgressPolicy;
use engine::connectors::check::ExtraRegions;
use model::connector::Region;
use model::ids::TenantId;
use model::secret::Secret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::cli::Global;
use crate::env;
use crate::error::Failure;

const DEFAULT_DATA_DIR: &str = "tarn-data";
const DEFAULT_LISTEN: &str = "127.0.0.1:8717";

/// The configuration file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    public_url: Option<Url>,
    data_dir: Option<PathBuf>,
    lake: Option<PathBuf>,
    log: Option<String>,
    log_format: Option<LogFormat>,
    #[serde(default)]
    regions: BTreeMap<String, Vec<Region>>,
    #[serde(default)]
    egress: EgressPolicy,
    templates: Option<PathBuf>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// What holds for this process.
#[derive(Debug)]
pub(crate) struct Config {
    /// The server to work on; without one the data directory is used.
    pub(crate) server: Option<Url>,
    /// Token for the server.
    pub(crate) token: Option<Secret>,
    /// The tenant to act in.
    pub(crate) tenant: TenantId,
    /// Address and port to listen on.
    pub(crate) listen: String,
    /// Where others reach the server, when it is not where requests say that they were sent.
    pub(crate) public_url: Option<Url>,
    /// The data directory.
    pub(crate) data_dir: PathBuf,
    /// The lake, when it lies elsewhere than in the data directory.
    pub(crate) lake: Option<PathBuf>,
    /// The log filter, when one was set.
    pub(crate) log: Option<String>,
    /// How log lines look.
    pub(crate) log_format: LogFormat,
    /// Regions beside the manifests'.
    pub(crate) regions: ExtraRegions,
    /// Where responders may send to beside the public network.
    pub(crate) egress: EgressPolicy,
    /// Where templates of responders lie beside the built-in ones.
    pub(crate) templates: Option<PathBuf>,
    /// The key that secrets rest under, when it is not the data directory's own.
    pub(crate) master_key: Option<Secret>,
}

impl Config {
    /// Gathers what holds. `listen` and `public_url` are flags of some commands.
    ///
    /// # Errors
    /// The file cannot be read, has an unknown key, or a variable has an impossible value.
    pub(crate) fn load(
        flags: &Global,
        listen: Option<&str>,
        public_url: Option<&Url>,
    ) -> Result<Self> {
        let file = match flags.config.clone().or_else(|| env::read(env::CONFIG).map(Into::into)) {
            Some(path) => File::read(&path)?,
            None => File::default(),
        };
        // A directory that was named by a flag counts more than a server from the environment.
        let stays_here = flags.data_dir.is_some() || flags.lake.is_some();
        let server = match flags.server.clone() {
            None if stays_here => None,
            None => parsed(env::SERVER, url)?,
            given => given,
        };
        let tenant = parsed(env::TENANT, |text| TenantId::new(text).map_err(|e| e.to_string()))?;
        let data_dir = flags.data_dir.clone().or_else(|| path(env::DATA_DIR)).or(file.data_dir);
        let regions = parsed(env::REGIONS, yaml)?.unwrap_or(file.regions);
        let log_format = parsed(env::LOG_FORMAT, |text| LogFormat::from_str(text, true))?;
        let public_url = match public_url {
            Some(url) => Some(url.clone()),
            None => parsed(env::PUBLIC_URL, url)?.or(file.public_url),
        };
        if public_url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(Failure::usage("the public URL is no http or https URL")
                .hint("write for instance https://tarn.example.com")
                .into());
        }
        Ok(Self {
            server,
            public_url,
            token: flags.token.clone().or_else(|| env::read_secret(env::TOKEN)),
            tenant: flags.tenant.clone().or(tenant).unwrap_or_default(),
            listen: listen
                .map(str::to_owned)
                .or_else(|| env::read(env::LISTEN))
                .or(file.listen)
                .unwrap_or_else(|| DEFAULT_LISTEN.to_owned()),
            data_dir: data_dir.unwrap_or_else(|| DEFAULT_DATA_DIR.into()),
            lake: flags.lake.clone().or_else(|| path(env::LAKE)).or(file.lake),
            log: env::read(env::LOG).or(file.log),
            log_format: log_format.or(file.log_format).unwrap_or_default(),
            regions,
            egress: parsed(env::EGRESS_ALLOW, egress)?.unwrap_or(file.egress),
            templates: path(env::TEMPLATES).or(file.templates),
            master_key: env::read_secret(env::MASTER_KEY),
        })
    }
}

impl File {
    fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("failed to read the configuration file `{shown}`"))?;
        let known = "the keys are listen, public_url, data_dir, lake, log, log_format, regions, egress, templates";
        yaml(&text).map_err(|problem| {
            Failure::new(format!("the configuration file `{shown}` cannot be used: {problem}"))
                .hint(known)
                .into()
        })
    }
}

fn egress(text: &str) -> Result<EgressPolicy, String> {
    let lines = text.split(',').map(str::trim).filter(|line| !line.is_empty());
    EgressPolicy::allowing(lines).map_err(|error| error.to_string())
}

fn url(text: &str) -> Result<Url, String> {
    Url::parse(text).map_err(|error| error.to_string())
}

fn path(variable: env::Variable) -> Option<PathBuf> {
    env::read(variable).map(PathBuf::from)
}

fn parsed<T>(
    variable: env::Variable,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>> {
    let Some(text) = env::read(variable) else { return Ok(None) };
    read(&text).map(Some).map_err(|problem| {
        Failure::usage(format!("the variable {} cannot be used: {problem}", variable.name))
            .hint(format!("it stands for {}: {}", variable.stands_for, variable.help))
            .into()
    })
}

/// Reads YAML; an empty text is an empty mapping.
fn yaml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let refused = yaml::<File>("listen: 127.0.0.1:1\ndatadir: x\n").err().unwrap_or_default();
        assert!(refused.contains("datadir"), "{refused}");
        let refused = yaml::<File>("regions: { cas: [{ nam: x }] }").err().unwrap_or_default();
        assert!(refused.contains("nam"), "{refused}");
    }

    #[test]
    fn a_file_of_comments_is_an_empty_configuration() {
        for text in ["", "\n", "# nothing\n"] {
            assert!(yaml::<File>(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn a_configuration_does_not_print_its_secrets() {
        let config = Config {
            server: None,
            token: Some(Secret::new("tarn_marker")),
            tenant: TenantId::default(),
            listen: DEFAULT_LISTEN.to_owned(),
            public_url: None,
            data_dir: "x".into(),
            lake: None,
            log: None,
            log_format: LogFormat::Text,
            egress: EgressPolicy::default(),
            templates: None,
            regions: ExtraRegions::new(),
            master_key: Some(Secret::new("marker key")),
        };
        assert!(!format!("{config:?}").contains("marker"));
    }
}
