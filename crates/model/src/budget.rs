//! The request budget as a port: every request to a vendor is reserved before it is sent.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// At most `requests` in any span of `per`: one line of a vendor's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Requests allowed in a window.
    pub requests: u32,
    /// The window's length.
    #[serde(with = "crate::manifest::duration_text")]
    pub per: Duration,
}

/// Who goes first when a key's quota is short; the order of invariant I4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Response actions and connector tests: a person waits.
    Interactive,
    /// Intervals that the vendor is about to forget.
    Horizon,
    /// The newest records.
    Live,
    /// Holes left by outages and throttling.
    Gap,
    /// History before the connector's first run.
    Backfill,
}

/// The right to send requests with one key at one priority.
#[async_trait]
pub trait Budget: Send + Sync {
    /// Waits for room in the quota of this key at `host` and reserves one request durably.
    ///
    /// # Errors
    /// The reservation could not be written down, so nothing may be sent.
    async fn reserve(&self, host: &str) -> Result<Permit, ReserveError>;
}

/// Why a request may not be sent.
#[derive(Debug, thiserror::Error)]
#[error("failed to reserve a request")]
pub struct ReserveError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// One reserved request. Dropping it unanswered counts as answered at that moment.
#[must_use = "a permit stands for one request"]
pub struct Permit(Option<Box<dyn FnOnce(Answer) + Send>>);

/// What the vendor's answer says about the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answer {
    /// The vendor refused for its quota (429).
    pub throttled: bool,
    /// How long the vendor asks us to wait.
    pub retry_after: Option<Duration>,
}

impl Permit {
    /// A permit that reports its answer to `on_answer`.
    pub fn new(on_answer: impl FnOnce(Answer) + Send + 'static) -> Self {
        Self(Some(Box::new(on_answer)))
    }

    /// Reports the answer.
    pub fn answered(mut self, answer: Answer) {
        self.report(answer);
    }

    fn report(&mut self, answer: Answer) {
        if let Some(on_answer) = self.0.take() {
            on_answer(answer);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.report(Answer::default());
    }
}
