//! One record as the bytes of an answer: a pure function of (seed, stream, number, generation time).
//!
//! Written straight into the page's text, because a test may pull millions of them. Every value is already
//! JSON text; see `vocabulary`.

use serde_json::Value;

use crate::draw::{Draw, mix, push_hex, push_uuid};
use crate::release;
use crate::times::{push_instant, push_padded};

use super::streams::{Family, Kind, Stream};
use super::vocabulary as words;

const CONTENT: u64 = 0xc0de;
const NAME: u64 = 0x1d;

/// Appends the id of a record: UUID-like, and rising with the number within a stream.
pub(super) fn push_id(out: &mut String, seed: u64, stream: Stream, number: u64) {
    let base = mix(&[seed, stream.coordinate(), NAME]) & 0x7fff_0000_0000;
    let rising = base.wrapping_add(number) << 16;
    let spread = [seed, stream.coordinate(), number, NAME];
    push_uuid(out, rising | (mix(&spread) & 0xffff), mix(&[mix(&spread), 1]));
}

/// Appends a record.
pub(super) fn push_record(
    out: &mut String,
    seed: u64,
    stream: Stream,
    number: u64,
    generation_ms: i64,
    release_ms: Option<i64>,
) {
    let start = out.len();
    let mut draw = Draw::new(&[seed, stream.coordinate(), number, CONTENT]);
    let lag_s = if draw.chance(4) { 60 + draw.below(600) } else { 1 + draw.below(30) };
    let detection_ms = generation_ms - i64::try_from(lag_s).unwrap_or(0) * 1_000;
    out.push_str("{\"log_item_id\":\"");
    push_id(out, seed, stream, number);
    out.push_str("\",\"service\":\"");
    out.push_str(stream.service().shown);
    out.push_str("\",\"event\":\"");
    out.push_str(stream.event().shown);
    out.push_str("\",\"message\":{");
    let mut message = Message { out, draw, stream, detection_ms };
    message.base();
    match stream.service().family {
        Family::Mail => message.mail(),
        Family::File => message.file(),
        Family::Chat | Family::Salesforce => {}
    }
    match stream.event().kind {
        Kind::SecurityRisk => message.security_risk(),
        Kind::VirtualAnalyzer => message.virtual_analyzer(),
        Kind::Ransomware => message.text("ransomware_name", words::RANSOMS),
        Kind::Dlp => message.dlp(),
    }
    if message.draw.chance(3) {
        message.unknown_fields();
    }
    let repeats_id = message.draw.chance(5);
    if repeats_id {
        out.push_str(",\"log_item_id\":\"");
        push_id(out, seed, stream, number);
        out.push('"');
    }
    out.push_str("}}");
    if release::is_out(release_ms, generation_ms) {
        let written = out.split_off(start);
        out.push_str(&rewritten(&written).unwrap_or(written));
    }
}

/// A record as the next release writes it.
fn rewritten(record: &str) -> Option<String> {
    let mut record: Value = serde_json::from_str(record).ok()?;
    let message = record.get_mut("message")?.as_object_mut()?;
    release::rewrite(message, "scan_type", "action_result");
    Some(record.to_string())
}

/// The `message` object in the making; the first field is written by `base`.
struct Message<'o> {
    out: &'o mut String,
    draw: Draw,
    stream: Stream,
    detection_ms: i64,
}

