//! The mails that investigation finds: the known ones, and drawn ones of the 90 days before the start.
//!
//! A mail is one message in one mailbox; a message that went to several mailboxes is several mails. The same seed
//! and start make the same mails.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::draw::{Draw, push_hex};
use crate::times::{DAY_MS, HOUR_MS, format_instant};

use super::action::{Service, Target};
use super::mail_table::{KNOWN, Known};
use super::vocabulary::{BAD_HOSTS, FILES, SENDERS, SUBJECTS, USERS};

/// How long mails are kept, in days.
pub(super) const KEPT_DAYS: i64 = 90;
/// The coordinate of chance that belongs to mails.
const MAILS: u64 = 0x3a11;
/// How far a delivery time of a request may be from the mail's, in milliseconds.
const TIME_TOLERANCE_MS: i64 = 1_000;

#[derive(Debug)]
pub(super) struct Attachment {
    pub(super) name: String,
    pub(super) sha1: String,
    pub(super) sha256: String,
}

/// What all mails of one message share.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) service: Service,
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    pub(super) subject: String,
    pub(super) delivery_ms: i64,
    pub(super) urls: Vec<String>,
    pub(super) attachments: Vec<Attachment>,
    pub(super) source_ip: IpAddr,
    pub(super) source_domain: String,
    /// Whether the record has the members that the vendor added later.
    is_new: bool,
}

/// A message in a mailbox.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) message: Arc<Message>,
    pub(super) mailbox: String,
    pub(super) unique_id: String,
}

/// All mails, in ascending order of delivery time and unique id.
#[derive(Debug, Default)]
pub(super) struct Mails(Vec<Mail>);

impl Mails {
    /// The mails of the first `messages` messages; the known ones are the first of all.
    pub(super) fn new(seed: u64, start_ms: i64, messages: u64) -> Self {
        let mut mails = Vec::new();
        for number in 0..messages {
            let known = usize::try_from(number).ok().and_then(|place| KNOWN.get(place));
            let message = match known {
                Some(known) => Message::known(number, known, start_ms),
                None => Message::drawn(number, seed, start_ms),
            };
            let message = Arc::new(message);
            let in_mailbox = |(place, mailbox): (usize, &String)| Mail {
                message: Arc::clone(&message),
                mailbox: mailbox.clone(),
                unique_id: format!("AAMkSIM{number:05}-{place}="),
            };
            mails.extend(message.recipients.iter().enumerate().map(in_mailbox));
        }
        mails.sort_by(|left, right| left.place().cmp(&right.place()));
        Self(mails)
    }

    /// The mails delivered in a stretch of time, both ends included, oldest first.
    pub(super) fn between(&self, start_ms: i64, end_ms: i64) -> &[Mail] {
        let from = self.0.partition_point(|mail| mail.message.delivery_ms < start_ms);
        let to = self.0.partition_point(|mail| mail.message.delivery_ms <= end_ms);
        self.0.get(from..to).unwrap_or_default()
    }

    /// The mail that an action is for: everything that the target tells must be true of it.
    pub(super) fn find(&self, service: Service, target: &Target) -> Option<&Mail> {
        let Target::Mail { mailbox, message_id, unique_id, delivery_ms } = target else {
            return None;
        };
        let is_meant = |mail: &&Mail| {
            let message = &mail.message;
            message.service == service
                && mail.mailbox.eq_ignore_ascii_case(mailbox)
                && unique_id.as_ref().is_none_or(|id| *id == mail.unique_id)
                && message_id.as_ref().is_none_or(|id| *id == message.id)
                && delivery_ms.abs_diff(message.delivery_ms) <= TIME_TOLERANCE_MS.unsigned_abs()
        };
        self.0.iter().find(is_meant)
    }
}

impl Mail {
    /// Its place in the order of paging.
    pub(super) fn place(&self) -> (i64, &str) {
        (self.message.delivery_ms, &self.unique_id)
    }

    /// The record of an answer.
    pub(super) fn record(&self) -> Value {
        let message = &self.message;
        let attachment = |file: &Attachment| {
            let mut shown = json!({ "file_name": file.name, "file_sha1": file.sha1 });
            if message.is_new {
                shown["file_sha256"] = Value::from(file.sha256.as_str());
            }
            shown
        };
        let mut record = json!({
            "mailbox": self.mailbox,
            "mail_unique_id": self.unique_id,
            "mail_message_id": message.id,
            "mail_message_sender": message.sender,
            "mail_message_recipient": message.recipients,
            "mail_message_subject": message.subject,
            "mail_message_delivery_time": format_instant(message.delivery_ms),
            "mail_urls": message.urls,
            "mail_attachments": message.attachments.iter().map(attachment).collect::<Vec<_>>(),
            "mail_internet_headers": [
                { "HeaderName": "Return-Path", "Value": format!("<{}>", message.sender) },
                { "HeaderName": "Received",
                  "Value": format!("from {} ([{}])\r\n by mx.tarn.example", message.source_domain, message.source_ip) },
            ],
            "source_ip": message.source_ip,
            "source_domain": message.source_domain,
        });
        if message.is_new {
            record["org_id"] = Value::from("sim-org-1");
            record["service"] = Value::from(message.service.name());
        }
        record
    }
}

