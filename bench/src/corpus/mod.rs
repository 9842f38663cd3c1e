//! Security events of Cloud App Security as a busy tenant has them, made from a seed.
//!
//! A record is a pure function of seed and number, so any machine makes the same corpus. People,
//! senders, subjects, files and links are as many and as unevenly used as in a company of some
//! thousand people; ids and message ids are unique. The shape follows the vendor's Log Retrieval API.

mod chance;
pub mod cloudtrail;
mod stream;
mod vocabulary;

use std::fmt::Write as _;

use bytes::Bytes;
use model::time::Timestamp;

use chance::Chance;
use stream::{Family, Kind};
use vocabulary as words;

pub use stream::Stream;

const PEOPLE: u64 = 4_000;
const OUTSIDERS: u64 = 30_000;
const FILES: u64 = 20_000;
const HOSTS: u64 = 6_000;

/// An endless series of records in the order of their detection.
#[derive(Debug, Clone, Copy)]
pub struct Corpus {
    seed: u64,
    start: Timestamp,
    step_ms: u64,
    only: Option<Stream>,
}

impl Corpus {
    /// Records of all streams, `step_ms` milliseconds apart on average, from `start` on.
    pub fn new(seed: u64, start: Timestamp, step_ms: u64) -> Self {
        Self { seed, start, step_ms, only: None }
    }

    /// The same with records of one stream only.
    #[must_use]
    pub fn only(self, stream: Stream) -> Self {
        Self { only: Some(stream), ..self }
    }

    /// The record with this number, as the vendor would serve it.
    pub fn record(&self, number: u64) -> Bytes {
        let mut chance = Chance::new(&[self.seed, number]);
        let (service, event) = (chance.bits(), chance.bits());
        let stream = self.only.unwrap_or_else(|| Stream::at(service, event));
        // A few are reported minutes after their neighbours, as scans of stored files are.
        let late_ms = if chance.happens(4) { chance.below(600_000) } else { chance.below(20_000) };
        let detected_ms = self.start.as_millis() + signed(number * self.step_ms) - signed(late_ms);
        let mut record = Record {
            out: String::with_capacity(1_400),
            chance,
            stream,
            detected_ms: detected_ms.div_euclid(1_000) * 1_000,
        };
        record.write(self.seed, number);
        Bytes::from(record.out)
    }

    /// The records from one number to before another.
    pub fn records(self, numbers: std::ops::Range<u64>) -> impl Iterator<Item = Bytes> {
        numbers.map(move |number| self.record(number))
    }
}

/// A record in the making.
struct Record {
    out: String,
    chance: Chance,
    stream: Stream,
    detected_ms: i64,
}

impl Record {
    fn write(&mut self, seed: u64, number: u64) {
        self.out.push_str("{\"log_item_id\":\"");
        self.id(seed, number);
        self.out.push_str("\",\"service\":\"");
        self.out.push_str(self.stream.service());
        self.out.push_str("\",\"event\":\"");
        self.out.push_str(self.stream.event());
        let by_hand = self.chance.happens(10);
        let scan = if by_hand { "Manual scan" } else { "Real-time scan" };
        self.out.push_str("\",\"message\":{\"scan_type\":\"");
        self.out.push_str(scan);
        self.out.push('"');
        let user = self.person();
        self.text("affected_user", &user);
        self.location(&user);
        self.instant("detection_time", 0);
        self.verdict();
        match self.stream.family() {
            Family::Mail => self.mail(&user),
            Family::File => self.file(),
            Family::Other => {}
        }
        match self.stream.kind() {
            Kind::SecurityRisk => self.security_risk(),
            Kind::VirtualAnalyzer => self.virtual_analyzer(),
            Kind::Ransomware => self.named("ransomware_name", words::RANSOMWARE),
            Kind::Dlp => self.dlp(),
        }
        self.out.push_str("}}");
    }

