//! What the gateway judged and did: the `security_control` attributes, severity, status, and the word of delivery
//! that mail is hunted by.

use std::borrow::Cow;

use model::ocsf::objects::{Malware, Policy};
use model::ocsf::values::{action, activity_status, disposition, severity};

use super::Kind;
use super::fields::Fields;
use super::words::{self, Deed, Type};

type Text<'a> = Option<Cow<'a, str>>;

/// The flags of an impersonation event.
const FLAGS: [&str; 10] = [
    "internalUserName",
    "newDomain",
    "replyMismatch",
    "similarInternalDomain",
    "similarCustomExternalDomain",
    "similarMimecastExternalDomain",
    "customNameMatch",
    "customThreatDictionary",
    "mimecastThreatDictionary",
    "taggedExternal",
];

/// What the control said. Attributes of the same names exist in every class.
#[derive(Debug, Default)]
pub(super) struct Control<'a> {
    pub(super) severity_id: i32,
    pub(super) status_id: Option<i32>,
    pub(super) status_code: Text<'a>,
    pub(super) message: Text<'a>,
    pub(super) action_id: Option<i32>,
    pub(super) action: Text<'a>,
    pub(super) disposition_id: Option<i32>,
    pub(super) disposition: Text<'a>,
    pub(super) is_alert: Option<bool>,
    pub(super) risk_level_id: Option<i32>,
    pub(super) risk_details: Text<'a>,
    pub(super) malware: Vec<Malware<'a>>,
    pub(super) policy: Option<Policy<'a>>,
    /// What became of the message, in the word that mail hunting uses.
    pub(super) delivery: &'static str,
}

impl<'a> Control<'a> {
    /// Takes what a record says about judgement and deed.
    pub(super) fn take(fields: &mut Fields<'a>, kind: Kind, event: Type) -> Self {
        let mut control =
            Self { delivery: "unknown", severity_id: severity::INFORMATIONAL, ..Self::default() };
        let name = ["policyDefinition", "ttpDefinition", "definition"]
            .iter()
            .find_map(|name| fields.text(name));
        control.policy = name.map(|name| Policy { name: Some(name), ..Policy::default() });
        match kind {
            Kind::Siem => control.event(fields, event),
            Kind::TtpUrl => control.click(fields),
            Kind::TtpAttachment => control.scan(fields),
            Kind::TtpImpersonation => control.pretence(fields),
        }
        control
    }

    fn event(&mut self, fields: &mut Fields<'a>, event: Type) {
        match event {
            Type::Delivery => self.delivered(fields),
            Type::Av => {
                let name = fields.text("virusFound");
                self.malware.extend(name.map(malware));
                self.detected(severity::HIGH);
            }
            Type::Spam | Type::AttachmentProtect => self.detected(severity::MEDIUM),
            Type::InternalEmailProtect => {
                self.risk_details = fields.text("scanResults");
                self.detected(severity::MEDIUM);
            }
            Type::ImpersonationProtect => {
                self.deed(fields, "action");
                self.flags(fields);
                self.alert(severity::MEDIUM);
            }
            Type::UrlProtect => {
                self.deed(fields, "action");
                self.risk_details = fields.text("blockReason");
                self.alert(severity::MEDIUM);
            }
            Type::Receipt => {
                self.deed(fields, "action");
                self.rejection(fields);
            }
            Type::Process => {
                self.deed(fields, "action");
                self.status_code = fields.text("holdReason");
            }
            Type::Journal => {}
            Type::Other => self.deed(fields, "action"),
        }
        // The spam folder of the world: found, but nobody needs to look at each.
        if event == Type::Spam {
            self.is_alert = None;
            self.severity_id = severity::LOW;
        }
        self.spam_risk(fields);
    }

    /// A click on a link, or the scan of one on its way in.
    fn click(&mut self, fields: &mut Fields<'a>) {
        self.deed(fields, "action");
        if fields.peek("scanResult").is_some_and(|text| text.eq_ignore_ascii_case("malicious")) {
            self.alert(severity::MEDIUM);
        }
    }

