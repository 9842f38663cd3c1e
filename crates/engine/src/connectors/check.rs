//! From what was typed to what can run: every setting of a document is checked once, here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use connectors::Registry;
use connectors::client::proxy_address;
use connectors::transform::{Transform, TransformedMapping};
use model::budget::Quota;
use model::connector::{Credential, Proxy, ProxyLogin, Region, Settings, SettingsError};
use model::manifest::{ContentType, Manifest};
use model::mapping::Mapping;
use model::secret::Secret;
use model::vendor::{Connection, Integration};

use super::document::{PROXY_PASSWORD, Plan, PollInterval};
use crate::collect::target::Feed;

/// A connector whose every setting has been checked.
pub struct Checked {
    /// The client for the vendor account; nothing has been sent yet.
    pub connection: Arc<dyn Connection>,
    /// The limits of its keys.
    pub quotas: Vec<Quota>,
    /// How much history the first run reads.
    pub backfill: Option<Duration>,
    /// How each selected content type is collected.
    pub feeds: BTreeMap<String, Feed>,
}

/// Regions that the operator knows beside the manifests', by integration.
pub type ExtraRegions = BTreeMap<String, Vec<Region>>;

/// Checks a connector's plan and secrets.
///
/// # Errors
/// Names the first setting that cannot be used, and what to write instead.
pub fn check(
    registry: &Registry,
    regions: &ExtraRegions,
    plan: &Plan,
    credential: &Credential,
) -> Result<Checked, SettingsError> {
    let integration = registry.get(&plan.integration).ok_or_else(|| {
        let known: Vec<&str> =
            registry.iter().map(|known| known.manifest().name.as_str()).collect();
        SettingsError::new(
            "integration",
            format!("`{}` is unknown", plan.integration),
            format!("write one of: {}", known.join(", ")),
        )
    })?;
    let manifest = integration.manifest();
    let content_types = selected(manifest, &plan.content_types)?;
    let mut credential = credential.clone();
    let password = credential.0.remove(PROXY_PASSWORD);
    let settings = Settings {
        proxy: proxy(plan, password.and_then(|password| password.iter().next().cloned()))?,
        credential,
        parameters: plan.parameters.clone(),
        content_types: content_types.iter().map(|content_type| content_type.name.clone()).collect(),
        verify_tls: plan.verify_tls,
        extra_regions: regions.get(&plan.integration).cloned().unwrap_or_default(),
    };
    let connection = integration.open(&settings)?;
    let transform = plan.transform.as_deref().map(compile).transpose()?;
    let feeds = content_types
        .into_iter()
        .map(|content_type| {
            let facts = connection.facts(content_type);
            feed(integration.as_ref(), &facts, plan, transform.as_ref())
        })
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    Ok(Checked { connection, quotas: quotas(manifest, plan)?, backfill: plan.backfill, feeds })
}

fn selected<'a>(
    manifest: &'a Manifest,
    names: &[String],
) -> Result<Vec<&'a ContentType>, SettingsError> {
    if names.is_empty() {
        return Ok(manifest.content_types.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            manifest.content_type(name).ok_or_else(|| {
                let known: Vec<&str> =
                    manifest.content_types.iter().map(|known| known.name.as_str()).collect();
                SettingsError::new(
                    "content_types",
                    format!("has the unknown entry `{name}`"),
                    format!("write some of: {}", known.join(", ")),
                )
            })
        })
        .collect()
}

/// The way out: its address read as a URL, its login complete.
fn proxy(plan: &Plan, password: Option<Secret>) -> Result<Option<Proxy>, SettingsError> {
    let Some(written) = &plan.proxy else { return Ok(None) };
    let address = proxy_address(&written.address).map_err(|problem| {
        let remedy = "write for instance http://proxy.corp.example:3128";
        SettingsError::new("proxy.address", problem, remedy)
    })?;
    let login = match (written.user.clone(), password) {
        (None, None) => None,
        (Some(user), password) => {
            Some(ProxyLogin { user, password: password.unwrap_or_else(|| Secret::new("")) })
        }
        (None, Some(_)) => {
            let remedy = "write `user` beside it, or leave both out";
            return Err(SettingsError::new("proxy.password", "stands without a user", remedy));
        }
    };
    Ok(Some(Proxy { address, login }))
}

