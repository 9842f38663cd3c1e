//! `connector test`: a real request per content type and key, and the cause of a failure in words.

use std::time::Duration;

use model::budget::Priority;
use model::hint::Hint;
use model::ids::{ConnectorId, ConnectorName, TenantId};
use model::time::{Interval, Timestamp};
use model::vendor::{Ask, Fault, FetchError, Key, Stream};
use serde::Serialize;

use super::check::{self, Checked};
use super::document::Plan;
use crate::app::App;
use crate::collect::runner::Command;
use crate::collect::status::State;
use crate::collect::stream;
use crate::error::EngineError;

/// A key that worked this long ago, or longer, has most likely run out rather than been deleted.
const LIKELY_EXPIRED: Duration = Duration::from_secs(364 * 24 * 3600);
/// The span that a test asks for.
const SPAN: Duration = Duration::from_secs(5 * 60);

/// What a test found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestReport {
    /// The connector.
    pub connector: ConnectorName,
    /// Whether every request was answered as it should.
    pub passed: bool,
    /// One line for people.
    pub summary: String,
    /// Each request.
    pub checks: Vec<Check>,
}

/// One request of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The content type that was asked for.
    pub content_type: String,
    /// The stream that was asked for.
    pub stream: String,
    /// The key that was used, without its secret.
    pub key: String,
    /// Whether the vendor answered with data (possibly none).
    pub passed: bool,
    /// What kind of failure it is.
    pub fault: Option<Fault>,
    /// What happened.
    pub detail: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl App {
    /// Asks the vendor for each content type with each key, where it matters for each stream. The requests come out of the same
    /// budget as collection, before it (I4), and tests of any number of connectors may run at once.
    /// Where collection stands otherwise than the test found, it polls at once, and the status follows.
    ///
    /// # Errors
    /// There is no such connector, or its settings cannot be used. Failures at the vendor are what
    /// the report is for.
    pub async fn test_connector(
        &self,
        tenant: &TenantId,
        name: &ConnectorName,
    ) -> Result<TestReport, EngineError> {
        let stored = self.connector(tenant, name).await?;
        let document = self.document(&stored)?;
        let checked = self.checked(&document.plan, &document.credential)?;
        let mut checks = Vec::new();
        let mut tested = checked.connection.tested();
        tested.sort_by(|one, other| one.content_type.cmp(&other.content_type));
        for asked in tested {
            let Some(feed) = checked.feeds.get(&asked.content_type) else { continue };
            for key in checked.connection.keys() {
                checks.push(self.ask(stored.id, &checked, &asked, feed.facts.lag, key).await?);
            }
        }
        if self.is_news(stored.id, &checks).await {
            self.supervisor.tell(stored.id, Command::PollNow).await;
        }
        Ok(report(name, checks))
    }

    /// Whether a running collection does not know yet what the test found: what is broken would look
    /// healthy until its next poll, and what was mended would look broken.
    async fn is_news(&self, id: ConnectorId, checks: &[Check]) -> bool {
        let streams = self.supervisor.progress(id).await.unwrap_or_default();
        let is_ok = |name: &str| {
            let found = streams.iter().find(|stream| stream.health.stream.as_str() == name);
            found.map(|stream| stream.health.state == State::Ok)
        };
        checks.iter().any(|check| is_ok(&check.stream).is_some_and(|is_ok| is_ok != check.passed))
    }

    pub(crate) fn checked(
        &self,
        plan: &Plan,
        credential: &model::connector::Credential,
    ) -> Result<Checked, EngineError> {
        check::check(&self.registry, &self.regions, plan, credential)
            .map_err(|source| EngineError::Settings { connector: plan.name.to_string(), source })
    }

    async fn ask(
        &self,
        owner: ConnectorId,
        checked: &Checked,
        asked: &Stream,
        lag: Duration,
        key: &Key,
    ) -> Result<Check, EngineError> {
        let now = stream::whole_second(self.services.clock.now());
        // Behind now like every poll: some vendors refuse an end that their clock has not reached.
        let end = now - lag;
        let interval = Interval { start: end - SPAN, end };
        let ask = Ask { stream: asked.clone(), interval, next: None, page_size: Some(1) };
        let quotas = checked.quotas.clone();
        let priority = Priority::Interactive;
        let sender = self.services.budgets.sender(&key.secret, owner, quotas, priority, None);
        let found = checked.connection.probe(key, &ask, &sender).await;
        let mut check = Check {
            content_type: asked.content_type.clone(),
            stream: asked.id.to_string(),
            key: key.label.clone(),
            passed: true,
            fault: None,
            detail: String::new(),
            remedy: None,
        };
        match found {
            Ok(found) => check.detail = found,
            Err(error) => {
                let error = checked.connection.diagnose(key, error, &sender).await;
                let error = self.with_history(key, error, now).await?;
                check.passed = false;
                check.remedy = checked.connection.remedy(&error).or_else(|| error.hint());
                check.detail = error.detail;
                check.fault = Some(error.fault);
            }
        }
        if let Some(notice) = checked.connection.key_notice(key, now) {
            check.detail = format!("{}; {notice}", check.detail);
        }
        Ok(check)
    }

    /// A key that the vendor does not know, but did know before, was deleted or has run out.
    async fn with_history(
        &self,
        key: &Key,
        mut error: FetchError,
        now: Timestamp,
    ) -> Result<FetchError, EngineError> {
        if error.fault != Fault::UnknownKey {
            return Ok(error);
        }
        let id = self.services.catalog.key_fingerprint(&key.host, &key.secret);
        let health = self.services.catalog.key_health(&id).await?;
        let Some((first, last)) = health.and_then(|h| Some((h.first_used, h.last_ok?))) else {
            return Ok(error);
        };
        let old = now.since(first) >= LIKELY_EXPIRED;
        error.fault = if old { Fault::ExpiredKey } else { Fault::RevokedKey };
        error.detail = format!("{}; the key was last accepted at {last}", error.detail);
        Ok(error)
    }
}

fn report(name: &ConnectorName, checks: Vec<Check>) -> TestReport {
    let failed: Vec<&Check> = checks.iter().filter(|check| !check.passed).collect();
    let summary = match failed.first() {
        None => format!("{} of {} requests answered", checks.len(), checks.len()),
        Some(first) => {
            let fault = first.fault.as_ref().map(Fault::to_string).unwrap_or_default();
            format!("{fault}: {} of {} requests failed", failed.len(), checks.len())
        }
    };
    TestReport { connector: name.clone(), passed: failed.is_empty(), summary, checks }
}
