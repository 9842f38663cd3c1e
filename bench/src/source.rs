//! The source that the corpus belongs to, with what reads its records, and batches of it.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use connectors::Registry;
use model::batch::{Batch, IdentifiedRecord};
use model::ids::{BatchId, ConnectorId, InstallId, StreamId, TenantId};
use model::mapping::Mapping;
use model::record::Record;
use model::source::Source;
use model::time::Timestamp;
use uuid::Uuid;

/// Its id.
pub(crate) const ID: &str = "trend_micro_cas.security_events";
/// The name that rows of the benchmarks carry.
pub(crate) const CONNECTOR: &str = "benchmark";
/// When the corpus begins: 2026-03-02T08:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_772_438_400_000);
/// The seed of every corpus.
pub(crate) const SEED: u64 = 1;

/// Security events of Cloud App Security.
pub(crate) struct SecurityEvents {
    /// The source.
    pub(crate) source: Arc<Source>,
    /// What reads its records.
    pub(crate) mapping: Arc<dyn Mapping>,
}

impl SecurityEvents {
    /// Finds them among the integrations of this build.
    pub(crate) fn find() -> Result<Self> {
        let registry = Registry::new();
        let (integration, content_type) = ID.split_once('.').context("an id has two parts")?;
        let found =
            registry.get(integration).context("the integration is not part of this build")?;
        let mapping =
            found.mapping(content_type).context("the content type is not part of this build")?;
        let source =
            registry.sources().get(ID).context("the source is not part of this build")?.clone();
        Ok(Self { source, mapping })
    }

    /// The connector's id on every row.
    pub(crate) fn connector() -> ConnectorId {
        ConnectorId(Uuid::from_u128(0xbe))
    }

    /// Identifies records and makes a batch of them, as collecting a page does.
    pub(crate) fn batch(
        &self,
        records: impl IntoIterator<Item = Bytes>,
        ingest_time: Timestamp,
    ) -> Result<Batch> {
        let tenant = TenantId::default();
        let identified = records.into_iter().map(|raw| {
            let identity = self.mapping.identify(&raw)?;
            Ok(IdentifiedRecord::new(Record::new(raw), &identity, &tenant, &self.source))
        });
        Ok(Batch {
            id: BatchId::generate(),
            install: InstallId(Uuid::from_u128(0xbe)),
            connector: Self::connector(),
            connector_name: CONNECTOR.to_owned(),
            source: self.source.clone(),
            stream: StreamId::new(CONNECTOR)?,
            interval: None,
            ingest_time,
            records: identified.collect::<Result<_>>()?,
            mapping: self.mapping.clone(),
            tenant,
        })
    }
}
