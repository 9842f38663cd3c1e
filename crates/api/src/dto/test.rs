//! What testing a connector found.

use engine::connectors::test::{Check, TestReport};
use model::vendor::Fault;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What a test found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorTest {
    /// The connector.
    name: String,
    /// Whether every request was answered as it should.
    passed: bool,
    /// One line for people.
    summary: String,
    /// Each request.
    checks: Vec<ConnectorCheck>,
}

/// One request of a test.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorCheck {
    /// The content type that was asked for.
    content_type: String,
    /// The stream that was asked for.
    stream: String,
    /// The key that was used, without its secret.
    #[schema(example = "api_keys[0]")]
    key: String,
    /// Whether the vendor answered with data, possibly none.
    passed: bool,
    /// What kind of failure it is.
    #[schema(example = "expired_key")]
    fault: Option<String>,
    /// What happened.
    detail: String,
    /// What to do about it.
    remedy: Option<String>,
}

impl From<TestReport> for ConnectorTest {
    fn from(report: TestReport) -> Self {
        Self {
            name: report.connector.to_string(),
            passed: report.passed,
            summary: report.summary,
            checks: report.checks.into_iter().map(ConnectorCheck::from).collect(),
        }
    }
}

impl From<Check> for ConnectorCheck {
    fn from(check: Check) -> Self {
        Self {
            content_type: check.content_type,
            stream: check.stream,
            key: check.key,
            passed: check.passed,
            fault: check.fault.as_ref().map(word),
            detail: check.detail,
            remedy: check.remedy,
        }
    }
}

/// The fault in one word; what it carries is told by the remedy.
fn word(fault: &Fault) -> String {
    match serde_json::to_value(fault) {
        Ok(Value::String(word)) => word,
        Ok(Value::Object(fields)) => {
            fields.into_iter().next().map_or_else(String::new, |(word, _)| word)
        }
        _ => fault.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_word_whatever_it_carries() {
        assert_eq!(word(&Fault::ExpiredKey), "expired_key");
        assert_eq!(word(&Fault::WrongRegion("eu".to_owned())), "wrong_region");
    }
}
