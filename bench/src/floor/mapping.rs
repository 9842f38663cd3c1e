//! From a record to a row, for records as the corpus has them: what the product writes into each
//! column, with no care for anything that the vendor might send instead.

use model::ocsf::Class;

use super::column::Column as _;
use super::record::{Message, Record, Text};
use super::table::{
    Actor, Analytic, DataSecurity, Discovery, Email, Endpoint, Feature, File, Finding, Fingerprint,
    Malware, Metadata, Observable, Policy, Product, Resource, Row, RowColumns, Scan, Url, User,
};

const DLP: &str = "Data loss prevention";
const EMAIL_ADDRESS: Named = (5, "Email Address");

/// What a record becomes.
pub(super) fn class(record: &Record<'_>) -> Class {
    match record.service.as_str() {
        _ if record.event.as_str() == "data_loss_prevention" => Class::DataSecurityFinding,
        "Exchange" | "ExchangeServer" | "Gmail" => Class::EmailActivity,
        "Salesforce_Sandbox" | "Salesforce_Production" | "TeamsChat" => Class::BaseEvent,
        _ => Class::FileHosting,
    }
}

/// Puts a record into the columns of its class; `own` holds the columns that no record fills.
pub(super) fn put(class: Class, record: &Record<'_>, own: Row<'_>, columns: &mut RowColumns) {
    let row = judged(record, own);
    match class {
        Class::EmailActivity => mail(record, row, columns),
        Class::FileHosting => file(record, row, columns),
        Class::DataSecurityFinding => finding(record, row, columns),
        _ => base(record, row, columns),
    }
}

/// What the product judged and did, alike in all classes.
fn judged<'v>(record: &'v Record<'_>, own: Row<'v>) -> Row<'v> {
    let message = &record.message;
    let has_failed = failed(message);
    let (action, disposition, _) = deed(message);
    let (severity, risk) = severity(message);
    Row {
        severity_id: Some(severity.0),
        severity: Some(severity.1),
        status_id: Some(if has_failed { 2 } else { 1 }),
        status: Some(if has_failed { "Failure" } else { "Success" }),
        status_detail: has_failed.then_some(message.action_result.as_str()),
        action_id: Some(action.0),
        action: Some(action.1),
        disposition_id: Some(disposition.0),
        disposition: Some(disposition.1),
        is_alert: Some(true),
        risk_level_id: risk.map(|(id, _)| id),
        risk_level: risk.map(|(_, caption)| caption),
        risk_details: risk_details(message),
        policy: Some(policy(message)),
        ..own
    }
}

fn failed(message: &Message<'_>) -> bool {
    message.action_result.as_str() == "failed"
}

/// Action, disposition and what became of the message.
fn deed(message: &Message<'_>) -> (Named, Named, &'static str) {
    if failed(message) {
        return ((3, "Observed"), (27, "Error"), "failed");
    }
    match message.action.as_str() {
        "Pass" => ((1, "Allowed"), (1, "Allowed"), "delivered"),
        "Tag subject" => ((4, "Modified"), (18, "Tagged"), "delivered"),
        "Quarantine" => ((2, "Denied"), (3, "Quarantined"), "held"),
        "Delete" => ((2, "Denied"), (5, "Deleted"), "blocked"),
        _ => ((2, "Denied"), (2, "Blocked"), "blocked"),
    }
}

