//! An integration's manifest, for the catalogue and for forms.

use model::connector::Region;
use model::manifest::{ContentType, CredentialField, Manifest, Parameter, duration_text};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::document::QuotaDocument;

/// What this build knows about one product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Integration {
    /// Its id: `trend_micro_cas`.
    name: String,
    /// The product's name.
    title: String,
    /// The catalogue's category.
    category: String,
    /// What it collects.
    description: String,
    /// Whether it collects records.
    collect: bool,
    /// Whether it offers response actions.
    respond: bool,
    /// Whether the vendor's own alerts become alerts.
    native_alerts: bool,
    /// What can be collected.
    content_types: Vec<IntegrationContentType>,
    /// The secrets that a connector needs.
    credential: Vec<IntegrationCredential>,
    /// The settings that a connector takes.
    parameters: Vec<IntegrationParameter>,
    /// Where the vendor runs its service.
    regions: Vec<IntegrationRegion>,
    /// The vendor's limits per key; all hold at once.
    quotas: Vec<QuotaDocument>,
    /// The most requests that one test sends.
    test_requests: u32,
    /// The rights that the vendor must grant.
    permissions: Vec<String>,
    /// Its changes, the newest first.
    changelog: Vec<IntegrationChange>,
}

/// One kind of record that an integration serves.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntegrationContentType {
    /// Its id inside the integration.
    name: String,
    /// `integration.content_type`: what imports name.
    source: String,
    /// For people.
    title: String,
    /// The Taegis sensor type.
    sensor_type: String,
    /// The OCSF classes that its records become.
    classes: Vec<String>,
    /// How often it is asked for.
    #[schema(example = "5m")]
    interval: String,
    /// How far back the vendor answers.
    #[schema(example = "72h")]
    history: String,
    /// Records in a full page.
    page_size: u32,
}

/// A secret that a connector needs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntegrationCredential {
    /// Its name in the document.
    name: String,
    /// Whether several may be given and are used side by side.
    pooled: bool,
    /// Where to get it.
    help: String,
}

/// A setting that a connector takes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntegrationParameter {
    /// Its name in the document.
    name: String,
    /// `text`, `url`, `list`, `integer` or `boolean`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: Value,
    /// Whether it must be given.
    required: bool,
    /// The only values allowed; empty when any is.
    values: Vec<String>,
    /// What is used when it is not given.
    default: Option<Value>,
    /// What it does.
    help: String,
}

/// A place where a vendor runs its service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntegrationRegion {
    /// Short name.
    name: String,
    /// For people.
    title: String,
    /// The service's root URL there.
    base_url: String,
}

/// One entry of an integration's changelog.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntegrationChange {
    /// The version that brought it.
    version: String,
    /// What changed for the operator.
    text: String,
}

impl From<&Manifest> for Integration {
    fn from(manifest: &Manifest) -> Self {
        let changes = manifest.changelog.iter().map(|change| IntegrationChange {
            version: change.version.clone(),
            text: change.text.clone(),
        });
        let content_types = manifest.content_types.iter();
        Self {
            name: manifest.name.clone(),
            title: manifest.title.clone(),
            category: manifest.category.clone(),
            description: manifest.description.clone(),
            collect: manifest.collect,
            respond: manifest.respond,
            native_alerts: manifest.native_alerts,
            content_types: content_types.map(|content| content_type(manifest, content)).collect(),
            credential: manifest.credential.iter().map(IntegrationCredential::from).collect(),
            parameters: manifest.parameters.iter().map(IntegrationParameter::from).collect(),
            regions: manifest.regions.iter().map(IntegrationRegion::from).collect(),
            quotas: manifest.quotas.iter().map(QuotaDocument::from).collect(),
            test_requests: manifest.test_requests,
            permissions: manifest.permissions.clone(),
            changelog: changes.collect(),
        }
    }
}

fn content_type(manifest: &Manifest, content_type: &ContentType) -> IntegrationContentType {
    IntegrationContentType {
        name: content_type.name.clone(),
        source: format!("{}.{}", manifest.name, content_type.name),
        title: content_type.title.clone(),
        sensor_type: content_type.sensor_type.clone(),
        classes: content_type.classes.iter().map(ToString::to_string).collect(),
        interval: duration_text::format(content_type.interval),
        history: duration_text::format(content_type.history),
        page_size: content_type.page_size,
    }
}

impl From<&CredentialField> for IntegrationCredential {
    fn from(field: &CredentialField) -> Self {
        Self { name: field.name.clone(), pooled: field.pooled, help: field.help.clone() }
    }
}

impl From<&Parameter> for IntegrationParameter {
    fn from(parameter: &Parameter) -> Self {
        Self {
            name: parameter.name.clone(),
            kind: serde_json::to_value(parameter.kind).unwrap_or_default(),
            required: parameter.required,
            values: parameter.values.clone(),
            default: parameter.default.clone(),
            help: parameter.help.clone(),
        }
    }
}

impl From<&Region> for IntegrationRegion {
    fn from(region: &Region) -> Self {
        Self {
            name: region.name.clone(),
            title: region.title.clone(),
            base_url: region.base_url.clone(),
        }
    }
}