impl Message<'_> {
    fn open(&mut self, name: &str) {
        self.out.push_str(",\"");
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    fn value(&mut self, name: &str, text: &str) {
        self.open(name);
        self.out.push('"');
        self.out.push_str(text);
        self.out.push('"');
    }

    fn text(&mut self, name: &str, choices: &[&str]) {
        let text = self.draw.pick(choices);
        self.value(name, text);
    }

    /// Like `text`, but in one of twelve records the field is absent.
    fn optional(&mut self, name: &str, choices: &[&str]) {
        if self.draw.below(12) > 0 {
            self.text(name, choices);
        }
    }

    fn instant(&mut self, name: &str, seconds_before_detection: u64) {
        let before_ms = i64::try_from(seconds_before_detection).unwrap_or(0) * 1_000;
        self.open(name);
        self.out.push('"');
        push_instant(self.out, self.detection_ms - before_ms);
        self.out.push('"');
    }

    fn hash(&mut self, name: &str, digits: u32) {
        if self.draw.chance(4) {
            return self.text(name, words::BAD_HASHES);
        }
        self.open(name);
        self.out.push('"');
        for _ in 0..digits / 8 {
            push_hex(self.out, self.draw.bits(), 8);
        }
        self.out.push('"');
    }

    fn base(&mut self) {
        let scan_type = if self.draw.chance(85) { "Real-time scan" } else { "Manual scan" };
        self.out.push_str("\"scan_type\":\"");
        self.out.push_str(scan_type);
        self.out.push('"');
        let user = self.draw.pick(words::USERS);
        self.value("affected_user", user);
        self.location(user);
        self.instant("detection_time", 0);
        self.optional("triggered_policy_name", words::POLICIES);
        match self.stream.event().kind {
            Kind::SecurityRisk => self.text("triggered_security_filter", words::RISK_FILTERS),
            Kind::VirtualAnalyzer => self.value("triggered_security_filter", "Virtual Analyzer"),
            Kind::Ransomware => self.value("triggered_security_filter", "Malware Scanning"),
            Kind::Dlp => self.value("triggered_security_filter", "Data Loss Prevention"),
        }
        self.text("action", words::ACTIONS);
        let result = if self.draw.chance(92) { "success" } else { self.draw.pick(&["failed", ""]) };
        self.value("action_result", result);
    }

    fn location(&mut self, user: &str) {
        match self.stream.service().family {
            Family::Mail => {
                let folder = self.draw.pick(words::FOLDERS);
                self.open("location");
                self.out.push('"');
                self.out.push_str(user);
                self.out.push_str("\\\\");
                self.out.push_str(folder);
                self.out.push('"');
            }
            Family::File => self.optional("location", words::PLACES),
            Family::Chat => self.value("location", ""),
            Family::Salesforce => {
                self.optional("location", &["Account/描述", "Case/Description", "Contact"])
            }
        }
    }

    fn mail(&mut self) {
        self.message_id();
        self.optional("mail_message_sender", words::SENDERS);
        self.recipients();
        let transit_s = 1 + self.draw.below(90);
        self.instant("mail_message_submit_time", transit_s);
        let skew_s = self.draw.below(4);
        self.instant("mail_message_delivery_time", transit_s + skew_s);
        self.optional("mail_message_subject", words::SUBJECTS);
        if self.draw.chance(40) {
            self.text("mail_message_file_name", words::FILES);
        } else {
            self.optional("mail_message_file_name", &[""]);
        }
    }

    /// Usually in angle brackets, sometimes a bare UUID.
    fn message_id(&mut self) {
        let (high, low) = (self.draw.bits(), self.draw.bits());
        let bare = self.draw.chance(6);
        self.open("mail_message_id");
        self.out.push('"');
        if bare {
            push_uuid(self.out, high, low);
        } else {
            self.out.push('<');
            push_hex(self.out, high, 12);
            self.out.push('.');
            push_hex(self.out, low, 6);
            self.out.push_str("@mx.supplier-co.example>");
        }
        self.out.push('"');
    }

    /// An array of addresses; now and then a bare text, null, or empty.
    fn recipients(&mut self) {
        let form = self.draw.below(100);
        let first = self.draw.pick(words::USERS);
        match form {
            0..3 => return self.value("mail_message_recipient", first),
            3 => {
                self.open("mail_message_recipient");
                return self.out.push_str("null");
            }
            _ => self.open("mail_message_recipient"),
        }
        self.out.push('[');
        let count = if form == 4 { 0 } else { 1 + self.draw.below(3) };
        for position in 0..count {
            let recipient = if position == 0 { first } else { self.draw.pick(words::USERS) };
            self.out.push_str(if position == 0 { "\"" } else { ",\"" });
            self.out.push_str(recipient);
            self.out.push('"');
        }
        self.out.push(']');
    }

    fn file(&mut self) {
        self.text("file_name", words::FILES);
        let age_s = 1 + self.draw.below(3_600);
        self.instant("file_upload_time", age_s);
    }

    fn security_risk(&mut self) {
        if self.draw.chance(30) {
            self.open("security_risk_name");
            self.out.push('"');
            self.bad_link();
            self.out.push('"');
        } else {
            self.text("security_risk_name", words::RISKS);
        }
        self.optional("detected_by", words::DETECTORS);
        self.optional("risk_level", words::LEVELS);
        if self.stream.service().family == Family::File && self.draw.chance(70) {
            self.hash("file_sha1", 40);
            self.hash("file_sha256", 64);
        }
    }

    fn bad_link(&mut self) {
        self.out.push_str("http://");
        if self.draw.chance(50) {
            let (range, host) = (self.draw.pick(words::ADDRESSES), 1 + self.draw.below(254));
            self.out.push_str(range);
            push_padded(self.out, i64::try_from(host).unwrap_or(1), 1);
        } else {
            let host = self.draw.pick(words::BAD_HOSTS);
            self.out.push_str(host);
        }
        self.out.push_str("/p/");
        push_hex(self.out, self.draw.bits(), 6);
        self.out.push_str("?id=%E6%9D%B1&u=1");
    }

    fn virtual_analyzer(&mut self) {
        self.text("virus_name", words::VIRUSES);
        self.optional("risk_level", words::LEVELS);
        self.text("detection_type", &["File", "URL", ""]);
        self.hash("file_sha1", 40);
        if self.draw.chance(60) {
            self.hash("file_sha256", 64);
        }
        let report = self.draw.bits();
        self.open("va_report_link");
        self.out.push('"');
        if !report.is_multiple_of(4) {
            self.out.push_str(
                "https://cas.example/v1/siem/security_events/va_analysis_report?report_id=",
            );
            push_hex(self.out, report, 16);
        }
        self.out.push('"');
    }

    /// The template as a text, as a list of objects, or as a list of texts.
    fn dlp(&mut self) {
        let template = self.draw.pick(words::TEMPLATES);
        let hits = i64::try_from(1 + self.draw.below(40)).unwrap_or(1);
        match self.draw.below(10) {
            0..6 => self.value("triggered_dlp_template", template),
            6..9 => {
                self.open("triggered_dlp_template");
                self.out.push_str("[{\"name\":\"");
                self.out.push_str(template);
                self.out.push_str("\",\"count\":");
                push_padded(self.out, hits, 1);
                self.out.push_str("}]");
            }
            _ => {
                self.open("triggered_dlp_template");
                self.out.push_str("[\"");
                self.out.push_str(template);
                self.out.push_str("\",\"EU: IBAN\"]");
            }
        }
    }

    /// Fields that no documentation names: a client must keep them.
    fn unknown_fields(&mut self) {
        let revision = i64::try_from(self.draw.below(900)).unwrap_or(0);
        self.open("policy_revision");
        push_padded(self.out, revision, 1);
        self.out.push_str(
            ",\"x_context\":{\"tags\":[\"β\",\"\\u00e9\",\"a\\/b\"],\"score\":0.50,\"note\":null}",
        );
    }
}

