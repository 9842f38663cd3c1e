//! What a runner works on: a connector opened and checked, ready to be asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use catalog::StoredConnector;
use model::budget::Quota;
use model::ids::{ConnectorId, ConnectorName, TenantId};
use model::manifest::ContentType;
use model::mapping::Mapping;
use model::source::Source;
use model::vendor::Connection;

use crate::connectors::check::Checked;

/// A connector that can be asked.
pub struct Target {
    /// Its id.
    pub id: ConnectorId,
    /// Its owner.
    pub tenant: TenantId,
    /// Its name, stamped on the rows.
    pub name: ConnectorName,
    /// The revision that this target was opened from.
    pub revision: i64,
    /// The client for the vendor account.
    pub connection: Arc<dyn Connection>,
    /// The limits of its keys.
    pub quotas: Vec<Quota>,
    /// How much history the first run reads.
    pub backfill: Option<Duration>,
    /// How each content type is collected.
    pub content_types: BTreeMap<String, Feed>,
}

/// How one content type is collected.
pub struct Feed {
    /// The source that its records are stored under.
    pub source: Arc<Source>,
    /// Its records' identity and events, the connector's transform included.
    pub mapping: Arc<dyn Mapping>,
    /// How often it is asked for.
    pub interval: Duration,
    /// The manifest's facts: history, overlap, lag, page size.
    pub facts: ContentType,
}

impl Target {
    /// A stored connector with its checked settings.
    pub fn new(stored: &StoredConnector, checked: Checked) -> Self {
        Self {
            id: stored.id,
            tenant: stored.tenant.clone(),
            name: stored.name.clone(),
            revision: stored.revision,
            connection: checked.connection,
            quotas: checked.quotas,
            backfill: checked.backfill,
            content_types: checked.feeds,
        }
    }
}
