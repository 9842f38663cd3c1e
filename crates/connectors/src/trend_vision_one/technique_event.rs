//! An observed attack technique as a Detection Finding that is no alert.

use model::ocsf::format;
use model::ocsf::objects::{Email, Evidences, FindingInfo, Metadata, ResourceDetails};
use model::ocsf::values::{
    detection_finding, observable_type, resource_role, risk_level, severity,
};
use model::ocsf::{DetectionFinding, Event};
use model::time::Timestamp;
use serde_json::Value;

use super::alert_event::{digest, rule_of};
use super::evidence::{self, MailContext, device};
use super::fields::{Fields, product};
use super::observables::Observables;
use super::techniques::{TECHNIQUES, TIMES, detail_time};
use crate::attack;

/// The event of a technique; `None` when nothing makes the record one.
pub(super) fn event(fields: &mut Fields, raw: &[u8]) -> Option<Event<'static>> {
    if fields.peek("uuid").is_none() && !fields.0.get("filters").is_some_and(Value::is_array) {
        return None;
    }
    let uid = fields.text("uuid");
    let found = fields.first_time(&TIMES);
    let original_time = found.and_then(|(_, name)| fields.peek(name));
    let time = found.map(|(time, _)| time).or_else(|| detail_time(fields));
    let time = time.and_then(Timestamp::plausible).unwrap_or(Timestamp::EPOCH);
    let detected = fields.time("detectedDateTime");
    let ingested = fields.time("ingestedDateTime");
    let mut observables = Observables::default();
    let mut seen = Seen::default();
    for filter in fields.objects("filters") {
        seen.add(filter, &mut observables);
    }
    if !seen.left.is_empty() {
        let left = std::mem::take(&mut seen.left);
        fields.put_back("filters", left);
    }
    let source = fields.text("source");
    let device = endpoint(fields, &mut seen.evidences, &mut observables);
    let resources = entity(fields, &mut observables);
    seen.evidences.extend(mail(fields, &mut observables));
    let risk = seen.risk.unwrap_or(Risk::NONE);
    let metadata = Metadata {
        uid: uid.clone().map(Into::into),
        product: Some(product(TECHNIQUES.feature)),
        log_name: Some(TECHNIQUES.name.into()),
        original_time: original_time.map(Into::into),
        logged_time: ingested.map(Timestamp::as_millis),
        ..Metadata::default()
    };
    let mut finding = seen.finding;
    finding.uid = Some(uid.unwrap_or_else(|| digest(raw)).into());
    finding.created_time = detected.map(Timestamp::as_millis);
    finding.data_sources = source.into_iter().map(Into::into).collect();
    Some(Event::from(DetectionFinding {
        activity_id: Some(detection_finding::CREATE),
        severity_id: Some(risk.severity_id),
        severity: risk.word.clone().map(Into::into),
        risk_level_id: risk.level_id,
        risk_level: risk.word.map(Into::into),
        is_alert: Some(false),
        time: Some(time.as_millis()),
        metadata: Some(metadata.into()),
        finding_info: Some(finding.into()),
        device: device.map(Into::into),
        resources,
        evidences: seen.evidences,
        observables: observables.0,
        unmapped: std::mem::take(fields).unmapped(),
        ..DetectionFinding::default()
    }))
}

/// A risk in OCSF's terms, and the vendor's word where OCSF has none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Risk {
    severity_id: i32,
    level_id: Option<i32>,
    word: Option<String>,
}

impl Risk {
    const NONE: Self = Self { severity_id: severity::UNKNOWN, level_id: None, word: None };

    fn of(word: String) -> Self {
        let (severity_id, level_id) = match word.to_ascii_lowercase().as_str() {
            "undefined" => (severity::UNKNOWN, None),
            "info" => (severity::INFORMATIONAL, Some(risk_level::INFO)),
            "low" => (severity::LOW, Some(risk_level::LOW)),
            "medium" => (severity::MEDIUM, Some(risk_level::MEDIUM)),
            "high" => (severity::HIGH, Some(risk_level::HIGH)),
            "critical" => (severity::CRITICAL, Some(risk_level::CRITICAL)),
            _ => (severity::OTHER, Some(risk_level::OTHER)),
        };
        let word = (severity_id == severity::OTHER).then_some(word);
        Self { severity_id, level_id, word }
    }

    /// A word that nobody knows counts less than any that is known.
    fn rank(&self) -> i32 {
        if self.severity_id == severity::OTHER { 0 } else { self.severity_id }
    }
}

/// What the filters of a record say together. The first of the highest risk gives the name.
#[derive(Debug, Default)]
struct Seen {
    finding: FindingInfo<'static>,
    risk: Option<Risk>,
    evidences: Vec<Evidences<'static>>,
    /// What is left of filters.
    left: Vec<Value>,
}

