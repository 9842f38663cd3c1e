//! Data loss prevention: Data Security Finding, whatever the service.

use std::borrow::Cow;

use model::identity::canonical_payload;
use model::ocsf::Event;
use model::ocsf::objects::{
    Analytic, DataSecurity, DiscoveryDetails, FindingInfo, Policy, ResourceDetails,
};
use model::ocsf::values::{
    analytic_type, data_lifecycle_state, data_security_finding, detection_system, finding_status,
    observable_type, resource_role,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::decode::Fields;
use super::identify::Levels;
use super::mail::Addresses;
use super::normalise::{Common, actor, event, named_file};
use super::words::Family;
use super::{file, text};

const TEMPLATE: &str = "triggered_dlp_template";
const TITLE: &str = "Data loss prevention";

/// The event of a DLP record.
pub(super) fn event<'a>(mut record: Levels<'a>, mut common: Common<'a>, raw: &[u8]) -> Event<'a> {
    let message = &mut record.message;
    let found = discoveries(message);
    let policy = common.control.policy.clone();
    let finding = finding(&common, policy.as_ref(), raw);
    let data = data_security(found, policy, common.family);
    let actor = message.text("affected_user").map(|name| actor(name, &mut common.observables));
    let file = file::stored_file(message).or_else(|| {
        let name = message.text("mail_message_file_name")?;
        Some(named_file(name, message))
    });
    if let Some(file) = &file {
        common.observables.add_file("file.name", "file.hashes.value", file);
    }
    let resources = mail_resources(message, &mut common);
    // A finding's status is its place in the work, not the success of the vendor's action.
    common.control.status_id = Some(finding_status::NEW);
    if let Some(word) = common.control.status.take() {
        common.control.status_detail = Some(word);
    }
    let source = file::endpoint(common.service.clone());
    event!(DataSecurityFinding, record, common, {
        activity_id: Some(data_security_finding::CREATE),
        finding_info: Some(finding.into()),
        data_security: Some(data.into()),
        actor: actor,
        file: file.map(Into::into),
        resources: resources,
        src_endpoint: Some(source.into()),
    })
}

fn finding<'a>(common: &Common<'a>, policy: Option<&Policy<'a>>, raw: &[u8]) -> FindingInfo<'a> {
    let name = policy.and_then(|policy| policy.name.clone());
    let analytic = policy.and_then(|policy| policy.r#type.clone()).map(|filter| Analytic {
        name: Some(filter),
        type_id: Some(analytic_type::RULE),
        ..Analytic::default()
    });
    FindingInfo {
        uid: Some(common.id.clone().unwrap_or_else(|| Cow::Owned(digest(raw)))),
        title: Some(name.unwrap_or(Cow::Borrowed(TITLE))),
        types: vec![Cow::Borrowed(TITLE)],
        analytic,
        created_time: Some(common.time_ms).filter(|time| *time > 0),
        data_sources: common.service.iter().cloned().collect(),
        ..FindingInfo::default()
    }
}

/// What identifies a finding without an id: the digest of its canonical record.
fn digest(raw: &[u8]) -> String {
    let canonical = canonical_payload(raw, &[]).unwrap_or_else(|_| raw.to_vec());
    hex::encode(&Sha256::digest(&canonical)[..16])
}

fn data_security<'a>(
    found: Vec<DiscoveryDetails<'a>>,
    policy: Option<Policy<'a>>,
    family: Family,
) -> DataSecurity<'a> {
    let names = found.iter().filter_map(|found| found.r#type.as_deref());
    let pattern = names.collect::<Vec<_>>().join(", ");
    let state = match family {
        Family::File => data_lifecycle_state::DATA_AT_REST,
        Family::Mail => data_lifecycle_state::DATA_IN_TRANSIT,
        Family::Other => data_lifecycle_state::UNKNOWN,
    };
    DataSecurity {
        detection_pattern: (!pattern.is_empty()).then_some(Cow::Owned(pattern)),
        discovery_details: found,
        detection_system_id: Some(detection_system::CLOUD_ACCESS_SECURITY_BROKER),
        data_lifecycle_state_id: Some(state),
        policy: policy.map(Into::into),
        ..DataSecurity::default()
    }
}

/// The templates that matched: a text, a list of texts, or objects with `name` and `count`. Another
/// shape stays in the record.
fn discoveries<'a>(message: &mut Fields<'a>) -> Vec<DiscoveryDetails<'a>> {
    let Some(json) = message.json(TEMPLATE) else { return Vec::new() };
    if let Some(texts) = text::list(json) {
        message.take(TEMPLATE);
        let texts = texts.into_iter().filter(|text| !text.trim().is_empty());
        return texts.map(|name| named(name, None)).collect();
    }
    let Ok(value) = serde_json::from_str::<Value>(json) else { return Vec::new() };
    let items = value.as_array().map_or(std::slice::from_ref(&value), Vec::as_slice);
    let found: Option<Vec<_>> = items.iter().map(counted).collect();
    let Some(found) = found else { return Vec::new() };
    if found.iter().all(|(_, is_whole)| *is_whole) {
        message.take(TEMPLATE);
    }
    found.into_iter().map(|(found, _)| found).collect()
}

/// A template as an object, and whether nothing of it is left over.
fn counted(item: &Value) -> Option<(DiscoveryDetails<'static>, bool)> {
    let members = item.as_object()?;
    let name = members.get("name")?.as_str().filter(|name| !name.trim().is_empty())?;
    let count = members.get("count").and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
    let used = 1 + usize::from(count.is_some());
    Some((named(Cow::Owned(name.to_owned()), count), members.len() == used))
}

fn named(name: Cow<'_, str>, count: Option<i32>) -> DiscoveryDetails<'_> {
    DiscoveryDetails { r#type: Some(name), count, ..DiscoveryDetails::default() }
}

/// Mail has no attribute in this class, so the message and its people stand among the resources.
fn mail_resources<'a>(
    message: &mut Fields<'a>,
    common: &mut Common<'a>,
) -> Vec<ResourceDetails<'a>> {
    let observables = &mut common.observables;
    let mut resources = Vec::new();
    let subject = message.text("mail_message_subject");
    let id = message.text("mail_message_id");
    if let Some(subject) = &subject {
        observables.add("resources.name", observable_type::EMAIL_OBJECT_SUBJECT, subject.clone());
    }
    if let Some(id) = &id {
        observables.add("resources.uid", observable_type::MESSAGE_UID, id.clone());
    }
    if subject.is_some() || id.is_some() {
        let mut mail = resource(subject, "Email message", resource_role::AFFECTED);
        mail.uid = id;
        resources.push(mail);
    }
    let people = [
        ("mail_message_sender", "Email sender", resource_role::ACTOR),
        ("mail_message_recipient", "Email recipient", resource_role::TARGET),
    ];
    for (field, kind, role_id) in people {
        let found = Addresses::take(message, field);
        for address in found.plain {
            observables.add("resources.name", observable_type::EMAIL_ADDRESS, address.clone());
            resources.push(resource(Some(address), kind, role_id));
        }
        resources.extend(found.other.into_iter().map(|text| resource(Some(text), kind, role_id)));
    }
    resources
}

fn resource<'a>(
    name: Option<Cow<'a, str>>,
    kind: &'static str,
    role_id: i32,
) -> ResourceDetails<'a> {
    ResourceDetails {
        name,
        r#type: Some(Cow::Borrowed(kind)),
        role_id: Some(role_id),
        ..ResourceDetails::default()
    }
}
