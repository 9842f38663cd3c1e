//! AWS CloudTrail: the records that trails write to S3, in files of their own or from a bucket.
//!
//! [`pull`] reads them out of S3, [`onboarding`] has an account's owner send them. Start at [`normalise`] for what a
//! record becomes, and [`identify`] for who it is; [`fields`] is how a record is read, which is the hot path of the
//! whole program. The vendor's traps and the mapping table stand in `docs/integrations/aws_cloudtrail.md`.

mod account;
mod api_call;
mod arn;
mod call;
mod digest;
mod fields;
mod identify;
mod insight;
mod kinds;
mod normalise;
pub mod onboarding;
mod origin;
mod outcome;
mod principal;
mod pull;
mod record;
mod sign_in;
mod text;
mod unmapped;
mod verbs;

use std::sync::Arc;

use model::connector::{Settings, SettingsError};
use model::identity::Identity;
use model::manifest::Manifest;
use model::mapping::{EventSink, Mapping, Unusable, Verdict};
use model::vendor::{Connection, Integration, IsForeign};

use pull::CloudTrailConnection;
pub use pull::{S3File, S3Files, trail};

/// The only content type.
const RECORDS: &str = "records";
/// The array of records in a log file.
const ENVELOPE_FIELD: &str = "Records";

/// The integration.
#[derive(Debug)]
pub(crate) struct AwsCloudTrail {
    manifest: Manifest,
}

impl AwsCloudTrail {
    /// Reads the manifest.
    pub(crate) fn new() -> Self {
        let manifest = serde_saphyr::from_str(include_str!("manifest.yaml"))
            .expect("the manifest is part of the build and a test reads it");
        Self { manifest }
    }
}

impl Default for AwsCloudTrail {
    fn default() -> Self {
        Self::new()
    }
}

impl Integration for AwsCloudTrail {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn open(&self, settings: &Settings) -> Result<Arc<dyn Connection>, SettingsError> {
        Ok(Arc::new(CloudTrailConnection::open(&self.manifest, settings)?))
    }

    fn mapping(&self, content_type: &str) -> Option<Arc<dyn Mapping>> {
        (content_type == RECORDS).then(|| Arc::new(Records) as Arc<dyn Mapping>)
    }

    fn envelope_field(&self, content_type: &str) -> Option<&'static str> {
        (content_type == RECORDS).then_some(ENVELOPE_FIELD)
    }

    fn foreign(&self, content_type: &str) -> Option<IsForeign> {
        (content_type == RECORDS).then_some(digest::is_digest)
    }
}

/// How records are identified and normalised.
#[derive(Debug)]
struct Records;

impl Mapping for Records {
    fn identify(&self, raw: &[u8]) -> Result<Identity, Unusable> {
        identify::identify(raw)
    }

    fn normalise(&self, raw: &[u8], sink: &mut dyn EventSink) -> Verdict {
        normalise::normalise(raw, sink);
        Verdict::Kept
    }
}