fn compile(source: &str) -> Result<Transform, SettingsError> {
    Transform::compile(source).map_err(|error| {
        SettingsError::new(
            "transform",
            format!("does not compile: {error}"),
            "mend the program; `tarn connector preview` shows what it does to stored records",
        )
    })
}

fn feed(
    integration: &dyn Integration,
    content_type: &ContentType,
    plan: &Plan,
    transform: Option<&Transform>,
) -> Result<(String, Feed), SettingsError> {
    let manifest = integration.manifest();
    let id = format!("{}.{}", manifest.name, content_type.name);
    let source = manifest.sources().into_iter().find(|source| source.id == id);
    let (Some(source), Some(mapping)) = (source, integration.mapping(&content_type.name)) else {
        return Err(SettingsError::new(
            "content_types",
            format!("has `{}`, which this build cannot collect", content_type.name),
            "leave it out",
        ));
    };
    let mapping: Arc<dyn Mapping> = match transform {
        Some(transform) => Arc::new(TransformedMapping::new(mapping, transform.clone())),
        None => mapping,
    };
    let interval = match &plan.interval {
        None => content_type.interval,
        Some(PollInterval::All(interval)) => *interval,
        Some(PollInterval::Each(each)) => {
            each.get(&content_type.name).map_or(content_type.interval, |text| text.0)
        }
    };
    if interval < Duration::from_secs(1) {
        return Err(SettingsError::new("interval", "is shorter than a second", "write 5m or so"));
    }
    let feed = Feed { source, mapping, interval, facts: content_type.clone() };
    Ok((content_type.name.clone(), feed))
}

fn quotas(manifest: &Manifest, plan: &Plan) -> Result<Vec<Quota>, SettingsError> {
    let quotas = plan.quota.as_ref().map_or_else(|| manifest.quotas.clone(), |own| own.to_vec());
    if quotas.iter().any(|quota| quota.requests == 0 || quota.per.is_zero()) {
        return Err(SettingsError::new(
            "quota",
            "allows no request at all",
            "write for instance { requests: 20, per: 60s }, or set `enabled: false`",
        ));
    }
    Ok(quotas)
}

#[cfg(test)]
mod tests {
    use crate::connectors::document::ConnectorFile;

    use super::*;

    fn checked(proxy: &str) -> Result<(), String> {
        let text = format!(
            "connectors:\n  - name: c\n    integration: mimecast\n    \
             credential: {{ client_id: a, client_secret: b }}\n    proxy: {proxy}\n"
        );
        let document = ConnectorFile::read(&text).unwrap().connectors.remove(0);
        let regions = ExtraRegions::new();
        check(&Registry::new(), &regions, &document.plan, &document.credential)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_proxy_needs_an_address_and_a_user_beside_its_password() {
        for good in [
            "null",
            "{ address: \"http://proxy.corp.example:3128\" }",
            "{ address: \"proxy.corp.example:3128\", user: tarn }",
            "{ address: \"https://192.0.2.7:8443\", user: tarn, password: pw }",
        ] {
            assert_eq!(checked(good), Ok(()), "{good}");
        }
        for (bad, setting) in [
            ("{ address: \"ftp://p.example\" }", "proxy.address"),
            ("{ address: \"http://u:p@p.example\" }", "proxy.address"),
            ("{ address: \"\" }", "proxy.address"),
            ("{ address: \"http://p.example\", password: pw }", "proxy.password"),
        ] {
            assert!(checked(bad).unwrap_err().contains(setting), "{bad}");
        }
    }

    #[test]
    fn the_facts_of_a_content_type_follow_the_settings() {
        let text = "connectors:\n  - name: c\n    integration: mimecast\n    \
             credential: { client_id: a, client_secret: b }\n    \
             parameters: { siem_transport: stream }\n";
        let document = ConnectorFile::read(text).unwrap().connectors.remove(0);
        let regions = ExtraRegions::new();
        let checked =
            check(&Registry::new(), &regions, &document.plan, &document.credential).unwrap();
        let hours = |name: &str| checked.feeds[name].facts.history.as_secs() / 3600;
        assert_eq!((hours("siem"), hours("ttp_url")), (24, 168));
    }
}