/// An id and its caption.
type Named = (i32, &'static str);

/// Severity, and the risk level where the vendor gives one.
fn severity(message: &Message<'_>) -> (Named, Option<Named>) {
    match message.risk_level.as_ref().map(Text::as_str) {
        Some("Dangerous" | "High") => ((4, "High"), Some((3, "High"))),
        Some("Suspicious" | "Medium") => ((3, "Medium"), Some((2, "Medium"))),
        Some(_) => ((2, "Low"), Some((1, "Low"))),
        None if message.ransomware_name.is_some() || malicious_risk(message).is_some() => {
            ((4, "High"), None)
        }
        None => ((3, "Medium"), None),
    }
}

fn policy<'v>(message: &'v Message<'_>) -> Policy<'v> {
    Policy {
        name: message.triggered_policy_name.as_ref().map(Text::as_str),
        kind: Some(message.triggered_security_filter.as_str()),
    }
}

fn is_link(text: &str) -> bool {
    text.starts_with("https://")
}

/// The risk's name when it is that of malware.
fn malicious_risk<'v>(message: &'v Message<'_>) -> Option<&'v str> {
    let name = message.security_risk_name.as_ref()?.as_str();
    let is_malware = message.triggered_security_filter.as_str() == "Malware Scanning";
    (is_malware && !is_link(name)).then_some(name)
}

fn risk_details<'v>(message: &'v Message<'_>) -> Option<&'v str> {
    let name = message.security_risk_name.as_ref()?.as_str();
    malicious_risk(message).is_none().then_some(name)
}

/// The malware that the message names, with its class.
fn malware<'v>(message: &'v Message<'_>) -> Option<(&'v str, Named)> {
    if let Some(name) = &message.ransomware_name {
        return Some((name.as_str(), (10, "Ransomware")));
    }
    let name = malicious_risk(message).or_else(|| message.virus_name.as_ref().map(Text::as_str))?;
    let class = match name.get(..4) {
        Some("BKDR") => (2, "Backdoor"),
        Some("WORM") => (22, "Worm"),
        Some("TSPY") => (17, "Spyware"),
        Some("TROJ") => (18, "Trojan"),
        _ => (0, "Unknown"),
    };
    Some((name, class))
}

/// Adds malware, scan and header, then puts the row.
fn complete(
    class: Class,
    activity: (i32, &str),
    profiles: &[&str],
    record: &Record<'_>,
    row: Row<'_>,
    columns: &mut RowColumns,
) {
    let message = &record.message;
    let found = malware(message);
    let (ids, captions) = found.map_or(([0], [""]), |(_, class)| ([class.0], [class.1]));
    let malware = found.map(|(name, _)| Malware {
        name: Some(name),
        classification_ids: Some(&ids),
        classifications: Some(&captions),
        provider: message.detected_by.as_ref().map(Text::as_str),
    });
    let scan = message.scan_type.as_str();
    let (type_id, kind) = if scan == "Manual scan" { (1, "Manual") } else { (99, scan) };
    let scan = Scan { name: Some(scan), type_id: Some(type_id), kind: Some(kind) };
    let type_name = format!("{}: {}", class.title(), activity.1);
    columns.put(Row {
        activity_id: Some(activity.0),
        activity_name: Some(activity.1),
        category_uid: Some(class.category_uid()),
        category_name: Some(class.category_name()),
        class_uid: Some(class.uid()),
        class_name: Some(class.title()),
        type_uid: Some(i64::from(class.uid()) * 100 + i64::from(activity.0)),
        type_name: Some(&type_name),
        metadata: Some(Metadata {
            version: Some("1.8.0"),
            product: Some(Product {
                name: Some("Cloud App Security"),
                vendor_name: Some("Trend Micro"),
                feature: Some(Feature { name: Some(record.service.as_str()) }),
            }),
            uid: Some(record.log_item_id.as_str()),
            original_time: Some(message.detection_time.as_str()),
            log_name: Some(record.event.as_str()),
            profiles: Some(profiles),
        }),
        malware: malware.as_ref().map(std::slice::from_ref),
        malware_scan_info: (class != Class::DataSecurityFinding).then_some(scan),
        ..row
    });
}

