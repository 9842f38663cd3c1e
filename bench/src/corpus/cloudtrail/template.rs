//! Fills the blanks of a template: `<role>` becomes the name of a role, drawn as unevenly as it is used.

use std::fmt::Write as _;

use model::time::Timestamp;

use super::super::chance::Chance;

/// Where and when a record belongs.
pub(super) struct Places {
    pub(super) account: u64,
    pub(super) region: &'static str,
    /// Of the event, since 1970.
    pub(super) seconds: i64,
}

impl Places {
    /// The time of the event.
    pub(super) fn time(&self) -> String {
        time(self.seconds)
    }
}

/// A time as CloudTrail writes it.
pub(super) fn time(seconds: i64) -> String {
    let text = Timestamp::from_millis(seconds * 1_000).to_chrono();
    text.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Appends a template with its blanks filled.
pub(super) fn fill(template: &str, chance: &mut Chance, places: &Places, out: &mut String) {
    let mut rest = template;
    while let Some((text, blank)) = rest.split_once('<') {
        out.push_str(text);
        let (name, after) = blank.split_once('>').unwrap_or((blank, ""));
        put(name, chance, places, out);
        rest = after;
    }
    out.push_str(rest);
}

fn put(name: &str, chance: &mut Chance, places: &Places, out: &mut String) {
    let number = |chance: &mut Chance, bound| chance.skewed(bound);
    let written = match name {
        "account" => write!(out, "{:012}", places.account),
        "region" => write!(out, "{}", places.region),
        "role" => write!(out, "{}", role(number(chance, 160))),
        "user" => write!(out, "{}", person(number(chance, 300))),
        "session" => write!(out, "{}", session(number(chance, 9_000))),
        "bucket" => write!(out, "example-{}-{:02}", word(number(chance, 16)), number(chance, 20)),
        "key" => write!(
            out,
            "{}/{:04}/{:02}/part-{:05}.parquet",
            word(number(chance, 16)),
            2024 + chance.below(3),
            1 + chance.below(12),
            number(chance, 90_000)
        ),
        "word" => write!(out, "{}", word(number(chance, 16))),
        "function" => write!(out, "{}-{}", word(number(chance, 16)), word(number(chance, 16))),
        "instance" => hashed("i-0", number(chance, 1_500), 16, out),
        "volume" => hashed("vol-0", number(chance, 2_500), 16, out),
        "interface" => hashed("eni-0", number(chance, 2_500), 16, out),
        "group" => hashed("sg-0", number(chance, 300), 16, out),
        "vpc" => hashed("vpc-0", number(chance, 20), 16, out),
        "kms" => {
            let mut bits = Chance::new(&[number(chance, 120), 0xeea]);
            uuid(bits.bits(), bits.bits(), out);
            Ok(())
        }
        "uuid" => {
            uuid(chance.bits(), chance.bits(), out);
            Ok(())
        }
        "hex" => write!(out, "{:016x}", chance.bits()),
        "number" => write!(out, "{}", number(chance, 10_000)),
        "port" => write!(out, "{}", chance.favour(&[443, 22, 5432, 3306, 8080, 6379])),
        "access_key" => write!(out, "ASIA{}", upper(chance.bits(), 16)),
        "time" => write!(out, "{}", places.time()),
        "hour_later" => write!(out, "{}", time(places.seconds + 3_600)),
        "token" => {
            token(chance, 320, out);
            Ok(())
        }
        "id2" => {
            token(chance, 80, out);
            Ok(())
        }
        other => unreachable!("a template with the blank `{other}`"),
    };
    debug_assert!(written.is_ok(), "writing to a text cannot fail");
}

/// A name whose digits belong to its number.
fn hashed(prefix: &str, number: u64, digits: usize, out: &mut String) -> std::fmt::Result {
    let bits = Chance::new(&[number, 0x4a5]).bits();
    write!(out, "{prefix}{bits:0digits$x}")
}

/// A UUID of these bits.
pub(super) fn uuid(high: u64, low: u64, out: &mut String) {
    let written = write!(
        out,
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 50),
        low & 0xffff_ffff_ffff
    );
    debug_assert!(written.is_ok(), "writing to a text cannot fail");
}

/// Capital letters and digits.
pub(super) fn upper(mut bits: u64, length: usize) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letters = (0..length).map(|_| {
        let letter = LETTERS[usize::try_from(bits & 31).unwrap_or(0)];
        bits = bits.rotate_right(5).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        char::from(letter)
    });
    letters.collect()
}

/// Text that no compression shortens much, as session tokens are.
fn token(chance: &mut Chance, length: usize, out: &mut String) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for _ in 0..length / 10 {
        let mut bits = chance.bits();
        for _ in 0..10 {
            out.push(char::from(LETTERS[usize::try_from(bits & 63).unwrap_or(0)]));
            bits >>= 6;
        }
    }
}

/// The name of a role.
pub(super) fn role(number: u64) -> String {
    const KINDS: [&str; 10] = [
        "NodeInstanceRole",
        "TaskExecutionRole",
        "LambdaRole",
        "DeployRole",
        "ReadOnly",
        "BackupRole",
        "AuditRole",
        "PipelineRole",
        "ReplicationRole",
        "OperatorRole",
    ];
    let kind = KINDS[usize::try_from(number % 10).unwrap_or(0)];
    format!("{}-{kind}-{:02}", word(number / 10), number % 7)
}

/// The name of somebody.
pub(super) fn person(number: u64) -> String {
    const FIRST: [&str; 20] = [
        "aiko", "ben", "carla", "dmitri", "elena", "farid", "grace", "hugo", "ines", "jonas",
        "keiko", "lars", "maria", "nadia", "omar", "petra", "quinn", "rosa", "sven", "tara",
    ];
    const LAST: [&str; 15] = [
        "abe", "berg", "costa", "diaz", "eriksen", "fischer", "garcia", "haas", "ito", "jansen",
        "kimura", "lopez", "meyer", "novak", "olsen",
    ];
    let pick = |names: &[&'static str], place: u64| names[usize::try_from(place).unwrap_or(0)];
    format!("{}.{}", pick(&FIRST, number % 20), pick(&LAST, (number / 20) % 15))
}

/// The name of a session of a role.
pub(super) fn session(number: u64) -> String {
    match number % 4 {
        0 => format!("i-0{:016x}", Chance::new(&[number, 0x4a5]).bits()),
        1 => format!("{}-{:06x}", word(number / 4), number),
        2 => format!("botocore-session-17724{number:05}"),
        _ => format!("aws-sdk-java-17724{number:05}123"),
    }
}

/// A word of the company's systems.
pub(super) fn word(number: u64) -> &'static str {
    const WORDS: [&str; 16] = [
        "billing",
        "orders",
        "search",
        "payments",
        "catalogue",
        "shipping",
        "reports",
        "metrics",
        "ledger",
        "identity",
        "frontend",
        "archive",
        "mailer",
        "pricing",
        "stock",
        "gateway",
    ];
    WORDS[usize::try_from(number % 16).unwrap_or(0)]
}
