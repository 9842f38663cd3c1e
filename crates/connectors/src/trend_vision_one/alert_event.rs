//! An alert's version as a Detection Finding.

use model::ocsf::objects::{Analytic, FindingInfo, Metadata, RelatedEvent};
use model::ocsf::values::{analytic_type, detection_finding, finding_status, severity};
use model::ocsf::{DetectionFinding, Event};
use model::time::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::alerts::{ALERTS, TIMES, canonical};
use super::evidence::{self, MailContext};
use super::fields::{Fields, product};
use super::observables::Observables;
use super::scope::Scope;
use crate::attack;

/// The event of an alert; `None` when nothing makes the record one.
pub(super) fn event(fields: &mut Fields, raw: &[u8]) -> Option<Event<'static>> {
    if fields.peek("id").is_none() && fields.peek("model").is_none() {
        return None;
    }
    let id = fields.text("id");
    let found = fields.first_time(&TIMES);
    let time = found.and_then(|(time, _)| time.plausible()).unwrap_or(Timestamp::EPOCH);
    let original_time = found.and_then(|(_, name)| fields.peek(name));
    let created = fields.time("createdDateTime");
    let updated = fields.time("updatedDateTime");
    let status = Status::take(fields);
    let (severity_id, severity) = severity_of(fields);
    let mut observables = Observables::default();
    let scope = scope(fields, &mut observables);
    let indicators = fields.objects("indicators");
    let mail = MailContext::of(&indicators, &scope.mailboxes);
    let mut evidences: Vec<_> = indicators
        .iter()
        .map(|indicator| evidence::of_indicator(indicator, &mail, &mut observables))
        .collect();
    evidences.extend(scope.addresses);
    let is_close = status.id == Some(finding_status::RESOLVED);
    let is_update = updated.is_some_and(|updated| created.is_some_and(|created| updated > created));
    let metadata = Metadata {
        uid: id.clone().map(Into::into),
        product: Some(product(ALERTS.feature)),
        log_name: Some(ALERTS.name.into()),
        log_version: fields.text("schemaVersion").map(Into::into),
        correlation_uid: fields.text("incidentId").map(Into::into),
        original_time: original_time.map(Into::into),
        modified_time: updated.map(Timestamp::as_millis),
        ..Metadata::default()
    };
    let mut finding = finding(fields, id.unwrap_or_else(|| digest(raw)));
    finding.created_time = created.map(Timestamp::as_millis);
    finding.modified_time = updated.map(Timestamp::as_millis);
    Some(Event::from(DetectionFinding {
        activity_id: Some(match (is_close, is_update) {
            (true, _) => detection_finding::CLOSE,
            (false, true) => detection_finding::UPDATE,
            (false, false) => detection_finding::CREATE,
        }),
        severity_id: Some(severity_id),
        severity: severity.map(Into::into),
        status_id: status.id,
        status: status.word.map(Into::into),
        status_detail: status.result.map(Into::into),
        risk_score: score(fields),
        is_alert: Some(true),
        time: Some(time.as_millis()),
        metadata: Some(metadata.into()),
        finding_info: Some(finding.into()),
        device: scope.device.map(Into::into),
        resources: scope.resources,
        evidences,
        observables: observables.0,
        unmapped: std::mem::take(fields).unmapped(),
        ..DetectionFinding::default()
    }))
}

/// What identifies a finding without an id: 128 bits of its canonical record's digest.
pub(super) fn digest(raw: &[u8]) -> String {
    hex::encode(&Sha256::digest(canonical(raw))[..16])
}

/// Where the alert stands in the work.
#[derive(Debug, Default)]
struct Status {
    id: Option<i32>,
    /// The vendor's word where OCSF has no id for it.
    word: Option<String>,
    /// What the investigation found.
    result: Option<String>,
}

impl Status {
    fn take(fields: &mut Fields) -> Self {
        let result = fields.text("investigationResult");
        // Older versions of the record know the deprecated form only.
        let word = fields.text("status").or_else(|| fields.text("investigationStatus"));
        let Some(word) = word else { return Self { result, ..Self::default() } };
        let id = match word.as_str() {
            "Open" | "New" => finding_status::NEW,
            "In Progress" => finding_status::IN_PROGRESS,
            "Closed" => finding_status::RESOLVED,
            "True Positive" | "False Positive" | "Benign True Positive" => {
                let result = result.or(Some(word));
                return Self { id: Some(finding_status::RESOLVED), word: None, result };
            }
            _ => finding_status::OTHER,
        };
        let word = (id == finding_status::OTHER).then_some(word);
        Self { id: Some(id), word, result }
    }
}

/// OCSF's severity of the vendor's word, and the word where there is no id for it.
fn severity_of(fields: &mut Fields) -> (i32, Option<String>) {
    let Some(word) = fields.text("severity") else { return (severity::UNKNOWN, None) };
    let id = severity_id(&word);
    (id, (id == severity::OTHER).then_some(word))
}

