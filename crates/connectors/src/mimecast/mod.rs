//! Mimecast Email Security over API 2.0: SIEM events of ten types, and TTP logs of three kinds.
//!
//! Start at [`client`] for what is asked; [`siem`] reads files and pages of events, [`logs`] the TTP logs, and
//! [`access`] keeps the access token that all of them share. [`normalise`] says what a record becomes. The
//! vendor's traps and the mapping table stand in `docs/integrations/mimecast.md`.

mod access;
mod address;
mod addresses;
mod click;
mod client;
mod control;
mod errors;
mod fields;
mod files;
mod identify;
mod logs;
mod mail;
mod normalise;
mod patience;
mod place;
mod prepaid;
mod siem;
mod step;
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

use client::MimecastConnection;

/// The content types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Siem,
    TtpUrl,
    TtpAttachment,
    TtpImpersonation,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Siem, Self::TtpUrl, Self::TtpAttachment, Self::TtpImpersonation];

    /// Its name in the manifest.
    fn name(self) -> &'static str {
        match self {
            Self::Siem => "siem",
            Self::TtpUrl => "ttp_url",
            Self::TtpAttachment => "ttp_attachment",
            Self::TtpImpersonation => "ttp_impersonation",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The array of records in a page.
    fn array(self) -> &'static str {
        match self {
            Self::Siem => "value",
            Self::TtpUrl => "data.clickLogs",
            Self::TtpAttachment => "data.attachmentLogs",
            Self::TtpImpersonation => "data.impersonationLogs",
        }
    }

    /// The role that the application needs, in the console's words.
    fn role(self) -> &'static str {
        match self {
            Self::Siem => {
                "Security Events and Data Retrieval > Threat and security events (SIEM) > Read, and the \
                 product Threats, Security Events and Data for CG"
            }
            Self::TtpUrl => "Monitoring > URL Protection > Read",
            Self::TtpAttachment => "Monitoring > Attachment Protection > Read",
            Self::TtpImpersonation => "Monitoring > Impersonation Protection Logs > Read",
        }
    }
}

/// The integration.
#[derive(Debug)]
pub(crate) struct Mimecast {
    manifest: Manifest,
}

impl Mimecast {
    /// Reads the manifest.
    pub(crate) fn new() -> Self {
        let manifest = serde_saphyr::from_str(include_str!("manifest.yaml"))
            .expect("the manifest is part of the build and a test reads it");
        Self { manifest }
    }
}

impl Default for Mimecast {
    fn default() -> Self {
        Self::new()
    }
}

impl Integration for Mimecast {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn open(&self, settings: &Settings) -> Result<Arc<dyn Connection>, SettingsError> {
        Ok(Arc::new(MimecastConnection::open(&self.manifest, settings)?))
    }

    fn mapping(&self, content_type: &str) -> Option<Arc<dyn Mapping>> {
        Kind::of(content_type).map(|kind| Arc::new(Records(kind)) as Arc<dyn Mapping>)
    }

    fn envelope_field(&self, content_type: &str) -> Option<&'static str> {
        Kind::of(content_type).map(Kind::array)
    }
}

/// How the records of a content type are identified and normalised.
#[derive(Debug)]
struct Records(Kind);

impl Mapping for Records {
    fn identify(&self, raw: &[u8]) -> Result<Identity, Unusable> {
        identify::identify(self.0, raw)
    }

    fn normalise(&self, raw: &[u8], sink: &mut dyn EventSink) -> Verdict {
        normalise::normalise(self.0, raw, sink);
        Verdict::Kept
    }
}