    /// An attachment in the sandbox.
    fn scan(&mut self, fields: &mut Fields<'a>) {
        self.message = fields.text("details").map(squeezed);
        let deeds = fields.peek("actionTriggered").unwrap_or_default();
        let deeds: Vec<_> = deeds.split(',').map(words::deed).collect();
        let deed = |wanted: Deed| deeds.contains(&wanted).then_some(wanted);
        let result = fields.peek("result").unwrap_or_default().to_ascii_lowercase();
        match result.as_str() {
            "safe" => self.done(Deed::Allowed, "passed"),
            "malicious" | "unsafe" => {
                match deed(Deed::Held).or(deed(Deed::Blocked)).or(deed(Deed::Bounced)) {
                    Some(Deed::Held) => self.done(Deed::Held, "held"),
                    Some(_) => self.done(Deed::Blocked, "blocked"),
                    None => self.done(Deed::Nothing, "passed"),
                }
                self.alert(severity::HIGH);
            }
            _ => {}
        }
    }

    /// A sender that pretends to be somebody.
    fn pretence(&mut self, fields: &mut Fields<'a>) {
        self.deed(fields, "action");
        let hits = fields.texts("identifiers");
        self.risk_details = (!hits.is_empty()).then(|| Cow::Owned(hits.join(", ")));
        self.alert(severity::MEDIUM);
        self.tagged(fields);
    }

    fn flags(&mut self, fields: &mut Fields<'a>) {
        let is_set =
            |name: &&&str| fields.peek(name).is_some_and(|text| words::truth(&text) == Some(true));
        let set: Vec<&str> = FLAGS.iter().filter(is_set).copied().collect();
        self.risk_details = (!set.is_empty()).then(|| Cow::Owned(set.join(", ")));
        self.tagged(fields);
    }

    fn tagged(&mut self, fields: &Fields<'a>) {
        let is_malicious = fields.peek("taggedMalicious");
        if is_malicious.is_some_and(|text| words::truth(&text) == Some(true)) {
            self.alert(severity::HIGH);
        }
    }

    fn delivered(&mut self, fields: &mut Fields<'a>) {
        let told = fields.peek("delivered").or_else(|| fields.peek("subtype"));
        let told = told.or_else(|| fields.peek("subType"));
        match told.and_then(|text| words::truth(&text)) {
            Some(true) => {
                fields.take("delivered");
                self.done(Deed::Allowed, "delivered");
            }
            Some(false) => {
                fields.take("delivered");
                self.status_id = Some(activity_status::FAILURE);
                let code = fields.peek("rejectionCode").unwrap_or_default();
                let is_refused = code.starts_with('5');
                let is_tried = fields.peek("deliveryErrors").is_some() || code.starts_with('4');
                self.delivery = match (is_refused, is_tried) {
                    (true, _) => "bounced",
                    (false, true) => "deferred",
                    (false, false) => "failed",
                };
            }
            None => {}
        }
        self.message = fields.text("deliveryErrors");
        self.rejection(fields);
    }

    /// Why a message was refused.
    fn rejection(&mut self, fields: &mut Fields<'a>) {
        self.status_code = fields
            .peek("rejectionCode")
            .filter(|code| code != "0")
            .and_then(|_| fields.text("rejectionCode"));
        self.risk_details = fields.text("rejectionType");
        if self.message.is_none() {
            self.message = fields.text("rejectionInfo").or_else(|| fields.text("receiptErrors"));
        }
        let reason = self.risk_details.as_deref().unwrap_or_default().to_ascii_lowercase();
        // On a refused receipt the field holds the reason of the refusal, whatever it was.
        if reason.contains("virus") {
            let name = fields.text("virusFound");
            self.malware.extend(name.map(malware));
            self.alert(severity::HIGH);
        } else if reason.contains("malicious") {
            self.alert(severity::MEDIUM);
        }
    }

