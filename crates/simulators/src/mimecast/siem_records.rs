//! SIEM events as the vendor writes them: almost every value is a text or null, counts and truths included.

use serde_json::{Map, Value, json};

use crate::draw::Draw;
use crate::release;

use super::knobs::{Knobs, Nulls, SpamDetail, Spelling};
use super::population::MESSAGES;
use super::story::{Direction, Story, hex};
use super::streams::Stream;

/// The customer's account code.
const ACCOUNT: &str = "CXTEST01";
/// Every so many deliveries is a second attempt of the one before.
const RETRY_EVERY: u64 = 17;
/// The virus that anti-virus programs are tried with.
const VIRUS: &str = "Eicar-Test-Signature";

/// How events are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Batch,
    Live,
}

/// One event in the making.
struct Writer<'k> {
    fields: Map<String, Value>,
    knobs: &'k Knobs,
    number: u64,
}

impl Writer<'_> {
    fn text(&mut self, name: &str, value: impl Into<String>) {
        self.fields.insert(name.to_owned(), Value::String(value.into()));
    }

    fn maybe(&mut self, name: &str, value: Option<impl Into<String>>) {
        match value {
            Some(value) => self.text(name, value),
            None => self.nothing(name),
        }
    }

    /// A field without a value, in one of the vendor's ways.
    fn nothing(&mut self, name: &str) {
        let turns = [Nulls::Null, Nulls::Absent, Nulls::Empty];
        let turn = usize::try_from(self.number % 3).unwrap_or(0);
        let style = if self.knobs.nulls == Nulls::Mixed { turns[turn] } else { self.knobs.nulls };
        match style {
            Nulls::Absent => {}
            Nulls::Empty => self.text(name, ""),
            Nulls::Null | Nulls::Mixed => {
                self.fields.insert(name.to_owned(), Value::Null);
            }
        }
    }

    fn recipients(&mut self, recipient: &str) {
        if self.knobs.recipient_lists {
            self.fields.insert("recipients".to_owned(), json!([recipient]));
        } else {
            self.text("recipients", recipient);
        }
    }
}

/// The id under which a SIEM event is listed as held and served.
pub(super) fn push_id(seed: u64, stream: Stream, number: u64, at_ms: i64, out: &mut String) {
    let story = story(seed, stream, number, 0);
    out.push_str(&story.message_id);
    out.push('/');
    out.push_str(&at_ms.to_string());
}

/// Appends an event as one JSON text.
pub(super) fn push_record(
    seed: u64,
    stream: Stream,
    number: u64,
    at_ms: i64,
    (transport, knobs): (Transport, &Knobs),
    out: &mut String,
) {
    let mut story = story(seed, stream, number, knobs.postmaster_percent);
    if stream.siem_type() == Some("url protect") {
        story.processing_id = format!("req-{}", hex(story.draw.bits(), 32));
    }
    let mut writer = Writer { fields: Map::new(), knobs, number };
    let subtype = body(&mut writer, stream, &mut story, number);
    let Writer { fields: rest, .. } = writer;
    let mut record = Map::new();
    let (kind, sub) = names(knobs.spelling, transport, number);
    record.insert(kind.to_owned(), json!(stream.siem_type()));
    record.insert(sub.to_owned(), subtype.map_or(Value::Null, Value::String));
    record.insert("timestamp".to_owned(), json!(at_ms));
    record.insert("accountId".to_owned(), json!(ACCOUNT));
    record.insert("aggregateId".to_owned(), json!(story.aggregate_id));
    record.insert("processingId".to_owned(), json!(story.processing_id));
    record.extend(rest);
    if knobs.unknown_every > 0 && number.is_multiple_of(knobs.unknown_every) {
        record.insert("riskBand2027".to_owned(), json!({"band": "amber", "of": [1, 2.50, null]}));
        if record.contains_key("action") {
            record.insert("action".to_owned(), json!("Qtn"));
        }
    }
    if release::is_out(knobs.release_ms, at_ms) {
        release::rewrite(&mut record, "accountId", "aggregateId");
    }
    if transport == Transport::Batch && knobs.offsets {
        record.insert("_offset".to_owned(), json!(number % 7));
        record.insert("_partition".to_owned(), json!(number % 3));
    }
    out.push_str(&Value::Object(record).to_string());
}

