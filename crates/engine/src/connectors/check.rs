//! From what was typed to what can run: every setting of a document is checked once, here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use connectors::Registry;
use connectors::transform::{Transform, TransformedMapping};
use model::budget::Quota;
use model::connector::{Credential, Region, Settings, SettingsError};
use model::manifest::{ContentType, Manifest};
use model::mapping::Mapping;
use model::vendor::{Connection, Integration};

use super::document::{Plan, PollInterval};
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
    let settings = Settings {
        credential: credential.clone(),
        parameters: plan.parameters.clone(),
        content_types: content_types.iter().map(|content_type| content_type.name.clone()).collect(),
        verify_tls: plan.verify_tls,
        extra_regions: regions.get(&plan.integration).cloned().unwrap_or_default(),
    };
    let connection = integration.open(&settings)?;
    let transform = plan.transform.as_deref().map(compile).transpose()?;
    let feeds = content_types
        .into_iter()
        .map(|content_type| feed(integration.as_ref(), content_type, plan, transform.as_ref()))
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