impl Seen {
    fn add(&mut self, mut filter: Fields, observables: &mut Observables) {
        let tactics = filter.texts("mitreTacticIds");
        let techniques = filter.texts("mitreTechniqueIds");
        let attacks = attack::pairs(
            tactics.iter().map(String::as_str),
            techniques.iter().map(String::as_str),
        );
        for attack in attacks {
            if !self.finding.attacks.contains(&attack) {
                self.finding.attacks.push(attack);
            }
        }
        for object in filter.objects("highlightedObjects") {
            let mail = MailContext::default();
            self.evidences.push(evidence::of_indicator(&object, &mail, observables));
        }
        let risk = filter.text("riskLevel").map_or(Risk::NONE, Risk::of);
        let mut analytic = rule_of(&mut filter, "filter");
        let mut description = None;
        if let Some(analytic) = &mut analytic {
            description = filter.text("description");
            analytic.desc = description.clone().map(Into::into);
            analytic.category = filter.text("type").map(Into::into).or(analytic.category.take());
        }
        let is_higher = self.risk.as_ref().is_none_or(|known| risk.rank() > known.rank());
        if is_higher {
            self.finding.title = analytic.as_ref().and_then(|analytic| analytic.name.clone());
            self.finding.desc = description.map(Into::into);
            let before = std::mem::replace(&mut self.finding.analytic, analytic);
            self.finding.related_analytics.extend(before);
            self.risk = Some(risk);
        } else {
            self.finding.related_analytics.extend(analytic);
        }
        if !filter.0.is_empty() {
            self.left.push(Value::Object(filter.0));
        }
    }
}

/// Takes the endpoint; its further addresses become evidence.
fn endpoint(
    fields: &mut Fields,
    evidences: &mut Vec<Evidences<'static>>,
    observables: &mut Observables,
) -> Option<model::ocsf::objects::Device<'static>> {
    let mut endpoint = fields.take_object("endpoint")?;
    let name = endpoint.text("endpointName");
    let guid = endpoint.text("agentGuid");
    let (ips, others): (Vec<String>, Vec<String>) =
        endpoint.texts("ips").into_iter().partition(|ip| format::is_ip(ip));
    if !others.is_empty() {
        endpoint.put_back("ips", others);
    }
    fields.put_back("endpoint", Value::Object(endpoint.0));
    let mut ips = ips.into_iter();
    let ip = ips.next();
    if let Some(name) = &name {
        observables.add("device.hostname", observable_type::HOSTNAME, name);
    }
    if let Some(ip) = &ip {
        observables.add("device.ip", observable_type::IP_ADDRESS, ip);
    }
    for ip in ips {
        observables.add("evidences.device.ip", observable_type::IP_ADDRESS, &ip);
        evidences.push(Evidences {
            name: Some("address".into()),
            device: device(guid.clone(), name.clone(), Some(ip)).map(Into::into),
            ..Evidences::default()
        });
    }
    device(guid, name, ip)
}

/// What the technique was seen at, by the vendor's words.
fn entity(fields: &mut Fields, observables: &mut Observables) -> Vec<ResourceDetails<'static>> {
    let Some(name) = fields.text("entityName") else { return Vec::new() };
    let kind = fields.text("entityType");
    let type_id = observable_type::RESOURCE_DETAILS_OBJECT_NAME;
    observables.add("resources.name", type_id, &name);
    vec![ResourceDetails {
        name: Some(name.into()),
        r#type: kind.map(Into::into),
        role_id: Some(resource_role::AFFECTED),
        ..ResourceDetails::default()
    }]
}

/// The message that the detail speaks of, where it names a mail box. The detail stays as it is.
fn mail(fields: &Fields, observables: &mut Observables) -> Option<Evidences<'static>> {
    let detail = fields.object("detail")?;
    let mailbox = detail.peek("mailbox").filter(|address| format::is_email(address))?;
    let message_id = detail.peek("mailMsgId");
    observables.add("evidences.email.to", observable_type::EMAIL_ADDRESS, &mailbox);
    if let Some(id) = &message_id {
        observables.add("evidences.email.message_uid", observable_type::MESSAGE_UID, id);
    }
    let email = Email {
        to: vec![mailbox.into()],
        message_uid: message_id.map(Into::into),
        uid: detail.peek("msgUuid").map(Into::into),
        subject: detail.peek("mailMsgSubject").map(Into::into),
        ..Email::default()
    };
    Some(Evidences {
        name: Some("message".into()),
        email: Some(email.into()),
        ..Evidences::default()
    })
}