fn names(spelling: Spelling, transport: Transport, number: u64) -> (&'static str, &'static str) {
    let is_camel = match spelling {
        Spelling::ByTransport => transport == Transport::Live,
        Spelling::Lower => false,
        Spelling::Camel => true,
        Spelling::Mixed => number % 2 == 1,
    };
    if is_camel { ("eventType", "subType") } else { ("type", "subtype") }
}

/// The message that an event is about. The first three streams are stages of the same messages, and
/// a delivery that is tried again is about the message before.
fn story(seed: u64, stream: Stream, number: u64, postmaster: u64) -> Story {
    let group = if stream.number() < 3 { MESSAGES } else { stream.coordinate() };
    let is_retry = stream.siem_type() == Some("delivery") && number.is_multiple_of(RETRY_EVERY);
    let message = if is_retry { number.saturating_sub(1) } else { number };
    Story::new([seed, group, message], stream.coordinate(), postmaster)
}

/// Writes what the type adds; answers the subtype.
fn body(writer: &mut Writer<'_>, stream: Stream, story: &mut Story, number: u64) -> Option<String> {
    match stream.siem_type()? {
        "receipt" => Some(receipt(writer, story)),
        "process" => Some(process(writer, story)),
        "delivery" => Some(delivery(writer, story, number)),
        "av" => {
            av(writer, story);
            None
        }
        "spam" => {
            spam(writer, story);
            None
        }
        "journal" => {
            writer.text("direction", "Internal");
            writer.text("senderEnvelope", story.sender);
            writer.recipients(&format!("_{}", story.recipient));
            None
        }
        "internal email protect" => {
            internal(writer, story);
            None
        }
        "impersonation protect" => Some(impersonation(writer, story)),
        "attachment protect" => {
            attachment(writer, story);
            None
        }
        _ => Some(url(writer, story)),
    }
}

fn direction(story: &mut Story) -> &'static str {
    let lower = story.draw.chance(50);
    match story.direction {
        Direction::Inbound if lower => "inbound",
        Direction::Inbound => "Inbound",
        Direction::Outbound if lower => "outbound",
        Direction::Outbound => "Outbound",
        Direction::Internal if lower => "internal",
        Direction::Internal => "Internal",
    }
}

fn receipt(writer: &mut Writer<'_>, story: &mut Story) -> String {
    let is_refused = story.draw.chance(12);
    let action = if is_refused { "Rej" } else { "Acc" };
    writer.text("action", action);
    writer.text("direction", direction(story));
    let told = |text: &str| (!is_refused).then(|| text.to_owned());
    writer.maybe("senderEnvelope", told(story.sender));
    writer.maybe("senderHeader", told(story.sender));
    writer.recipients(story.recipient);
    writer.maybe("subject", told(story.subject));
    writer.maybe("messageId", told(&story.message_id));
    writer.text("senderIp", story.sender_ip.as_str());
    writer.text("numberAttachments", if is_refused { "0" } else { "1" });
    writer.maybe("tlsVersion", told("TLSv1.3"));
    writer.maybe("tlsCipher", told("TLS_AES_256_GCM_SHA384"));
    writer.text("spamScore", story.draw.below(30).to_string());
    writer.text("spamDetectionLevel", story.draw.pick(&["7", "28"]));
    writer.text("spamInfo", "[]");
    spam_detail(writer, story, is_refused);
    if is_refused {
        refusal(writer, story);
        // Not a virus: the reason of the refusal.
        writer.text("virusFound", "listed");
    } else {
        for name in ["rejectionType", "rejectionCode", "rejectionInfo", "virusFound"] {
            writer.nothing(name);
        }
    }
    writer.nothing("receiptErrors");
    action.to_owned()
}

fn refusal(writer: &mut Writer<'_>, story: &mut Story) {
    let (kind, code) = story.draw.pick(&[
        ("IP Found in RBL", "550"),
        ("Manual Envelope Rejection", "550"),
        ("Virus Signature Detection", "554"),
        ("Invalid Recipient Address", "550"),
        ("DMARC Sender Invalid", "0"),
    ]);
    writer.text("rejectionType", kind);
    writer.text("rejectionCode", code);
    writer.text("rejectionInfo", format!("{kind}: {}", story.sender_ip));
}

