//! What a message is about: who wrote to whom, from where, with which subject and attachment.
//!
//! Names end in `.example`, addresses are from the documentation ranges.

use crate::draw::{Draw, mix};

const OUTSIDERS: [&str; 8] = [
    "billing@supplier.example",
    "deal@promo.example",
    "noreply@courier.example",
    "ceo.corp@freemail.example",
    "it-support@bad.example",
    "mika@partner.example",
    "news@journal.example",
    "山田@取引先.example",
];
const INSIDERS: [&str; 8] = [
    "ap@corp.example",
    "cfo@corp.example",
    "ceo@corp.example",
    "kim@corp.example",
    "sam@corp.example",
    "hr@corp.example",
    "it@corp.example",
    "o'neil@corp.example",
];
const SUBJECTS: [&str; 10] = [
    "Invoice 4411",
    "Urgent wire",
    "Password expiry",
    "Your parcel is waiting",
    "Re: PO 2231",
    "Fwd: minutes of the meeting",
    "Scan copy",
    "請求書のご確認",
    "Réunion d'équipe",
    "Voice message \"3:12\" received",
];
const FILES: [(&str, &str, &str); 6] = [
    ("po.pdf", "pdf", "application/pdf"),
    ("scan.doc", "doc", "application/msword"),
    ("Invoice, final.xlsm", "xlsm", "application/vnd.ms-excel.sheet.macroenabled.12"),
    ("請求書.zip", "zip", "application/zip"),
    ("photo.jpg", "jpg", "image/jpeg"),
    ("setup.exe", "exe", "application/x-msdownload"),
];
/// The vendor's own notifications share these two ids.
const POSTMASTER: &str = "postmaster@corp.example";
const POSTMASTER_AGGREGATE: &str = "nOtIfIcAtIoNsFrOmUsAaA";
const POSTMASTER_PROCESSING: &str = "nOtIfIcAtIoNsFrOmUsAaA_1700000000";

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Inbound,
    Outbound,
    Internal,
}

/// An attachment.
#[derive(Debug, Clone)]
pub(super) struct Attachment {
    pub(super) name: &'static str,
    pub(super) extension: &'static str,
    pub(super) mime: &'static str,
    pub(super) size: u64,
    pub(super) md5: String,
    pub(super) sha1: String,
    pub(super) sha256: String,
}

/// A message and what its records share.
#[derive(Debug, Clone)]
pub(super) struct Story {
    pub(super) aggregate_id: String,
    pub(super) processing_id: String,
    pub(super) message_id: String,
    pub(super) direction: Direction,
    pub(super) sender: &'static str,
    pub(super) recipient: &'static str,
    pub(super) subject: &'static str,
    pub(super) sender_ip: String,
    pub(super) size: u64,
    pub(super) attachment: Attachment,
    /// Chance for what a record adds.
    pub(super) draw: Draw,
}

impl Story {
    /// The message of these coordinates; `stage` tells its records apart. `postmaster` is the percentage of the
    /// vendor's own messages.
    pub(super) fn new(coordinates: [u64; 3], stage: u64, postmaster: u64) -> Self {
        let mut draw = Draw::new(&coordinates);
        let direction = match draw.below(10) {
            0..=6 => Direction::Inbound,
            7 | 8 => Direction::Outbound,
            _ => Direction::Internal,
        };
        let (sender, recipient) = match direction {
            Direction::Inbound => (draw.pick(&OUTSIDERS), draw.pick(&INSIDERS)),
            Direction::Outbound => (draw.pick(&INSIDERS), draw.pick(&OUTSIDERS)),
            Direction::Internal => (draw.pick(&INSIDERS), draw.pick(&INSIDERS)),
        };
        let bits = draw.bits();
        let seconds = 1_700_000_000 + bits % 90_000_000;
        let mut story = Self {
            aggregate_id: format!("{}_{seconds}", word(bits, 22)),
            processing_id: format!("{}_{seconds}", word(mix(&[bits, stage]), 43)),
            message_id: format!("<{:x}.{:x}@{}>", bits >> 20, seconds, domain(sender)),
            direction,
            sender,
            recipient,
            subject: draw.pick(&SUBJECTS),
            sender_ip: address(draw.bits()),
            size: 900 + draw.below(400_000),
            attachment: attachment(&mut draw),
            draw: Draw::new(&[coordinates[0], coordinates[1], coordinates[2], stage, 0xd4]),
        };
        if draw.chance(postmaster) {
            story.sender = POSTMASTER;
            story.direction = Direction::Internal;
            POSTMASTER_AGGREGATE.clone_into(&mut story.aggregate_id);
            POSTMASTER_PROCESSING.clone_into(&mut story.processing_id);
        }
        story
    }

    /// The domain of the sender.
    pub(super) fn sender_domain(&self) -> &'static str {
        domain(self.sender)
    }
}

fn attachment(draw: &mut Draw) -> Attachment {
    let (name, extension, mime) = draw.pick(&FILES);
    let size = 200 + draw.below(300_000);
    Attachment {
        name,
        extension,
        mime,
        size,
        md5: hex(draw.bits(), 32),
        sha1: hex(draw.bits(), 40),
        sha256: hex(draw.bits(), 64),
    }
}

fn domain(address: &'static str) -> &'static str {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain)
}

/// An address out of the documentation ranges, now and then of version 6.
fn address(bits: u64) -> String {
    let last = bits >> 8 & 0xff;
    match bits % 7 {
        0 => format!("2001:db8::{last:x}"),
        1..=3 => format!("198.51.100.{last}"),
        _ => format!("203.0.113.{last}"),
    }
}

/// `digits` hexadecimal digits.
pub(super) fn hex(bits: u64, digits: u32) -> String {
    let mut out = String::with_capacity(64);
    for place in (0..digits).step_by(16) {
        crate::draw::push_hex(&mut out, mix(&[bits, u64::from(place)]), 16.min(digits - place));
    }
    out
}

/// A word of letters, digits, `-` and `_`, as the vendor's ids are.
fn word(bits: u64, length: u64) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let letter = |place| {
        let index = usize::try_from(mix(&[bits, place]) % 64).unwrap_or(0);
        char::from(LETTERS[index])
    };
    (0..length).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stages_of_a_message_share_it_and_differ_in_their_processing() {
        let (one, two) = (Story::new([1, 2, 3], 0, 0), Story::new([1, 2, 3], 1, 0));
        assert_eq!((&one.aggregate_id, one.subject), (&two.aggregate_id, two.subject));
        assert_ne!(one.processing_id, two.processing_id);
        assert_ne!(one.message_id, Story::new([1, 2, 4], 0, 0).message_id);
        assert_eq!(one.attachment.sha256.len(), 64);
    }

    #[test]
    fn the_vendors_own_messages_share_their_ids_but_not_the_message_id() {
        let (one, two) = (Story::new([1, 2, 3], 0, 100), Story::new([1, 2, 4], 0, 100));
        assert_eq!(one.aggregate_id, two.aggregate_id);
        assert_eq!(one.processing_id, two.processing_id);
        assert_ne!(one.message_id, two.message_id);
    }
}
