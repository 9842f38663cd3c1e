//! The connector document as the API describes it.
//!
//! These types are the description only: documents are read and checked by the engine, so that a
//! file and a request mean the same.

use std::collections::BTreeMap;

use model::budget::Quota;
use model::manifest::duration_text;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One connector, as `tarn connector apply` takes it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectorDocument)]
pub(crate) struct Document {
    /// Any Unicode text of 1 to 100 characters, unique per tenant.
    #[schema(example = "経理 CAS")]
    name: String,
    /// The owner of what it collects; the tenant of the request when it is left out.
    #[schema(required = false)]
    tenant: String,
    /// The integration's id.
    #[schema(example = "trend_micro_cas")]
    integration: String,
    /// The secrets by name, each one or several. `********` keeps what is stored. Answers hold
    /// nothing else.
    #[schema(required = false)]
    credential: BTreeMap<String, OneOrSeveral>,
    /// The integration's own settings.
    #[schema(required = false)]
    parameters: Map<String, Value>,
    /// What to collect; everything when it is left out.
    #[schema(required = false)]
    content_types: Vec<String>,
    /// How often to ask, for all content types or for each.
    #[schema(required = false)]
    interval: Interval,
    /// How much history the first run reads.
    #[schema(required = false, example = "72h")]
    backfill: String,
    /// One limit or several in place of the integration's.
    #[schema(required = false)]
    quota: QuotaOrSeveral,
    /// A VRL program over each event; `abort` drops it.
    #[schema(required = false)]
    transform: String,
    /// Whether the vendor's certificate is checked.
    #[schema(required = false, default = true)]
    verify_tls: bool,
    /// The proxy on the way to the vendor: `address`, and `user` and `password` where it wants them.
    #[schema(required = false)]
    proxy: Option<Value>,
    /// Whether it collects.
    #[schema(required = false, default = true)]
    enabled: bool,
}

/// A secret or several that are used side by side.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what the engine reads")]
pub(crate) enum OneOrSeveral {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// A duration for every content type, or one for each by name.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = PollInterval)]
#[expect(dead_code, reason = "describes what the engine reads")]
pub(crate) enum Interval {
    /// For every content type: `5m`.
    All(String),
    /// By content type.
    Each(BTreeMap<String, String>),
}

/// One limit or several that hold at once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what the engine reads")]
pub(crate) enum QuotaOrSeveral {
    /// One.
    One(QuotaDocument),
    /// Several.
    Several(Vec<QuotaDocument>),
}

/// At most `requests` in any span of `per`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Quota)]
pub(crate) struct QuotaDocument {
    /// Requests allowed.
    requests: u32,
    /// In any span of this length.
    #[schema(example = "60s")]
    per: String,
}

impl From<&Quota> for QuotaDocument {
    fn from(quota: &Quota) -> Self {
        Self { requests: quota.requests, per: duration_text::format(quota.per) }
    }
}