    /// Takes the action, and what follows from it.
    fn deed(&mut self, fields: &mut Fields<'a>, name: &str) {
        let Some(word) = fields.text(name) else { return };
        let deed = words::deed(&word);
        let delivery = match deed {
            Deed::Accepted => "accepted",
            Deed::Allowed | Deed::Nothing | Deed::Tagged => "passed",
            Deed::Rejected => "rejected",
            Deed::Held | Deed::Sandboxed => "held",
            Deed::Bounced => "bounced",
            Deed::Deferred => "deferred",
            Deed::Blocked => "blocked",
            Deed::Warned => "warned",
            Deed::Other => "unknown",
        };
        self.done(deed, delivery);
        if deed == Deed::Other {
            self.action = Some(word.clone());
            self.disposition = Some(word);
        }
    }

    fn done(&mut self, deed: Deed, delivery: &'static str) {
        let (action_id, disposition_id) = match deed {
            Deed::Accepted | Deed::Allowed => (action::ALLOWED, disposition::ALLOWED),
            Deed::Rejected | Deed::Bounced => (action::DENIED, disposition::REJECTED),
            Deed::Held => (action::DENIED, disposition::QUARANTINED),
            Deed::Sandboxed | Deed::Deferred => (action::OBSERVED, disposition::DELAYED),
            Deed::Blocked => (action::DENIED, disposition::BLOCKED),
            Deed::Warned => (action::OBSERVED, disposition::CHALLENGE),
            Deed::Tagged => (action::MODIFIED, disposition::TAGGED),
            Deed::Nothing => (action::ALLOWED, disposition::NO_ACTION),
            Deed::Other => (action::OTHER, disposition::OTHER),
        };
        self.action_id = Some(action_id);
        self.disposition_id = Some(disposition_id);
        self.status_id = match deed {
            Deed::Accepted | Deed::Allowed => Some(activity_status::SUCCESS),
            Deed::Rejected | Deed::Bounced => Some(activity_status::FAILURE),
            _ => None,
        };
        self.delivery = delivery;
        if matches!(deed, Deed::Rejected | Deed::Held | Deed::Bounced) {
            self.severity_id = severity::LOW;
        }
    }

    fn detected(&mut self, severity_id: i32) {
        self.action_id = Some(action::OBSERVED);
        self.disposition_id = Some(disposition::DETECTED);
        self.alert(severity_id);
    }

    fn alert(&mut self, severity_id: i32) {
        self.is_alert = Some(true);
        self.severity_id = self.severity_id.max(severity_id);
    }

    /// The risk that the spam filter saw; what else it says stays.
    fn spam_risk(&mut self, fields: &Fields<'a>) {
        let detail = spam_detail(fields);
        let risk = detail["verdict"]["risk"].as_str();
        self.risk_level_id = risk.and_then(words::risk);
    }
}

/// What the spam filter says: an object, or one written into a text once or twice.
pub(super) fn spam_detail(fields: &Fields<'_>) -> serde_json::Value {
    use serde_json::Value;
    let Some(json) = fields.json("spamProcessingDetail") else { return Value::Null };
    let mut value = serde_json::from_str(json).unwrap_or(Value::Null);
    for _ in 0..2 {
        let Value::String(inner) = &value else { break };
        value = serde_json::from_str(inner).unwrap_or(Value::Null);
    }
    value
}

fn malware(name: Cow<'_, str>) -> Malware<'_> {
    Malware {
        classification_ids: vec![words::malware(&name)],
        name: Some(name),
        ..Malware::default()
    }
}

/// A text without padding and line breaks.
fn squeezed(text: Cow<'_, str>) -> Cow<'_, str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let squeezed = words.join(" ");
    if squeezed == text { text } else { Cow::Owned(squeezed) }
}

/// A whole number out of a field, which is taken when it is one.
pub(super) fn number<T: std::str::FromStr>(fields: &mut Fields<'_>, name: &str) -> Option<T> {
    let number = fields.peek(name)?.trim().parse().ok()?;
    fields.take(name);
    Some(number)
}

/// A name that a record gives in quotes, or several with commas between them.
pub(super) fn quoted_names<'a>(text: &Cow<'a, str>) -> Vec<Cow<'a, str>> {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) => inner.split("\", \"").map(|name| Cow::Owned(name.to_owned())).collect(),
        None => vec![text.clone()],
    }
}