    fn id(&mut self, seed: u64, number: u64) {
        let mut bits = Chance::new(&[seed, number, 0x1d]);
        let (high, low) = (bits.bits(), bits.bits());
        let parts =
            (high >> 32, (high >> 16) & 0xffff, high & 0xfff, low >> 48, low & 0xffff_ffff_ffff);
        let (time, middle, version, clock, node) = parts;
        self.push(format_args!("{time:08x}-{middle:04x}-4{version:03x}-{clock:04x}-{node:012x}"));
    }

    /// What was done, by which policy.
    fn verdict(&mut self) {
        if !self.chance.happens(5) {
            let policy = self.chance.favour(words::POLICIES);
            self.text("triggered_policy_name", policy);
        }
        let filter = match self.stream.kind() {
            Kind::SecurityRisk => self.chance.weigh(words::RISK_FILTERS),
            Kind::VirtualAnalyzer => "Virtual Analyzer",
            Kind::Ransomware => "Malware Scanning",
            Kind::Dlp => "Data Loss Prevention",
        };
        self.text("triggered_security_filter", filter);
        let action = self.chance.weigh(words::ACTIONS);
        self.text("action", action);
        let result = if self.chance.happens(96) { "success" } else { "failed" };
        self.text("action_result", result);
    }

    fn location(&mut self, user: &str) {
        match self.stream.family() {
            Family::Mail => {
                let folder = self.chance.favour(words::MAIL_FOLDERS);
                self.push(format_args!(",\"location\":\"{user}\\\\{folder}\""));
            }
            Family::File => {
                let place = self.chance.favour(words::PLACES);
                let place = self.filled(place, 400);
                self.text("location", &place);
            }
            Family::Other => self.text("location", ""),
        }
    }

    fn mail(&mut self, user: &str) {
        let (left, right) = (self.chance.bits(), self.chance.bits());
        self.push(format_args!(
            ",\"mail_message_id\":\"<{left:016x}.{:08x}@mx.tarn.example>\"",
            right >> 32
        ));
        let goes_out = self.chance.happens(12);
        let other = self.outsider();
        let (sender, first) =
            if goes_out { (user, other.as_str()) } else { (other.as_str(), user) };
        if !self.chance.happens(2) {
            self.text("mail_message_sender", sender);
        }
        self.recipients(first);
        let transit_ms = 1_000 * (1 + self.chance.below(90));
        self.instant("mail_message_submit_time", transit_ms + 1_000);
        self.instant("mail_message_delivery_time", transit_ms);
        let subject = self.chance.favour(words::SUBJECTS);
        let subject = self.filled(subject, 100_000);
        self.text("mail_message_subject", &subject);
        if self.chance.happens(40) || self.stream.kind() == Kind::VirtualAnalyzer {
            let name = file_name(self.chance.skewed(FILES));
            self.text("mail_message_file_name", &name);
        }
    }

    /// Mostly one, now and then a whole team; one in thirty as a bare text.
    fn recipients(&mut self, first: &str) {
        if self.chance.happens(3) {
            return self.text("mail_message_recipient", first);
        }
        let more = if self.chance.happens(20) { self.chance.below(6) } else { 0 };
        self.push(format_args!(",\"mail_message_recipient\":[\"{first}\""));
        for _ in 0..more {
            let person = self.person();
            self.push(format_args!(",\"{person}\""));
        }
        self.out.push(']');
    }

    fn file(&mut self) {
        let file = self.chance.skewed(FILES);
        self.text("file_name", &file_name(file));
        let age_ms = 1_000 * (1 + self.chance.skewed(90 * 24 * 3_600));
        self.instant("file_upload_time", age_ms);
        if self.stream.kind() == Kind::SecurityRisk && self.chance.happens(70) {
            self.hashes(file);
        }
    }

    fn security_risk(&mut self) {
        match self.chance.below(100) {
            0..35 => self.link(),
            35..60 => self.named("security_risk_name", words::MALWARE),
            _ => {
                let kind = self.chance.favour(words::SPAM_KINDS);
                self.text("security_risk_name", kind);
            }
        }
        let detector = self.chance.favour(words::DETECTORS);
        self.text("detected_by", detector);
        if !self.chance.happens(8) {
            let level = self.chance.weigh(words::RISK_LEVELS);
            self.text("risk_level", level);
        }
    }

