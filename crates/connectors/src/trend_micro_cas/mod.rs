//! Trend Micro Cloud App Security: 48 streams of security events, one GET per page, and response actions.
//!
//! Start at [`client`] for what is asked, [`envelope`] for how a page is cut into records,
//! [`normalise`] for what a record becomes, and [`actions`] for what can be done. The vendor's traps and the mapping table stand in
//! `docs/integrations/trend_micro_cas.md`.

mod actions;
mod address;
mod client;
mod control;
mod decode;
mod dlp;
mod envelope;
mod errors;
mod file;
mod identify;
mod mail;
mod normalise;
mod streams;
mod text;
mod unmapped;
mod words;

use std::sync::Arc;

use model::connector::{Settings, SettingsError};
use model::identity::Identity;
use model::manifest::Manifest;
use model::mapping::{EventSink, Mapping, Unusable, Verdict};
use model::vendor::{Connection, Integration};

use client::CasConnection;

/// The only content type.
const SECURITY_EVENTS: &str = "security_events";
/// The array of records in a page.
const ENVELOPE_FIELD: &str = "security_events";

/// The integration.
#[derive(Debug)]
pub(crate) struct TrendMicroCas {
    manifest: Manifest,
}

impl TrendMicroCas {
    /// Reads the manifest.
    pub(crate) fn new() -> Self {
        let mut manifest: Manifest = serde_saphyr::from_str(include_str!("manifest.yaml"))
            .expect("the manifest is part of the build and a test reads it");
        manifest.actions = actions::declared();
        Self { manifest }
    }
}

impl Default for TrendMicroCas {
    fn default() -> Self {
        Self::new()
    }
}

impl Integration for TrendMicroCas {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn open(&self, settings: &Settings) -> Result<Arc<dyn Connection>, SettingsError> {
        Ok(Arc::new(CasConnection::open(&self.manifest, settings)?))
    }

    fn mapping(&self, content_type: &str) -> Option<Arc<dyn Mapping>> {
        (content_type == SECURITY_EVENTS).then(|| Arc::new(SecurityEvents) as Arc<dyn Mapping>)
    }

    fn envelope_field(&self, content_type: &str) -> Option<&'static str> {
        (content_type == SECURITY_EVENTS).then_some(ENVELOPE_FIELD)
    }
}

/// How security events are identified and normalised.
#[derive(Debug)]
struct SecurityEvents;

impl Mapping for SecurityEvents {
    fn identify(&self, raw: &[u8]) -> Result<Identity, Unusable> {
        identify::identify(raw)
    }

    fn normalise(&self, raw: &[u8], sink: &mut dyn EventSink) -> Verdict {
        normalise::normalise(raw, sink);
        Verdict::Kept
    }
}
