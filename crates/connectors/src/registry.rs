//! The list of all integrations. Adding a vendor is a folder and one line here.

use std::sync::Arc;

use model::source::Sources;
use model::vendor::Integration;

use crate::aws_cloudtrail::AwsCloudTrail;
use crate::mimecast::Mimecast;
use crate::trend_micro_cas::TrendMicroCas;
use crate::trend_vision_one::TrendVisionOne;

/// All integrations of this build.
#[derive(Clone)]
pub struct Registry(Vec<Arc<dyn Integration>>);

impl Registry {
    /// Reads every manifest.
    pub fn new() -> Self {
        Self(vec![
            Arc::new(TrendMicroCas::new()),
            Arc::new(TrendVisionOne::new()),
            Arc::new(Mimecast::new()),
            Arc::new(AwsCloudTrail::new()),
        ])
    }

    /// The integration of this name: `trend_micro_cas`.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Integration>> {
        self.0.iter().find(|integration| integration.manifest().name == name)
    }

    /// Every integration, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Integration>> {
        self.0.iter()
    }

    /// Every source of every integration.
    pub fn sources(&self) -> Sources {
        Sources::new(self.0.iter().flat_map(|integration| integration.manifest().sources()))
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}
