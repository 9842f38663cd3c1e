//! CloudTrail as a company with a dozen accounts has it, made from a seed.
//!
//! A record is a pure function of seed and number, so any machine makes the same corpus. Five thousand
//! numbers in a row are one object: of one account and region, over some minutes, in no order. Which
//! calls are made how often by whom stands in `calls`; the shapes of people, roles and services in
//! `identity`; `objects` writes the objects as a trail does.

mod calls;
mod identity;
mod objects;
mod template;

use std::fmt::Write as _;

use bytes::Bytes;
use model::time::Timestamp;

use super::chance::Chance;
use calls::{CALLS, Call, Caller};
use template::Places;

pub use objects::{ObjectKey, Written, write};

/// Records of one object.
pub const OBJECT_RECORDS: u64 = 5_000;

/// Accounts, the busiest first.
const ACCOUNTS: u64 = 12;
/// Regions, the busiest first.
const REGIONS: [&str; 6] =
    ["us-east-1", "eu-central-1", "eu-west-1", "us-west-2", "ap-northeast-1", "ap-southeast-2"];
/// What calls failed with, the most frequent first.
const ERRORS: [(&str, &str); 6] = [
    (
        "AccessDenied",
        "User is not authorized to perform this action because no identity-based policy allows it",
    ),
    ("Client.UnauthorizedOperation", "You are not authorized to perform this operation."),
    ("ThrottlingException", "Rate exceeded"),
    ("ResourceNotFoundException", "Requested resource not found"),
    ("NoSuchEntityException", "The entity cannot be found."),
    ("ValidationException", "1 validation error detected"),
];

/// An endless series of records, roughly in the order of their delivery.
#[derive(Debug, Clone, Copy)]
pub struct Trail {
    seed: u64,
    start: Timestamp,
    step_ms: u64,
}

impl Trail {
    /// Records `step_ms` milliseconds apart on average, from `start` on.
    pub fn new(seed: u64, start: Timestamp, step_ms: u64) -> Self {
        Self { seed, start, step_ms }
    }

    /// The record with this number, as it stands in its object.
    pub fn record(&self, number: u64) -> Bytes {
        let mut out = String::with_capacity(2_400);
        self.write(number, &mut out);
        Bytes::from(out)
    }

    /// Appends the record with this number to a text.
    pub fn write(&self, number: u64, out: &mut String) {
        let object = self.object(number / OBJECT_RECORDS);
        let mut chance = Chance::new(&[self.seed, number, 0xc7]);
        let call = chance.weigh(CALLS);
        let late_ms = if chance.happens(3) { chance.below(600_000) } else { 0 };
        let within_ms = chance.below(OBJECT_RECORDS * self.step_ms);
        let seconds = (object.start_ms + signed(within_ms) - signed(late_ms)).div_euclid(1_000);
        let places = Places { account: object.account, region: object.region, seconds };
        Record { out, chance, call, places }.write(self.seed, number);
    }

    /// What all records of an object have in common.
    fn object(&self, number: u64) -> Object {
        let mut chance = Chance::new(&[self.seed, number, 0x0b1ec7]);
        Object {
            account: account(chance.skewed(ACCOUNTS)),
            region: chance.favour(&REGIONS),
            start_ms: self.start.as_millis() + signed(number * OBJECT_RECORDS * self.step_ms),
        }
    }
}

/// What the records of one object have in common.
struct Object {
    account: u64,
    region: &'static str,
    start_ms: i64,
}

/// A record in the making.
struct Record<'o> {
    out: &'o mut String,
    chance: Chance,
    call: &'static Call,
    places: Places,
}

impl Record<'_> {
    fn write(&mut self, seed: u64, number: u64) {
        let call = self.call;
        let caller = identity::caller(call.caller, &mut self.chance);
        let failed = self.chance.below(1_000) < call.failures_per_mille;
        self.out.push_str("{\"eventVersion\":\"1.11\",\"userIdentity\":");
        identity::write(&caller, &mut self.chance, &self.places, self.out);
        let (time, region) = (self.places.time(), self.places.region);
        self.push(format_args!(
            ",\"eventTime\":\"{time}\",\"eventSource\":\"{}.amazonaws.com\",\"eventName\":\"{}\",\"awsRegion\":\"{}\"",
            call.service, call.name, region
        ));
        identity::write_origin(&caller, &mut self.chance, self.out);
        if failed {
            let (code, message) = self.chance.favour(&ERRORS);
            self.push(format_args!(",\"errorCode\":\"{code}\",\"errorMessage\":\"{message}\""));
        }
        self.fill(",\"requestParameters\":", call.request);
        let response =
            if failed && call.caller != Caller::Console { "null" } else { call.response };
        self.fill(",\"responseElements\":", response);
        self.fill("", call.additional);
        let (high, low) = (self.chance.bits(), self.chance.bits());
        self.id(",\"requestID\":\"", high, low);
        let mut bits = Chance::new(&[seed, number, 0x1d]);
        self.id(",\"eventID\":\"", bits.bits(), bits.bits());
        self.push(format_args!(",\"readOnly\":{}", call.is_read_only));
        self.fill(",\"resources\":", call.resources);
        self.end(&caller);
    }

    fn end(&mut self, caller: &identity::Identity) {
        let call = self.call;
        let category = if call.is_data { "Data" } else { "Management" };
        let kind = if call.caller == Caller::Console { "AwsConsoleSignIn" } else { "AwsApiCall" };
        let (account, region) = (self.places.account, self.places.region);
        self.push(format_args!(
            ",\"eventType\":\"{kind}\",\"managementEvent\":{},\"recipientAccountId\":\"{:012}\"",
            !call.is_data, account
        ));
        if matches!(caller, identity::Identity::Service(_)) {
            let (high, low) = (self.chance.bits(), self.chance.bits());
            self.id(",\"sharedEventID\":\"", high, low);
        }
        self.push(format_args!(",\"eventCategory\":\"{category}\""));
        if caller.speaks_tls() {
            let cipher =
                self.chance.favour(&["TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"]);
            let version = if cipher.starts_with("TLS_") { "TLSv1.3" } else { "TLSv1.2" };
            self.push(format_args!(
                ",\"tlsDetails\":{{\"tlsVersion\":\"{version}\",\"cipherSuite\":\"{cipher}\",\
                 \"clientProvidedHostHeader\":\"{}.{}.amazonaws.com\"}}",
                call.service, region
            ));
        }
        if caller.is_in_console() && !call.is_data {
            self.out.push_str(",\"sessionCredentialFromConsole\":\"true\"");
        }
        self.out.push('}');
    }

    /// Appends a field whose template is not empty.
    fn fill(&mut self, field: &str, template: &str) {
        if !template.is_empty() {
            self.out.push_str(field);
            template::fill(template, &mut self.chance, &self.places, self.out);
        }
    }

    fn id(&mut self, before: &str, high: u64, low: u64) {
        self.out.push_str(before);
        template::uuid(high, low, self.out);
        self.out.push('"');
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        let written = self.out.write_fmt(text);
        debug_assert!(written.is_ok(), "writing to a text cannot fail");
    }
}