#[cfg(test)]
mod tests {

    use std::collections::HashSet;

    use super::*;

    const GENERATED_MS: i64 = 1_772_438_400_000;

    fn record(stream: Stream, number: u64) -> Value {
        let mut out = String::new();
        push_record(&mut out, 1, stream, number, GENERATED_MS, None);
        serde_json::from_str(&out).unwrap()
    }

    fn messages(service: &str, event: &str) -> Vec<Value> {
        let stream = Stream::requested(service, event).unwrap();
        (0..400).map(|number| record(stream, number)["message"].clone()).collect()
    }

    #[test]
    fn every_stream_makes_valid_json_with_its_response_values() {
        for stream in Stream::all() {
            for number in 0..100 {
                let record = record(stream, number);
                assert_eq!(record["service"], stream.service().shown);
                assert_eq!(record["event"], stream.event().shown);
                let detected = record["message"]["detection_time"].as_str().unwrap();
                assert!(detected < "2026-03-02T08:00:00.000Z", "{detected}");
            }
        }
    }

    #[test]
    fn ids_are_unique_and_rise_within_a_stream() {
        let id = |stream, number| {
            let mut out = String::new();
            push_id(&mut out, 1, stream, number);
            out
        };
        let mut seen = HashSet::new();
        for stream in Stream::all() {
            let ids: Vec<_> = (0..500).map(|number| id(stream, number)).collect();
            assert!(ids.is_sorted());
            assert!(ids.into_iter().all(|id| id.len() == 36 && seen.insert(id)));
        }
    }

    #[test]
    fn seeds_change_the_content() {
        let made = |seed| {
            let mut out = String::new();
            push_record(&mut out, seed, Stream::numbered(0).unwrap(), 5, GENERATED_MS, None);
            out
        };
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }

    #[test]
    fn mail_varies_in_the_ways_that_clients_must_bear() {
        let mails = messages("exchange", "securityrisk");
        let recipient = |test: fn(&Value) -> bool| {
            mails.iter().any(|mail| test(&mail["mail_message_recipient"]))
        };
        assert!(
            recipient(Value::is_array) && recipient(Value::is_string) && recipient(Value::is_null)
        );
        assert!(mails.iter().any(|mail| mail.get("mail_message_subject").is_none()));
        assert!(mails.iter().any(|mail| mail["mail_message_subject"] == ""));
        assert!(mails.iter().any(|mail| mail["mail_message_subject"] == "会議の資料"));
        assert!(mails.iter().any(|mail| mail.get("x_context").is_some()));
        assert!(mails.iter().any(|mail| mail.get("log_item_id").is_some()));
        for action in ["Pass", "Quarantine", "Delete", "Block"] {
            assert!(mails.iter().any(|mail| mail["action"] == action), "{action}");
        }
    }

    #[test]
    fn templates_are_texts_and_arrays_and_hashes_are_sometimes_bad() {
        let chats = messages("teams_chat", "dlp");
        assert!(chats.iter().any(|chat| chat["triggered_dlp_template"].is_string()));
        assert!(chats.iter().any(|chat| chat["triggered_dlp_template"].is_array()));
        let files = messages("onedrive", "virtualanalyzer");
        let lengths: HashSet<_> =
            files.iter().map(|file| file["file_sha1"].as_str().unwrap().len()).collect();
        assert!(lengths.contains(&40) && lengths.contains(&3), "{lengths:?}");
    }
}