    fn virtual_analyzer(&mut self) {
        self.named("virus_name", words::SANDBOXED);
        let level = self.chance.weigh(words::RISK_LEVELS);
        self.text("risk_level", level);
        let kind = self.chance.pick(&["File", "URL"]);
        self.text("detection_type", kind);
        let file = self.chance.skewed(FILES);
        self.hashes(file);
        let report = self.chance.bits();
        self.push(format_args!(
            ",\"va_report_link\":\"https://cas.example/v1/siem/security_events/va_analysis_report?report_id={report:016x}\""
        ));
    }

    /// The template as a text, or as a list of objects.
    fn dlp(&mut self) {
        let template = self.chance.favour(words::TEMPLATES);
        if self.chance.happens(60) {
            return self.text("triggered_dlp_template", template);
        }
        let hits = 1 + self.chance.skewed(200);
        self.push(format_args!(
            ",\"triggered_dlp_template\":[{{\"name\":\"{template}\",\"count\":{hits}}}]"
        ));
    }

    fn link(&mut self) {
        let host = self.chance.skewed(HOSTS);
        let page = self.chance.skewed(40_000);
        self.push(format_args!(
            ",\"security_risk_name\":\"https://{}/p/{page:x}?id=%E6%9D%B1&u={}\"",
            company(host),
            page % 97
        ));
    }

    /// A name of a family with a variant's letter.
    fn named(&mut self, field: &str, families: &[&str]) {
        let family = self.chance.favour(families);
        let letter = char::from(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[usize::try_from(self.chance.skewed(26)).unwrap_or(0)],
        );
        self.push(format_args!(",\"{field}\":\"{family}.{letter}\""));
    }

    /// The hashes of a file: the same for the same file.
    fn hashes(&mut self, file: u64) {
        let mut bits = Chance::new(&[file, 0xf11e]);
        for (field, words) in [("file_sha1", 5), ("file_sha256", 8)] {
            self.push(format_args!(",\"{field}\":\""));
            for _ in 0..words {
                let word = bits.bits() >> 32;
                self.push(format_args!("{word:08x}"));
            }
            self.out.push('"');
        }
    }

    fn person(&mut self) -> String {
        person(self.chance.skewed(PEOPLE))
    }

    fn outsider(&mut self) -> String {
        let number = self.chance.skewed(OUTSIDERS);
        let company = company(number % HOSTS);
        match number % 3 {
            0 => format!("{}@{company}", pick(words::BULK_BOXES, number / 3)),
            _ => format!("{}@{company}", name(number)),
        }
    }

    /// A text whose `#` became a number and whose `@` became a name.
    fn filled(&mut self, text: &str, numbers: u64) -> String {
        let number = self.chance.skewed(numbers);
        let person = name(self.chance.skewed(PEOPLE));
        text.replace('#', &number.to_string()).replace('@', &person)
    }

    fn instant(&mut self, field: &str, before_ms: u64) {
        let time = Timestamp::from_millis(self.detected_ms - signed(before_ms));
        self.text(field, &time.to_rfc3339_millis());
    }

    fn text(&mut self, field: &str, text: &str) {
        for part in [",\"", field, "\":\"", text, "\""] {
            self.out.push_str(part);
        }
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        let written = self.out.write_fmt(text);
        debug_assert!(written.is_ok(), "writing to a text cannot fail");
    }
}

fn person(number: u64) -> String {
    format!("{}@{}", name(number), pick(words::DIVISIONS, number % 7 % 5))
}

/// The name of a person in addresses: unique per number.
fn name(number: u64) -> String {
    let (first, last) = (words::FIRST_NAMES.len() as u64, words::LAST_NAMES.len() as u64);
    let names =
        format!("{}.{}", pick(words::FIRST_NAMES, number), pick(words::LAST_NAMES, number / first));
    match number / (first * last) {
        0 => names,
        namesake => format!("{names}{}", namesake + 1),
    }
}