fn mail(record: &Record<'_>, row: Row<'_>, columns: &mut RowColumns) {
    let message = &record.message;
    let from = message.mail_message_sender.as_ref().map(Text::as_str);
    let to: Vec<&str> = message.mail_message_recipient.0.iter().map(Text::as_str).collect();
    let user = message.affected_user.as_str();
    let mailbox = [user];
    let has_mailbox = from.is_none_or(|from| !from.eq_ignore_ascii_case(user));
    let name = message.mail_message_file_name.as_ref().map(Text::as_str);
    let hashes = hashes(message);
    let file = name.map(|name| plain_file(name, &hashes));
    let link = row.risk_details.filter(|details| is_link(details));
    let url = link.map(|link| Url { url_string: Some(link) });
    let subject = message.mail_message_subject.as_ref().map(Text::as_str);
    let id = message.mail_message_id.as_ref().map(Text::as_str);

    let mut seen = Vec::with_capacity(10);
    seen.extend(from.map(|from| observable("email.from", EMAIL_ADDRESS, from)));
    seen.extend(to.iter().map(|to| observable("email.to", EMAIL_ADDRESS, to)));
    if has_mailbox && !to.contains(&user) {
        seen.push(observable("email.delivered_to_list", EMAIL_ADDRESS, user));
    }
    seen.extend(
        subject.map(|text| observable("email.subject", (40, "Email Object: subject"), text)),
    );
    seen.extend(id.map(|id| observable("email.message_uid", (42, "Message UID"), id)));
    observe_file(&mut seen, "email.files.name", "email.files.hashes.value", file.as_ref());
    seen.extend(link.map(|link| observable("email.urls.url_string", (6, "URL String"), link)));

    let mut rest = Rest::new();
    if !has_mailbox {
        rest.add("affected_user", user);
    }
    rest.add_json("location", message.location.as_raw_str());
    if failed(message) {
        rest.add("action", message.action.as_str());
        rest.add("action_result", message.action_result.as_str());
    }
    rest.add_some("mail_message_submit_time", message.mail_message_submit_time.as_ref());
    rest.add_some("mail_message_delivery_time", message.mail_message_delivery_time.as_ref());
    rest.add_judgement(message);
    let row = Row {
        status_detail: Some(deed(message).2),
        risk_details: if link.is_some() { None } else { row.risk_details },
        direction_id: Some(0),
        direction: Some("Unknown"),
        observables: Some(&seen),
        unmapped: rest.finish(),
        email: Some(Email {
            from,
            to: Some(&to),
            delivered_to_list: has_mailbox.then_some(&mailbox[..]),
            subject,
            message_uid: id,
            files: file.as_ref().map(std::slice::from_ref),
            urls: url.as_ref().map(std::slice::from_ref),
        }),
        ..row
    };
    complete(Class::EmailActivity, (3, "Scan"), &["security_control"], record, row, columns);
}

fn file(record: &Record<'_>, row: Row<'_>, columns: &mut RowColumns) {
    let message = &record.message;
    let hashes = hashes(message);
    let file = stored_file(message, &hashes);
    let mut seen = Vec::with_capacity(6);
    observe_actor(&mut seen, message);
    observe_file(&mut seen, "file.name", "file.hashes.value", file.as_ref());
    let link = row.risk_details.filter(|details| is_link(details));
    seen.extend(link.map(|link| observable("risk_details", (6, "URL String"), link)));
    let mut rest = Rest::new();
    if failed(message) {
        rest.add("action", message.action.as_str());
    }
    rest.add_judgement(message);
    let row = Row {
        observables: Some(&seen),
        unmapped: rest.finish(),
        actor: Some(actor(message)),
        file,
        src_endpoint: Some(Endpoint { svc_name: Some(record.service.as_str()) }),
        ..row
    };
    complete(Class::FileHosting, (99, "Scan"), &["security_control"], record, row, columns);
}