impl Message {
    fn known(number: u64, known: &Known, start_ms: i64) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let attachment = |(name, digits): (&&str, u64)| Attachment {
            name: (*name).to_owned(),
            sha1: format!("{digits:02}").repeat(20),
            sha256: format!("{digits:02}").repeat(32),
        };
        Self {
            id: message_id(number),
            service: known.service,
            sender: known.sender.to_owned(),
            recipients: owned(known.mailboxes),
            subject: known.subject.to_owned(),
            delivery_ms: whole_seconds(start_ms) - known.hours_ago * HOUR_MS,
            urls: owned(known.urls),
            attachments: known.files.iter().zip(10 + number..).map(attachment).collect(),
            source_ip: known.source_ip.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            source_domain: known.source_domain.to_owned(),
            is_new: true,
        }
    }

    fn drawn(number: u64, seed: u64, start_ms: i64) -> Self {
        let mut draw = Draw::new(&[seed, MAILS, number]);
        let age_ms = i64::try_from(draw.below((KEPT_DAYS * DAY_MS).unsigned_abs())).unwrap_or(0);
        let service = if draw.chance(30) { Service::Gmail } else { Service::Exchange };
        let mut recipients = vec![draw.pick(USERS).to_owned()];
        while draw.chance(15) && recipients.len() < 3 {
            let another = draw.pick(USERS).to_owned();
            if !recipients.contains(&another) {
                recipients.push(another);
            }
        }
        let sender = Some(plain(draw.pick(SENDERS))).filter(|sender| !sender.is_empty());
        let sender = sender.unwrap_or_else(|| "mailer-daemon@lists.example".to_owned());
        let urls = match draw.chance(30) {
            true => vec![format!("https://{}/{:x}", draw.pick(BAD_HOSTS), draw.below(1 << 24))],
            false => Vec::new(),
        };
        let attachments = match draw.chance(35) {
            true => vec![Attachment::drawn(&mut draw)],
            false => Vec::new(),
        };
        let octet = |value: u64| u8::try_from(value).unwrap_or(0);
        Self {
            id: message_id(number),
            service,
            source_domain: sender.split('@').next_back().unwrap_or_default().to_owned(),
            sender,
            recipients,
            subject: plain(draw.pick(SUBJECTS)),
            delivery_ms: whole_seconds(start_ms - age_ms),
            urls,
            attachments,
            source_ip: IpAddr::V4(Ipv4Addr::new(198, 51, 100, octet(draw.below(256)))),
            is_new: number % 5 != 4,
        }
    }
}

impl Attachment {
    fn drawn(draw: &mut Draw) -> Self {
        let mut hash = |words: u32| {
            let mut text = String::new();
            (0..words).for_each(|_| push_hex(&mut text, draw.bits(), 8));
            text
        };
        let (sha1, sha256) = (hash(5), hash(8));
        Self { name: plain(draw.pick(FILES)), sha1, sha256 }
    }
}

fn message_id(number: u64) -> String {
    format!("<sim-mail-{number}@mail.sender.example>")
}

fn whole_seconds(epoch_ms: i64) -> i64 {
    epoch_ms - epoch_ms.rem_euclid(1_000)
}

/// A text of the vocabulary, whose texts are escaped as in JSON.
fn plain(escaped: &str) -> String {
    serde_json::from_str(&format!("\"{escaped}\"")).unwrap_or_else(|_| escaped.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const START_MS: i64 = 1_772_438_400_123;

    fn records(seed: u64, messages: u64) -> Vec<String> {
        Mails::new(seed, START_MS, messages)
            .0
            .iter()
            .map(|mail| mail.record().to_string())
            .collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_mails_and_more_of_them_keep_the_first() {
        assert_eq!(records(1, 400), records(1, 400));
        assert_ne!(records(1, 400), records(2, 400));
        let more: BTreeSet<_> = records(1, 500).into_iter().collect();
        assert!(records(1, 400).iter().all(|record| more.contains(record)));
    }

    #[test]
    fn mails_are_in_order_within_90_days_of_both_services_and_some_in_several_mailboxes() {
        let mails = Mails::new(7, START_MS, 400).0;
        assert!(mails.is_sorted_by(|left, right| left.place() < right.place()));
        let oldest_ms = START_MS - KEPT_DAYS * DAY_MS;
        assert!(mails.iter().all(|mail| mail.message.delivery_ms >= oldest_ms - 1_000));
        assert!(mails.len() > 430, "{}", mails.len());
        let gmail = mails.iter().filter(|mail| mail.message.service == Service::Gmail).count();
        assert!((60..240).contains(&gmail), "{gmail}");
        let ids: BTreeSet<_> = mails.iter().map(|mail| &mail.unique_id).collect();
        assert_eq!(ids.len(), mails.len());
    }

    #[test]
    fn known_addresses_parse() {
        let mails = Mails::new(1, START_MS, 10).0;
        assert!(mails.iter().all(|mail| !mail.message.source_ip.is_unspecified()));
    }
}