fn company(number: u64) -> String {
    let brands = words::BRANDS.len() as u64;
    let trades = words::TRADES.len() as u64;
    let names = format!("{}-{}", pick(words::BRANDS, number), pick(words::TRADES, number / brands));
    match number / (brands * trades) {
        0 => format!("{names}.example"),
        branch => format!("{names}{branch}.example"),
    }
}

fn file_name(number: u64) -> String {
    let ending = pick(words::FILE_ENDINGS, number % 23);
    format!(
        "{}_{}.{ending}",
        pick(words::FILE_STEMS, number),
        number / words::FILE_STEMS.len() as u64
    )
}

fn pick(choices: &[&'static str], number: u64) -> &'static str {
    choices[usize::try_from(number % choices.len() as u64).unwrap_or(0)]
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_772_438_400_000);

    fn corpus() -> Corpus {
        Corpus::new(7, START, 250)
    }

    fn read(raw: &Bytes) -> Value {
        serde_json::from_slice(raw).unwrap()
    }

    #[test]
    fn the_same_seed_makes_the_same_bytes_and_another_seed_does_not() {
        let made: Vec<Bytes> = corpus().records(0..500).collect();
        assert_eq!(made, corpus().records(0..500).collect::<Vec<_>>());
        assert_eq!(made[499], corpus().record(499));
        assert_ne!(made[0], Corpus::new(8, START, 250).record(0));
    }

    #[test]
    fn the_bytes_of_a_seed_never_change() {
        let digest = corpus().records(0..2_000).fold(0_u64, |digest, raw| {
            raw.iter().fold(digest, |digest, byte| {
                (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            })
        });
        assert_eq!(
            digest, 10_179_356_007_559_223_694,
            "figures of different versions compare only over the same records"
        );
    }

    #[test]
    fn every_stream_occurs_and_every_id_once() {
        let records: Vec<Value> = corpus().records(0..30_000).map(|raw| read(&raw)).collect();
        let text = |record: &Value, field: &str| record[field].as_str().unwrap().to_owned();
        let streams: HashSet<(String, String)> =
            records.iter().map(|record| (text(record, "service"), text(record, "event"))).collect();
        assert_eq!(streams.len(), 48);
        let ids: HashSet<String> =
            records.iter().map(|record| text(record, "log_item_id")).collect();
        assert_eq!(ids.len(), records.len());
    }

    #[test]
    fn words_are_as_many_as_in_a_company() {
        let records: Vec<Value> = corpus().records(0..30_000).map(|raw| read(&raw)).collect();
        let count = |field: &str| {
            let texts = records.iter().filter_map(|record| record["message"][field].as_str());
            texts.collect::<HashSet<_>>().len()
        };
        assert!((2_500..=4_000).contains(&count("affected_user")), "{}", count("affected_user"));
        assert!(count("mail_message_sender") > 6_000, "{}", count("mail_message_sender"));
        assert!(count("mail_message_subject") > 6_000, "{}", count("mail_message_subject"));
        assert!((9..=12).contains(&count("triggered_policy_name")));
    }

    #[test]
    fn times_follow_the_step_and_sizes_are_those_of_real_records() {
        let time = |number| {
            let record = read(&corpus().record(number));
            Timestamp::parse(record["message"]["detection_time"].as_str().unwrap()).unwrap()
        };
        let day = (0..345_600).step_by(1_000).map(time);
        assert!(day.clone().all(|time| time > START - std::time::Duration::from_secs(601)));
        assert!(day.max().unwrap() > START + std::time::Duration::from_secs(23 * 3_600));
        let bytes: usize = corpus().records(0..2_000).map(|raw| raw.len()).sum();
        assert!((500..1_200).contains(&(bytes / 2_000)), "{}", bytes / 2_000);
    }

    #[test]
    fn one_stream_alone_can_be_made() {
        let only = corpus().only(Stream::MAIL_RISKS);
        assert!(only.records(0..200).map(|raw| read(&raw)).all(|record| {
            record["service"] == "Exchange" && record["event"] == "security_risk_scan"
        }));
    }
}