fn finding(record: &Record<'_>, row: Row<'_>, columns: &mut RowColumns) {
    let message = &record.message;
    let hashes = hashes(message);
    let attachment = message.mail_message_file_name.as_ref().map(Text::as_str);
    let file =
        stored_file(message, &hashes).or_else(|| attachment.map(|name| plain_file(name, &hashes)));
    let mut seen = Vec::with_capacity(8);
    observe_actor(&mut seen, message);
    observe_file(&mut seen, "file.name", "file.hashes.value", file.as_ref());
    let resources = resources(message, &mut seen);

    let templates = &message.triggered_dlp_template.0;
    let found: Vec<Discovery<'_>> = templates
        .iter()
        .map(|found| Discovery { kind: Some(found.name.as_str()), count: found.count })
        .collect();
    let names: Vec<&str> = templates.iter().map(|found| found.name.as_str()).collect();
    let pattern = names.join(", ");
    let policy = policy(message);
    let service = record.service.as_str();
    let is_mail = message.mail_message_id.is_some();
    let state = match (is_mail, &message.file_name) {
        (true, _) => (2, "Data in-Transit"),
        (false, Some(_)) => (1, "Data at-Rest"),
        (false, None) => (0, "Unknown"),
    };
    let mut rest = Rest::new();
    rest.add("scan_type", message.scan_type.as_str());
    if is_mail {
        rest.add_json("location", message.location.as_raw_str());
    }
    if failed(message) {
        rest.add("action", message.action.as_str());
    }
    rest.add_some("mail_message_submit_time", message.mail_message_submit_time.as_ref());
    rest.add_some("mail_message_delivery_time", message.mail_message_delivery_time.as_ref());
    let row = Row {
        status_id: Some(1),
        status: Some("New"),
        observables: Some(&seen),
        unmapped: rest.finish(),
        actor: Some(actor(message)),
        file,
        resources: Some(&resources),
        src_endpoint: Some(Endpoint { svc_name: Some(service) }),
        finding_info: Some(Finding {
            uid: Some(record.log_item_id.as_str()),
            title: Some(policy.name.unwrap_or(DLP)),
            types: Some(&[DLP]),
            analytic: Some(Analytic { name: policy.kind, type_id: Some(1), kind: Some("Rule") }),
            created_time: row.time,
            data_sources: Some(&[service]),
        }),
        data_security: Some(DataSecurity {
            data_lifecycle_state_id: Some(state.0),
            data_lifecycle_state: Some(state.1),
            detection_system_id: Some(8),
            detection_system: Some("Cloud Access Security Broker"),
            detection_pattern: Some(&pattern),
            discovery_details: Some(&found),
            policy: Some(policy),
        }),
        ..row
    };
    let profiles = &["security_control"];
    complete(Class::DataSecurityFinding, (1, "Create"), profiles, record, row, columns);
}

fn base(record: &Record<'_>, row: Row<'_>, columns: &mut RowColumns) {
    let message = &record.message;
    let mut seen = Vec::with_capacity(2);
    observe_actor(&mut seen, message);
    let mut rest = Rest::new();
    if failed(message) {
        rest.add("action", message.action.as_str());
    }
    rest.add_judgement(message);
    let row = Row {
        observables: Some(&seen),
        unmapped: rest.finish(),
        actor: Some(actor(message)),
        ..row
    };
    let profiles = &["host", "security_control"];
    complete(Class::BaseEvent, (99, "Scan"), profiles, record, row, columns);
}

fn resources<'v>(message: &'v Message<'_>, seen: &mut Vec<Observable<'v>>) -> Vec<Resource<'v>> {
    let mut resources = Vec::new();
    let subject = message.mail_message_subject.as_ref().map(Text::as_str);
    let id = message.mail_message_id.as_ref().map(Text::as_str);
    seen.extend(
        subject.map(|text| observable("resources.name", (40, "Email Object: subject"), text)),
    );
    seen.extend(id.map(|id| observable("resources.uid", (42, "Message UID"), id)));
    if id.is_some() {
        let resource = resource(subject, "Email message", (3, "Affected"));
        resources.push(Resource { uid: id, ..resource });
    }
    let sender =
        message.mail_message_sender.as_ref().map(|sender| (sender, "Email sender", (2, "Actor")));
    let recipients = message.mail_message_recipient.0.iter();
    let recipients = recipients.map(|to| (to, "Email recipient", (1, "Target")));
    for (address, kind, role) in sender.into_iter().chain(recipients) {
        seen.push(observable("resources.name", EMAIL_ADDRESS, address.as_str()));
        resources.push(resource(Some(address.as_str()), kind, role));
    }
    resources
}

fn resource<'v>(name: Option<&'v str>, kind: &'static str, (role_id, role): Named) -> Resource<'v> {
    Resource { name, uid: None, kind: Some(kind), role_id: Some(role_id), role: Some(role) }
}

fn actor<'v>(message: &'v Message<'_>) -> Actor<'v> {
    let name = Some(message.affected_user.as_str());
    Actor { user: Some(User { name, email_addr: name }) }
}