/// OCSF's severity of the vendor's word.
pub(super) fn severity_id(word: &str) -> i32 {
    match word.to_ascii_lowercase().as_str() {
        "critical" => severity::CRITICAL,
        "high" => severity::HIGH,
        "medium" => severity::MEDIUM,
        "low" => severity::LOW,
        "info" | "informational" => severity::INFORMATIONAL,
        "undefined" | "unknown" => severity::UNKNOWN,
        _ => severity::OTHER,
    }
}

fn score(fields: &mut Fields) -> Option<i32> {
    let score = fields.peek("score")?.parse().ok()?;
    fields.text("score");
    Some(score)
}

/// Takes the entities; the counts stay.
fn scope(fields: &mut Fields, observables: &mut Observables) -> Scope {
    let Some(mut impact) = fields.take_object("impactScope") else { return Scope::default() };
    let mut scope = Scope::of(impact.objects("entities"), observables);
    if let Some(Value::Array(left)) = impact.0.get_mut("entities") {
        left.append(&mut scope.nameless);
    }
    fields.put_back("impactScope", Value::Object(impact.0));
    scope
}

fn finding(fields: &mut Fields, uid: String) -> FindingInfo<'static> {
    let provider = fields.text("alertProvider");
    let model = fields.text("model");
    let rules = Rules::take(fields);
    let analytic = analytic(fields, provider.as_deref(), model.clone());
    FindingInfo {
        uid: Some(uid.into()),
        title: model.map(Into::into),
        desc: fields.text("description").map(Into::into),
        analytic,
        src_url: fields.text("workbenchLink").map(Into::into),
        data_sources: provider.into_iter().map(Into::into).collect(),
        attacks: attack::attacks(rules.techniques.iter().map(String::as_str)),
        first_seen_time: rules.times.iter().min().map(|time| time.as_millis()),
        last_seen_time: rules.times.iter().max().map(|time| time.as_millis()),
        related_analytics: rules.analytics,
        related_events_count: i32::try_from(rules.events.len()).ok().filter(|count| *count > 0),
        related_events: rules.events,
        ..FindingInfo::default()
    }
}

/// The detection model. The analytics engine's are rules; a sweep looks for known indicators.
fn analytic(
    fields: &mut Fields,
    provider: Option<&str>,
    model: Option<String>,
) -> Option<Analytic<'static>> {
    let uid = fields.text("modelId");
    let category = fields.text("modelType");
    if uid.is_none() && model.is_none() {
        if let Some(category) = category {
            fields.put_back("modelType", category);
        }
        return None;
    }
    let is_rule = provider == Some("SAE");
    Some(Analytic {
        uid: uid.map(Into::into),
        name: model.map(Into::into),
        category: category.map(Into::into),
        type_id: Some(if is_rule { analytic_type::RULE } else { analytic_type::OTHER }),
        r#type: provider.filter(|_| !is_rule).map(|provider| provider.to_owned().into()),
        ..Analytic::default()
    })
}

/// The rules that matched, their filters, and the events behind them.
#[derive(Debug, Default)]
struct Rules {
    analytics: Vec<Analytic<'static>>,
    events: Vec<RelatedEvent<'static>>,
    techniques: Vec<String>,
    times: Vec<Timestamp>,
}

impl Rules {
    /// Takes what is known of the rules; what is left of them goes back.
    fn take(fields: &mut Fields) -> Self {
        let mut rules = Self::default();
        let mut left = Vec::new();
        for mut rule in fields.objects("matchedRules") {
            rules.analytics.extend(rule_of(&mut rule, "rule"));
            for mut filter in rule.objects("matchedFilters") {
                rules.filter(&mut filter);
                left.push(Value::Object(filter.0));
            }
            left.push(Value::Object(rule.0));
        }
        if !left.is_empty() {
            fields.put_back("matchedRules", left);
        }
        rules
    }

    fn filter(&mut self, filter: &mut Fields) {
        let name = filter.peek("name");
        self.analytics.extend(rule_of(filter, "filter"));
        self.techniques.extend(filter.texts("mitreTechniqueIds"));
        self.times.extend(filter.time("matchedDateTime"));
        let mut left = Vec::new();
        for mut event in filter.objects("matchedEvents") {
            let Some(uid) = event.text("uuid") else {
                left.push(Value::Object(event.0));
                continue;
            };
            let at = event.time("matchedDateTime");
            self.times.extend(at);
            self.events.push(RelatedEvent {
                uid: Some(uid.into()),
                r#type: event.text("type").map(Into::into),
                title: name.clone().map(Into::into),
                first_seen_time: at.map(Timestamp::as_millis),
                ..RelatedEvent::default()
            });
            left.push(Value::Object(event.0));
        }
        filter.put_back("matchedEvents", left);
    }
}

/// A rule or a filter as an analytic, where it has a name or an id.
pub(super) fn rule_of(rule: &mut Fields, category: &'static str) -> Option<Analytic<'static>> {
    let uid = rule.text("id");
    let name = rule.text("name");
    if uid.is_none() && name.is_none() {
        return None;
    }
    Some(Analytic {
        uid: uid.map(Into::into),
        name: name.map(Into::into),
        category: Some(category.into()),
        type_id: Some(analytic_type::RULE),
        ..Analytic::default()
    })
}