fn spam_detail(writer: &mut Writer<'_>, story: &mut Story, is_refused: bool) {
    let word = |draw: &mut Draw| draw.pick(&["ALLOW", "UNKNOWN", "NONE", "allow"]);
    let (spf, dkim, dmarc) = (word(&mut story.draw), word(&mut story.draw), word(&mut story.draw));
    let risk = story.draw.pick(&["HIGH", "MEDIUM", "NEGLIGIBLE", "negligible"]);
    let detail = json!({
        "spf": {"allow": true, "info": spf},
        "dkim": {"allow": true, "info": dkim},
        "dmarc": {"allow": !is_refused, "info": dmarc},
        "rbl": {"allow": !is_refused, "info": if is_refused { "listed" } else { "" }},
        "verdict": {"decision": "REQUESTED", "risk": risk, "categories": []},
    });
    let turns = [SpamDetail::Text, SpamDetail::Double, SpamDetail::Object];
    let turn = usize::try_from(writer.number % 3).unwrap_or(0);
    let mixed = writer.knobs.spam_detail == SpamDetail::Mixed;
    let form = if mixed { turns[turn] } else { writer.knobs.spam_detail };
    let value = match form {
        SpamDetail::Object | SpamDetail::Mixed => detail,
        SpamDetail::Text => Value::String(detail.to_string()),
        SpamDetail::Double => Value::String(Value::String(detail.to_string()).to_string()),
    };
    writer.fields.insert("spamProcessingDetail".to_owned(), value);
}

fn process(writer: &mut Writer<'_>, story: &mut Story) -> String {
    let action = story.draw.pick(&["Acc", "Acc", "Acc", "Acc", "Hld", "Sdbx"]);
    writer.text("action", action);
    writer.text("senderEnvelope", story.sender);
    writer.text("messageId", story.message_id.as_str());
    writer.text("subject", story.subject);
    let reason = match action {
        "Hld" => Some("Spm"),
        _ => story.draw.chance(5).then_some("Oth"),
    };
    writer.maybe("holdReason", reason);
    writer.text("emailSize", story.size.to_string());
    let has_files = story.draw.chance(60);
    writer.text("numberAttachments", if has_files { "2" } else { "0" });
    writer.maybe("totalSizeAttachments", has_files.then(|| story.attachment.size.to_string()));
    let names = has_files.then(|| format!("\"a.pdf\", \"{}\"", story.attachment.name));
    writer.maybe("attachments", names);
    action.to_owned()
}

fn delivery(writer: &mut Writer<'_>, story: &mut Story, number: u64) -> String {
    let is_retry = number.is_multiple_of(RETRY_EVERY);
    // The attempt before the second one failed; others fail now and then.
    let failed = (number + 1).is_multiple_of(RETRY_EVERY) || (!is_retry && story.draw.chance(8));
    let delivered = if failed { "false" } else { "true" };
    writer.text("delivered", delivered);
    writer.text("direction", direction(story));
    writer.maybe("route", (!failed).then_some("Corp default inbound route"));
    writer.text("senderEnvelope", story.sender);
    writer.recipients(story.recipient);
    writer.text("subject", story.subject);
    writer.text("messageId", story.message_id.as_str());
    writer.text("destinationIp", if failed { "203.0.113.9" } else { "192.0.2.25" });
    writer.maybe("Hostname", (!failed).then_some("mx1.corp.example"));
    writer.text("deliveryAttempts", if is_retry { "2" } else { "1" });
    writer.maybe("deliveryErrors", failed.then_some("Connection timed out"));
    writer.text("deliveryTime", if is_retry { "10300412" } else { "5210" });
    writer.text("emailSize", story.size.to_string());
    writer.text("numberAttachments", "1");
    writer.maybe("totalSizeAttachments", (!failed).then(|| story.attachment.size.to_string()));
    writer.text("tlsUsed", if story.draw.chance(50) { "Yes" } else { "true" });
    writer.maybe("tlsVersion", (!failed).then_some("TLSv1.3"));
    writer.maybe("tlsCipher", (!failed).then_some("TLS_AES_256_GCM_SHA384"));
    let is_final = failed && story.draw.chance(30);
    let kind = "Recipient email address is possibly incorrect";
    writer.maybe("rejectionType", is_final.then_some(kind));
    writer.maybe("rejectionCode", is_final.then_some("550"));
    writer.maybe("rejectionInfo", is_final.then_some("5.1.1 unknown user"));
    delivered.to_owned()
}

fn envelope(writer: &mut Writer<'_>, story: &mut Story) {
    writer.text("senderEnvelope", story.sender);
    writer.text("senderDomain", story.sender_domain());
    writer.text("senderIp", story.sender_ip.as_str());
    writer.text("route", direction(story));
}