fn observe_actor<'v>(seen: &mut Vec<Observable<'v>>, message: &'v Message<'_>) {
    let name = message.affected_user.as_str();
    seen.push(observable("actor.user.name", (4, "User Name"), name));
    seen.push(observable("actor.user.email_addr", EMAIL_ADDRESS, name));
}

fn observe_file<'v>(
    seen: &mut Vec<Observable<'v>>,
    name: &'static str,
    hash: &'static str,
    file: Option<&File<'v>>,
) {
    let Some(file) = file else { return };
    seen.extend(file.name.map(|text| observable(name, (7, "File Name"), text)));
    let values = file.hashes.unwrap_or_default().iter().filter_map(|hash| hash.value);
    seen.extend(values.map(|value| observable(hash, (8, "Hash"), value)));
}

fn observable<'v>(name: &'static str, (type_id, kind): Named, value: &'v str) -> Observable<'v> {
    Observable { name: Some(name), type_id: Some(type_id), kind: Some(kind), value: Some(value) }
}

fn hashes<'v>(message: &'v Message<'_>) -> Vec<Fingerprint<'v>> {
    let known = [(&message.file_sha1, 2, "SHA-1"), (&message.file_sha256, 3, "SHA-256")];
    let found = known.into_iter().filter_map(|(hash, id, name)| Some((hash.as_ref()?, id, name)));
    found
        .map(|(hash, id, name)| Fingerprint {
            algorithm_id: Some(id),
            algorithm: Some(name),
            value: Some(hash.as_str()),
        })
        .collect()
}

fn plain_file<'v>(name: &'v str, hashes: &'v [Fingerprint<'v>]) -> File<'v> {
    File {
        name: Some(name),
        type_id: Some(1),
        kind: Some("Regular File"),
        hashes: Some(hashes),
        ..File::default()
    }
}

fn stored_file<'v>(message: &'v Message<'_>, hashes: &'v [Fingerprint<'v>]) -> Option<File<'v>> {
    let uploaded = message.file_upload_time.as_ref().and_then(|text| super::micros(text.as_str()));
    Some(File {
        // Places of the corpus hold no escapes.
        parent_folder: Some(message.location.as_raw_str().trim_matches('"')),
        modified_time: uploaded,
        ..plain_file(message.file_name.as_ref()?.as_str(), hashes)
    })
}

/// What no column has a place for, as JSON in the record's shape.
struct Rest(String);

impl Rest {
    const START: &'static str = "{\"message\":{";

    fn new() -> Self {
        Self(Self::START.to_owned())
    }

    fn add_json(&mut self, name: &str, json: &str) {
        if self.0.len() > Self::START.len() {
            self.0.push(',');
        }
        for part in ["\"", name, "\":", json] {
            self.0.push_str(part);
        }
    }

    /// Adds a text without escapes.
    fn add(&mut self, name: &str, text: &str) {
        self.add_json(name, "\"");
        self.0.push_str(text);
        self.0.push('"');
    }

    fn add_some(&mut self, name: &str, text: Option<&Text<'_>>) {
        if let Some(text) = text {
            self.add(name, text.as_str());
        }
    }

    /// What the columns show of the judgement in another form, or not at all.
    fn add_judgement(&mut self, message: &Message<'_>) {
        if malware(message).is_none() {
            self.add_some("detected_by", message.detected_by.as_ref());
        }
        let level = message.risk_level.as_ref();
        self.add_some(
            "risk_level",
            level.filter(|level| matches!(level.as_str(), "Dangerous" | "Suspicious")),
        );
        self.add_some("detection_type", message.detection_type.as_ref());
        let has_file = message.file_name.is_some() || message.mail_message_file_name.is_some();
        if !has_file {
            self.add_some("file_sha1", message.file_sha1.as_ref());
            self.add_some("file_sha256", message.file_sha256.as_ref());
        }
        self.add_some("va_report_link", message.va_report_link.as_ref());
    }

    fn finish(&mut self) -> Option<&str> {
        if self.0.len() == Self::START.len() {
            return None;
        }
        self.0.push_str("}}");
        Some(&self.0)
    }
}
