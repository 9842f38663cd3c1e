//! A source: one content type of one integration, and the names under which people search it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ocsf::Class;

/// What is fixed about a source. Comes from the integration's manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `integration.content_type`, such as `trend_micro_cas.security_events`.
    pub id: String,
    /// The Interflow class name: `trendmicro_cas_security_events`.
    pub msg_class: String,
    /// The Taegis sensor type: `Trend Micro CAS`.
    pub sensor_type: String,
    /// Where the message comes from, in Interflow's words.
    pub msg_origin: MsgOrigin,
    /// Every class that its records can become; dedup looks in all of them.
    pub classes: Vec<Class>,
}

/// Interflow's `msg_origin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MsgOrigin {
    /// `msg_origin.source`, also the prefix of raw field paths: `trendmicro_cas`.
    pub source: String,
    /// `msg_origin.vendor`: `trendmicro`.
    pub vendor: String,
    /// `msg_origin.category`: `email`.
    pub category: String,
}

/// All sources that this build knows, as the query languages need them.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Arc<Source>>);

impl Sources {
    /// Collects the sources of all integrations.
    pub fn new(sources: impl IntoIterator<Item = Arc<Source>>) -> Self {
        Self(sources.into_iter().collect())
    }

    /// The source of this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Source>> {
        self.0.iter().find(|source| source.id == id)
    }

    /// Every source, in the order of the registry.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.0.iter()
    }
}