fn digests(writer: &mut Writer<'_>, story: &Story) {
    writer.text("fileName", story.attachment.name);
    writer.text("fileExtension", story.attachment.extension);
    writer.text("md5", story.attachment.md5.as_str());
    writer.text("sha1", story.attachment.sha1.as_str());
    writer.text("sha256", story.attachment.sha256.as_str());
}

fn av(writer: &mut Writer<'_>, story: &mut Story) {
    envelope(writer, story);
    writer.text("senderDomainInternal", "false");
    writer.recipients(story.recipient);
    writer.text("subject", story.subject);
    writer.text("messageId", story.message_id.as_str());
    writer.text("emailSize", story.size.to_string());
    writer.text("virusFound", VIRUS);
    digests(writer, story);
}

fn spam(writer: &mut Writer<'_>, story: &mut Story) {
    envelope(writer, story);
    writer.text("senderHeader", story.sender);
    writer.recipients(story.recipient);
    let subject = story.draw.chance(70).then_some(story.subject);
    writer.maybe("subject", subject);
    writer.text("messageId", story.message_id.as_str());
}

fn internal(writer: &mut Writer<'_>, story: &mut Story) {
    let (scan, category) = story.draw.pick(&[
        ("Blocked URL Category", Some("Compromised")),
        ("Restricted File Type - Found executable extension: dll", None),
    ]);
    writer.text("route", "Internal");
    writer.text("senderEnvelope", "sam@corp.example");
    writer.recipients(story.recipient);
    writer.text("subject", story.subject);
    writer.text("messageId", story.message_id.as_str());
    writer.text("scanResults", scan);
    writer.maybe("urlCategory", category);
    writer.nothing("monitoredDomainSource");
    writer.nothing("similarDomain");
}

fn impersonation(writer: &mut Writer<'_>, story: &mut Story) -> String {
    let action = story.draw.pick(&["Hold", "Hold", "Tag", "Bounce", "None"]);
    let is_malicious = story.draw.chance(40);
    writer.text("action", action);
    writer.text("policyDefinition", "Exec protection");
    writer.text("itemsDetected", "2");
    writer.text("senderEnvelope", story.sender);
    writer.text("senderIp", story.sender_ip.as_str());
    writer.recipients(story.recipient);
    writer.text("route", direction(story));
    writer.text("subject", story.subject);
    writer.text("messageId", if story.draw.chance(20) { "" } else { &story.message_id });
    for (name, percent) in [
        ("internalUserName", 60),
        ("newDomain", 20),
        ("replyMismatch", 50),
        ("similarInternalDomain", 10),
        ("similarCustomExternalDomain", 5),
        ("similarMimecastExternalDomain", 5),
        ("customNameMatch", 5),
        ("customThreatDictionary", 5),
        ("mimecastThreatDictionary", 40),
        ("taggedExternal", 30),
    ] {
        let flag = story.draw.chance(percent);
        writer.text(name, flag.to_string());
    }
    writer.text("taggedMalicious", is_malicious.to_string());
    action.to_owned()
}

fn attachment(writer: &mut Writer<'_>, story: &mut Story) {
    digests(writer, story);
    if story.draw.chance(30) {
        return;
    }
    envelope(writer, story);
    writer.text("fileMime", story.attachment.mime);
    writer.text("sizeAttachment", story.attachment.size.to_string());
    writer.text("recipient", story.recipient);
    writer.text("subject", story.subject);
    writer.text("messageId", story.message_id.as_str());
}

fn url(writer: &mut Writer<'_>, story: &mut Story) -> String {
    let (link, category) = story.draw.pick(&[
        ("http://login.bad.example/o365", "Phishing & Fraud"),
        ("https://cdn.evil.example:8443/a/b.exe?id=7", "Dangerous file extension"),
        ("http://203.0.113.99/x", "Compromised"),
        ("login.bad.example/no-scheme", "Blocked"),
    ]);
    writer.text("action", "Block");
    writer.text("url", link);
    writer.text("urlCategory", category);
    writer.text("blockReason", "malicious");
    let analysis = if story.draw.chance(40) {
        "null".to_owned()
    } else {
        json!({"CredentialTheftTags": ["REDIRECTION"]}).to_string()
    };
    writer.text("analysis", analysis);
    writer.text("sourceIp", "192.0.2.130");
    envelope(writer, story);
    // The envelope's address is the sending host; here the vendor names the clicking side only.
    writer.fields.shift_remove("senderIp");
    writer.recipients(story.recipient);
    writer.text("subject", story.subject);
    writer.text("messageId", story.message_id.as_str());
    "Block".to_owned()
}
