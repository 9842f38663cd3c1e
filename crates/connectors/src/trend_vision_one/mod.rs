//! Trend Vision One: workbench alerts, audit logs and observed attack techniques, one stream each; and the
//! response actions.
//!
//! Start at [`client`] for what is asked, and at [`actions`] for what is done; each content type has its file with what it asks for and who its
//! records are ([`alerts`], [`audit_logs`], [`techniques`]), and one with what they become. The vendor's
//! traps and the mapping table stand in `docs/integrations/trend_vision_one.md`.

mod actions;
mod address;
mod alert_event;
mod alerts;
mod audit_event;
mod audit_logs;
mod client;
mod content;
mod envelope;
mod errors;
mod evidence;
mod fields;
mod filters;
pub(crate) mod flat_fields;
mod observables;
mod place;
mod scope;
mod technique_event;
mod techniques;
mod token;

use std::sync::Arc;

use model::connector::{Settings, SettingsError};
use model::identity::Identity;
use model::manifest::Manifest;
use model::mapping::{EventSink, Mapping, Unusable, Verdict};
use model::vendor::{Connection, Integration};

use client::VisionOneConnection;
use content::Content;

/// The array of records in a page, and in saved pages.
const ENVELOPE_FIELD: &str = "items";

/// The integration.
#[derive(Debug)]
pub(crate) struct TrendVisionOne {
    manifest: Manifest,
}

impl TrendVisionOne {
    /// Reads the manifest.
    pub(crate) fn new() -> Self {
        let mut manifest: Manifest = serde_saphyr::from_str(include_str!("manifest.yaml"))
            .expect("the manifest is part of the build and a test reads it");
        manifest.actions = actions::declared();
        Self { manifest }
    }
}

impl Default for TrendVisionOne {
    fn default() -> Self {
        Self::new()
    }
}

impl Integration for TrendVisionOne {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn open(&self, settings: &Settings) -> Result<Arc<dyn Connection>, SettingsError> {
        Ok(Arc::new(VisionOneConnection::open(&self.manifest, settings)?))
    }

    fn mapping(&self, content_type: &str) -> Option<Arc<dyn Mapping>> {
        Some(Arc::new(Records(Content::named(content_type)?)))
    }

    fn envelope_field(&self, content_type: &str) -> Option<&'static str> {
        Content::named(content_type).map(|_| ENVELOPE_FIELD)
    }
}

/// How the records of a content type are identified and normalised.
struct Records(&'static Content);

impl Mapping for Records {
    fn identify(&self, raw: &[u8]) -> Result<Identity, Unusable> {
        fields::identify(raw, self.0.identify)
    }

    fn normalise(&self, raw: &[u8], sink: &mut dyn EventSink) -> Verdict {
        sink.push(&fields::normalise(raw, self.0).stamped());
        Verdict::Kept
    }
}