/// The number of an account, twelve digits.
fn account(number: u64) -> u64 {
    111_122_223_333 + number * 11_111_111_111
}

fn signed(milliseconds: u64) -> i64 {
    i64::try_from(milliseconds).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde_json::Value;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_772_438_400_000);

    fn trail() -> Trail {
        Trail::new(7, START, 86)
    }

    fn records(numbers: impl Iterator<Item = u64>) -> Vec<Value> {
        numbers.map(|number| serde_json::from_slice(&trail().record(number)).unwrap()).collect()
    }

    #[test]
    fn the_bytes_of_a_seed_never_change() {
        let digest = (0..2_000).fold(0_u64, |digest, number| {
            trail().record(number * 7).iter().fold(digest, |digest, byte| {
                (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            })
        });
        assert_eq!(
            digest, 14_123_197_493_653_409_885,
            "figures of different versions compare only over the same records"
        );
        assert_ne!(trail().record(0), Trail::new(8, START, 86).record(0));
    }

    #[test]
    fn records_are_as_long_as_real_ones_and_every_id_occurs_once() {
        let records = records((0..20_000).map(|number| number * 3));
        let ids: HashSet<&str> =
            records.iter().map(|record| record["eventID"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), records.len());
        let bytes: usize = (0..5_000).map(|number| trail().record(number * 11).len()).sum();
        assert!((1_350..1_650).contains(&(bytes / 5_000)), "{}", bytes / 5_000);
    }

    #[test]
    fn words_are_as_many_as_in_a_company() {
        let records = records((0..40_000).map(|number| number * 25));
        let count = |place: &str| {
            records
                .iter()
                .filter_map(|record| record.pointer(place)?.as_str())
                .collect::<HashSet<_>>()
                .len()
        };
        assert!(
            (8..=12).contains(&count("/recipientAccountId")),
            "{}",
            count("/recipientAccountId")
        );
        assert!(count("/eventName") > 60, "{}", count("/eventName"));
        assert!(count("/eventSource") > 20, "{}", count("/eventSource"));
        assert!(count("/userIdentity/arn") > 3_000, "{}", count("/userIdentity/arn"));
        assert!(count("/sourceIPAddress") > 3_000, "{}", count("/sourceIPAddress"));
        assert!((50..2_000).contains(&count("/userAgent")), "{}", count("/userAgent"));
    }

    #[test]
    fn calls_are_as_frequent_as_they_should_be() {
        let mut names: HashMap<String, u32> = HashMap::new();
        for record in records((0..20_000).map(|number| number * 13)) {
            *names.entry(record["eventName"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        assert!((2_000..5_000).contains(&names["AssumeRole"]), "{}", names["AssumeRole"]);
        assert!(names["ConsoleLogin"] < 200 && names.contains_key("CreateUser"));
    }

    #[test]
    fn an_object_is_of_one_account_and_region_and_its_minutes() {
        let object = records(5_000..10_000);
        let of = |field: &str| {
            object
                .iter()
                .map(|record| record[field].as_str().unwrap().to_owned())
                .collect::<HashSet<_>>()
        };
        assert_eq!((of("recipientAccountId").len(), of("awsRegion").len()), (1, 1));
        let times: Vec<Timestamp> = object
            .iter()
            .map(|r| Timestamp::parse(r["eventTime"].as_str().unwrap()).unwrap())
            .collect();
        let first = START + std::time::Duration::from_millis(5_000 * 86);
        assert!(
            times.iter().max().unwrap() < &(first + std::time::Duration::from_millis(5_000 * 86))
        );
        assert!(times.iter().min().unwrap() > &(first - std::time::Duration::from_secs(601)));
    }
}
